"""Publishing what clips are judged by. An earlier version goes on governing what it sealed."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.programmes.commands import lock_programme, next_number
from core.audit.commands import record
from core.errors import InvalidOrder
from core.text import is_readable
from generation.clips.rules import Allows
from review.policies.models import CharterVersion, Clause, PolicyVersion
from review.policies.queries import files_before_in, said_by_policy
from review.policies.rules import Ground

LONGEST_HOURS = 24 * 90
LONGEST_DAYS = 3650
POLICY_FIELDS = ("introduction", "clauses", "files_before")
CHARTER_FIELDS = ("decide_within_hours", "appeal_within_hours", "appeal_open_days", "words")


@dataclass(frozen=True, slots=True)
class NewClause:
    ground: Ground
    title: str
    words: str


def publish_policy(
    *,
    programme_id: UUID,
    introduction: str,
    clauses: list[NewClause],
    files_before: Allows | None = None,
    seen: int | None = None,
    actor: UUID | None = None,
) -> PolicyVersion:
    """Put the next version in force; clauses are numbered from 1 in the order given.

    ``files_before``: which files of a clip its owner gets before it is approved; None leaves that
    as it is. One that allows more counts at once for clips that are there, one that allows less
    only for those to come.

    Raises ``InvalidOrder`` for a policy without clauses or with one that says nothing,
    ``ChangedMeanwhile`` where another version came in between.
    """
    _must_say_something(introduction, clauses)
    with transaction.atomic():
        lock_programme(programme_id)
        versions = PolicyVersion.objects.filter(programme_id=programme_id)
        version = PolicyVersion.objects.create(
            programme_id=programme_id,
            number=next_number(versions, seen=seen, fields=POLICY_FIELDS, said=said_by_policy),
            introduction=introduction.strip(),
            files_before=files_before or files_before_in(programme_id),
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
            files_before=version.files_before,
        )
    return version


def publish_charter(
    *,
    programme_id: UUID,
    decide_within_hours: int,
    appeal_within_hours: int,
    appeal_open_days: int = 184,
    words: str = "",
    seen: int | None = None,
    actor: UUID | None = None,
) -> CharterVersion:
    """Promise times from now on; what was put forward before keeps the clock it was given.

    Raises ``InvalidOrder`` for a time that is none, or beyond all patience, and
    ``ChangedMeanwhile`` where another version came in between.
    """
    hours = {"decide_within_hours": decide_within_hours, "appeal_within_hours": appeal_within_hours}
    for field, value in hours.items():
        _must_lie_between(field, value, LONGEST_HOURS)
    _must_lie_between("appeal_open_days", appeal_open_days, LONGEST_DAYS)
    with transaction.atomic():
        lock_programme(programme_id)
        versions = CharterVersion.objects.filter(programme_id=programme_id)
        version = CharterVersion.objects.create(
            programme_id=programme_id,
            number=next_number(versions, seen=seen, fields=CHARTER_FIELDS),
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
