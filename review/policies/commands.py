"""Publishing what clips are judged by. An earlier version goes on governing what it sealed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Model
from django.utils.translation import gettext as _

from accounts.programmes.models import Programme
from core.audit.commands import record
from core.errors import Absent, InvalidOrder
from core.text import is_readable
from review.policies.models import CharterVersion, Clause, PolicyVersion
from review.policies.rules import Ground

LONGEST_HOURS = 24 * 90
LONGEST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class NewClause:
    ground: Ground
    title: str
    words: str


def publish_policy(
    *, programme_id: UUID, introduction: str, clauses: list[NewClause], actor: UUID | None = None
) -> PolicyVersion:
    """Put the next version in force; clauses are numbered from 1 in the order given.

    Raises ``InvalidOrder`` for a policy without clauses or with one that says nothing.
    """
    _must_say_something(introduction, clauses)
    with transaction.atomic():
        version = PolicyVersion.objects.create(
            programme_id=programme_id,
            number=_next_number(PolicyVersion, programme_id),
            introduction=introduction.strip(),
        )
        Clause.objects.bulk_create(
            [
                Clause(
                    policy=version,
                    number=number,
                    ground=clause.ground,
                    title=clause.title.strip(),
                    words=clause.words.strip(),
                )
                for number, clause in enumerate(clauses, 1)
            ]
        )
        record(
            "policy.published",
            subject=("policy", version.id),
            actor=actor,
            number=version.number,
            clauses=len(clauses),
        )
    return version


def publish_charter(
    *,
    programme_id: UUID,
    decide_within_hours: int,
    appeal_within_hours: int,
    appeal_open_days: int = 184,
    words: str = "",
    actor: UUID | None = None,
) -> CharterVersion:
    """Promise times from now on; what was put forward before keeps the clock it was given.

    Raises ``InvalidOrder`` for a time that is none, or beyond all patience.
    """
    hours = {"decide_within_hours": decide_within_hours, "appeal_within_hours": appeal_within_hours}
    for field, value in hours.items():
        _must_lie_between(field, value, LONGEST_HOURS)
    _must_lie_between("appeal_open_days", appeal_open_days, LONGEST_DAYS)
    with transaction.atomic():
        version = CharterVersion.objects.create(
            programme_id=programme_id,
            number=_next_number(CharterVersion, programme_id),
            appeal_open_days=appeal_open_days,
            words=words.strip(),
            **hours,
        )
        record(
            "charter.published",
            subject=("charter", version.id),
            actor=actor,
            number=version.number,
            decide_within_hours=decide_within_hours,
            appeal_within_hours=appeal_within_hours,
        )
    return version


def _next_number(versions: type[Model], programme_id: UUID) -> int:
    """One more than the last. The programme's row puts two publishers in a line."""
    if not Programme.objects.select_for_update().filter(id=programme_id).exists():
        raise Absent
    last: Any = versions._default_manager.filter(programme_id=programme_id).aggregate(  # noqa: SLF001
        number=Max("number")
    )["number"]
    return int(last or 0) + 1


def _must_say_something(introduction: str, clauses: list[NewClause]) -> None:
    if not clauses:
        raise InvalidOrder(
            "clauses_missing", _("A policy has at least one clause."), field="clauses"
        )
    texts = [introduction, *(text for clause in clauses for text in (clause.title, clause.words))]
    if not all(text.strip() and is_readable(text, lines=True) for text in texts):
        raise InvalidOrder(
            "policy_unreadable",
            _("The introduction and every clause's title and words say something, in plain text."),
            field="clauses",
        )


def _must_lie_between(field: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise InvalidOrder(
            "charter_out_of_range",
            _("This lies between 1 and %(most)s.") % {"most": most},
            field=field,
            most=most,
        )
