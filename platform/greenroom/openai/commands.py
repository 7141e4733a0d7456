"""What this door asks of several commands at once: an order with its picture, and a deletion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from core.errors import Refusal
from core.idempotency.commands import Once
from core.ids import shown
from generation.jobs.commands import (
    Answer,
    cancel_job,
    hold_fingerprint,
    mark_deleted,
    submit_job,
)
from generation.jobs.models import Job
from generation.jobs.orders import Wish
from generation.jobs.queries import job_for, job_sent_before
from generation.jobs.rules import LIVE, State
from generation.references.commands import Sent, add_reference
from generation.references.models import Reference
from generation.references.queries import own_references
from generation.references.rules import Rights
from greenroom.openai.fields import Given, digest_of
from greenroom.openai.orders import reference_of
from greenroom.openai.queries import video_for
from review.retention.commands import remove_own_clip


@dataclass(frozen=True, slots=True)
class Order:
    """``wish`` is made once the file that came with the order is kept, from its reference's id.
    ``field`` is what the file was called."""

    wish: Callable[[str | None], Wish]
    given: Given | None = None
    rights: str = ""
    rights_words: str = ""
    field: str = "input_reference"


@dataclass(frozen=True, slots=True)
class Try:
    """One sending of an order: what it is told by, and whether it says that it came before."""

    fingerprint: str
    is_retry: bool = False
    once: Once | None = None


def order_video(
    *, actor: Actor, order: Order, sent: Try, answer: Answer | None = None
) -> tuple[Job, bool]:
    """One job with its picture, or nothing at all; False beside a job that was there before.

    Tries of the same order stand in a line, the first of them too: a retry waits for one that is
    still in flight and finds its job. Only the fingerprint is held while a picture is read, so
    that a revocation waits for nobody. Raises ``AlreadyAnswered`` and every ``Refusal`` of
    ``add_reference`` and ``submit_job``.
    """
    with transaction.atomic():
        hold_fingerprint(sent.fingerprint)
        if sent.once:
            sent.once.look()
        elif sent.is_retry and (earlier := job_sent_before(sent.fingerprint)):
            return job_for(actor, shown("job", earlier)), False
        with _naming(order):
            wish = order.wish(_kept(actor, order))
            job = submit_job(
                actor=actor,
                wish=wish,
                once=sent.once,
                answer=answer,
                fingerprint=sent.fingerprint,
            )
    return job, True


def keep_file(
    *, actor: Actor, file: Sent, sent: Try, answer: Callable[[Reference], tuple[int, Any]]
) -> Reference:
    """A reference; for a retry the one that the first try kept."""
    with transaction.atomic():
        hold_fingerprint(sent.fingerprint)
        if sent.once:
            sent.once.look()
        elif sent.is_retry and (kept := _same(actor, file)):
            return kept
        return add_reference(actor=actor, sent=file, once=sent.once, answer=answer)


def delete_video(*, actor: Actor, video_id: str) -> None:
    """Absent at this door from now on. A live job is cancelled; the files of a finished one are
    announced for removal, which its owner can take back for a day. The record stays.

    Raises ``ShownOrJudged`` for a clip that is released or under review.
    """
    actor.must_carry(Scope.CLIPS_CREATE)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        found = video_for(actor, video_id)
        # Locked: it neither ends nor begins between the look and what is done about it.
        job = Job.objects.select_for_update(no_key=True).get(id=found.id)
        if job.state in LIVE:
            cancel_job(actor=actor, shown_id=shown("job", job.id))
        elif job.state == State.FINISHED:
            remove_own_clip(actor=actor, clip_id=shown("clip", found.clip.id))
        mark_deleted(actor=actor, job=job)


def _kept(actor: Actor, order: Order) -> str | None:
    """The reference that the order names, or that its file becomes: the one that is there already,
    where the same bytes were sent on the same ground."""
    given = order.given
    if given is None:
        return None
    if given.file is None:
        return reference_of(given.id)
    sent = Sent(
        file=given.file,
        size=given.size,
        name=given.name,
        rights=order.rights or Rights.OWN,
        rights_words=order.rights_words,
    )
    reference = _same(actor, sent) or add_reference(actor=actor, sent=sent)
    return shown("reference", reference.id)


def _same(actor: Actor, sent: Sent) -> Reference | None:
    """What the actor keeps of the same bytes on the same ground."""
    return (
        own_references(actor)
        .filter(
            sha256=digest_of(sent.file),
            rights=sent.rights,
            rights_words=sent.rights_words.strip(),
        )
        .first()
    )


@contextmanager
def _naming(order: Order) -> Iterator[None]:
    """A refusal of what came with the order names the field that it came in here."""
    try:
        yield
    except Refusal as refusal:
        if refusal.field == "extends":
            refusal.field = "video"
        elif order.given is not None and refusal.field in ("file", "conditions"):
            refusal.field = order.field
        raise
