"""The agreement over the native API: read by programs, answered by people."""

import pytest

from accounts.agreements.commands import publish_agreement
from accounts.agreements.models import Acceptance
from accounts.agreements.queries import acceptance_of
from accounts.programmes.commands import open_programme
from accounts.programmes.models import Role
from stage.cast import a_member, api_of

pytestmark = pytest.mark.django_db

AGREEMENT = "/api/v1/agreement"
ANSWER = "/api/v1/agreement/answer"


@pytest.fixture
def newcomer(programme):
    return a_member(programme, Role.TESTER, name="newcomer", has_accepted=False)


def answer(member, number=1, act="accepted"):
    """As the portal's own scripts would."""
    return member.client.post(
        ANSWER, {"number": number, "answer": act}, content_type="application/json"
    )


def test_the_version_in_force_is_shown_with_ones_own_standing(newcomer):
    body = newcomer.api.get(AGREEMENT).json()
    assert (body["number"], body["standing"], body["answered_at"]) == (1, "unanswered", None)
    assert body["text"].startswith("You may make clips.")
    assert body["summary"] == "Make clips, speak freely."


def test_a_person_accepts_and_may_change_their_mind(newcomer, programme):
    accepted = answer(newcomer)
    assert (accepted.status_code, accepted.json()["standing"]) == (200, "accepted")
    assert acceptance_of(programme.id, newcomer.party_id) is not None
    assert answer(newcomer, act="declined").json()["standing"] == "declined"
    assert newcomer.api.get(AGREEMENT).json()["standing"] == "declined"
    assert acceptance_of(programme.id, newcomer.party_id) is None


def test_a_token_reads_it_and_never_answers_it(newcomer):
    refused = newcomer.api.post(ANSWER, {"number": 1, "answer": "accepted"})
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_scope")
    assert not Acceptance.objects.filter(party_id=newcomer.party_id).exists()


def test_a_version_that_is_no_longer_in_force_refuses_the_answer(tester, programme):
    publish_agreement(programme_id=programme.id, text="Other words.", summary="Other.")
    late = answer(tester, number=1)
    assert (late.status_code, late.json()["code"]) == (409, "state_changed")
    body = tester.api.get(AGREEMENT).json()
    assert (body["number"], body["standing"]) == (2, "unanswered")


@pytest.mark.parametrize(("number", "act"), [("1", "accepted"), (1, "perhaps"), (None, "accepted")])
def test_nonsense_answers_nothing(newcomer, number, act):
    assert answer(newcomer, number, act).status_code == 422
    assert not Acceptance.objects.filter(party_id=newcomer.party_id).exists()


def test_a_programme_without_terms_has_none_to_show(db):
    bare = a_member(
        open_programme(slug="bare", name="Bare"),
        Role.TESTER,
        name="x",
        credits=0,
        has_accepted=False,
    )
    assert bare.api.get(AGREEMENT).status_code == 404
    assert answer(bare).status_code == 409


def test_reading_asks_for_its_scope(tester):
    assert api_of(tester.token("clips:read")).get(AGREEMENT).status_code == 403
    assert api_of(tester.token("programme:read")).get(AGREEMENT).status_code == 200
