"""From pictures wished for to conditions of an order: whose they are, at which frame, whether the
model takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal
from uuid import UUID

from django.db import IntegrityError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.errors import InvalidOrder
from core.ids import read_id
from generation.catalogue.models import VideoModel
from generation.engines.order import Mode, mode_of
from generation.jobs.models import Job, JobCondition
from generation.references.commands import take_still
from generation.references.models import Reference
from generation.references.queries import frame_at, reference_named, references_of

FIELD = "conditions"
At = Literal["first", "last"] | int | Fraction


@dataclass(frozen=True, slots=True)
class WishedCondition:
    """``at``: the first or last frame, a frame's number from 0, or seconds. ``moment``: which
    second of a reference that is a clip itself, None for its end."""

    reference: str
    at: At = "first"
    strength: float = 1.0
    moment: Fraction | None = Fraction(0)


@dataclass(frozen=True, slots=True)
class Placed:
    """``still_frame`` counts in the reference, ``frame`` in the clip to be."""

    reference: Reference
    still_frame: int
    frame: int
    strength: float


def placed(
    wished: Sequence[WishedCondition],
    *,
    model: VideoModel,
    frames: int,
    programme_id: UUID,
    party_id: UUID,
    is_extension: bool = False,
) -> tuple[Placed, ...]:
    """In the order of the frames. Raises ``InvalidOrder`` for the first that cannot be.

    The first frame of an extension is taken: the clip that it extends ends with it.
    """
    first = [0] if is_extension else []
    if not wished and not first:
        return ()
    _must_take_pictures(model, len(first) + len(wished))
    found = _references(wished, programme_id, party_id)
    conditions = sorted(
        (_placed(one, found, model.rate, frames) for one in wished), key=lambda one: one.frame
    )
    _must_take_strength(model, conditions)
    at = [*first, *(one.frame for one in conditions)]
    if len(set(at)) < len(at):
        raise InvalidOrder(
            "condition_frame_taken", _("Two pictures cannot stand at the same frame."), field=FIELD
        )
    mode = mode_of(at, frames)
    if mode not in model.modes:
        raise InvalidOrder(
            "mode_not_offered",
            _("%(model)s takes pictures, but not at these frames. It makes a clip %(offered)s.")
            % {"model": model.name, "offered": _offered_words(model)},
            field=FIELD,
            offered=list(model.modes),
        )
    return tuple(conditions)


def take_stills(wished: Sequence[WishedCondition], *, programme_id: UUID, party_id: UUID) -> None:
    """Frames of clips that nobody asked for before are taken now: this reads files, so it is done
    before the transaction that orders."""
    for one in wished:
        reference = reference_named(programme_id, party_id, one.reference)
        frame = frame_at(reference, one.moment) if reference else None
        if reference is not None and frame is not None:  # else ``placed`` refuses it
            take_still(reference=reference, frame=frame)


def write_conditions(job: Job, conditions: Sequence[Placed]) -> None:
    """With their job, in its transaction; ``take_stills`` came before.

    Raises ``InvalidOrder`` for a reference that is removed meanwhile.
    """
    rows = [
        JobCondition(
            job=job,
            programme_id=job.programme_id,
            party_id=job.party_id,
            number=number,
            reference=one.reference,
            still=one.reference.stills.get(frame=one.still_frame),
            frame=one.frame,
            strength=one.strength,
        )
        for number, one in enumerate(conditions)
    ]
    try:
        JobCondition.objects.bulk_create(rows)
    except IntegrityError as refused:
        said = getattr(refused.__cause__, "diag", None)
        if said is None or said.constraint_name != "a_removed_reference_is_not_shown":
            raise
        raise _unknown() from None


def _must_take_pictures(model: VideoModel, asked: int) -> None:
    if not model.most_conditions:
        raise InvalidOrder(
            "pictures_not_offered",
            _("%(model)s starts from words alone; it takes no pictures.") % {"model": model.name},
            field=FIELD,
        )
    if asked > model.most_conditions:
        raise InvalidOrder(
            "too_many_conditions",
            ngettext(
                "%(model)s takes %(most)s picture at most.",
                "%(model)s takes %(most)s pictures at most.",
                model.most_conditions,
            )
            % {"model": model.name, "most": model.most_conditions},
            field=FIELD,
            asked=asked,
            most=model.most_conditions,
        )


def _must_take_strength(model: VideoModel, conditions: Sequence[Placed]) -> None:
    """It would hold them as firmly as ever, and the record would say otherwise."""
    weak = [one.strength for one in conditions if one.strength != 1]
    if weak and not model.takes_strength:
        raise InvalidOrder(
            "strength_not_offered",
            _("%(model)s holds a picture as firmly as it can; it takes no strength below 1.")
            % {"model": model.name},
            field=FIELD,
            asked=weak[0],
        )


def _references(
    wished: Sequence[WishedCondition], programme_id: UUID, party_id: UUID
) -> dict[str, Reference]:
    """By the ids as they were written. What is removed or somebody else's is unknown alike."""
    ids = {one.reference: read_id("reference", one.reference) for one in wished}
    mine = references_of(programme_id, party_id).in_bulk([found for found in ids.values() if found])
    known = {name: mine[found] for name, found in ids.items() if found in mine}
    if len(known) < len(ids):
        raise _unknown()
    return known


def _unknown() -> InvalidOrder:
    return InvalidOrder(
        "reference_unknown",
        _("You have no reference of this name, or it was removed."),
        field=FIELD,
    )


def _placed(
    one: WishedCondition, found: dict[str, Reference], rate: Fraction, frames: int
) -> Placed:
    if not 0 < one.strength <= 1:
        raise InvalidOrder(
            "strength_out_of_range",
            _("A strength lies above 0 and is 1 at most."),
            field=FIELD,
            asked=one.strength,
        )
    reference = found[one.reference]
    frame = _frame(one.at, rate, frames)
    if frame is None:
        raise InvalidOrder(
            "condition_frame_out_of_range",
            _("The clip has the frames 0 to %(last)s; a picture stands at one of them.")
            % {"last": frames - 1},
            field=FIELD,
            most=frames - 1,
        )
    return Placed(reference, _still_frame(reference, one.moment), frame, one.strength)


def _frame(at: At, rate: Fraction, frames: int) -> int | None:
    """Seconds go to the nearest frame; the very end of the clip is its last frame."""
    if at == "first":
        return 0
    if at == "last":
        return frames - 1
    if isinstance(at, int):
        return at if 0 <= at < frames else None
    if not isinstance(at, Fraction) or not 0 <= at <= frames / rate:
        return None
    return min(int((2 * at * rate + 1) // 2), frames - 1)


def _still_frame(reference: Reference, moment: Fraction | None) -> int:
    frame = frame_at(reference, moment)
    if frame is None:
        raise InvalidOrder(
            "reference_too_short", _("The reference ends before this moment."), field=FIELD
        )
    return frame


def _offered_words(model: VideoModel) -> str:
    words = {
        Mode.IMAGE: _("from a first picture"),
        Mode.FIRST_LAST: _("from a first and a last picture"),
        Mode.KEYFRAMES: _("through pictures at any frames"),
    }
    return ", ".join(words[Mode(mode)] for mode in model.modes if mode in words)
