"""From a clip that a wish names to the order that begins with its last frame: whose it is, whether
its files are there, whether the two go together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.errors import InvalidOrder
from core.ids import read_id
from generation.catalogue.models import PriceRow, VideoModel
from generation.engines.order import Mode
from generation.jobs.models import Job
from generation.jobs.rules import State

FIELD = "extends"
LONGEST_WHOLE_S = 120  # the database says the same
SHORTEST = 2  # frames, the first of which is the clip's last


@dataclass(frozen=True, slots=True)
class Extended:
    """The clip that an order begins with the last frame of, by the job that made it."""

    job: Job

    @property
    def frames(self) -> int:
        return self.job.whole_frames

    @property
    def rate(self) -> Fraction:
        return Fraction(self.job.rate_num, self.job.rate_den)


def extended(name: str | None, *, programme_id: UUID, party_id: UUID) -> Extended | None:
    """``name``: of a clip, or of the job that made it. None where none is named.

    Raises ``InvalidOrder`` where it cannot be extended. What is somebody else's is unknown.
    """
    if not name:
        return None
    mine = Job.objects.filter(programme_id=programme_id, party_id=party_id)
    job = _named(mine.select_related("clip"), name).first()
    if job is None:
        raise InvalidOrder(
            "extended_clip_unknown", _("You have no clip of this name to extend."), field=FIELD
        )
    if job.state != State.FINISHED:
        raise InvalidOrder(
            "extended_clip_unfinished",
            _("This job made no clip, so there is nothing to extend."),
            field=FIELD,
        )
    if Job.objects.filter(id=job.id, clip__removals__done_at__isnull=False).exists():
        raise removed()
    return Extended(job)


def must_fit(source: Extended, *, model: VideoModel, row: PriceRow, frames: int) -> None:
    """Raises ``InvalidOrder`` where a clip of this model, size and length cannot follow."""
    if not begins_with_pictures(model):
        raise InvalidOrder(
            "extension_not_offered",
            _("%(model)s cannot begin with a picture, so it extends no clip.")
            % {"model": model.name},
            field=FIELD,
        )
    if (row.width, row.height) != (source.job.width, source.job.height):
        size = f"{source.job.width} × {source.job.height}"
        raise InvalidOrder(
            "extended_size_differs",
            _("The clip to extend is %(size)s, and so is what follows it.") % {"size": size},
            field=FIELD,
            offered=f"{source.job.width}x{source.job.height}",
        )
    if model.rate != source.rate:
        raise InvalidOrder(
            "extended_rate_differs",
            _("The clip to extend has another frame rate than %(model)s makes.")
            % {"model": model.name},
            field=FIELD,
        )
    if frames < SHORTEST:
        raise InvalidOrder(
            "extension_too_short",
            _("One frame extends nothing: the two clips share it."),
            field="seconds",
        )
    if whole_frames(source, frames) > LONGEST_WHOLE_S * source.rate:
        raise InvalidOrder(
            "extension_too_long",
            _("A clip that is extended lasts %(most)s seconds at most, all in all.")
            % {"most": LONGEST_WHOLE_S},
            field="seconds",
            most=LONGEST_WHOLE_S,
        )


def may_follow(job: Job, model: VideoModel) -> bool:
    """Whether a clip of this model may go on where the job's clip ends, of the same size."""
    sizes = {(row.width, row.height) for row in model.prices.all()}
    rate = Fraction(job.rate_num, job.rate_den)
    return begins_with_pictures(model) and model.rate == rate and (job.width, job.height) in sizes


def begins_with_pictures(model: VideoModel) -> bool:
    return bool(model.most_conditions) and not {*model.modes} <= {Mode.TEXT}


def whole_frames(source: Extended | None, frames: int) -> int:
    """What was there and what is new, the frame that both show once."""
    return frames if source is None else source.frames + frames - 1


def clip_id_of(source: Extended) -> UUID:
    # By relation, since clips know of jobs and not the other way round.
    made: UUID = source.job.clip.id
    return made


@contextmanager
def files_stay() -> Iterator[None]:
    """Around writing the job: the files of the clip may have gone a moment ago."""
    try:
        yield
    except IntegrityError as refused:
        said = getattr(refused.__cause__, "diag", None)
        if said is None or said.constraint_name != "a_removed_clip_is_not_extended":
            raise
        raise removed() from None


def removed() -> InvalidOrder:
    return InvalidOrder(
        "extended_clip_removed",
        _("The files of this clip were removed, so it cannot be extended."),
        field=FIELD,
    )


def _named(mine: QuerySet[Job], name: str) -> QuerySet[Job]:
    if (job_id := read_id("job", name)) is not None:
        return mine.filter(id=job_id)
    clip_id = read_id("clip", name)
    return mine.filter(clip__id=clip_id) if clip_id is not None else mine.none()
