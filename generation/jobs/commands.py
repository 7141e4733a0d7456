"""What a tester does with a job: submit, cancel, vouch for a held one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.agreements.queries import governing_acceptance
from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from accounts.programmes.models import Role
from accounts.programmes.queries import membership_of, must_be_working
from accounts.quotas.commands import Hold, reserve, settle_reservation
from accounts.quotas.models import Kind
from core.audit.commands import record
from core.clock import now
from core.errors import Absent, AgreementMissing, InvalidOrder, NotAllowed, TooLate
from core.idempotency.commands import Once
from core.ids import new_id, read_id, shown
from core.outbox.commands import say
from core.states import advance
from core.sweeps import sweep
from generation.jobs.conditions import take_stills, write_conditions
from generation.jobs.extensions import clip_id_of, files_stay
from generation.jobs.models import DeletedVideo, Job, JobRequest
from generation.jobs.orders import Quote, Wish, checked_prompt, chosen_seed, quote
from generation.jobs.queries import job_for
from generation.jobs.rules import LIVE, MOVES, Move, State, lane_of
from generation.jobs.styles import write_styles
from generation.threads.models import Thread

Answer = Callable[[Job], tuple[int, Any]]


def submit_job(
    *,
    actor: Actor,
    wish: Wish,
    once: Once | None = None,
    answer: Answer | None = None,
    fingerprint: str | None = None,
) -> Job:
    """Queue one clip, with its price reserved, or change nothing.

    Order of locks: credential, idempotency key, the party's place in the lane, the files of the
    clip that it extends, then rows of our own, and as the last statement before the commit the
    budgets, whose programme row everybody wants.
    With ``once``, a repetition raises ``AlreadyAnswered`` with what ``answer`` gave first. With a
    ``fingerprint`` the job is found again by ``job_sent_before``.
    Raises any ``Refusal`` of the order, the membership, the agreement or the quota.
    """
    take_stills(wish.conditions, programme_id=actor.programme, party_id=actor.party_id)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        if once:
            once.begin()
        acceptance_id = _right_to_submit(actor)
        prompt, seed = checked_prompt(wish.prompt), chosen_seed(wish.seed)
        quoted = quote(wish, programme_id=actor.programme, party_id=actor.party_id)
        thread = _thread(actor, wish.continues, quoted)
        job = _job(actor, acceptance_id, quoted, prompt, seed, thread)
        job.remix_of_id = _remixed(actor, wish.remix_of)
        with files_stay():
            job.save(force_insert=True)
        write_conditions(job, quoted.conditions)
        write_styles(job, quoted.styles)
        if fingerprint:
            JobRequest.objects.create(job=job, fingerprint=fingerprint)
        record(
            "job.submitted",
            subject=("job", job.id),
            actor=actor.party_id,
            credential=actor.credential_id,
            price_credits=job.price_credits,
            **({"remix_of": shown("job", job.remix_of_id)} if job.remix_of_id else {}),
            **({"extends": shown("clip", job.extends_id)} if job.extends_id else {}),
        )
        say("job.queued", subject=("job", job.id), party=actor.party_id)
        if once and answer:
            once.keep(*answer(job))
        reserve(
            work_id=job.id,
            programme_id=job.programme_id,
            party_id=job.party_id,
            lineage_id=actor.lineage_id,
            holds=[Hold(job.reservation_id, Kind.CREDITS, job.price_credits)],
        )
    return job


def cancel_job(*, actor: Actor, shown_id: str) -> Job:
    """Waiting or held: over at once, everything back. Rendering: asked to stop at the next step.

    Cancelling twice is fine. Raises ``TooLate`` for a job that is over.
    """
    actor.must_carry("clips:create")
    with transaction.atomic():
        job = job_for(actor, shown_id)
        mine = Job.objects.filter(id=job.id)
        # Locked: a claim or a retry in between would let the wish to stop fall through.
        state = State(mine.select_for_update().values_list("state", flat=True).get())
        job.state = state
        if state in (State.QUEUED, State.HELD):
            _cancel_waiting(job, actor)
        elif state is State.RUNNING:
            # Its worker looks at this mark at its next step.
            mine.filter(cancel_asked_at=None).update(cancel_asked_at=now())
        elif state is not State.CANCELLED:
            raise TooLate(_("This job is over already; there is nothing to cancel."))
    return job_for(actor, shown_id)


def cancel_jobs_of(*, programme_id: UUID, party_id: UUID, actor: Actor | None) -> tuple[int, int]:
    """Everything a party has under way: what waits or is held is over, with all given back; what
    renders is asked to stop. How many of each. Inside the caller's transaction.
    """
    jobs = Job.objects.filter(programme_id=programme_id, party_id=party_id, state__in=LIVE)
    cancelled = asked = 0
    # All of them locked before the first budget is: a worker that ends one of them comes after.
    for job in list(jobs.select_for_update(no_key=True, of=("self",)).order_by("id")):
        if job.state == State.RUNNING:
            asked += Job.objects.filter(id=job.id, cancel_asked_at=None).update(
                cancel_asked_at=now()
            )
            continue
        _cancel_waiting(job, actor)
        cancelled += 1
    return cancelled, asked


def hold_fingerprint(fingerprint: str) -> None:
    """Until the commit nobody else orders what has this fingerprint: who sends it again waits for
    the first, and then finds its job."""
    with connection.cursor() as cursor:
        # A key of one number, so that it meets no party's place in a lane.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"order {fingerprint}"]
        )


def mark_deleted(*, actor: Actor, job: Job) -> None:
    """At the door ``/v1`` it is absent from now on. Inside the transaction that stops the job or
    announces that its files go; once is enough."""
    DeletedVideo.objects.create(job=job)
    record(
        "video.deleted",
        subject=("job", job.id),
        actor=actor.party_id,
        credential=actor.credential_id,
    )


def resume_job(*, actor: Actor, shown_id: str) -> Job:
    """The owner's word for a job that was held: it waits again, with this credential behind it."""
    if not actor.is_portal:
        raise NotAllowed(_("Only you, signed in to the portal, can vouch for a held job."))
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        job = job_for(actor, shown_id)
        if job.state != State.HELD or not advance(
            Job.objects.filter(id=job.id),
            MOVES,
            Move.RESUME,
            seen=State.HELD,
            held_until=None,
            vouched_by=actor.credential_id,
        ):
            raise TooLate(_("This job is not held any more."))
        record(
            "job.resumed",
            subject=("job", job.id),
            actor=actor.party_id,
            credential=actor.credential_id,
        )
        say("job.resumed", subject=("job", job.id), party=job.party_id)
    return job_for(actor, shown_id)


