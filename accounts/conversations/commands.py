"""Talking with the programme's people: one conversation for each matter, never edited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.conversations.models import Conversation, Remark
from accounts.conversations.queries import conversation_for, may_answer
from accounts.conversations.rules import AT_ONCE, LONGEST_REMARK, REMARKS_AT_ONCE, Speaker
from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.programmes.queries import membership_of
from core.audit.commands import record
from core.clock import now
from core.errors import Absent, InvalidOrder, Kind, Refusal
from core.idempotency.commands import Once
from core.outbox.commands import say
from core.text import is_readable


class OnesOwnManager(Refusal):
    """A manager asks the programme's managers, one of whom they are."""

    kind = Kind.CONFLICT
    code = "manager_asks_managers"

    def __init__(self) -> None:
        super().__init__(
            _(
                "You manage this programme: you are the person its members talk to. Please reach"
                " the other managers directly."
            )
        )


Answer = Callable[[Remark], tuple[int, Any]]


class TooManyRemarks(Refusal):
    kind = Kind.EXHAUSTED
    code = "too_many_remarks"


def write_remark(
    *,
    actor: Actor,
    words: str,
    conversation_id: str | None = None,
    clip_id: UUID | None = None,
    party_id: UUID | None = None,
    once: Once | None = None,
    answer: Answer | None = None,
) -> Remark:
    """Say something in a conversation, or begin the one about this matter by it.

    Without ``conversation_id`` it is the one of ``party_id`` (None: the actor) about ``clip_id``
    (None: about anything). The caller has found that the clip is that party's own. Members write
    in their own, managers in those of others; ``Absent`` for everybody else.
    Raises ``InvalidOrder`` for what cannot be read, ``TooManyRemarks`` past sixty in an hour,
    ``OnesOwnManager`` for a manager who would begin one with themself.
    """
    actor.must_act(Scope.CONVERSATIONS_WRITE)
    _must_say_something(words)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        if once:
            once.begin()
        _must_not_flood(actor.party_id)
        if conversation_id is not None:
            conversation = conversation_for(actor, conversation_id)
        else:
            conversation = _about(actor, clip_id, party_id or actor.party_id)
        is_own = conversation.party_id == actor.party_id
        remark = Remark.objects.create(
            conversation=conversation,
            author_id=actor.party_id,
            role=Speaker.MEMBER if is_own else Speaker.MANAGER,
            words=words.strip(),
            at=now(),
        )
        _tell(remark, conversation, actor)
        if once and answer:
            once.keep(*answer(remark))
    return remark


def _about(actor: Actor, clip_id: UUID | None, party_id: UUID) -> Conversation:
    """The one conversation about this matter; two that begin it at once are one."""
    if party_id != actor.party_id and not may_answer(actor):
        raise Absent
    if membership_of(actor.programme, party_id) is None:
        raise Absent
    if may_answer(actor) and party_id == actor.party_id:
        raise OnesOwnManager
    matter = {"programme_id": actor.programme, "party_id": party_id, "clip_id": clip_id}
    Conversation.objects.bulk_create(
        [Conversation(**matter, opened_at=now())], ignore_conflicts=True
    )
    return Conversation.objects.get(**matter)


def _tell(remark: Remark, conversation: Conversation, actor: Actor) -> None:
    """A member's remark is for whoever manages the programme; an answer is for the member."""
    subject = ("conversation", conversation.id)
    is_answer = remark.role == Speaker.MANAGER
    facts = {"programme": str(conversation.programme_id), "role": str(remark.role)}
    record(
        "remark.written",
        subject=subject,
        actor=actor.party_id,
        credential=actor.credential_id,
        **facts,
    )
    party = conversation.party_id if is_answer else None
    # A manager who is the member here need not be told of their own word.
    say("remark.written", subject=subject, party=party, without=str(actor.party_id), **facts)


def _must_say_something(words: str) -> None:
    length = len(words.strip())
    if length > LONGEST_REMARK:
        raise InvalidOrder(
            "words_invalid",
            _("These are %(length)s characters; at most %(most)s are sent at once.")
            % {"length": length, "most": LONGEST_REMARK},
            field="words",
            most=LONGEST_REMARK,
        )
    if not length or not is_readable(words, lines=True):
        raise InvalidOrder(
            "words_invalid", _("Say something, in plain text."), field="words", most=LONGEST_REMARK
        )


def _must_not_flood(party_id: UUID) -> None:
    with connection.cursor() as cursor:
        # Two at once must not both count the same fifty-nine.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"remarks of {party_id}"]
        )
    lately = Remark.objects.filter(author_id=party_id, at__gt=now() - AT_ONCE).count()
    if lately >= REMARKS_AT_ONCE:
        raise TooManyRemarks(
            _("You sent %(most)s messages within an hour. Nothing was sent; try again later.")
            % {"most": REMARKS_AT_ONCE},
            most=REMARKS_AT_ONCE,
        )
