"""Payouts as pages show them: states are sentences, and every button says what it does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.credentials.queries import Actor
from accounts.credentials.rules import SCOPE_ROLES, Scope
from core.audit.models import AuditEvent
from core.ids import shown
from core.money import Money, shown_money
from core.states import moves_from
from review.ledger.words import party_name
from review.payouts.models import Payout
from review.payouts.rules import MOVES, Move, State

SCOPES = {
    Move.APPROVE: Scope.PAYOUTS_APPROVE,
    Move.PAY: Scope.PAYOUTS_PAY,
    Move.CANCEL: Scope.PAYOUTS_PROPOSE,
}


@dataclass(frozen=True, slots=True)
class ShownPayout:
    """``tone`` is the class of a sentence of state."""

    public_id: str
    url: str
    party_id: str
    party_url: str
    party_name: str
    amount: str
    sentence: str
    tone: str
    instruction_sha256: str
    reference: str
    made_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Deed:
    """One move as a button. Where ``is_open`` is false, ``sentence`` says why."""

    move: str
    is_open: bool
    sentence: str


def shown_payout(payout: Payout) -> ShownPayout:
    public_id, party_id = shown("payout", payout.id), shown("party", payout.party_id)
    return ShownPayout(
        public_id=public_id,
        url=reverse("payout", args=[public_id]),
        party_id=party_id,
        party_url=reverse("finance-party", args=[party_id]),
        party_name=party_name(payout.party),
        amount=shown_money(_money(payout)),
        sentence=_sentence(State(payout.state)),
        tone={State.PAID: "good", State.CANCELLED: ""}.get(State(payout.state), "wait"),
        instruction_sha256=payout.instruction_sha256,
        reference=payout.reference,
        made_at=payout.made_at,
        ended_at=payout.ended_at,
    )


def deeds_on(payout: Payout, *, actor: Actor, treasury: Money) -> list[Deed]:
    """What this person may do now, and why not, in the order of the table of moves."""
    return [
        _deed(move, payout, actor, treasury)
        for move in moves_from(MOVES, State(payout.state))
        if SCOPE_ROLES[SCOPES[move]] & actor.roles
    ]


def record_sentence(event: AuditEvent) -> str:
    return {
        "payout.proposed": _("Proposed it."),
        "payout.approved": _("Approved exactly this instruction."),
        "payout.paid": _("Recorded it as paid."),
        "payout.cancelled": _("Cancelled it. What was owed stays owed."),
    }.get(event.kind, event.kind)


def who(party_id: UUID | None, actor: Actor, names: dict[UUID, str]) -> str:
    if party_id is None:
        return _("Greenroom")
    return _("You") if party_id == actor.party_id else names.get(party_id, _("Staff"))


def _deed(move: Move, payout: Payout, actor: Actor, treasury: Money) -> Deed:
    bar = _bar(move, payout, actor, treasury)
    return Deed(move.value, not bar, bar or _what_it_does(move, payout, treasury))


def _bar(move: Move, payout: Payout, actor: Actor, treasury: Money) -> str:
    """Why this person cannot do it now; the commands refuse the same."""
    if move is not Move.CANCEL and payout.party_id == actor.party_id:
        return _("This is your own money; somebody else sees to its payout.")
    if move is Move.APPROVE and payout.made_by_id == actor.party_id:
        return _("You proposed it. Somebody else of finance, or a programme manager, approves it.")
    if move is Move.PAY and treasury.amount_micro < payout.amount_micro:
        return _("%(there)s is set aside, which is less. Money must be set aside first.") % {
            "there": shown_money(treasury)
        }
    return ""


def _what_it_does(move: Move, payout: Payout, treasury: Money) -> str:
    money = {
        "amount": shown_money(_money(payout)),
        "left": shown_money(treasury - _money(payout)),
    }
    match move:
        case Move.APPROVE:
            return (
                _(
                    "Your yes to paying exactly %(amount)s to exactly this party. Then finance can"
                    " pay it; until then it can be cancelled."
                )
                % money
            )
        case Move.PAY:
            return (
                _(
                    "Press when %(amount)s has left the bank. It is posted once and cannot be"
                    " taken back; %(left)s is left in the treasury."
                )
                % money
            )
        case Move.CANCEL:
            return _("Ends it for good. Nothing is posted, and what is owed stays owed.")


def _sentence(state: State) -> str:
    return {
        State.PROPOSED: _("Proposed. Waits for a second person's approval."),
        State.APPROVED: _("Approved by a second person. Waits to be paid."),
        State.PAID: _("Paid."),
        State.CANCELLED: _("Cancelled. What was owed stays owed."),
    }[state]


def _money(payout: Payout) -> Money:
    return Money(payout.amount_micro, payout.currency)
