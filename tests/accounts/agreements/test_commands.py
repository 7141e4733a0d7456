"""Publishing versions, and the receipts of what was said to them."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from accounts.agreements.commands import (
    NotViewed,
    answer_agreement,
    issue_receipt,
    note_view,
    publish_agreement,
)
from accounts.agreements.models import Acceptance, AgreementVersion
from accounts.agreements.queries import (
    agreement_in_force,
    agreement_standing,
    governing_acceptance,
)
from accounts.agreements.words import governing_sentence
from accounts.programmes.commands import ChangedMeanwhile, ParticularsWish, publish_particulars
from accounts.programmes.models import Role
from core.audit.models import AuditEvent
from core.clock import now
from core.errors import Anonymous, InvalidOrder, TooLate
from core.ids import shown
from core.outbox.models import OutboxMessage
from core.seal.queries import is_signed_here
from stage.cast import a_member

pytestmark = pytest.mark.django_db


def publish(programme, text="Other words.", summary="Other.", **facts):
    return publish_agreement(programme_id=programme.id, text=text, summary=summary, **facts)


def answer(member, number, act="accepted", *, looks=True):
    if looks:
        version = AgreementVersion.objects.get(programme=member.programme, number=number)
        note_view(version=version, party_id=member.party_id)
    return answer_agreement(
        programme_id=member.programme.id,
        party_id=member.party_id,
        number=number,
        act=Acceptance.Act(act),
        credential_id=member.actor.credential_id,
    )


def test_a_version_is_published_with_what_changed_and_by_whom(programme, manager, clock):
    day = clock.now() + timedelta(days=30)
    version = publish(programme, changes="One word.", answer_by=day, seen=1, actor=manager.party_id)
    assert (version.number, version.changes, version.answer_by) == (2, "One word.", day)
    event = AuditEvent.objects.get(kind="agreement.published", facts__number=2)
    assert event.actor_party_id == manager.party_id
    message = OutboxMessage.objects.filter(kind="agreement.published").latest("id")
    assert (message.subject_kind, message.subject_id) == ("agreement", version.id)
    told = {"programme": str(programme.id), "number": 2, "without": str(manager.party_id)}
    assert message.facts == told


def test_the_second_of_two_writers_sees_what_changed(programme):
    publish(programme, seen=1)
    with pytest.raises(ChangedMeanwhile) as refusal:
        publish(programme, text="Words of the second writer.", seen=1)
    assert refusal.value.facts["number"] == 2
    assert {each["field"] for each in refusal.value.facts["changes"]} == {"text", "summary"}
    assert agreement_in_force(programme.id).number == 2


@pytest.mark.parametrize(
    "wish",
    [{"text": " \n"}, {"text": "x\0"}, {"summary": "\u202e"}, {"text": "x" * 200_001}],
)
def test_what_nobody_could_read_is_not_published(programme, wish):
    with pytest.raises(InvalidOrder):
        publish(programme, **wish)
    assert agreement_in_force(programme.id).number == 1


def test_an_answer_is_asked_for_by_a_day_to_come(programme, clock):
    with pytest.raises(InvalidOrder) as refusal:
        publish(programme, answer_by=clock.now() - timedelta(minutes=1))
    assert (refusal.value.code, refusal.value.field) == ("answer_by_past", "answer_by")


def test_line_breaks_of_forms_change_no_text(programme):
    assert publish(programme, text="One.\r\n\r\nTwo.").text == "One.\n\nTwo."


def test_nobody_answers_what_they_never_saw(programme):
    newcomer = a_member(programme, Role.TESTER, name="newcomer", has_accepted=False)
    with pytest.raises(NotViewed):
        answer(newcomer, 1, looks=False)
    assert governing_acceptance(programme.id, newcomer.party_id) is None


def test_a_look_at_one_version_is_none_at_the_next(programme, tester):
    note_view(version=agreement_in_force(programme.id), party_id=tester.party_id)
    publish(programme)
    with pytest.raises(NotViewed):
        answer(tester, 2, looks=False)
    with pytest.raises(TooLate):
        answer(tester, 1)


def test_a_sign_in_that_ended_answers_nothing(programme, tester):
    publish(programme)
    tester.actor  # noqa: B018  (signs in)
    from accounts.credentials.commands import revoke_sessions

    revoke_sessions(actor=tester.actor)
    with pytest.raises(Anonymous):
        answer(tester, 2)


def test_a_no_holds_for_later_versions_until_there_is_a_later_word(programme, tester):
    publish(programme)
    answer(tester, 2, "declined")
    publish(programme)
    assert governing_acceptance(programme.id, tester.party_id) is None
    answer(tester, 3)
    assert governing_acceptance(programme.id, tester.party_id).version.number == 3


def test_a_day_that_passed_ends_a_yes_also_when_a_newer_version_has_none(programme, tester, clock):
    publish(programme, answer_by=now() + timedelta(days=1))
    clock.advance(days=2)
    publish(programme)
    assert governing_acceptance(programme.id, tester.party_id) is None
    standing = agreement_standing(programme.id, tester.party_id)
    assert (standing.is_lapsed, standing.is_overdue) == (True, False)
    assert "day to answer by has passed" in governing_sentence(standing)
    answer(tester, 3)
    assert governing_acceptance(programme.id, tester.party_id).version.number == 3


@pytest.mark.parametrize("year", [1969, 2201, 9999])
def test_a_day_that_nobody_can_mean_is_refused(programme, manager, year):
    with pytest.raises(InvalidOrder) as refused:
        publish(programme, answer_by=datetime(year, 12, 31, 23, 59, tzinfo=UTC))
    assert refused.value.code == "moment_out_of_range"
    body = {"text": "Two.", "summary": "", "answer_by": f"{year}-12-31T23:59:59Z"}
    refusal = manager.api.post("/api/v1/agreement/versions", body)
    assert refusal.status_code == 422
    assert "moment_out_of_range" in refusal.content.decode()


def test_a_receipt_says_everything_that_matters(programme, tester, settings, clock):
    settings.PUBLIC_ADDRESS = "https://lab.example"
    publish(programme, text="Worte, ganz.", summary="Kurz.")
    act = answer(tester, 2, "declined")
    clock.advance(hours=1)
    publish_particulars(programme_id=programme.id, wish=ParticularsWish("Another name"))
    receipt = issue_receipt(actor=tester.actor, acceptance_id=shown("acceptance", act.id))
    assert is_signed_here(receipt)
    assert receipt["issuer"] == "https://lab.example"
    assert receipt["programme"] == {"id": shown("programme", programme.id), "name": "Studio"}
    assert receipt["party"] == shown("party", tester.party_id)
    assert receipt["agreement"]["text"] == "Worte, ganz."
    for text in ("text", "summary"):
        words = receipt["agreement"][text]
        assert receipt["agreement"][f"{text}_sha256"] == hashlib.sha256(words.encode()).hexdigest()
    said = receipt["act"]
    assert (said["act"], said["signed_in_by"]) == ("declined", "password")
    assert said["viewed_at"] <= said["at"] == act.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_the_same_act_has_the_same_receipt(tester):
    shown_id = shown("acceptance", Acceptance.objects.get(party_id=tester.party_id).id)
    first = issue_receipt(actor=tester.actor, acceptance_id=shown_id)
    assert issue_receipt(actor=tester.actor, acceptance_id=shown_id) == first
    # The cast's answer was written at the machine: nobody had it on a screen.
    assert (first["act"]["viewed_at"], first["act"]["signed_in_by"]) == (None, "machine")
