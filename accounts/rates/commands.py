"""Publishing what acts earn. A rate is never edited: where the next one begins, it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.programmes.commands import lock_programme, next_number
from accounts.rates.models import Rate
from accounts.rates.queries import said_by_rate
from accounts.rates.rules import FIELDS, ActKind
from core.audit.commands import record
from core.clock import must_be_in_range, now
from core.errors import InvalidOrder, TooLate
from core.money import LARGEST_MICRO
from core.outbox.commands import say
from core.text import is_readable

LONGEST_WORDS = 300


class RateBeginsAlready(TooLate):
    code = "rate_begins_already"

    def __init__(self) -> None:
        super().__init__(_("Another rate for this begins at the same moment."))


def publish_rate(
    *,
    programme_id: UUID,
    kind: ActKind,
    amount_micro: int,
    applies_from: datetime | None = None,
    words: str = "",
    seen: int | None = None,
    actor: UUID | None = None,
) -> Rate:
    """What acts of this kind earn from a moment on (``None``: from now). Zero pays nothing.

    ``seen`` is the number of the kind's newest rate that the writer had before them. Raises
    ``ChangedMeanwhile`` where another came in between, ``InvalidOrder`` for an amount or a moment
    that cannot be, ``RateBeginsAlready`` where another rate of the kind begins at the same moment.
    """
    _must_make_sense(amount_micro, words)
    must_be_in_range(applies_from, field="applies_from")
    with transaction.atomic():
        programme = lock_programme(programme_id)
        rates = Rate.objects.filter(programme=programme, kind=kind)
        number = next_number(rates, seen=seen, fields=FIELDS, said=said_by_rate)
        wait_until_nobody_earns(programme_id)
        moment = now()
        _must_begin_anew(rates, applies_from, moment)
        with _as_refusals():
            rate = Rate.objects.create(
                programme=programme,
                kind=kind,
                number=number,
                amount_micro=amount_micro,
                currency=programme.currency,
                words=words.strip(),
                published_by_id=actor,
                published_at=moment,
                applies_from=applies_from or moment,
            )
        # After whatever was done and published while this waited: the database knows of that.
        rate.refresh_from_db(fields=["published_at", "applies_from"])
        if applies_from not in (None, rate.applies_from):
            raise _in_the_past()
        facts: dict[str, Any] = {
            "act": kind.value,
            "amount_micro": amount_micro,
            "currency": programme.currency,
            "applies_from": rate.applies_from.isoformat(),
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


def wait_until_nobody_earns(programme_id: UUID) -> None:
    """Until the caller's transaction ends, nobody earns. After the programme's row and the
    credential, as the order of locks has it: who earns holds a credential and waits here."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_gate(programme_id)]
        )


def _gate(programme_id: UUID) -> str:
    return f"rates:{programme_id}"  # the database's own law takes the same


@contextmanager
def _as_refusals() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as refused:
        match getattr(getattr(refused.__cause__, "diag", None), "constraint_name", None):
            case "one_rate_begins_at_a_time":
                raise RateBeginsAlready from None
            case "a_rate_is_published_before_it_applies":
                raise _in_the_past() from None  # its moment came while this waited
        raise


def _must_begin_anew(
    rates: QuerySet[Rate], applies_from: datetime | None, moment: datetime
) -> None:
    if applies_from is None:
        return
    if applies_from < moment:
        raise _in_the_past()
    if rates.filter(applies_from=applies_from).exists():
        raise RateBeginsAlready


def _in_the_past() -> InvalidOrder:
    return InvalidOrder(
        "rate_in_the_past",
        _("A rate applies from now or later: nobody's work is priced afterwards."),
        field="applies_from",
    )


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
