"""What a reviewer sees of the queue, and which cases they may have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet

from accounts.credentials.queries import Actor
from accounts.credentials.rules import SCOPE_ROLES, Scope
from core.clock import CoreNow
from core.errors import Absent
from core.ids import read_id
from review.submissions.models import Case, Skip
from review.submissions.rules import OPEN, SkipReason, State

# As ``claim_next_case`` and ``review_place`` have it: what escalated first, then fairly, then by
# age. ``is_calm`` is an annotation of ``queue_of``.
DESK_ORDER = ("is_calm", "fair_tag", "queue_number")


@dataclass(frozen=True, slots=True)
class DeskCounts:
    """Of the actor's programme: waiting, claimed, overdue among both, and held by the actor."""

    waiting: int
    claimed: int
    overdue: int
    mine: int


def queue_of(actor: Actor) -> QuerySet[Case]:
    """The open cases of the programme in ``DESK_ORDER``.

    Without the actor's own work, which is not theirs to see from this side.
    """
    return (
        _cases(actor)
        .filter(state__in=OPEN)
        .exclude(owner_id=actor.party_id)
        .annotate(is_calm=ExpressionWrapper(Q(escalated_at=None), output_field=BooleanField()))
        .order_by(*DESK_ORDER)
    )


def queue_asked_for(actor: Actor, wish: Mapping[str, Any]) -> QuerySet[Case]:
    """The queue, those alone that a valid wish of the API names."""
    named = {name: wish[name] for name in ("state", "kind") if name in wish}
    rows = queue_of(actor).filter(**named)
    mine = Q(state=State.CLAIMED, lease_by_id=actor.party_id)
    for name, question in (("is_yours", mine), ("is_overdue", Q(due_at__lte=CoreNow()))):
        if name in wish:
            rows = rows.filter(question) if wish[name] else rows.exclude(question)
    return rows


def held_by(actor: Actor) -> list[Case]:
    """The cases in the actor's hands, with the verdicts that can still be taken back."""
    mine = _cases(actor).filter(state=State.CLAIMED, lease_by_id=actor.party_id)
    return list(mine.order_by("lease_slot"))


def case_for(actor: Actor, shown_id: str) -> Case:
    """A case of the programme, not about the actor's own work. Raises ``Absent`` for any other."""
    case_id = read_id("case", shown_id)
    cases = _cases(actor).exclude(owner_id=actor.party_id)
    case = cases.filter(id=case_id).first() if case_id else None
    if case is None:
        raise Absent
    return case


def cases_decided_by(actor: Actor) -> QuerySet[Case]:
    """What the actor decided, the latest first."""
    return _cases(actor).filter(decision__reviewer_id=actor.party_id).order_by("-closed_at", "-id")


def bars_of(actor: Actor, case_ids: Iterable[UUID]) -> dict[UUID, str | None]:
    """Why the actor may not judge each of these cases; None where nothing stands against it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, review_bar(id, %s) FROM unnest(%s::uuid[]) AS wanted (id)",
            [actor.party_id, list(case_ids)],
        )
        return dict(cursor.fetchall())


def handed_back_by(actor: Actor, case_ids: Iterable[UUID]) -> set[UUID]:
    """Those of these cases that the actor handed back: not offered to them again before somebody
    escalates it."""
    skips = Skip.objects.filter(case_id__in=list(case_ids), reviewer_id=actor.party_id)
    return set(skips.exclude(why=SkipReason.CONFLICT).values_list("case_id", flat=True))


def desk_places(actor: Actor, case_ids: Iterable[UUID]) -> dict[UUID, int]:
    """The places, from 1, of those that wait among these cases of one page of the desk.

    One query that counts what stands before the page once, and only the page for each row.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH page AS (SELECT id, (escalated_at IS NULL) AS is_calm, fair_tag, queue_number"
            "  FROM review_case WHERE id = ANY(%(ids)s) AND state = 'queued'),"
            " head AS (SELECT * FROM page ORDER BY is_calm, fair_tag, queue_number LIMIT 1)"
            " SELECT p.id, (SELECT count(*) FROM review_case w, head h"
            "  WHERE w.programme_id = %(programme)s AND w.state = 'queued'"
            "  AND ((w.escalated_at IS NULL), w.fair_tag, w.queue_number)"
            "   < (h.is_calm, h.fair_tag, h.queue_number))"
            " + (SELECT count(*) FROM review_case w, head h"
            "  WHERE w.programme_id = %(programme)s AND w.state = 'queued'"
            "  AND ((w.escalated_at IS NULL), w.fair_tag, w.queue_number)"
            "   >= (h.is_calm, h.fair_tag, h.queue_number)"
            "  AND ((w.escalated_at IS NULL), w.fair_tag, w.queue_number)"
            "   <= (p.is_calm, p.fair_tag, p.queue_number))"
            " FROM page p",
            {"ids": list(case_ids), "programme": actor.programme},
        )
        return dict(cursor.fetchall())


def desk_counts(actor: Actor) -> DeskCounts:
    """One query."""
    _must_read_cases(actor)
    rows = Case.objects.filter(programme_id=actor.programme, state__in=OPEN)
    found = rows.aggregate(
        waiting=Count("id", filter=Q(state=State.QUEUED)),
        claimed=Count("id", filter=Q(state=State.CLAIMED)),
        overdue=Count("id", filter=Q(due_at__lte=CoreNow())),
        mine=Count("id", filter=Q(state=State.CLAIMED, lease_by_id=actor.party_id)),
    )
    return DeskCounts(**found)


def _must_read_cases(actor: Actor) -> None:
    """The desk is a room of its roles, by whichever door. The scope is the door's to ask."""
    if not actor.roles & SCOPE_ROLES[Scope.CASES_READ]:
        raise Absent


def _cases(actor: Actor) -> QuerySet[Case]:
    _must_read_cases(actor)
    return (
        Case.objects.filter(programme_id=actor.programme)
        .select_related("chain__job__model", "submission", "policy", "verdict__clause", "decision")
        .prefetch_related("chain__renditions", "policy__clauses")
    )
