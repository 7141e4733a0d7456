"""Telling a cohort, or everybody in the programme."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.announcements.models import Announcement
from accounts.announcements.queries import cohorts_to_write_to
from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from core.audit.commands import record
from core.clock import now
from core.errors import Absent, InvalidOrder
from core.idempotency.commands import Once
from core.outbox.commands import say
from core.text import is_readable

LONGEST_TITLE = 120
LONGEST_WORDS = 5_000
Answer = Callable[[Announcement], tuple[int, Any]]


def announce(
    *,
    actor: Actor,
    title: str,
    words: str,
    cohort_id: UUID | None = None,
    once: Once | None = None,
    answer: Answer | None = None,
) -> Announcement:
    """Tell everybody in the actor's programme, or those who have a seat in the cohort now.

    It is never edited: a mistake is put right by another. Raises ``InvalidOrder`` for words that
    cannot be read, ``Absent`` for a cohort that is not there.
    """
    actor.must_act(Scope.ANNOUNCEMENTS_SEND)
    title, words = title.strip(), words.replace("\r\n", "\n").strip()
    _must_be_readable(title, words)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        if once:
            once.begin()
        if cohort_id is not None and not cohorts_to_write_to(actor).filter(id=cohort_id).exists():
            raise Absent
        announcement = Announcement.objects.create(
            programme_id=actor.programme,
            cohort_id=cohort_id,
            title=title,
            words=words,
            made_by_id=actor.party_id,
            made_at=now(),
        )
        subject = ("announcement", announcement.id)
        facts: dict[str, Any] = {"programme": str(actor.programme)}
        if cohort_id is not None:
            facts["cohort"] = str(cohort_id)
        record(
            "announcement.made",
            subject=subject,
            actor=actor.party_id,
            credential=actor.credential_id,
            **facts,
        )
        say("announcement.made", subject=subject, without=str(actor.party_id), **facts)
        if once and answer:
            once.keep(*answer(announcement))
    return announcement


def _must_be_readable(title: str, words: str) -> None:
    if not 0 < len(title) <= LONGEST_TITLE or not is_readable(title):
        raise InvalidOrder(
            "title_invalid",
            _("A title is one line of 1 to %(most)s characters.") % {"most": LONGEST_TITLE},
            field="title",
        )
    if not 0 < len(words) <= LONGEST_WORDS or not is_readable(words, lines=True):
        raise InvalidOrder(
            "words_invalid",
            _("An announcement says something, in at most %(most)s characters of plain text.")
            % {"most": LONGEST_WORDS},
            field="words",
        )
