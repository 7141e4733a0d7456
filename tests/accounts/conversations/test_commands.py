"""Talking with the programme's people: who may, about what, how much."""

from __future__ import annotations

from dataclasses import replace

import pytest

from accounts.conversations.commands import TooManyRemarks, write_remark
from accounts.conversations.models import Conversation, Remark
from accounts.conversations.queries import (
    conversation_for,
    conversations_of,
    conversations_to_answer,
    readers_of,
    remarks_of,
)
from accounts.conversations.rules import LONGEST_REMARK
from accounts.credentials.commands import end_credential
from core.audit.models import AuditEvent
from core.errors import Absent, Anonymous, InvalidOrder, WrongScope
from core.ids import shown
from core.outbox.models import OutboxMessage


@pytest.fixture
def asked(tester):
    return write_remark(actor=tester.actor, words="Who decides about the shoot in May?")


def public_id(remark):
    return shown("conversation", remark.conversation_id)


def test_there_is_one_conversation_for_one_matter(tester, asked):
    again = write_remark(actor=tester.actor, words="And in June?")

    assert again.conversation_id == asked.conversation_id
    assert [one.words for one in remarks_of(asked.conversation)] == [
        "Who decides about the shoot in May?",
        "And in June?",
    ]
    assert Conversation.objects.get().clip_id is None


def test_a_manager_answers_as_one_and_the_member_is_told(tester, manager, asked):
    answer = write_remark(actor=manager.actor, words="I do.", conversation_id=public_id(asked))

    assert (answer.role, answer.author_id) == ("manager", manager.party_id)
    said = OutboxMessage.objects.filter(kind="remark.written").order_by("at", "id")
    question, told = said
    assert (question.party_id, question.facts["programme"]) == (None, str(tester.programme.id))
    assert (told.party_id, told.subject_id) == (tester.party_id, asked.conversation_id)


def test_what_is_said_stands_in_the_audit_without_its_words(asked):
    event = AuditEvent.objects.get(kind="remark.written")
    assert event.subject_id == asked.conversation_id
    assert "May" not in str(event.facts)


@pytest.mark.parametrize("who", ["second_tester", "reviewer", "finance", "auditor", "stranger"])
def test_nobody_else_reads_or_writes(asked, who, request):
    actor = request.getfixturevalue(who).actor
    with pytest.raises(Absent):
        conversation_for(actor, public_id(asked))
    with pytest.raises(Absent):
        write_remark(actor=actor, words="Me too.", conversation_id=public_id(asked))
    with pytest.raises(Absent):
        conversations_to_answer(actor)


def test_a_member_begins_none_in_somebody_elses_name(tester, second_tester):
    with pytest.raises(Absent):
        write_remark(actor=tester.actor, words="Hello.", party_id=second_tester.party_id)


def test_a_manager_may_begin_one_with_a_member_of_the_programme_only(tester, stranger, manager):
    begun = write_remark(actor=manager.actor, words="Hello.", party_id=tester.party_id)
    assert begun.conversation.party_id == tester.party_id
    with pytest.raises(Absent):
        write_remark(actor=manager.actor, words="Hello.", party_id=stranger.party_id)


def test_those_that_wait_for_an_answer_are_known(tester, second_tester, manager, asked, clock):
    clock.advance(minutes=1)
    write_remark(actor=second_tester.actor, words="Is anybody there?")
    clock.advance(minutes=1)
    write_remark(actor=manager.actor, words="I do.", conversation_id=public_id(asked))

    everybody = conversations_to_answer(manager.actor).order_by("-waits", "-last_at")
    assert [(one.party_id, one.waits) for one in everybody] == [
        (second_tester.party_id, 1),
        (tester.party_id, 0),
    ]
    assert [one.last_words for one in conversations_of(tester.actor)] == ["I do."]


@pytest.mark.parametrize("words", ["", "  \n ", "a\x00b", "x" * (LONGEST_REMARK + 1)])
def test_what_cannot_be_read_is_refused(tester, words):
    with pytest.raises(InvalidOrder) as refusal:
        write_remark(actor=tester.actor, words=words)
    assert (refusal.value.code, refusal.value.field) == ("words_invalid", "words")
    assert not Conversation.objects.exists()


def test_sixty_in_an_hour_are_enough_and_later_there_are_more(tester, asked, clock):
    Remark.objects.bulk_create(
        [
            Remark(
                conversation=asked.conversation,
                author_id=tester.party_id,
                role="member",
                words="!",
                at=asked.at,
            )
            for _ in range(59)
        ]
    )
    with pytest.raises(TooManyRemarks):
        write_remark(actor=tester.actor, words="One more.")
    clock.advance(hours=1, seconds=1)
    assert write_remark(actor=tester.actor, words="One more.")


def test_a_credential_without_the_scope_or_revoked_says_nothing(tester):
    with pytest.raises(WrongScope):
        write_remark(actor=tester.token_actor("conversations:read"), words="Hello.")
    end_credential(tester.actor.credential_id, state="revoked", reason="test", actor=None)
    with pytest.raises(Anonymous):
        write_remark(actor=tester.actor, words="Hello.")


def test_an_administrator_is_no_manager(tester, asked):
    actor = replace(tester.actor, roles=frozenset({"administrator"}))
    with pytest.raises(Absent):
        conversations_to_answer(actor)


def test_it_names_who_reads(manager, programme):
    assert readers_of(programme.id) == []
    detail = type(manager.person.detail).objects.filter(person=manager.person)
    detail.update(display_name="Mara Vogt")
    assert readers_of(programme.id) == ["Mara Vogt"]
