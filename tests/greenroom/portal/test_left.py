"""Whoever left a programme reads what is theirs there, takes consents back, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.consents.commands import grant_consent, publish_consent
from accounts.consents.models import ConsentAct
from accounts.consents.queries import is_consented
from accounts.consents.rules import Purpose
from accounts.programmes.commands import add_member
from accounts.programmes.models import Role
from core.errors import Absent
from core.ids import shown
from generation.clips.models import Clip
from greenroom.offboarding.commands import offboard_member
from greenroom.offboarding.rules import Why
from stage.builders import a_clip
from stage.cast import Member, client_of

pytestmark = pytest.mark.django_db

TRAINING = Purpose.TRAINING


class Gone:
    """A tester who said yes for everything and for one clip, left, and signed in again."""

    def __init__(self, member: Member, clip: Clip) -> None:
        self.member, self.clip = member, clip
        self.slug = member.programme.slug
        self.browser = client_of(member.person)

    @property
    def page(self) -> str:
        answer = self.browser.get(f"/left/{self.slug}")
        assert answer.status_code == 200
        return answer.content.decode()

    def says_yes(self, clip: Clip | None = None) -> bool:
        return is_consented(
            programme_id=self.member.programme.id,
            party_id=self.member.party_id,
            purpose=TRAINING,
            clip_id=clip.id if clip else None,
        )

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self.browser.post(f"/api/v1{path}", body, "application/json")


def leaves(member: Member) -> None:
    offboard_member(programme_id=member.programme.id, party_id=member.party_id, reason=Why.OWN_WISH)


@pytest.fixture
def gone(programme, tester):
    publish_consent(
        programme_id=programme.id, purpose=TRAINING, is_asked=True, words="We may train models."
    )
    clip = a_clip(tester, prompt="A harbour that is mine")
    grant_consent(actor=tester.actor, purpose=TRAINING)
    grant_consent(actor=tester.actor, purpose=TRAINING, clip_id=clip.id)
    leaves(tester)
    return Gone(tester, clip)


def test_leaving_takes_no_consent_back(gone):
    assert gone.says_yes()
    assert gone.says_yes(gone.clip)
    assert "Leaving took none of them back" in gone.page
    assert "Models that were trained before are not unlearned" in gone.page


def test_each_consent_is_taken_back_by_itself_and_the_receipt_is_kept(gone):
    answer = gone.browser.post(f"/left/{gone.slug}/consents/training", follow=True)
    assert "Taken back" in answer.content.decode()
    assert (gone.says_yes(), gone.says_yes(gone.clip)) == (False, True)
    place = f"/left/{gone.slug}/consents/training/clips/{shown('clip', gone.clip.id)}"
    gone.browser.post(place)
    assert not gone.says_yes(gone.clip)
    assert "No consent of yours counts there" in gone.page
    act = ConsentAct.objects.order_by("-at", "-id").first()
    receipt = gone.browser.get(f"/left/{gone.slug}/acts/{shown('consent_act', act.id)}/receipt")
    assert (receipt.status_code, receipt.json()["act"]["act"]) == (200, "revoked")


def test_clips_and_pay_are_there_to_read(gone):
    assert "A harbour that is mine" in gone.page
    assert "/media/" in gone.page
    assert 'href="/exports"' in gone.page
    assert "Pay" in gone.page


def test_the_studio_and_the_consents_lead_there(gone):
    for path in ("/", "/consents", "/left"):
        assert "/left" in gone.browser.get(path).content.decode(), path
    assert f"/left/{gone.slug}" in gone.browser.get("/left").content.decode()


def test_nothing_is_given_there(gone):
    """No address of it says yes, and the command does not for who is no member."""
    answer = gone.browser.post(f"/left/{gone.slug}/consents/training", {"answer": "granted"})
    assert answer.status_code == 302
    assert not gone.says_yes(), "whatever is sent, this address takes back"
    with pytest.raises(Absent):
        grant_consent(actor=gone.member.actor, purpose=TRAINING)


def test_what_is_not_ones_own_is_absent(gone, programme, second_tester, stranger):
    theirs = a_clip(second_tester)
    slug = gone.slug
    assert gone.browser.get("/left/nowhere").status_code == 404
    place = f"/left/{slug}/consents/training/clips/{shown('clip', theirs.id)}"
    assert gone.browser.post(place).status_code == 404
    assert gone.browser.post(f"/left/{slug}/consents/everything").status_code == 404
    for other in (second_tester, stranger):
        assert client_of(other.person).get(f"/left/{slug}").status_code == 404
    act = ConsentAct.objects.first()
    leaves(second_tester)
    receipt = f"/left/{slug}/acts/{shown('consent_act', act.id)}/receipt"
    assert client_of(second_tester.person).get(receipt).status_code == 404


def test_who_was_taken_in_again_has_it_in_the_programme(gone, programme):
    add_member(programme_id=programme.id, party_id=gone.member.party_id, roles=[Role.TESTER])
    assert gone.browser.get(f"/left/{gone.slug}").status_code == 404
    assert gone.browser.get("/consents").status_code == 200


def test_the_same_over_the_api_with_a_session(gone):
    (place,) = gone.browser.get("/api/v1/left").json()["items"]
    assert (place["programme"], place["url"]) == (gone.slug, f"/api/v1/left/{gone.slug}/consents")
    given = {each["purpose"]: each for each in gone.browser.get(place["url"]).json()["items"]}
    assert given["training"]["is_given"]
    (own,) = given["training"]["clips"]
    assert own["clip"] == shown("clip", gone.clip.id)
    revoke = f"/left/{gone.slug}/consents/revoke"
    assert gone.post(revoke, {"purpose": "training"}).json()["answer"] == "revoked"
    said = gone.post(revoke, {"purpose": "training", "clip": own["clip"]})
    assert (said.status_code, said.json()["clip"]) == (200, own["clip"])
    assert not gone.says_yes(gone.clip)
    acts = gone.browser.get(f"/api/v1/left/{gone.slug}/consents/acts").json()["items"]
    assert [act["answer"] for act in acts].count("revoked") == 2
    receipt = gone.browser.get(f"/api/v1/left/{gone.slug}/consents/acts/{acts[0]['id']}/receipt")
    assert receipt.json()["kind"] == "consent.receipt"
    pay = gone.browser.get(f"/api/v1/left/{gone.slug}/earnings").json()
    assert pay["owed_micro"] == 0
    lines = gone.browser.get(f"/api/v1/left/{gone.slug}/earnings/lines").json()
    assert lines["items"] == []


def test_what_was_never_asked_there_cannot_be_taken_back(gone):
    answer = gone.post(f"/left/{gone.slug}/consents/revoke", {"purpose": "publicity"})
    assert (answer.status_code, answer.json()["code"]) == (409, "consent_not_asked")


def test_a_token_of_another_programme_reads_and_takes_nothing_back(gone, other_programme):
    add_member(programme_id=other_programme.id, party_id=gone.member.party_id, roles=[Role.TESTER])
    again = Member(gone.member.person, other_programme)
    answer = again.api.post(f"/api/v1/left/{gone.slug}/consents/revoke", {"purpose": "training"})
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_scope")
    assert again.api.get(f"/api/v1/left/{gone.slug}/consents").status_code == 200
