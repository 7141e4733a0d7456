from __future__ import annotations

from uuid import UUID

from django.db.models import Prefetch, QuerySet

from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from core.errors import Absent
from core.ids import read_id
from review.payouts.models import Payout, PayoutApproval
from review.payouts.rules import OPEN


def payouts_of(actor: Actor) -> QuerySet[Payout]:
    """Every payout of the programme, newest first, for those who read the ledger."""
    actor.must_act(Scope.LEDGER_READ)
    return _payouts(actor.programme).order_by("-made_at", "-id")


def open_payouts(actor: Actor) -> QuerySet[Payout]:
    """Those that still wait for somebody."""
    return payouts_of(actor).filter(state__in=OPEN)


def open_payouts_by_party(actor: Actor, party_ids: list[UUID]) -> dict[UUID, Payout]:
    """Of these parties, those to whom a payout waits. There is one at a time to each."""
    return {payout.party_id: payout for payout in open_payouts(actor).filter(party__in=party_ids)}


def payouts_to(actor: Actor, party_id: UUID) -> QuerySet[Payout]:
    """Those of one party."""
    return payouts_of(actor).filter(party_id=party_id)


def payout_for(actor: Actor, shown_id: str) -> Payout:
    return _one(payouts_of(actor), shown_id)


def payout_to_move(actor: Actor, shown_id: str) -> Payout:
    """For a command, which has asked for its own scope: reading the ledger is another one."""
    return _one(_payouts(actor.programme), shown_id)


def open_payout_to(programme_id: UUID, party_id: UUID) -> Payout | None:
    return Payout.objects.filter(
        programme_id=programme_id, party_id=party_id, state__in=OPEN
    ).first()


def _payouts(programme_id: UUID) -> QuerySet[Payout]:
    approvals = PayoutApproval.objects.order_by("at")
    return (
        Payout.objects.filter(programme_id=programme_id)
        .select_related("party__person__detail")
        .prefetch_related(Prefetch("approvals", queryset=approvals))
    )


def _one(payouts: QuerySet[Payout], shown_id: str) -> Payout:
    payout_id = read_id("payout", shown_id)
    found = payouts.filter(id=payout_id).first() if payout_id else None
    if found is None:
        raise Absent
    return found
