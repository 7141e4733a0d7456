"""The agreement over the native API: read by programs, answered by people."""

import pytest

from accounts.agreements.commands import publish_agreement
from accounts.agreements.models import Acceptance, AgreementVersion
from accounts.agreements.queries import governing_acceptance
from accounts.programmes.models import Role
from core.seal.queries import is_signed_here
from stage.cast import a_member, api_of

pytestmark = pytest.mark.django_db

AGREEMENT = "/api/v1/agreement"
ANSWER = "/api/v1/agreement/answer"


@pytest.fixture
def newcomer(programme):
    return a_member(programme, Role.TESTER, name="newcomer", has_accepted=False)


def answer(member, number=1, act="accepted"):
    """As the portal's own scripts would, after showing it."""
    member.client.get(AGREEMENT)
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
    assert governing_acceptance(programme.id, newcomer.party_id) is not None
    assert answer(newcomer, act="declined").json()["standing"] == "declined"
    assert newcomer.api.get(AGREEMENT).json()["standing"] == "declined"
    assert governing_acceptance(programme.id, newcomer.party_id) is None


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


def test_a_programme_without_terms_has_none_to_show(bare):
    assert bare.api.get(AGREEMENT).status_code == 404
    assert answer(bare).status_code == 409


def test_a_person_looks_and_a_program_does_not(newcomer, programme):
    newcomer.api.get(AGREEMENT)
    refused = newcomer.client.post(
        ANSWER, {"number": 1, "answer": "accepted"}, content_type="application/json"
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "agreement_not_viewed")
    assert not Acceptance.objects.filter(party_id=newcomer.party_id).exists()
    assert answer(newcomer).status_code == 200


def test_until_one_answers_the_old_version_governs(tester, programme):
    publish_agreement(
        programme_id=programme.id, text="Other words.", summary="Other.", changes="All of it."
    )
    body = tester.api.get(AGREEMENT).json()
    assert (body["governed_by"], body["accepted"], body["changes"]) == (1, 1, "All of it.")
    answer(tester, 2, "declined")
    body = tester.api.get(AGREEMENT).json()
    assert (body["governed_by"], body["accepted"], body["standing"]) == (None, 1, "declined")


def test_versions_acts_and_receipts_are_there_to_read(tester, programme):
    publish_agreement(programme_id=programme.id, text="Other words.", summary="Other.")
    answer(tester, 2)
    items = tester.api.get(f"{AGREEMENT}/versions").json()["items"]
    assert [each["number"] for each in items] == [2, 1]
    assert tester.api.get(f"{AGREEMENT}/versions/2").json() == items[0]
    assert tester.api.get(f"{AGREEMENT}/versions/3").status_code == 404
    acts = tester.api.get(f"{AGREEMENT}/acts").json()["items"]
    assert [(each["number"], each["answer"]) for each in acts] == [(2, "accepted"), (1, "accepted")]
    receipt = tester.api.get(f"{AGREEMENT}/acts/{acts[0]['id']}/receipt").json()
    assert is_signed_here(receipt)
    assert receipt["agreement"]["text"] == "Other words."


def test_a_manager_publishes_and_nobody_else(manager, tester, programme):
    wish = {"text": "Other words.", "summary": "", "seen": 1}
    assert tester.api.post(f"{AGREEMENT}/versions", wish).status_code == 404
    made = manager.api.post(f"{AGREEMENT}/versions", wish)
    assert (made.status_code, made.json()["number"]) == (200, 2)
    assert AgreementVersion.objects.get(number=2).published_by_id == manager.party_id
    late = manager.api.post(f"{AGREEMENT}/versions", wish)
    assert (late.status_code, late.json()["code"]) == (409, "changed_meanwhile")


def test_reading_asks_for_its_scope(tester):
    assert api_of(tester.token("clips:read")).get(AGREEMENT).status_code == 403
    assert api_of(tester.token("programme:read")).get(AGREEMENT).status_code == 200
