"""Pressing a verdict, taking it back, the one deciding transaction, and appeals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from core.audit.commands import record
from core.clock import now
from core.errors import Absent, InvalidOrder, TooLate
from core.idempotency.commands import Once
from core.ids import read_id
from core.outbox.commands import say
from core.states import advance
from core.sweeps import sweep
from core.text import is_readable, visible_signs
from generation.clips.commands import keep_files
from review.decisions.models import Appeal, Decision, Evidence, Verdict
from review.decisions.queries import verdicts_due
from review.decisions.rules import (
    LONGEST_TEXT,
    MOVE_OF,
    SHORTEST_REASON,
    TAKE_BACK,
    Outcome,
    Reversal,
    appeal_closes,
    outcomes_of,
)
from review.policies.models import Clause
from review.submissions.commands import open_case, stand_in_line
from review.submissions.models import Case, Submission
from review.submissions.queries import submission_for
from review.submissions.rules import LEASE, MOVES, CaseKind, Move, State

Answer = Callable[[Appeal], tuple[int, Any]]

# What a second press writes over: everything but the case.
REWRITTEN = [
    "reviewer",
    "lease_number",
    "outcome",
    "clause",
    "reason",
    "remedy",
    "reversal",
    "evidence",
    "pressed_at",
    "effective_at",
]


class LeaseLost(TooLate):
    """Somebody else has the case, or it was withdrawn or decided. What was typed is not lost."""

    code = "lease_lost"


class TookEffect(TooLate):
    code = "decision_took_effect"


class VerdictStands(TooLate):
    """One was pressed already that this press had not seen. ``standing`` is that one."""

    code = "verdict_stands"

    def __init__(self, standing: Verdict) -> None:
        super().__init__(
            _(
                "You pressed another verdict on this case already, in another window it may be."
                " It stands until you replace it."
            ),
            mark=standing.mark,
            outcome=standing.outcome,
            effective_at=standing.effective_at.isoformat(),
        )
        self.standing = standing


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictWish:
    """What a reviewer wants to decide. ``frames`` are pairs, both ends counted in, from 0;
    ``quotes`` are words of the prompt as they stand there; ``clause`` is a clause's number;
    ``replaces`` is the mark of the pending verdict that this one is to take the place of."""

    outcome: str
    lease_number: int
    clause: int | None = None
    reason: str = ""
    remedy: str = ""
    reversal: str = ""
    frames: list[tuple[int, int]] = field(default_factory=list)
    quotes: list[str] = field(default_factory=list)
    replaces: str = ""


def press_verdict(*, actor: Actor, case_id: str, wish: VerdictWish) -> Verdict:
    """Write the pending verdict, in place of the one it names. It takes effect after ten seconds.

    The same verdict twice is one, and its ten seconds go on. Raises ``VerdictStands`` where
    another one is pending that ``wish`` does not name, ``LeaseLost`` when the case is not this
    reviewer's any more under this lease number, ``InvalidOrder`` for a verdict that lacks what
    its outcome must come with.
    """
    actor.must_act(Scope.CASES_DECIDE)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        case = _held_case(actor, case_id)
        if case.lease_number != wish.lease_number:
            raise LeaseLost(_("You gave this case back meanwhile. Take it again to decide on it."))
        must_not_have_taken_effect(case.id)
        verdict = _checked(case, actor, wish)
        standing = Verdict.objects.select_related("clause").filter(case=case).first()
        if standing is not None and standing.said == verdict.said:
            return standing
        if standing is not None and standing.mark != wish.replaces:
            raise VerdictStands(standing)
        Verdict.objects.bulk_create(
            [verdict],
            update_conflicts=True,
            unique_fields=["case"],
            update_fields=REWRITTEN,
        )
        # The lease outlasts the verdict, so that nobody else is given the case meanwhile.
        Case.objects.filter(id=case.id).update(lease_until=verdict.effective_at + LEASE)
        record(
            "verdict.pressed",
            subject=("case", case.id),
            actor=actor.party_id,
            credential=actor.credential_id,
            outcome=verdict.outcome,
            **({"replaced": standing.outcome} if standing else {}),
        )
    return verdict


def take_back_verdict(*, actor: Actor, case_id: str) -> Case:
    """Delete the pending verdict; the case stays with its reviewer. Twice is fine.

    Raises ``TookEffect`` when its ten seconds are over.
    """
    actor.must_act(Scope.CASES_DECIDE)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        case = _held_case(actor, case_id)
        must_not_have_taken_effect(case.id)
        deleted, _rows = Verdict.objects.filter(case=case).delete()
        if deleted:
            Case.objects.filter(id=case.id).update(lease_until=now() + LEASE)
            record(
                "verdict.taken_back",
                subject=("case", case.id),
                actor=actor.party_id,
                credential=actor.credential_id,
            )
    return case


def must_not_have_taken_effect(case_id: UUID) -> None:
    """A verdict whose ten seconds are over is a decision, even if nobody has written it yet.

    Belongs to a transaction that holds the case. Raises ``TookEffect``.
    """
    if verdicts_due().filter(case_id=case_id).exists():
        raise TookEffect(_("The ten seconds are over; the decision takes effect."))


def decide_due(limit: int = 100) -> int:
    """The sweep: every verdict whose ten seconds are over becomes a decision. How many did."""
    due = list(verdicts_due().values_list("case_id", flat=True)[:limit])
    return sweep("decide_due", due, decide)


def decide(case_id: UUID) -> bool:
    """The one deciding transaction; False where there is nothing (any more) to decide.

    A reviewer who may not judge the case any more (their role was taken, they were credited)
    decides nothing: their verdict falls and the case waits again.
    """
    with transaction.atomic():
        # Locked: a withdrawal, a verdict taken back and a second decider come before or after.
        case = Case.objects.select_for_update().filter(id=case_id, state=State.CLAIMED).first()
        verdict = verdicts_due().filter(case_id=case_id).first() if case else None
        if case is None or verdict is None:
            return False
        if _bar(case_id, verdict.reviewer_id) is not None:
            _give_back(case)
            return False
        _decide(case, verdict)
    return True


def file_appeal(
    *,
    actor: Actor,
    submission_id: str,
    text: str,
    once: Once | None = None,
    answer: Answer | None = None,
) -> Appeal:
    """Ask for another judge of the whole chain; the charter's appeal clock begins.

    Raises ``TooLate`` where there is nothing to appeal, it was appealed, or the time is over.
    """
    actor.must_act(Scope.SUBMISSIONS_CREATE)
    _must_be_said("text", text, _("your appeal"))
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        if once:
            once.begin()
        clip = submission_for(actor, submission_id).clip
        keep_files(clip=clip, why="appealed", actor=actor.party_id, credential=actor.credential_id)
        stand_in_line(actor.programme, actor.party_id)
        submission = submission_for(actor, submission_id)
        decision = _appealable(submission)
        moment = now()
        case = open_case(
            submission, CaseKind.APPEAL, submission.charter.appeal_within_hours, moment
        )
        appeal = Appeal.objects.create(
            decision=decision,
            case=case,
            chain_id=submission.clip_id,
            owner_id=actor.party_id,
            text=text.strip(),
            filed_at=moment,
        )
        facts = {"due_at": case.due_at.isoformat()}
        record(
            "appeal.filed",
            subject=("submission", submission.id),
            actor=actor.party_id,
            credential=actor.credential_id,
            **facts,
        )
        say("appeal.filed", subject=("submission", submission.id), party=actor.party_id, **facts)
        if once and answer:
            once.keep(*answer(appeal))
    return appeal


def _held_case(actor: Actor, shown_id: str) -> Case:
    """The actor's claimed case, locked. ``Absent`` out of their programme, else ``LeaseLost``."""
    case_id = read_id("case", shown_id)
    case = (
        Case.objects.select_for_update(of=("self",))
        .select_related("chain")
        .filter(id=case_id, programme_id=actor.programme)
        .exclude(owner_id=actor.party_id)
        .first()
        if case_id
        else None
    )
    if case is None:
        raise Absent
    if case.state != State.CLAIMED or case.lease_by_id != actor.party_id:
        raise LeaseLost(
            _("This case is not yours at the moment: it was withdrawn, decided or given back."),
            state=case.state,
        )
    return case


