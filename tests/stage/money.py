"""Rates, earnings and payouts, made by the house's own commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.agreements.models import Acceptance
from accounts.people.models import Party, Person, PersonalDetail
from accounts.programmes.models import Membership, Programme
from accounts.rates.commands import publish_rate
from accounts.rates.models import Rate
from accounts.rates.rules import ActKind
from core.clock import now
from core.ids import new_id, shown
from core.money import MICRO
from review.contributions.commands import file_contribution, triage_contribution
from review.contributions.models import Contribution
from review.contributions.rules import State, Wish
from review.ledger.commands import record_funding
from review.ledger.models import Act, LedgerAccount, LedgerEntry, LedgerTransaction
from review.ledger.rules import TransactionKind, act_lines
from review.payouts.commands import approve_payout, propose_payout
from review.payouts.models import Payout

if TYPE_CHECKING:
    from uuid import UUID

    from stage.cast import Member

REASON = "not_reproduced"
ANSWER = "We tried it ten times on two machines and it never came."


def a_rate(
    programme_id: UUID,
    amount_micro: int = 25 * MICRO,
    kind: ActKind = ActKind.BUG_REPORT,
    **more: Any,
) -> Rate:
    """From now on, 25.00 of the programme's currency for a bug report."""
    return publish_rate(programme_id=programme_id, kind=kind, amount_micro=amount_micro, **more)


def a_contribution_wish(**wanted: Any) -> Wish:
    usual: dict[str, Any] = {
        "kind": "bug_report",
        "title": "The lamp flickers",
        "words": "Between the second and the third frame the lamp is gone.",
    }
    return Wish(**(usual | wanted))


def a_contribution(member: Member, **wanted: Any) -> Contribution:
    return file_contribution(actor=member.actor, wish=a_contribution_wish(**wanted))


def an_earning(member: Member, reviewer: Member, **wanted: Any) -> Contribution:
    """A contribution that was accepted, and is owed what the rate in force says."""
    contribution = a_contribution(member, **wanted)
    return triage_contribution(
        actor=reviewer.actor, contribution_id=shown("contribution", contribution.id), accept=True
    )


def a_funding(finance: Member, amount_micro: int = 1_000 * MICRO) -> LedgerTransaction:
    return record_funding(actor=finance.actor, amount_micro=amount_micro, words="First instalment")


def a_payout(member: Member, finance: Member, approver: Member | None = None) -> Payout:
    """Of all that is owed; proposed, or approved where somebody does so."""
    payout = propose_payout(actor=finance.actor, party_id=member.party_id)
    if approver is None:
        return payout
    return approve_payout(
        actor=approver.actor,
        payout_id=shown("payout", payout.id),
        instruction_sha256=payout.instruction_sha256,
    )


@transaction.atomic  # memberships and answers are of the moment in which they are written
def a_crowd(programme: Programme, how_many: int) -> list[UUID]:
    """As many members with a name and an accepted agreement, in a handful of statements."""
    agreement, moment = programme.agreements.latest("number"), now()
    parties = Party.objects.bulk_create(
        [Party(kind=Party.Kind.PERSON, made_at=moment) for _ in range(how_many)]
    )
    people = Person.objects.bulk_create(
        [
            Person(party=party, email=f"{party.id}@crowd.example", made_at=moment)
            for party in parties
        ]
    )
    PersonalDetail.objects.bulk_create([PersonalDetail(person=person) for person in people])
    Membership.objects.bulk_create(
        [Membership(programme=programme, party=party, joined_at=moment) for party in parties]
    )
    Acceptance.objects.bulk_create(
        [
            Acceptance(version=agreement, party=party, act=Acceptance.Act.ACCEPTED, at=moment)
            for party in parties
        ]
    )
    return [party.id for party in parties]


def earnings_at_once(rate: Rate, reviewer: Member, party_ids: list[UUID]) -> None:
    """One accepted contribution for each of these parties (some may come again), in bulk and past
    the commands, but under every rule of the database."""
    moment = now()
    accepted = {
        each.party_id: each.id
        for each in Acceptance.objects.filter(
            party_id__in=party_ids, version__programme_id=rate.programme_id
        )
    }
    of_programme: dict[str, Any] = {"programme_id": rate.programme_id}
    filed = Contribution.objects.bulk_create(
        [
            Contribution(
                **of_programme,
                party_id=party_id,
                kind=rate.kind,
                title="One of many",
                words="The lamp is gone.",
                rate=rate,
                filed_at=moment,
            )
            for party_id in party_ids
        ]
    )
    Contribution.objects.filter(id__in=[each.id for each in filed]).update(
        state=State.ACCEPTED, triaged_by_id=reviewer.party_id, triaged_at=moment
    )
    acts = Act.objects.bulk_create(
        [
            Act(
                **of_programme,
                party_id=each.party_id,
                kind=rate.kind,
                subject_id=each.id,
                rate=rate,
                acceptance_id=accepted[each.party_id],
                amount_micro=rate.amount_micro,
                currency=rate.currency,
                occurred_at=moment,
                recorded_at=moment,
            )
            for each in filed
        ]
    )
    transactions = LedgerTransaction.objects.bulk_create(
        [
            LedgerTransaction(
                **of_programme,
                key=f"act:{act.kind}:{act.subject_id}:{act.party_id}",
                payload_sha256="0" * 64,
                kind=TransactionKind.ACT,
                act=act,
                posted_at=moment,
            )
            for act in acts
        ]
    )
    places = [("fees", None), *(("owed", party_id) for party_id in sorted(set(party_ids)))]
    LedgerAccount.objects.bulk_create(
        [
            LedgerAccount(**of_programme, kind=kind, party_id=party_id, currency=rate.currency)
            for kind, party_id in places
        ],
        ignore_conflicts=True,
    )
    accounts = {
        (account.kind, account.party_id): account
        for account in LedgerAccount.objects.filter(**of_programme)
    }
    LedgerEntry.objects.bulk_create(
        [
            LedgerEntry(
                id=new_id(),
                **of_programme,
                transaction=posted,
                line=number,
                account=accounts[line.account.value, line.party_id],
                currency=rate.currency,
                amount_micro=line.amount_micro,
            )
            for act, posted in zip(acts, transactions, strict=True)
            for number, line in enumerate(act_lines(act.party_id, act.amount_micro), 1)
        ]
    )
