"""Putting video models into the catalogue, and allowing them in a programme."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.programmes.commands import lock_programme, next_number
from core.audit.commands import record
from core.errors import InvalidOrder
from generation.catalogue.models import AllowedModels, PriceRow, VideoModel
from generation.catalogue.queries import checkpoint_folder, models_offered
from generation.catalogue.rules import Offered
from generation.engines.limits import Capabilities
from generation.engines.registry import engine


@dataclass(frozen=True, slots=True)
class Introduction:
    """A model revision to offer. ``checkpoint`` is a folder's name below the models folder."""

    slug: str
    revision: str
    name: str
    engine: str
    licence: str
    rate: Fraction
    longest: Fraction
    prices: tuple[Offered, ...]
    checkpoint: str = ""
    shows_noise: bool = False
    order: int = 100
    source: str = ""
    family: str = ""
    weights: dict[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    licence_address: str = ""
    territories_excluded: tuple[str, ...] = ()
    provenance_duty: bool = False


STILL = Introduction(
    slug="still",
    revision="1",
    name="Still landscape",
    engine="still",
    licence="Apache-2.0",
    rate=Fraction(24),
    longest=Fraction(10),
    prices=(
        Offered("standard", 1920, 1080, 12, 4),
        Offered("standard", 1280, 720, 12, 2),
        Offered("standard", 640, 360, 12, 1),
        Offered("turbo", 1920, 1080, 4, 2),
        Offered("turbo", 1280, 720, 4, 1),
    ),
    order=50,
)
USUAL_CLIP_CREDITS = 8  # four seconds of the still model at 1280 × 720


def offer_model(new: Introduction) -> VideoModel:
    """Offer a revision; an older one of the same slug retires. Doing it again changes nothing.

    Raises ``EngineFailure`` where the checkpoint cannot be read, ``EngineNotInstalled`` without
    its engine, ``OrderRefused`` for a size the engine cannot make.
    """
    able = engine(new.engine).capabilities(checkpoint_folder(new.checkpoint))
    with transaction.atomic():
        known = VideoModel.objects.filter(slug=new.slug, revision=new.revision).first()
        if known:
            return known
        retire_offered(new.slug)
        model = insert_model(new, able, VideoModel.State.OFFERED)
        record("model.offered", subject=("model", model.id), slug=new.slug, revision=new.revision)
    return model


def retire_offered(slug: str) -> None:
    """What is offered under this name takes no new orders; those it has are rendered by it."""
    VideoModel.objects.filter(slug=slug, state=VideoModel.State.OFFERED).update(
        state=VideoModel.State.RETIRED
    )


def offer_still_model() -> VideoModel:
    return offer_model(STILL)


def allow_models(
    *,
    programme_id: UUID,
    slugs: list[str],
    seen: int | None = None,
    actor: UUID | None = None,
) -> AllowedModels:
    """From now on testers may order from these and no others; jobs ordered before go on.

    Raises ``InvalidOrder`` for none at all or one that is not offered, ``ChangedMeanwhile`` where
    another list came in between.
    """
    wanted = sorted(set(slugs))
    if not wanted:
        raise InvalidOrder("models_missing", _("Allow one model at least."), field="slugs")
    offered = set(models_offered().filter(slug__in=wanted).values_list("slug", flat=True))
    unknown = [slug for slug in wanted if slug not in offered]
    if unknown:
        raise InvalidOrder(
            "model_unknown",
            _("No model of this name is offered here: %(slugs)s.") % {"slugs": ", ".join(unknown)},
            field="slugs",
            unknown=unknown,
        )
    with transaction.atomic():
        lock_programme(programme_id)
        versions = AllowedModels.objects.filter(programme_id=programme_id)
        version = AllowedModels.objects.create(
            programme_id=programme_id,
            number=next_number(versions, seen=seen, fields=("slugs",)),
            slugs=wanted,
            published_by_id=actor,
        )
        record(
            "models.allowed",
            subject=("programme", programme_id),
            actor=actor,
            number=version.number,
            slugs=wanted,
        )
    return version


def insert_model(new: Introduction, able: Capabilities, state: VideoModel.State) -> VideoModel:
    """The rows of a revision: facts, limits and prices. Inside the caller's transaction."""
    rule = able.frames
    model = VideoModel.objects.create(
        slug=new.slug,
        revision=new.revision,
        name=new.name,
        engine=new.engine,
        checkpoint=new.checkpoint,
        licence=new.licence,
        licence_address=new.licence_address,
        territories_excluded=list(new.territories_excluded),
        provenance_duty=new.provenance_duty,
        source=new.source,
        family=new.family,
        weights=new.weights,
        modes=[mode.value for mode in able.modes],
        most_conditions=able.most_conditions,
        takes_strength=able.takes_strength,
        takes_styles=able.takes_styles,
        has_sound=able.has_sound,
        state=state,
        shows_noise=new.shows_noise,
        words=list(new.words),
        examples=list(new.examples),
        order=new.order,
        frame_step=rule.step,
        frame_offset=rule.offset,
        min_frames=rule.minimum,
        max_frames=able.frames_for(min(new.longest, able.longest_s), new.rate),
        rate_num=new.rate.numerator,
        rate_den=new.rate.denominator,
    )
    for line in new.prices:
        able.sizes.check(line.width, line.height)
        width, height = able.sizes.generated(line.width, line.height)
        PriceRow.objects.create(
            model=model,
            tier=line.tier,
            width=line.width,
            height=line.height,
            generated_width=width,
            generated_height=height,
            enlarged_by=able.sizes.enlarged_by(line.width, line.height),
            steps=line.steps,
            credits_per_second=line.credits_per_second,
        )
    return model