def _checked(case: Case, actor: Actor, wish: VerdictWish) -> Verdict:
    outcomes = outcomes_of(case.round)
    if wish.outcome not in outcomes:
        raise InvalidOrder("outcome_unknown", _("Choose one of the outcomes."), field="outcome")
    outcome = Outcome(wish.outcome)
    moment = now()
    verdict = Verdict(
        case=case,
        reviewer_id=actor.party_id,
        lease_number=case.lease_number,
        outcome=outcome,
        reversal=_reversal(case, outcome, wish.reversal),
        pressed_at=moment,
        effective_at=moment + TAKE_BACK,
    )
    if outcome is Outcome.APPROVED:
        _must_be_plain("reason", wish.reason)
        verdict.reason = wish.reason.strip()
        return verdict
    verdict.clause = _clause(case, wish.clause)
    verdict.reason = _reason(wish.reason)
    verdict.evidence = _evidence(case, wish)
    if outcome is Outcome.CHANGES_REQUESTED:
        _must_be_said("remedy", wish.remedy, _("what would make it right"))
        verdict.remedy = wish.remedy.strip()
    return verdict


def _clause(case: Case, number: int | None) -> Clause:
    clauses = Clause.objects.filter(policy_id=case.policy_id)
    found = clauses.filter(number=number).first() if number is not None else None
    if found is None:
        raise InvalidOrder(
            "clause_missing",
            _("Name the clause of the policy that was in force when this was put forward."),
            field="clause",
        )
    return found


