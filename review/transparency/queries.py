"""What a programme promises, and what came of it: counted from the rows, each time it is asked.

Every row it counts carries its time and is never edited afterwards, so the figures of a moment
can be computed again at any later one and come out the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.agreements.models import AgreementVersion
from accounts.agreements.queries import agreement_in_force
from accounts.programmes.models import Programme
from accounts.rates.queries import RateLine, rate_card
from core.money import Money
from review.policies.models import CharterVersion, PolicyVersion
from review.policies.queries import charter_in_force, policy_in_force


@dataclass(frozen=True, slots=True)
class Terms:
    """What is in force in a programme, None for what was never published."""

    programme: Programme
    agreement: AgreementVersion | None
    policy: PolicyVersion | None
    charter: CharterVersion | None
    rates: list[RateLine]


@dataclass(frozen=True, slots=True)
class ClauseFigure:
    """How often one clause of one policy version was the reason, by the last word on each clip."""

    policy: int
    number: int
    title: str
    declined: int
    changes_requested: int


@dataclass(frozen=True, slots=True)
class MoneyFigure:
    """``earned`` − ``paid`` = ``owed``."""

    earned: Money
    paid: Money

    @property
    def owed(self) -> Money:
        return self.earned - self.paid


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """As of ``at``. ``submitted`` = approved + declined + changes_requested + withdrawn + waiting.

    A submission counts by its last word; while a case about it is open it waits. Medians are in
    seconds from the opening of a case to its decision, None where nothing was decided.
    ``appeals_independent`` counts decided appeals whose judge neither owns the clip, nor took part
    in it, nor decided on it before.
    """

    at: datetime
    submitted: int
    approved: int
    declined: int
    changes_requested: int
    withdrawn: int
    waiting: int
    overdue: int
    decided: int
    decided_late: int
    median_decision_s: float | None
    median_appeal_s: float | None
    appeals_filed: int
    appeals_decided: int
    appeals_upheld: int
    appeals_overturned: int
    appeals_independent: int
    released_listed: int
    released_by_link: int
    clauses: list[ClauseFigure]
    money: list[MoneyFigure]


def terms_of(programme: Programme, at: datetime) -> Terms:
    return Terms(
        programme=programme,
        agreement=agreement_in_force(programme.id),
        policy=policy_in_force(programme.id),
        charter=charter_in_force(programme.id),
        rates=rate_card(programme.id, at),
    )


def figures(programme_id: UUID, at: datetime) -> Figures:
    """Three queries, however many rows there are."""
    given = {"programme": programme_id, "at": at}
    (counts,) = _rows(_STANDING + _COUNTS, given)
    return Figures(
        at=at,
        clauses=[ClauseFigure(**row) for row in _rows(_STANDING + _CLAUSES, given)],
        money=[_money(row) for row in _rows(_MONEY, given)],
        **counts,
    )


def _money(row: dict[str, Any]) -> MoneyFigure:
    return MoneyFigure(
        Money(int(row["earned"]), row["currency"]), Money(int(row["paid"]), row["currency"])
    )


def _rows(statement: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


_STANDING = """
WITH cases AS (
    SELECT id, submission_id, due_at, closed_at IS NULL OR closed_at > %(at)s AS is_open
    FROM review_case WHERE programme_id = %(programme)s AND opened_at <= %(at)s
), decisions AS (
    SELECT d.id, d.chain_id, d.owner_id, d.reviewer_id, d.round, d.outcome, d.clause_id,
           d.decided_at, c.submission_id, c.due_at,
           extract(epoch FROM d.decided_at - c.opened_at)::float AS took_s
    FROM review_decision d JOIN review_case c ON c.id = d.case_id
    WHERE d.programme_id = %(programme)s AND d.decided_at <= %(at)s
), last_words AS (
    SELECT DISTINCT ON (submission_id) submission_id, outcome, clause_id
    FROM decisions ORDER BY submission_id, round DESC
), standings AS (
    SELECT CASE WHEN EXISTS (SELECT FROM cases c WHERE c.submission_id = s.id AND c.is_open)
                THEN 'waiting' ELSE coalesce(l.outcome, 'withdrawn') END AS standing,
           l.clause_id
    FROM review_submission s LEFT JOIN last_words l ON l.submission_id = s.id
    WHERE s.programme_id = %(programme)s AND s.sealed_at <= %(at)s
)
"""

_COUNTS = """
SELECT submissions.*, open_cases.*, decided.*, appeals.*, releases.*
FROM (
    SELECT count(*) AS submitted,
           count(*) FILTER (WHERE standing = 'approved') AS approved,
           count(*) FILTER (WHERE standing = 'declined') AS declined,
           count(*) FILTER (WHERE standing = 'changes_requested') AS changes_requested,
           count(*) FILTER (WHERE standing = 'withdrawn') AS withdrawn,
           count(*) FILTER (WHERE standing = 'waiting') AS waiting
    FROM standings
) submissions, (
    SELECT count(*) FILTER (WHERE is_open AND due_at <= %(at)s) AS overdue FROM cases
) open_cases, (
    SELECT count(*) AS decided,
           count(*) FILTER (WHERE decided_at > due_at) AS decided_late,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY took_s) FILTER (WHERE round = 1)
               AS median_decision_s,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY took_s) FILTER (WHERE round = 2)
               AS median_appeal_s,
           count(*) FILTER (WHERE round = 2) AS appeals_decided,
           count(*) FILTER (WHERE round = 2 AND outcome = 'declined') AS appeals_upheld,
           count(*) FILTER (WHERE round = 2 AND outcome = 'approved') AS appeals_overturned,
           count(*) FILTER (WHERE round = 2 AND reviewer_id <> owner_id
               AND NOT EXISTS (SELECT FROM review_decision other
                               WHERE other.chain_id = decisions.chain_id
                                 AND other.reviewer_id = decisions.reviewer_id
                                 AND other.id <> decisions.id)
               AND NOT EXISTS (SELECT FROM review_sealedperson person
                               WHERE person.submission_id = decisions.submission_id
                                 AND person.party_id = decisions.reviewer_id)
           ) AS appeals_independent
    FROM decisions
) decided, (
    SELECT count(*) AS appeals_filed
    FROM review_appeal a JOIN review_case c ON c.id = a.case_id
    WHERE c.programme_id = %(programme)s AND a.filed_at <= %(at)s
) appeals, (
    SELECT count(*) FILTER (WHERE is_listed) AS released_listed,
           count(*) FILTER (WHERE NOT is_listed) AS released_by_link
    FROM review_release
    WHERE programme_id = %(programme)s AND released_at <= %(at)s
      AND (ended_at IS NULL OR ended_at > %(at)s)
) releases
"""

_CLAUSES = """
SELECT p.number AS policy, c.number, c.title,
       count(*) FILTER (WHERE s.standing = 'declined') AS declined,
       count(*) FILTER (WHERE s.standing = 'changes_requested') AS changes_requested
FROM standings s
JOIN review_clause c ON c.id = s.clause_id
JOIN review_policyversion p ON p.id = c.policy_id
WHERE s.standing IN ('declined', 'changes_requested')
GROUP BY p.number, c.number, c.title ORDER BY p.number DESC, c.number
"""

_MONEY = """
SELECT e.currency,
       coalesce(-sum(e.amount_micro) FILTER (WHERE t.kind <> 'payout'), 0) AS earned,
       coalesce(sum(e.amount_micro) FILTER (WHERE t.kind = 'payout'), 0) AS paid
FROM review_ledgerentry e
JOIN review_ledgertransaction t ON t.id = e.transaction_id
JOIN review_ledgeraccount a ON a.id = e.account_id
WHERE e.programme_id = %(programme)s AND a.kind = 'owed' AND t.posted_at <= %(at)s
GROUP BY e.currency ORDER BY e.currency
"""
