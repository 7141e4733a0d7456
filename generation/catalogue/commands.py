"""Putting video models into the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from django.db import transaction

from core.audit.commands import record
from generation.catalogue.models import PriceRow, VideoModel
from generation.engines.protocol import Engine
from generation.engines.registry import engine


@dataclass(frozen=True, slots=True)
class Offered:
    """One line of a price table to be: what the file is, how it is made, what a second costs."""

    tier: str
    width: int
    height: int
    steps: int
    credits_per_second: int


@dataclass(frozen=True, slots=True)
class Introduction:
    """A model revision to offer. Its limits come from the engine, not from whoever types them."""

    slug: str
    revision: str
    name: str
    engine: str
    licence: str
    rate: Fraction
    longest: Fraction
    prices: tuple[Offered, ...]
    checkpoint: Path | None = None
    shows_noise: bool = False
    order: int = 100


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


def noise_model(checkpoint: Path, revision: str) -> Introduction:
    """The untrained pipeline that set-up writes: real classes, random weights, hence noise."""
    return Introduction(
        slug="untrained",
        revision=revision,
        name="Untrained pipeline",
        engine="diffusers",
        licence="Apache-2.0",
        rate=Fraction(24),
        # Small and short, so that a processor without a GPU makes one in seconds.
        longest=Fraction(2),
        prices=(
            Offered("standard", 128, 128, 8, 2),
            Offered("turbo", 128, 128, 4, 1),
            Offered("standard", 64, 64, 8, 1),
        ),
        checkpoint=checkpoint,
        shows_noise=True,
        order=60,
    )


def offer_model(new: Introduction) -> VideoModel:
    """Offer a revision; an older one of the same slug retires. Doing it again changes nothing.

    Raises ``EngineFailure`` where the checkpoint cannot be read, ``EngineNotInstalled`` without
    its engine, ``OrderRefused`` for a size the engine cannot make.
    """
    runner = engine(new.engine)
    with transaction.atomic():
        known = VideoModel.objects.filter(slug=new.slug, revision=new.revision).first()
        if known:
            return known
        VideoModel.objects.filter(slug=new.slug, state=VideoModel.State.OFFERED).update(
            state=VideoModel.State.RETIRED
        )
        model = _insert(new, runner)
        record("model.offered", subject=("model", model.id), slug=new.slug, revision=new.revision)
    return model


def offer_still_model() -> VideoModel:
    return offer_model(STILL)


def _insert(new: Introduction, runner: Engine) -> VideoModel:
    able = runner.capabilities(new.checkpoint)
    rule = able.frames
    model = VideoModel.objects.create(
        slug=new.slug,
        revision=new.revision,
        name=new.name,
        engine=new.engine,
        checkpoint=new.checkpoint.name if new.checkpoint else "",
        licence=new.licence,
        shows_noise=new.shows_noise,
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
            steps=line.steps,
            credits_per_second=line.credits_per_second,
        )
    return model
