"""Leases on cases: claim, renew, hand back; and what the clock does when nobody does anything."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from core.audit.commands import record
from core.audit.queries import events_of
from core.clock import CoreNow, now
from core.errors import InvalidOrder, TooLate
from core.outbox.commands import say
from core.states import advance
from core.sweeps import sweep
from generation.clips.commands import keep_viewing
from generation.clips.rules import viewing_role
from review.decisions.commands import LeaseLost, decide, must_not_have_taken_effect
from review.decisions.models import Verdict
from review.desk.queries import case_for
from review.submissions.commands import tell_managers
from review.submissions.models import Case, Skip
from review.submissions.rules import (
    LEASE,
    LEASES_AT_ONCE,
    MOVES,
    OPEN,
    SKIPS_BEFORE_ESCALATION,
    Move,
    SkipReason,
    State,
)

SWEPT_AT_ONCE = 200
NOTED_EVERY = timedelta(minutes=30)


class TooManyLeases(TooLate):
    code = "too_many_leases"


def claim_next_case(*, actor: Actor) -> Case | None:
    """Take the head of the desk that this reviewer may judge; None when there is none.

    Their own work, work they took part in, chains they decided in and cases they handed back are
    passed over. Raises ``TooManyLeases`` with three in hand.
    """
    actor.must_act(Scope.CASES_DECIDE)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        slot = _free_slot(actor)
        case = _take_head(actor, slot)
        if case is None:
            return None
        keep_viewing(
            clip=case.chain,
            viewer_id=actor.party_id,
            credential_id=actor.credential_id,
            role="reviewer",
            why="review",
            at_least=LEASE,
        )
        record(
            "case.claimed",
            subject=("case", case.id),
            actor=actor.party_id,
            credential=actor.credential_id,
        )
        say("case.claimed", subject=("case", case.id), party=case.owner_id)
    return case


def renew_case_lease(*, actor: Actor, case_id: str, lease_number: int) -> Case:
    """The heartbeat of an open desk. Raises ``LeaseLost`` when it is this reviewer's no more.

    No audit line: nothing moves.
    """
    actor.must_act(Scope.CASES_DECIDE)
    case = case_for(actor, case_id)
    with transaction.atomic():
        held = Case.objects.filter(
            id=case.id,
            state=State.CLAIMED,
            lease_by_id=actor.party_id,
            lease_number=lease_number,
        )
        # Held, so that nobody begins to look at what is decided or withdrawn in the same moment.
        _must_be_held(held.select_for_update(of=("self",)).exists())
        # Never shorter: a pending verdict may have asked for longer.
        held.filter(lease_until__lt=CoreNow() + LEASE).update(lease_until=now() + LEASE)
        keep_viewing(
            clip=case.chain,
            viewer_id=actor.party_id,
            credential_id=actor.credential_id,
            role="reviewer",
            why="review",
            at_least=LEASE,
        )
    return case_for(actor, case_id)


def return_case(*, actor: Actor, case_id: str, why: str) -> None:
    """Hand a case back, for a reason of the list; it stands where it stood. A verdict falls.

    The third time anybody hands it back it escalates. Raises ``LeaseLost`` when it is not held.
    """
    actor.must_act(Scope.CASES_DECIDE)
    if why not in SkipReason.values:
        raise InvalidOrder("skip_reason_unknown", _("Choose one of the reasons."), field="why")
    case = case_for(actor, case_id)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        mine = Case.objects.filter(id=case.id, lease_by_id=actor.party_id)
        _must_be_held(mine.select_for_update().exists())
        must_not_have_taken_effect(case.id)
        _must_be_held(_return(mine))
        Skip.objects.create(case=case, reviewer_id=actor.party_id, why=why)
        record(
            "case.returned",
            subject=("case", case.id),
            actor=actor.party_id,
            credential=actor.credential_id,
            why=why,
        )
        say("case.returned", subject=("case", case.id), party=case.owner_id)
        if Skip.objects.filter(case=case).count() >= SKIPS_BEFORE_ESCALATION:
            _escalate(case.id, why="handed_back")


def note_reading(*, actor: Actor, case: Case) -> None:
    """A closed case is open to the desk's roles as a precedent: that somebody read it stands on its
    record, which its maker reads, once for each reader and half hour.

    Nothing is written of an open case, nor of who decided it.
    """
    decision = getattr(case, "decision", None)
    if case.closed_at is None or (decision and decision.reviewer_id == actor.party_id):
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                [f"reading:{case.id}:{actor.party_id}"],
            )
        lately = events_of(case.id).filter(
            kind="case.read", actor_party_id=actor.party_id, at__gt=now() - NOTED_EVERY
        )
        if not lately.exists():
            record(
                "case.read",
                subject=("case", case.id),
                actor=actor.party_id,
                credential=actor.credential_id,
                role=viewing_role(actor.roles),
            )


def return_cases_of(*, programme_id: UUID, reviewer_id: UUID) -> int:
    """Everything a leaving reviewer has in hand goes back to its place; what they pressed falls.
    How many did. A verdict whose ten seconds are over is a decision, and takes effect.

    Inside the caller's transaction, before the membership ends.
    """
    returned = 0
    held = Case.objects.filter(
        programme_id=programme_id, state=State.CLAIMED, lease_by_id=reviewer_id
    )
    for case in list(held.select_for_update(no_key=True, of=("self",)).order_by("id")):
        if decide(case.id):
            continue
        Verdict.objects.filter(case_id=case.id).delete()
        if _return(Case.objects.filter(id=case.id)):
            record("case.returned", subject=("case", case.id), why="reviewer_left")
            say("case.returned", subject=("case", case.id), party=case.owner_id)
            returned += 1
    return returned


def return_expired_leases() -> int:
    """Cases whose reviewer fell silent go back to their old place. How many did.

    One with a pending verdict does not: the verdict takes effect by itself.
    """
    silent = Case.objects.filter(state=State.CLAIMED, lease_until__lte=CoreNow(), verdict=None)
    silent = silent.order_by("lease_until")[:SWEPT_AT_ONCE]
    return sweep("return_expired_leases", silent, _return_silent)


def _return_silent(case: Case) -> bool:
    still = Case.objects.filter(
        id=case.id, lease_number=case.lease_number, lease_until__lte=CoreNow()
    ).exclude(verdict__isnull=False)
    if not _return(still):
        return False
    record("case.returned", subject=("case", case.id), why="lease_ended")
    say("case.returned", subject=("case", case.id), party=case.owner_id)
    return True


def escalate_overdue() -> int:
    """Open cases past their time go to the head of the desk, and people hear. How many did."""
    late = Case.objects.filter(state__in=OPEN, escalated_at=None, due_at__lte=CoreNow())
    late_ids = late.order_by("due_at").values_list("id", flat=True)[:SWEPT_AT_ONCE]
    return sweep("escalate_overdue", late_ids, partial(_escalate, why="overdue"))


def _escalate(case_id: UUID, *, why: str) -> bool:
    late = Case.objects.filter(id=case_id, state__in=OPEN, escalated_at=None)
    if not late.update(escalated_at=now()):
        return False
    case = Case.objects.get(id=case_id)
    record("case.escalated", subject=("case", case_id), why=why)
    tell_managers("case.escalated", case, why=why)
    if why == "overdue":
        say("case.overdue", subject=("submission", case.submission_id), party=case.owner_id)
    return True


def _free_slot(actor: Actor) -> int:
    """The first of three places in this reviewer's hands. One claim of theirs at a time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"leases:{actor.party_id}"]
        )
    taken = set(
        Case.objects.filter(state=State.CLAIMED, lease_by_id=actor.party_id).values_list(
            "lease_slot", flat=True
        )
    )
    free = [slot for slot in range(1, LEASES_AT_ONCE + 1) if slot not in taken]
    if not free:
        raise TooManyLeases(
            _("You have three cases in hand. Decide or hand back one of them first.")
        )
    return free[0]


