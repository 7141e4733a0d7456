"""Money leaves by two people: one proposes, another approves exactly that, and it is paid once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from core.audit.commands import record
from core.clock import now
from core.errors import Absent, InvalidOrder, NotAllowed, TooLate
from core.idempotency.commands import Once
from core.ids import new_id, shown
from core.money import shown_money, whole_units
from core.outbox.commands import say
from core.states import advance
from core.text import is_readable
from review.ledger.commands import Posting, lock_owed, post
from review.ledger.queries import is_of_programme
from review.ledger.rules import TransactionKind, payout_lines
from review.payouts.models import Payout, PayoutApproval
from review.payouts.queries import open_payout_to, payout_to_move
from review.payouts.rules import MOVES, Move, State, instruction_sha256

LONGEST_REFERENCE = 140
Answer = Callable[[Payout], tuple[int, Any]]


class OwnPayout(NotAllowed):
    code = "own_payout"


class SecondPersonNeeded(NotAllowed):
    code = "second_person_needed"


class PayoutOpen(TooLate):
    code = "payout_open"


class InstructionChanged(TooLate):
    code = "instruction_changed"


def propose_payout(
    *, actor: Actor, party_id: UUID, once: Once | None = None, answer: Answer | None = None
) -> Payout:
    """Propose to pay a party what is owed, in whole units of the currency; the rest stays owed.

    Raises ``OwnPayout`` for one's own money, ``PayoutOpen`` while another waits for the same
    party, ``InvalidOrder`` (``nothing_owed``) where nothing can be paid.
    """
    actor.must_act(Scope.PAYOUTS_PROPOSE)
    _must_be_somebody_elses(actor, party_id)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        if once:
            once.begin()
        if not is_of_programme(actor.programme, party_id):
            raise Absent
        # Locked: what another payout takes at this moment must not be promised again.
        owed = lock_owed(programme_id=actor.programme, party_id=party_id)
        _must_have_none_open(actor.programme, party_id)
        amount = whole_units(owed)
        if amount.amount_micro == 0:
            raise InvalidOrder(
                "nothing_owed",
                _("Nothing that can be paid is owed here: %(owed)s.") % {"owed": shown_money(owed)},
                field="party",
                owed_micro=owed.amount_micro,
                currency=owed.currency,
            )
        payout_id = new_id()
        payout = Payout.objects.create(
            id=payout_id,
            programme_id=actor.programme,
            party_id=party_id,
            amount_micro=amount.amount_micro,
            currency=amount.currency,
            instruction_sha256=instruction_sha256(
                payout_id, party_id, amount.amount_micro, amount.currency
            ),
            made_by_id=actor.party_id,
            made_at=now(),
        )
        _tell("payout.proposed", payout, actor)
        if once and answer:
            once.keep(*answer(payout))
    return payout


def approve_payout(*, actor: Actor, payout_id: str, instruction_sha256: str) -> Payout:
    """A second person's yes to the instruction they were shown, named by its digest.

    Raises ``SecondPersonNeeded`` for whoever proposed it, ``OwnPayout`` for whoever gets it,
    ``InstructionChanged`` for another digest, ``TooLate`` once it is not waiting for this.
    """
    actor.must_act(Scope.PAYOUTS_APPROVE)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        payout = payout_to_move(actor, payout_id)
        _must_be_somebody_elses(actor, payout.party_id)
        if payout.made_by_id == actor.party_id:
            raise SecondPersonNeeded(_("You proposed this; somebody else approves it."))
        if instruction_sha256 != payout.instruction_sha256:
            raise InstructionChanged(_("This is not the instruction that was proposed."))
        # Locked: the same person pressing twice must not write two approvals.
        waiting = Payout.objects.select_for_update().filter(id=payout.id, state=State.PROPOSED)
        if waiting.first() is None:
            raise TooLate(_("This payout does not wait for an approval any more."))
        PayoutApproval.objects.create(
            payout=payout,
            party_id=payout.party_id,
            made_by_id=payout.made_by_id,
            approver_id=actor.party_id,
            instruction_sha256=instruction_sha256,
            at=now(),
        )
        _move(payout, Move.APPROVE, seen=State.PROPOSED)
        _tell("payout.approved", payout, actor)
    return payout_to_move(actor, payout_id)


def pay_payout(*, actor: Actor, payout_id: str, reference: str) -> Payout:
    """Record that the money has left: posted once, whoever presses how often.

    ``reference`` is what the bank calls the transfer. Raises ``TreasuryTooLow`` where less was set
    aside, ``TooLate`` where it is not approved or somebody was quicker.
    """
    actor.must_act(Scope.PAYOUTS_PAY)
    _must_be_a_reference(reference)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        payout = payout_to_move(actor, payout_id)
        _must_be_somebody_elses(actor, payout.party_id)
        _must_be_approved(payout)
        posted = post(
            Posting(
                programme_id=payout.programme_id,
                currency=payout.currency,
                key=f"payout:{payout.id}",
                kind=TransactionKind.PAYOUT,
                lines=payout_lines(payout.party_id, payout.amount_micro),
                about=payout.instruction_sha256,
                made_by=actor.party_id,
            )
        )
        _move(
            payout,
            Move.PAY,
            seen=State.APPROVED,
            paid_by_id=actor.party_id,
            ended_at=now(),
            reference=reference.strip(),
            transaction=posted,
        )
        _tell("payout.paid", payout, actor)
    return payout_to_move(actor, payout_id)


def cancel_payout(*, actor: Actor, payout_id: str) -> Payout:
    """End a payout before it is paid; what was owed stays owed. Cancelling twice is fine."""
    actor.must_act(Scope.PAYOUTS_PROPOSE)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        payout = payout_to_move(actor, payout_id)
        if payout.state == State.PAID:
            raise TooLate(_("This payout is paid; there is nothing to cancel."))
        if payout.state != State.CANCELLED:
            _move(payout, Move.CANCEL, seen=State(payout.state), ended_at=now())
            _tell("payout.cancelled", payout, actor)
    return payout_to_move(actor, payout_id)


def _move(payout: Payout, move: Move, *, seen: State, **fields: Any) -> None:
    if not advance(Payout.objects.filter(id=payout.id), MOVES, move, seen=seen, **fields):
        raise TooLate(_("Somebody was quicker. Look at where this payout stands now."))


def _tell(kind: str, payout: Payout, actor: Actor) -> None:
    subject = ("payout", payout.id)
    facts: dict[str, Any] = {"amount_micro": payout.amount_micro, "currency": payout.currency}
    record(
        kind,
        subject=subject,
        actor=actor.party_id,
        credential=actor.credential_id,
        **facts,
    )
    say(kind, subject=subject, party=payout.party_id, **facts)


def _must_be_somebody_elses(actor: Actor, party_id: UUID) -> None:
    if party_id == actor.party_id:
        raise OwnPayout(_("This is your own money; somebody else sees to its payout."))


def _must_have_none_open(programme_id: UUID, party_id: UUID) -> None:
    waiting = open_payout_to(programme_id, party_id)
    if waiting is not None:
        raise PayoutOpen(
            _("A payout to the same party waits already. Finish or cancel that one first."),
            payout=shown("payout", waiting.id),
        )


def _must_be_approved(payout: Payout) -> None:
    sentences = {
        State.PROPOSED: _("This payout waits for a second person's approval."),
        State.PAID: _("This payout is paid already."),
        State.CANCELLED: _("This payout was cancelled."),
    }
    state = State(payout.state)
    if state in sentences:
        raise TooLate(sentences[state])


def _must_be_a_reference(reference: str) -> None:
    if not 1 <= len(reference.strip()) <= LONGEST_REFERENCE or not is_readable(reference):
        raise InvalidOrder(
            "reference_invalid",
            _("Give the transfer's reference, one line of at most %(most)s characters.")
            % {"most": LONGEST_REFERENCE},
            field="reference",
            most=LONGEST_REFERENCE,
        )