def _reason(text: str) -> str:
    if len(text.strip()) < SHORTEST_REASON or visible_signs(text) < SHORTEST_REASON // 2:
        raise InvalidOrder(
            "reason_too_short",
            _("Say why in at least %(least)s characters; its maker will read it.")
            % {"least": SHORTEST_REASON},
            field="reason",
            least=SHORTEST_REASON,
        )
    _must_be_plain("reason", text)
    return text.strip()


def _evidence(case: Case, wish: VerdictWish) -> list[dict[str, list[int]]]:
    found: list[dict[str, list[int]]] = []
    last = case.chain.frames - 1
    for start, end in wish.frames:
        if not 0 <= start <= end <= last:
            raise InvalidOrder(
                "frames_outside_the_clip",
                _("Frames lie between 0 and %(last)s, the first not after the last.")
                % {"last": last},
                field="frames",
                last=last,
            )
        found.append({"frames": [start, end]})
    for quote in wish.quotes:
        at = case.chain.prompt.find(quote)
        if not quote or at < 0:
            raise InvalidOrder(
                "quote_not_in_the_prompt",
                _("Quote the prompt exactly as it stands."),
                field="quotes",
            )
        found.append({"prompt": [at, at + len(quote)]})
    if not found:
        raise InvalidOrder(
            "evidence_missing",
            _("Show where: a range of frames, or words of the prompt."),
            field="frames",
        )
    return found


def _reversal(case: Case, outcome: Outcome, reversal: str) -> str:
    if case.kind != CaseKind.APPEAL or outcome is not Outcome.APPROVED:
        return ""
    if reversal not in Reversal.values:
        raise InvalidOrder(
            "reversal_missing", _("Say why the first decision is overturned."), field="reversal"
        )
    return reversal


def _must_be_said(name: str, text: str, what: str) -> None:
    if not visible_signs(text):
        raise InvalidOrder("text_missing", _("Please write %(what)s.") % {"what": what}, field=name)
    _must_be_plain(name, text)


def _must_be_plain(name: str, text: str) -> None:
    if len(text) > LONGEST_TEXT or not is_readable(text, lines=True):
        raise InvalidOrder(
            "text_invalid",
            _("A text has at most %(most)s characters and no control characters.")
            % {"most": LONGEST_TEXT},
            field=name,
            most=LONGEST_TEXT,
        )


def _bar(case_id: UUID, party_id: UUID) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT review_bar(%s, %s)", [case_id, party_id])
        (bar,) = cursor.fetchone()
    return bar  # type: ignore[no-any-return]


def _decide(case: Case, verdict: Verdict) -> None:
    moment = now()
    outcome = Outcome(verdict.outcome)
    decision = Decision.objects.create(
        case=case,
        chain_id=case.chain_id,
        programme_id=case.programme_id,
        owner_id=case.owner_id,
        reviewer_id=verdict.reviewer_id,
        policy_id=case.policy_id,
        master_sha256=case.master_sha256,
        round=case.round,
        outcome=outcome,
        clause_id=verdict.clause_id,
        reason=verdict.reason,
        remedy=verdict.remedy,
        reversal=verdict.reversal,
        pressed_at=verdict.pressed_at,
        decided_at=moment,
    )
    Evidence.objects.bulk_create([_shown_where(decision, one) for one in verdict.evidence])
    advance(
        Case.objects.filter(id=case.id),
        MOVES,
        MOVE_OF[outcome],
        seen=State.CLAIMED,
        closed_at=moment,
        lease_by=None,
        lease_until=None,
        lease_slot=None,
    )
    facts: dict[str, Any] = {
        "outcome": outcome.value,
        "round": case.round,
        "is_late": moment > case.due_at,
    }
    subject = ("submission", case.submission_id)
    record("case.decided", subject=subject, actor=verdict.reviewer_id, **facts)
    say("case.decided", subject=subject, party=case.owner_id, **facts)


def _shown_where(decision: Decision, piece: dict[str, list[int]]) -> Evidence:
    if "frames" in piece:
        start, end = piece["frames"]
        return Evidence(decision=decision, frame_from=start, frame_to=end)
    start, end = piece["prompt"]
    return Evidence(decision=decision, prompt_from=start, prompt_to=end)


def _give_back(case: Case) -> None:
    advance(
        Case.objects.filter(id=case.id),
        MOVES,
        Move.RETURN,
        seen=State.CLAIMED,
        lease_by=None,
        lease_until=None,
        lease_slot=None,
    )
    record("case.returned", subject=("case", case.id), why="may_not_judge")
    say("case.returned", subject=("case", case.id), party=case.owner_id)


def _appealable(submission: Submission) -> Decision:
    decision = Decision.objects.filter(case__submission=submission, round=1).first()
    if decision is None or decision.outcome == Outcome.APPROVED:
        raise TooLate(_("There is no decision here that could be appealed."))
    if Appeal.objects.filter(decision=decision).exists():
        raise TooLate(_("You have appealed already; one appeal decides."))
    if now() > appeal_closes(decision.decided_at, submission.charter.appeal_open_days):
        raise TooLate(_("The time for an appeal is over."))
    return decision
