from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from core.audit.commands import record
from core.clock import CoreNow, now
from core.errors import InvalidOrder, TooLate
from core.outbox.commands import say
from core.sweeps import sweep
from generation.clips.models import Clip, Removal, Viewing
from generation.clips.queries import clip_to_view, is_extended_now
from generation.clips.rules import VIEWING_LASTS, Why
from generation.media.files import remove_files

log = logging.getLogger("greenroom.clips")

FINISHED_AT_ONCE = 5_000


class FilesRemoved(TooLate):
    code = "files_removed"


def say_why(*, actor: Actor, shown_id: str, why: str) -> Viewing:
    """Staff say why they open somebody else's clip; it counts for half an hour.

    Raises ``Absent`` for whoever may not look, ``InvalidOrder`` for a reason off the list.
    """
    actor.must_carry("clips:read")
    clip, role = clip_to_view(actor, shown_id)
    if why not in Why.values:
        raise InvalidOrder("why_unknown", _("Choose one of the reasons."), field="why")
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        return _begin_viewing(clip, actor.party_id, actor.credential_id, role, why)


def keep_viewing(
    *, clip: Clip, viewer_id: UUID, credential_id: UUID, role: str, why: str, at_least: timedelta
) -> None:
    """See to it that a viewing for this reason counts for so long at least.

    Belongs to the transaction of the deed that is the reason (a reviewer takes a case). Where that
    reason ends (the case leaves them), the database ends the viewing too.
    """
    standing = Viewing.objects.filter(
        clip=clip, viewer_id=viewer_id, role=role, why=why, until__gte=now() + at_least
    )
    if not standing.exists():
        _begin_viewing(clip, viewer_id, credential_id, role, why)


def _begin_viewing(
    clip: Clip, viewer_id: UUID, credential_id: UUID, role: str, why: str
) -> Viewing:
    moment = now()
    viewing = Viewing.objects.create(
        clip=clip, viewer_id=viewer_id, role=role, why=why, at=moment, until=moment + VIEWING_LASTS
    )
    facts = {"role": role, "why": why}
    record(
        "viewing.begun",
        subject=("clip", clip.id),
        actor=viewer_id,
        credential=credential_id,
        **facts,
    )
    say("viewing.begun", subject=("clip", clip.id), party=clip.party_id, **facts)
    return viewing


# Removal of files -----------------------------------------------------------------------------