def lapse_held_jobs() -> int:
    """Held jobs whose week is over: cancelled, everything given back."""
    due = Job.objects.filter(state=State.HELD, held_until__lte=now()).order_by("id")
    return sweep("lapse_held_jobs", due[:200], _lapse)


def _lapse(job: Job) -> bool:
    if not advance(
        Job.objects.filter(id=job.id, held_until__lte=now()),
        MOVES,
        Move.CANCEL,
        seen=State.HELD,
        finished_at=now(),
        held_until=None,
    ):
        return False
    _record_end(job, "job.lapsed", None, charged=0)
    settle_reservation(work_id=job.id, kind=Kind.CREDITS, charge=0)
    return True


def _job(
    actor: Actor, acceptance_id: UUID, quoted: Quote, prompt: str, seed: int, thread: Thread
) -> Job:
    model, row = quoted.model, quoted.row
    lane = lane_of(model.slug, row.tier)
    _stand_in_line(lane, actor.party_id)
    fair_tag = _fair_tag(lane, actor.party_id)
    return Job(
        programme_id=actor.programme,
        party_id=actor.party_id,
        credential_id=actor.credential_id,
        acceptance_id=acceptance_id,
        reservation_id=new_id(),
        model=model,
        thread=thread,
        prompt=prompt,
        seed=seed,
        tier=row.tier,
        width=row.width,
        height=row.height,
        generated_width=row.generated_width,
        generated_height=row.generated_height,
        frames=quoted.frames,
        extends_id=clip_id_of(quoted.extended) if quoted.extended else None,
        frames_before=quoted.extended.frames if quoted.extended else 0,
        rate_num=model.rate_num,
        rate_den=model.rate_den,
        steps=row.steps,
        price_credits=quoted.price_credits,
        lane=lane,
        fair_tag=fair_tag,
        fair_end=fair_tag + quoted.price_credits,
    )


def _right_to_submit(actor: Actor) -> UUID:
    """The acceptance the job rests on; membership, role and agreement are asked here, at commit."""
    actor.must_carry("clips:create")
    membership = membership_of(actor.programme, actor.party_id)
    if membership is None:
        raise Absent
    actor.must_be(Role.TESTER, _("Only testers of the programme make clips."))
    must_be_working(actor.programme)
    acceptance = governing_acceptance(actor.programme, actor.party_id)
    if acceptance is None:
        raise AgreementMissing
    acceptance_id: UUID = acceptance.id
    return acceptance_id


def _thread(actor: Actor, continues: str | None, quoted: Quote) -> Thread:
    """The thread to continue, which must be the actor's own; else that of the clip to extend, or a
    new one."""
    if continues is None and quoted.extended is not None:
        return quoted.extended.job.thread
    if continues is None:
        return Thread.objects.create(programme_id=actor.programme, party_id=actor.party_id)
    thread_id = read_id("thread", continues)
    mine = Thread.objects.filter(party_id=actor.party_id, programme_id=actor.programme)
    thread = mine.filter(id=thread_id).first() if thread_id else None
    if thread is None:
        raise Absent
    return thread


def _remixed(actor: Actor, remix_of: str | None) -> UUID | None:
    """The job whose recipe this takes, which must be the actor's own."""
    if remix_of is None:
        return None
    try:
        source: UUID = job_for(actor, remix_of).id
    except Absent:
        raise InvalidOrder(
            "remixed_job_unknown", _("You have no job of this name."), field="remix_of"
        ) from None
    return source


def _stand_in_line(lane: str, party_id: UUID) -> None:
    # Each job begins where the party's one before it ends. Sent at once, none would see another,
    # and all would stand at the head. A key of two numbers meets none of the other advisory locks.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(%s))", [lane, str(party_id)]
        )


def _fair_tag(lane: str, party_id: UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT generation_fair_tag(%s, %s)", [lane, party_id])
        (tag,) = cursor.fetchone()
    return int(tag)


def _cancel_waiting(job: Job, actor: Actor | None) -> None:
    """One that is locked, and was found queued or held."""
    moment = now()
    advance(
        Job.objects.filter(id=job.id),
        MOVES,
        Move.CANCEL,
        seen=State(job.state),
        finished_at=moment,
        held_until=None,
        cancel_asked_at=moment,
    )
    _record_end(job, "job.cancelled", actor, charged=0)
    settle_reservation(work_id=job.id, kind=Kind.CREDITS, charge=0)


def _record_end(job: Job, kind: str, actor: Actor | None, *, charged: int) -> None:
    record(
        kind,
        subject=("job", job.id),
        actor=actor.party_id if actor else None,
        credential=actor.credential_id if actor else None,
        charged=charged,
    )
    say(kind, subject=("job", job.id), party=job.party_id, charged=charged)
