"""Reserving and settling. Two SQL functions do the sums; nothing else touches them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.credentials.commands import act_in
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.programmes.queries import membership_of
from accounts.quotas.models import Budget, Kind
from core.audit.commands import record
from core.clock import now
from core.errors import Absent, InvalidOrder, NotAllowed, QuotaExceeded

WORDS = {
    ("credits", "lineage"): lambda: _("credits of this token"),
    ("credits", "party"): lambda: _("your credits"),
    ("credits", "programme"): lambda: _("credits of the programme"),
    ("money", "lineage"): lambda: _("fees of this token"),
    ("money", "party"): lambda: _("your fees"),
    ("money", "programme"): lambda: _("fees of the programme"),
}
LARGEST_LIMIT = 10**18  # of credits or micro-units: what a column holds, and room to add


@dataclass(frozen=True, slots=True)
class Hold:
    """An amount to hold: whole credits, or micro-units of the programme's currency."""

    reservation_id: UUID
    kind: Kind
    amount: int


def reserve(
    *, work_id: UUID, programme_id: UUID, party_id: UUID, lineage_id: UUID, holds: list[Hold]
) -> None:
    """Hold every amount in every budget on its path, or nothing. One statement.

    Raises ``QuotaExceeded`` naming the budget that refused and what is left in it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT refused_kind, refused_level, refused_amount, left_over"
            " FROM quota_reserve(%s, %s, %s, %s, %s::uuid[], %s::text[], %s::bigint[])",
            [
                work_id,
                programme_id,
                party_id,
                lineage_id,
                [hold.reservation_id for hold in holds],
                [hold.kind.value for hold in holds],
                [hold.amount for hold in holds],
            ],
        )
        refused = cursor.fetchone()
    if refused:
        kind, level, asked, left = refused
        raise QuotaExceeded(asked=asked, left=left, budget=WORDS[kind, level](), budget_kind=kind)


def settle_reservation(*, work_id: UUID, kind: Kind, charge: int) -> bool:
    """End the reservation: charge this much (0 gives all back). False when it had ended before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT quota_settle(%s, %s, %s)", [work_id, kind.value, charge])
        (ended,) = cursor.fetchone()
    return bool(ended)


def grant_budget(
    *,
    programme_id: UUID,
    kind: Kind,
    limit: int,
    party_id: UUID | None = None,
    lineage_id: UUID | None = None,
    actor: UUID | None = None,
) -> Budget:
    """Set the limit of one budget, making the row where there is none.

    Raises ``InvalidOrder`` for a limit below what is already reserved and spent, and for the
    programme's own money: that is what the ledger says was set aside.
    """
    if kind is Kind.MONEY and party_id is None:
        raise InvalidOrder(
            "money_is_set_aside",
            _("The programme's money is what was set aside in the ledger; it has no limit to set."),
            field="limit",
        )
    if limit < 0:
        raise InvalidOrder("limit_negative", _("A budget's limit is zero or more."), field="limit")
    if limit > LARGEST_LIMIT:
        raise InvalidOrder("figure_out_of_range", _("This figure is out of range."), field="limit")
    with transaction.atomic():
        budget = _locked_budget(programme_id, kind, party_id, lineage_id)
        _must_cover_use(budget, limit)
        Budget.objects.filter(id=budget.id).update(limit=limit)
        record(
            "budget.granted",
            subject=("budget", budget.id),
            actor=actor,
            limit=limit,
            budget_kind=kind.value,
        )
    budget.limit = limit
    return budget


def grant_credits(
    *, programme_id: UUID, party_id: UUID, limit: int, actor: Actor | None = None
) -> Budget:
    """Set a member's own credits, by who looks after the programme's people or at the machine.

    Raises ``Absent`` for who is no member, ``NotAllowed`` for oneself, and as ``grant_budget``.
    """
    with transaction.atomic():
        giver = act_in(programme_id, actor, Scope.PEOPLE_WRITE)
        if giver == party_id:
            raise NotAllowed(_("Nobody sets their own credits. Ask another manager."))
        if membership_of(programme_id, party_id) is None:
            raise Absent
        return grant_budget(
            programme_id=programme_id,
            kind=Kind.CREDITS,
            limit=limit,
            party_id=party_id,
            actor=giver,
        )


def raise_budget(*, programme_id: UUID, kind: Kind, by: int, actor: UUID | None = None) -> Budget:
    """Move the limit of the programme's own budget up, making the row where there is none; a
    negative ``by`` moves it down. The row stays locked until the caller's transaction ends.

    Raises ``InvalidOrder`` for a limit below what is already reserved and spent.
    """
    with transaction.atomic():
        budget = _locked_budget(programme_id, kind, None, None)
        limit = budget.limit + by
        _must_cover_use(budget, limit)
        Budget.objects.filter(id=budget.id).update(limit=limit)
        record(
            "budget.moved",
            subject=("budget", budget.id),
            actor=actor,
            by=by,
            limit=limit,
            budget_kind=kind.value,
        )
    budget.limit = limit
    return budget


def _locked_budget(
    programme_id: UUID, kind: Kind, party_id: UUID | None, lineage_id: UUID | None
) -> Budget:
    """The budget at this place, made where there was none."""
    place: dict[str, Any] = {
        "programme_id": programme_id,
        "kind": kind,
        "party_id": party_id,
        "lineage_id": lineage_id,
    }
    Budget.objects.bulk_create([Budget(**place, limit=0, made_at=now())], ignore_conflicts=True)
    return Budget.objects.select_for_update().get(**place)


def _must_cover_use(budget: Budget, limit: int) -> None:
    used = budget.reserved + budget.spent
    if limit < used:
        raise InvalidOrder(
            "limit_below_use",
            _("%(used)s is already in use; the limit cannot be lower.") % {"used": used},
            field="limit",
            used=used,
        )
