"""Files go by a programme's terms, after their owner was warned; or because their owner says so."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from core.clock import CoreNow, now
from core.errors import TooLate
from core.sweeps import sweep
from generation.clips.commands import (
    announce_removal,
    finish_removal,
    hold_files,
    stop_removal,
)
from generation.clips.models import Clip, Removal
from generation.clips.queries import is_extended_now, own_clip_for
from generation.clips.rules import OWNER_CAN_KEEP
from review.releases.commands import take_down_for_good
from review.retention.queries import (
    clips_going,
    is_shown_or_judged,
    removals_overtaken,
    standing_of,
    terms_in_force,
)
from review.retention.rules import due_at

SWEPT_AT_ONCE = 5_000


class ShownOrJudged(TooLate):
    code = "shown_or_judged"


class RemovalStays(TooLate):
    code = "removal_stays"


def remove_own_clip(*, actor: Actor, clip_id: str) -> Removal:
    """The owner wants the files of a clip gone; for a day they can take that back.

    Twice is fine. Raises ``ShownOrJudged`` while it is released or under review.
    """
    actor.must_act(Scope.CLIPS_CREATE)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        clip = own_clip_for(actor, clip_id)
        hold_files(clip.id)
        if is_shown_or_judged(clip):
            raise ShownOrJudged(
                _("It is released or under review. Take the release down or withdraw it first.")
            )
        return announce_removal(
            clip=clip,
            why=Removal.Why.OWNER,
            due_at=now() + OWNER_CAN_KEEP,
            actor=actor.party_id,
            credential=actor.credential_id,
        )


def keep_own_clip(*, actor: Actor, clip_id: str) -> Clip:
    """The owner takes back that the files go. Twice is fine.

    Raises ``RemovalStays`` where they are gone, or go for another reason than the owner's word.
    """
    actor.must_act(Scope.CLIPS_CREATE)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        clip = own_clip_for(actor, clip_id)
        hold_files(clip.id)
        standing = Removal.objects.filter(clip=clip, stopped_at=None).first()
        if standing is None:
            return clip
        if standing.done_at is not None:
            raise RemovalStays(_("The files of this clip were removed already."))
        if standing.why != Removal.Why.OWNER:
            raise RemovalStays(
                _("Its files go under the programme's terms. Put it forward or release it.")
            )
        stop_removal(
            removal=standing, why="kept", actor=actor.party_id, credential=actor.credential_id
        )
    return own_clip_for(actor, clip_id)


def warn_owners() -> int:
    """Announce the removal of every clip whose time comes within its programme's warning. Each
    has the warning's full time, though its own be long over. How many owners hear, by clip."""
    going = [standing.clip_id for standing in clips_going(SWEPT_AT_ONCE)]
    return sweep("warn_owners", going, _warn)


def stop_overtaken() -> int:
    """What was shown, judged or given more time since its removal was announced stays."""
    return sweep("stop_overtaken", removals_overtaken(SWEPT_AT_ONCE), _stop)


def finish_retention() -> int:
    """What was announced and is still so goes; a release that the terms end is taken down with it.

    Each clip is asked once more under its lock. Files are taken off the disk by
    ``clear_removed_files``. How many clips lost their files.
    """
    due = Removal.objects.filter(
        done_at=None, stopped_at=None, due_at__lte=CoreNow(), why=Removal.Why.RETENTION
    ).order_by("due_at", "id")
    return sweep("finish_retention", due.select_related("clip")[:SWEPT_AT_ONCE], _finish)


def _warn(clip_id: UUID) -> bool:
    with transaction.atomic():
        hold_files(clip_id)
        clip = Clip.objects.get(id=clip_id)
        terms, standing = terms_in_force(clip.programme_id), standing_of(clip)
        has_one = Removal.objects.filter(clip=clip, stopped_at=None).exists()
        if terms is None or standing.goes_at is None or has_one:
            return False  # something happened to it since it was read
        announce_removal(
            clip=clip,
            why=Removal.Why.RETENTION,
            due_at=due_at(standing.goes_at, now(), terms.warning_days),
        )
    return True


def _stop(overtaken: tuple[UUID, str]) -> bool:
    removal_id, why = overtaken
    removal = Removal.objects.select_related("clip").get(id=removal_id)
    return stop_removal(removal=removal, why=why)


def _finish(removal: Removal) -> bool:
    with transaction.atomic():
        hold_files(removal.clip_id)
        standing = standing_of(removal.clip)
        if standing.goes_at is None or standing.goes_at > removal.due_at:
            return False  # the next sweep stops it
        if is_extended_now(removal.clip):
            return False  # the job that extends it needs its files; a later sweep takes them
        take_down_for_good(clip_id=removal.clip_id, why="retention")
        return finish_removal(removal=removal)