def hold_files(clip_id: UUID) -> None:
    """Until the commit nobody else puts this clip forward, shows it or removes its files."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clip_one_at_a_time(%s)", [clip_id])


def keep_files(
    *, clip: Clip, why: str, actor: UUID | None = None, credential: UUID | None = None
) -> None:
    """Somebody judges or shows this clip from now on: what would remove its files is stopped.

    Belongs to the transaction of that deed. Raises ``FilesRemoved`` where they are gone.
    """
    hold_files(clip.id)
    standing = Removal.objects.filter(clip=clip, stopped_at=None).first()
    if standing is None:
        return
    if standing.done_at is not None:
        raise FilesRemoved(_("The files of this clip were removed, so nobody could look at it."))
    if standing.why != Removal.Why.ERASURE:
        stop_removal(removal=standing, why=why, actor=actor, credential=credential)


def announce_removal(
    *,
    clip: Clip,
    why: Removal.Why,
    due_at: datetime,
    actor: UUID | None = None,
    credential: UUID | None = None,
) -> Removal:
    """Say that the files of a clip go at ``due_at`` (now, where that is past); its owner hears.

    One removal of a clip stands at a time: what is done, or comes no later, stays as it is, and
    what would come later is replaced.
    """
    with transaction.atomic():
        hold_files(clip.id)
        due_at = max(due_at, now())
        standing = Removal.objects.filter(clip=clip, stopped_at=None).first()
        if standing is not None:
            if standing.done_at is not None or standing.due_at <= due_at:
                return standing
            stop_removal(removal=standing, why="replaced", actor=actor, credential=credential)
        removal = Removal.objects.create(clip=clip, why=why, due_at=due_at)
        facts = {"why": str(why), "due_at": due_at.isoformat()}
        record(
            "removal.announced",
            subject=("clip", clip.id),
            actor=actor,
            credential=credential,
            **facts,
        )
        # Whoever is being erased hears of the erasure itself, and of nothing after it.
        if why != Removal.Why.ERASURE:
            say("removal.announced", subject=("clip", clip.id), party=clip.party_id, **facts)
    return removal


def stop_removal(
    *, removal: Removal, why: str, actor: UUID | None = None, credential: UUID | None = None
) -> bool:
    """The files stay after all. False where they are gone, or somebody was quicker."""
    with transaction.atomic():
        clip = removal.clip
        hold_files(clip.id)
        open_ones = Removal.objects.filter(id=removal.id, done_at=None, stopped_at=None)
        if not open_ones.update(stopped_at=now()):
            return False
        record(
            "removal.stopped",
            subject=("clip", clip.id),
            actor=actor,
            credential=credential,
            why=why,
        )
        if why != "replaced":
            say("removal.stopped", subject=("clip", clip.id), party=clip.party_id, why=why)
    return True


def finish_removal(*, removal: Removal) -> bool:
    """From the commit on nobody is served these files. False where it was stopped or done, and
    while a job is under way that extends the clip: it waits for that.

    The database refuses (``IntegrityError``) while the clip is shown or judged.
    """
    with transaction.atomic():
        clip = removal.clip
        hold_files(clip.id)
        if is_extended_now(clip):
            return False
        due = Removal.objects.filter(
            id=removal.id, done_at=None, stopped_at=None, due_at__lte=CoreNow()
        )
        if not due.update(done_at=now()):
            return False
        record("removal.done", subject=("clip", clip.id), why=removal.why)
        if removal.why != Removal.Why.ERASURE:
            say("removal.done", subject=("clip", clip.id), party=clip.party_id, why=removal.why)
    return True


def finish_removals() -> int:
    """Files whose time has come go: first the row says so, then they are taken off the disk.

    Those of a programme's terms are finished by ``review.retention``, which knows whether the
    terms still say what was announced. Returns how many clips lost their files.
    """
    due = Removal.objects.filter(
        done_at=None,
        stopped_at=None,
        due_at__lte=CoreNow(),
        why__in=[Removal.Why.OWNER, Removal.Why.ERASURE],
    )
    going = due.select_related("clip").order_by("due_at", "id")[:FINISHED_AT_ONCE]
    finished = sweep("finish_removals", going, _finish_or_wait)
    clear_removed_files()
    return finished


def _finish_or_wait(removal: Removal) -> bool:
    try:
        with transaction.atomic():
            return finish_removal(removal=removal)
    except IntegrityError as refused:
        if not _is_shown_or_judged(refused):
            raise
        # It waits: what ends the release or the case makes room for the next sweep.
        log.info("removal_waits", extra={"clip": str(removal.clip_id)})
        return False


def clear_removed_files() -> int:
    """Take files off the disk whose row says that they are gone; those too that a killed process
    or a disk that was away left behind. How many clips were cleared."""
    waiting = Removal.objects.filter(done_at__isnull=False, cleared_at=None).order_by(
        "done_at", "id"
    )
    # Durable: inside somebody's transaction these rows might never come to be.
    with transaction.atomic(durable=True):
        found = list(waiting[:FINISHED_AT_ONCE])
    cleared = 0
    for removal in found:
        try:
            remove_files(Path(settings.MEDIA_FOLDER), _keys_of(removal.clip_id))
        except OSError:
            log.exception("files_stay", extra={"clip": str(removal.clip_id)})
            continue
        cleared += Removal.objects.filter(id=removal.id, cleared_at=None).update(cleared_at=now())
    return cleared


def _keys_of(clip_id: UUID) -> Iterable[str]:
    # By relation, since renditions know of clips and not the other way round.
    rows = Clip.objects.filter(id=clip_id, renditions__isnull=False)
    return list(rows.values_list("renditions__storage_key", flat=True))


def _is_shown_or_judged(refused: IntegrityError) -> bool:
    said = getattr(refused.__cause__, "diag", None)
    return said is not None and said.constraint_name == "what_is_shown_or_judged_stays"
