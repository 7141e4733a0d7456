"""One of everything of the review and of the money, committed, brought about by the commands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from accounts.programmes.models import Role
from accounts.rates.commands import publish_rate
from accounts.rates.models import Rate
from accounts.rates.rules import ActKind
from core.clock import CoreNow, now
from core.ids import new_id, shown
from generation.clips.models import Clip
from review.contributions.commands import file_contribution, triage_contribution
from review.contributions.models import Contribution
from review.contributions.rules import Wish
from review.credits.commands import answer_credit, name_person
from review.credits.models import CreditLine
from review.decisions.commands import decide
from review.decisions.models import Decision, Verdict
from review.ledger.commands import record_funding, reverse_transaction
from review.ledger.models import LedgerAccount, LedgerTransaction
from review.payouts.commands import approve_payout, cancel_payout, pay_payout, propose_payout
from review.payouts.models import Payout
from review.payouts.rules import instruction_sha256
from review.policies.models import CharterVersion, Clause, PolicyVersion
from review.releases.commands import (
    make_share_link,
    release_clip,
    revoke_share_link,
    take_down_release,
)
from review.submissions.commands import withdraw_submission
from review.submissions.models import Case, Skip
from stage.builders import a_clip
from stage.cast import Member, a_member
from stage.clock import Clock
from stage.review import REASON, a_claim_of, a_submission, an_appeal, open_review, press

if TYPE_CHECKING:
    from invariants.world import World

EURO = 1_000_000
NOT_YET = UUID(int=0)


@dataclass
class ReviewWorld:
    """Cases by what became of them; those of ``DUE`` wait with a verdict whose time has come."""

    second_reviewer: Member
    third_reviewer: Member
    finance: Member
    second_finance: Member
    manager: Member
    cases: dict[str, Case] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    contributions: dict[str, Contribution] = field(default_factory=dict)
    payouts: dict[str, UUID] = field(default_factory=dict)
    transactions: dict[str, UUID] = field(default_factory=dict)
    accounts: dict[str, UUID] = field(default_factory=dict)
    rates: dict[str, UUID] = field(default_factory=dict)
    spare_clip: dict[str, Any] = field(default_factory=dict)
    old_policy: UUID = NOT_YET
    foreign_policy: UUID = NOT_YET
    foreign_charter: UUID = NOT_YET
    others_submission: UUID = NOT_YET

    def case(self, name: str) -> str:
        """A condition that names the case."""
        return f"id = '{self.cases[name].id}'"

    def of_case(self, name: str) -> str:
        return f"case_id = '{self.cases[name].id}'"

    def of_submission(self, name: str) -> str:
        """A condition that names the submission of the case."""
        return f"id = '{self.cases[name].submission_id}'"

    def decision(self, name: str) -> str:
        return f"id = '{self.decisions[name].id}'"

    def contribution(self, name: str) -> str:
        return f"id = '{self.contributions[name].id}'"

    def payout(self, name: str) -> str:
        return f"id = '{self.payouts[name]}'"


DUE = {
    "sound decline": {"outcome": "declined", "reason": REASON, "clause": 1},
    "sound changes": {
        "outcome": "changes_requested",
        "reason": REASON,
        "clause": 1,
        "remedy": "Blur the face.",
    },
    "sound approval": {"outcome": "approved"},
    "short reason": {"outcome": "declined", "reason": "No." + " " * 20, "clause": 1},
    "no remedy": {"outcome": "changes_requested", "reason": REASON, "clause": 1},
    "old clause": {"outcome": "declined", "reason": REASON, "clause": 1, "of_old_policy": True},
}


def a_review_world(world: World, clock: Clock) -> ReviewWorld:
    """Needs empty lanes and an empty desk, and leaves the clock a little ahead."""
    studio = world.tester.programme
    made = ReviewWorld(
        second_reviewer=a_member(studio, Role.REVIEWER, name="second reviewer"),
        third_reviewer=a_member(studio, Role.REVIEWER, name="third reviewer"),
        finance=a_member(studio, Role.FINANCE, name="finance"),
        second_finance=a_member(studio, Role.FINANCE, name="second finance"),
        manager=a_member(studio, Role.MANAGER, name="manager"),
    )
    _publish(world, made)
    _decide(world, made, clock)
    _press(world, made, clock)
    _leave_waiting(world, made)
    _credit(world, made)
    _fund(made)
    _release(world, made)
    _contribute(world, made)
    _pay(world, made)
    return made


def _publish(world: World, made: ReviewWorld) -> None:
    studio, elsewhere = world.tester.programme, world.stranger.programme
    for programme in (studio, studio, elsewhere):
        open_review(programme)
    made.old_policy = PolicyVersion.objects.get(programme=studio, number=1).id
    made.foreign_policy = PolicyVersion.objects.get(programme=elsewhere).id
    made.foreign_charter = CharterVersion.objects.get(programme=elsewhere).id
    for kind, euros in ((ActKind.RELEASE, 5), (ActKind.BUG_REPORT, 2), (ActKind.FEEDBACK, 0)):
        rate = publish_rate(programme_id=studio.id, kind=kind, amount_micro=euros * EURO)
        made.rates[kind.value] = rate.id
    coming = publish_rate(
        programme_id=studio.id,
        kind=ActKind.BUG_REPORT,
        amount_micro=9 * EURO,
        applies_from=now() + timedelta(days=365),
    )
    made.rates["coming"] = coming.id


def _decided(made: ReviewWorld, name: str, by: Member, outcome: str, clock: Clock) -> None:
    case = a_claim_of(by)
    press(by, case, outcome)
    clock.advance(seconds=11)
    assert decide(case.id)
    made.cases[name] = Case.objects.get(id=case.id)
    made.decisions[name] = Decision.objects.get(case=case)


def _decide(world: World, made: ReviewWorld, clock: Clock) -> None:
    for name, outcome in (
        ("approved", "approved"),
        ("declined", "declined"),
        ("appealed", "declined"),
        ("changes", "changes_requested"),
        ("overturned", "declined"),
    ):
        a_submission(world.tester)
        _decided(made, name, world.reviewer, outcome, clock)
    an_appeal(world.tester, made.cases["overturned"].submission)
    _decided(made, "second word", made.second_reviewer, "approved", clock)


def _press(world: World, made: ReviewWorld, clock: Clock) -> None:
    hands = [made.second_reviewer] * 3 + [world.reviewer] * 3
    for (name, facts), reviewer in zip(DUE.items(), hands, strict=True):
        made.cases[name] = _claimed(world, reviewer)
        _verdict(made, name, reviewer, dict(facts), timedelta(seconds=10))
    clock.advance(seconds=11)
    made.cases["pending"] = _claimed(world, made.third_reviewer)
    # For a year: an attack comes when it comes, and this one's time must not.
    _verdict(made, "pending", made.third_reviewer, dict(DUE["sound decline"]), timedelta(days=365))
    made.cases["claimed"] = _claimed(world, made.third_reviewer)


def _claimed(world: World, reviewer: Member) -> Case:
    a_submission(world.tester)
    return a_claim_of(reviewer)


def _verdict(
    made: ReviewWorld, name: str, reviewer: Member, facts: dict[str, Any], waits: timedelta
) -> None:
    """Past the command, which would refuse some of these."""
    case, number = made.cases[name], facts.pop("clause", None)
    policy = made.old_policy if facts.pop("of_old_policy", False) else case.policy_id
    Verdict.objects.create(
        case=case,
        reviewer_id=reviewer.party_id,
        lease_number=case.lease_number,
        clause=Clause.objects.get(policy_id=policy, number=number) if number else None,
        effective_at=CoreNow() + waits,
        **facts,
    )


def _leave_waiting(world: World, made: ReviewWorld) -> None:
    gone = a_submission(world.tester)
    withdraw_submission(actor=world.tester.actor, submission_id=shown("submission", gone.id))
    made.cases["withdrawn"] = gone.cases.get()
    Skip.objects.create(
        case=made.cases["withdrawn"], reviewer_id=made.third_reviewer.party_id, why="conflict"
    )
    made.cases["appeal"] = an_appeal(world.tester, made.cases["appealed"].submission)
    made.cases["queued"] = a_submission(world.tester).cases.get()
    made.others_submission = a_submission(world.second_tester).id
    clip = a_clip(world.tester, seed=5)
    made.spare_clip = {"clip_id": clip.id, **_seal(clip)}


def _seal(clip: Clip) -> dict[str, Any]:
    found = Clip.objects.raw(
        "SELECT id, encode(sha256(convert_to(recipe::text, 'UTF8')), 'hex') AS digest"
        " FROM generation_clip WHERE id = %s",
        [clip.id],
    )[0]
    return {"master_sha256": clip.master_sha256, "recipe_sha256": found.digest}


def _credit(world: World, made: ReviewWorld) -> None:
    line = name_person(
        actor=world.tester.actor,
        clip_id=shown("clip", made.cases["approved"].chain_id),
        party=shown("party", world.second_tester.party_id),
        role="style",
    )
    answer_credit(
        actor=world.second_tester.actor,
        credit_line_id=shown("credit_line", line.id),
        move="decline",
    )
    # The command names nobody on a clip under review; here one stands as if named before.
    waiting = made.cases["queued"]
    CreditLine.objects.create(
        clip_id=waiting.chain_id,
        programme_id=waiting.programme_id,
        party_id=world.second_tester.party_id,
        proposed_by_id=waiting.owner_id,
        role="style",
    )


def _fund(made: ReviewWorld) -> None:
    for name, euros in (("treasure", 100), ("small change", 3), ("undone", 1)):
        funding = record_funding(actor=made.finance.actor, amount_micro=euros * EURO)
        made.transactions[name] = funding.id
    reversal = reverse_transaction(
        actor=made.finance.actor,
        transaction_id=shown("transaction", made.transactions["undone"]),
        words="The transfer came back.",
    )
    made.transactions["reversal"] = reversal.id


def _release(world: World, made: ReviewWorld) -> None:
    actor, clip = world.tester.actor, made.cases["approved"].chain_id
    wanted: dict[str, Any] = {"actor": actor, "clip_id": shown("clip", clip), "title": "A boat"}
    first = release_clip(**wanted)
    take_down_release(actor=actor, release_id=shown("release", first.id))
    release_id = shown("release", release_clip(**wanted).id)
    make_share_link(actor=actor, release_id=release_id, name="the jury")
    dead, _secret = make_share_link(actor=actor, release_id=release_id)
    revoke_share_link(actor=actor, link_id=shown("share_link", dead.id))


def _filed(member: Member, clip_id: UUID | None = None) -> Contribution:
    wish: dict[str, Any] = {"kind": "bug_report", "title": "It flickers", "words": "At the end."}
    if clip_id:
        wish |= {"clip": shown("clip", clip_id), "frame_from": 2, "frame_to": 5}
    return file_contribution(actor=member.actor, wish=Wish(**wish))


def _answered(reviewer: Member, contribution: Contribution, **answer: Any) -> Contribution:
    return triage_contribution(
        actor=reviewer.actor,
        contribution_id=shown("contribution", contribution.id),
        **answer,
    )


def _contribute(world: World, made: ReviewWorld) -> None:
    tester, reviewer = world.tester, world.reviewer
    _answered(reviewer, _filed(world.second_tester), accept=True)
    made.contributions["declined"] = _answered(
        reviewer,
        _filed(tester),
        accept=False,
        decline_reason="duplicate",
        answer="This is the flicker reported last week.",
    )
    made.contributions["filed"] = _filed(tester, made.cases["approved"].chain_id)
    made.contributions["of staff"] = Contribution.objects.create(
        programme=tester.programme,
        party_id=reviewer.party_id,
        kind="feedback",
        title="A thought",
        words="About the desk.",
        rate=Rate.objects.get(id=made.rates["feedback"]),
    )


def _pay(world: World, made: ReviewWorld) -> None:
    finance, tester = made.finance.actor, world.tester
    others = propose_payout(actor=finance, party_id=world.second_tester.party_id)
    made.payouts["proposed"] = others.id
    gone = propose_payout(actor=finance, party_id=tester.party_id)
    cancel_payout(actor=finance, payout_id=shown("payout", gone.id))
    made.payouts["cancelled"] = gone.id
    paid = _approved(made, propose_payout(actor=finance, party_id=tester.party_id))
    pay_payout(actor=finance, payout_id=shown("payout", paid.id), reference="SEPA 1")
    made.payouts["paid"] = paid.id
    made.transactions["payout"] = LedgerTransaction.objects.get(kind="payout").id
    accepted = _answered(world.reviewer, _filed(tester), accept=True)
    made.contributions["accepted"] = accepted
    made.payouts["approved"] = _approved(
        made, propose_payout(actor=finance, party_id=tester.party_id)
    ).id
    made.payouts["to finance"] = _approved(made, _to_staff(made)).id
    for account in LedgerAccount.objects.filter(programme=tester.programme):
        owner = {tester.party_id: "owed", None: account.kind}.get(account.party_id, "others owed")
        made.accounts[owner] = account.id


def _approved(made: ReviewWorld, payout: Payout) -> Payout:
    return approve_payout(
        actor=made.manager.actor,
        payout_id=shown("payout", payout.id),
        instruction_sha256=payout.instruction_sha256,
    )


def _to_staff(made: ReviewWorld) -> Payout:
    """Nothing is owed to them, so the command would propose none."""
    payout_id, party = new_id(), made.second_finance.party_id
    return Payout.objects.create(
        id=payout_id,
        programme=made.finance.programme,
        party_id=party,
        amount_micro=EURO,
        currency="EUR",
        instruction_sha256=instruction_sha256(payout_id, party, EURO, "EUR"),
        made_by_id=made.finance.party_id,
    )