def _take_head(actor: Actor, slot: int) -> Case | None:
    """The head of the desk for this reviewer, taken: one statement."""
    found = list(
        Case.objects.raw(
            # MATERIALIZED: a plan that evaluated the head twice would take two cases.
            "WITH head AS MATERIALIZED ("
            " SELECT c.id FROM review_case c"
            " WHERE c.programme_id = %(programme)s AND c.state = 'queued'"
            " AND review_bar(c.id, %(judge)s) IS NULL"
            " AND NOT EXISTS (SELECT FROM review_skip k WHERE k.case_id = c.id"
            "  AND k.reviewer_id = %(judge)s AND c.escalated_at IS NULL)"
            " ORDER BY (c.escalated_at IS NULL), c.fair_tag, c.queue_number"
            " LIMIT 1 FOR UPDATE OF c SKIP LOCKED)"
            " UPDATE review_case c SET state = 'claimed', lease_by_id = %(judge)s,"
            " lease_slot = %(slot)s, lease_number = c.lease_number + 1,"
            " lease_until = core_now() + make_interval(secs => %(lease)s)"
            " FROM head WHERE c.id = head.id RETURNING c.*",
            {
                "programme": actor.programme,
                "judge": actor.party_id,
                "slot": slot,
                "lease": LEASE.total_seconds(),
            },
        )
    )
    return found[0] if found else None


def _return(cases: QuerySet[Case]) -> bool:
    return advance(
        cases,
        MOVES,
        Move.RETURN,
        seen=State.CLAIMED,
        lease_by=None,
        lease_until=None,
        lease_slot=None,
    )


def _must_be_held(is_held: bool) -> None:  # noqa: FBT001
    if not is_held:
        raise LeaseLost(
            _("This case is not yours at the moment: it was withdrawn, decided or given back.")
        )
