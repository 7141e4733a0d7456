import pytest

from accounts.programmes.commands import ParticularsWish, make_programme
from accounts.programmes.models import Role
from stage.cast import a_member


@pytest.fixture
def bare(db):
    """A tester of a programme that has published no agreement."""
    programme = make_programme(slug="bare", wish=ParticularsWish("Bare"))
    return a_member(programme, Role.TESTER, name="x", credits=0, has_accepted=False)
