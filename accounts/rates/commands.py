"""Publishing what acts earn. A rate is never edited: where the next one begins, it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.programmes.models import Programme
from accounts.rates.models import Rate
from accounts.rates.rules import ActKind
from core.audit.commands import record
from core.clock import must_be_in_range, now
from core.errors import Absent, InvalidOrder, TooLate
from core.money import LARGEST_MICRO
from core.outbox.commands import say
from core.text import is_readable

LONGEST_WORDS = 300


class RateBeginsAlready(TooLate):
    code = "rate_begins_already"


def publish_rate(
    *,
    programme_id: UUID,
    kind: ActKind,
    amount_micro: int,
    applies_from: datetime | None = None,
    words: str = "",
    actor: UUID | None = None,
) -> Rate:
    """What acts of this kind earn from a moment on (``None``: from now). Zero pays nothing.

    Raises ``InvalidOrder`` for an amount or a moment that cannot be, ``RateBeginsAlready`` where
    another rate of the kind begins at the same moment.
    """
    _must_make_sense(amount_micro, words)
    must_be_in_range(applies_from, field="applies_from")
    with while_nobody_earns(programme_id), transaction.atomic():
        # Two publishers stand in a line here, also inside a transaction of the caller's.
        programme = Programme.objects.select_for_update(no_key=True).filter(id=programme_id).first()
        if programme is None:
            raise Absent
        moment = now()
        begins = applies_from or moment
        _must_begin_anew(programme_id, kind, begins, moment)
        rate = Rate.objects.create(
            programme=programme,
            kind=kind,
            amount_micro=amount_micro,
            currency=programme.currency,
            words=words.strip(),
            published_by_id=actor,
            published_at=moment,
            applies_from=begins,
        )
        facts: dict[str, Any] = {
            "act": kind.value,
            "amount_micro": amount_micro,
            "currency": programme.currency,
            "applies_from": begins.isoformat(),
        }
        record("rate.published", subject=("rate", rate.id), actor=actor, **facts)
        say("rate.published", subject=("rate", rate.id), party=None, **facts)
    return rate


def hold_rates(programme_id: UUID) -> None:
    """No rate begins until the caller's transaction ends, so what it reads stays the rate in force.

    For deeds that keep the rate of their own moment. Taken before that rate is read.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))", [_gate(programme_id)]
        )


@contextmanager
def while_nobody_earns(programme_id: UUID) -> Iterator[None]:
    # Before the transaction begins, not in it: its time is that of its beginning, and a rate that
    # had waited for an act would apply from a moment before that act, which has the earlier rate.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [_gate(programme_id)])
        try:
            yield
        finally:
            cursor.execute(
                "SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [_gate(programme_id)]
            )


def _gate(programme_id: UUID) -> str:
    return f"rates:{programme_id}"


def _must_make_sense(amount_micro: int, words: str) -> None:
    if amount_micro < 0:
        raise InvalidOrder("rate_negative", _("A rate is zero or more."), field="amount_micro")
    if amount_micro > LARGEST_MICRO:
        raise InvalidOrder(
            "rate_too_large", _("A rate cannot be that large."), field="amount_micro"
        )
    if len(words) > LONGEST_WORDS or not is_readable(words):
        raise InvalidOrder(
            "rate_words_invalid",
            _("The words beside a rate are one line of at most %(most)s characters.")
            % {"most": LONGEST_WORDS},
            field="words",
        )


def _must_begin_anew(programme_id: UUID, kind: ActKind, begins: datetime, moment: datetime) -> None:
    if begins < moment:
        raise InvalidOrder(
            "rate_in_the_past",
            _("A rate applies from now or later: nobody's work is priced afterwards."),
            field="applies_from",
        )
    if Rate.objects.filter(programme_id=programme_id, kind=kind, applies_from=begins).exists():
        raise RateBeginsAlready(_("Another rate for this begins at the same moment."))
