"""Accepting is an explicit act on the version one was shown."""

import pytest

from accounts.agreements.commands import publish_agreement
from accounts.agreements.models import Acceptance
from accounts.agreements.queries import acceptance_of, agreement_in_force
from accounts.programmes.models import Role
from core.errors import AgreementMissing
from stage.builders import a_job
from stage.cast import a_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def newcomer(programme):
    return a_member(programme, Role.TESTER, name="newcomer", has_accepted=False)


def a_newer_version(programme):
    return publish_agreement(programme_id=programme.id, text="Other words.", summary="Other.")


def test_the_page_shows_the_version_in_force(newcomer, programme):
    a_newer_version(programme)
    page = newcomer.client.get("/agreement").content.decode()
    assert "Version 2" in page
    assert "Other words." in page
    assert 'name="version" value="2"' in page


def test_accepting_opens_the_studio(newcomer, programme):
    with pytest.raises(AgreementMissing):
        a_job(newcomer)
    answer = newcomer.client.post("/agreement/accept", {"version": "1"})
    assert answer.url == "/"
    assert acceptance_of(programme.id, newcomer.party_id) is not None
    a_job(newcomer)


def test_the_act_names_the_credential_it_was_done_with(newcomer, programme):
    newcomer.client.post("/agreement/accept", {"version": "1"})
    act = Acceptance.objects.get(party_id=newcomer.party_id)
    request = newcomer.client.get("/agreement").wsgi_request
    assert act.credential_id == request.actor.credential_id


def test_looking_is_not_accepting(newcomer, programme):
    newcomer.client.get("/agreement")
    assert newcomer.client.get("/agreement/accept").status_code == 405
    assert acceptance_of(programme.id, newcomer.party_id) is None


def test_a_version_that_is_no_longer_in_force_cannot_be_accepted(newcomer, programme):
    a_newer_version(programme)
    answer = newcomer.client.post("/agreement/accept", {"version": "1"}, follow=True)
    assert "newer version" in answer.content.decode()
    assert acceptance_of(programme.id, newcomer.party_id) is None


@pytest.mark.parametrize("version", ["", "two", "-1", "1.0", "²", "9" * 30])
def test_nonsense_in_place_of_a_version_accepts_nothing(newcomer, programme, version):
    newcomer.client.post("/agreement/accept", {"version": version})
    assert not Acceptance.objects.filter(party_id=newcomer.party_id).exists()


def test_a_new_version_asks_again(tester, programme):
    a_newer_version(programme)
    assert acceptance_of(programme.id, tester.party_id) is None
    tester.client.post("/agreement/accept", {"version": "2"})
    assert acceptance_of(programme.id, tester.party_id).version.number == 2
    assert Acceptance.objects.filter(party_id=tester.party_id).count() == 2


def test_declining_stops_new_clips_and_one_may_change_ones_mind(tester, programme):
    tester.client.post("/agreement/decline", {"version": "1"})
    assert acceptance_of(programme.id, tester.party_id) is None
    page = tester.client.get("/agreement").content.decode()
    assert "You declined this version" in page
    tester.client.post("/agreement/accept", {"version": "1"})
    assert acceptance_of(programme.id, tester.party_id) is not None


def test_strangers_have_their_own_agreement(stranger, programme):
    assert agreement_in_force(programme.id).programme_id != stranger.programme.id
    stranger.client.post("/agreement/accept", {"version": "1"})
    assert acceptance_of(programme.id, stranger.party_id) is None


def test_who_is_not_signed_in_is_asked_to(browser):
    assert browser.get("/agreement").url == "/account/login/?next=%2Fagreement"
    assert browser.post("/agreement/accept", {"version": "1"}).status_code == 302
