"""From what was asked at this door to the one ``Wish`` of the house."""

from __future__ import annotations

from fractions import Fraction
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.credentials.queries import Actor
from core.errors import Absent, InvalidOrder
from core.ids import shown
from generation.catalogue.models import VideoModel
from generation.catalogue.queries import (
    by_name,
    frame_rule_of,
    model_named,
    models_allowed,
    usual_model,
    usual_size,
)
from generation.jobs.conditions import WishedCondition
from generation.jobs.models import Job
from generation.jobs.orders import Wish
from generation.jobs.queries import job_styles_of
from generation.jobs.rules import State
from generation.jobs.styles import WishedStyle
from greenroom.openai.ids import FILE, native_id
from greenroom.openai.queries import video_for

USUAL_SECONDS = Fraction(4)


def video_wish(actor: Actor, asked: dict[str, Any], picture: str | None) -> Wish:
    """``picture`` is the reference that the video begins with, as the native API shows it."""
    size = _size(asked.get("size"))
    name, model = _model(actor.programme, asked.get("model"), size)
    width, height = size or (usual_size(model) if model else (1280, 720))
    first = (WishedCondition(picture),) if picture else ()
    return Wish(
        prompt=asked["prompt"],
        model=name,
        width=width,
        height=height,
        seconds=asked["seconds"] if "seconds" in asked else _usual_seconds(model),
        tier=asked.get("tier"),
        seed=asked.get("seed"),
        continues=asked.get("thread"),
        conditions=(*first, *map(_wished, asked.get("conditions", ()))),
        styles=_styles(asked),
    )


def remix_wish(source: Job, prompt: str) -> Wish:
    """Everything of the source but its words."""
    return Wish(
        prompt=prompt,
        model=_revision(source),
        width=source.width,
        height=source.height,
        seconds=source.frames * Fraction(source.rate_den, source.rate_num),
        tier=source.tier,
        seed=source.seed,
        continues=shown("thread", source.thread_id),
        remix_of=shown("job", source.id),
        extends=shown("clip", source.extends_id) if source.extends_id else None,
        conditions=tuple(map(_again, source.conditions.all())),
        styles=tuple(WishedStyle(one.style.slug, one.weight) for one in job_styles_of(source)),
    )


def extension_wish(actor: Actor, asked: dict[str, Any]) -> Wish:
    """Of a video that is here: stitched to it, with its model and size unless it says otherwise."""
    source = source_video(actor, asked["video"].id)
    return Wish(
        prompt=asked["prompt"],
        model=asked.get("model") or _revision(source),
        width=source.width,
        height=source.height,
        seconds=asked["seconds"],
        tier=asked.get("tier", source.tier),
        seed=asked.get("seed"),
        extends=shown("job", source.id),
        styles=_styles(asked),
    )


def continued_wish(actor: Actor, asked: dict[str, Any], clip: str | None) -> Wish:
    """Of a file: a video that begins with the file's last frame."""
    wish = video_wish(actor, asked, None)
    last = WishedCondition(clip or "", moment=None)
    return Wish(
        prompt=wish.prompt,
        model=wish.model,
        width=wish.width,
        height=wish.height,
        seconds=wish.seconds,
        tier=wish.tier,
        seed=wish.seed,
        conditions=(last,),
        styles=wish.styles,
    )


def source_video(actor: Actor, video_id: str) -> Job:
    """A finished video of the actor's. Raises ``InvalidOrder`` naming the field."""
    try:
        source = video_for(actor, video_id)
    except Absent:
        raise InvalidOrder(
            "video_unknown", _("You have no video of this id."), field="video"
        ) from None
    if source.state != State.FINISHED:
        raise InvalidOrder(
            "video_not_ready", _("This video is not rendered yet, or never was."), field="video"
        )
    return source


def reference_of(file_id: str) -> str:
    """``ref_…`` of ``file_…``; of ``ref_…`` itself. What is neither names nothing that is there."""
    return native_id(FILE, file_id) if file_id.startswith(FILE) else file_id


def _model(
    programme_id: UUID, name: str | None, size: tuple[int, int] | None
) -> tuple[str, VideoModel | None]:
    """The model asked for, and as an order calls it. An unknown one is the order's to refuse."""
    allowed = models_allowed(programme_id)
    if name is not None:
        return name, model_named(allowed, name)
    models = list(allowed)
    fitting = [one for one in models if size is None or _makes(one, size)]
    usual = usual_model(fitting or models)
    if usual is None:
        raise InvalidOrder(
            "model_unknown", _("This programme has no model to order from."), field="model"
        )
    names = {model.id: called for called, model in by_name(models).items()}
    return names[usual.id], usual


def _makes(model: VideoModel, size: tuple[int, int]) -> bool:
    return any((row.width, row.height) == size for row in model.prices.all())


def _usual_seconds(model: VideoModel | None) -> Fraction:
    """Four, or as near to it as the model comes."""
    if model is None:
        return USUAL_SECONDS
    rule = frame_rule_of(model)
    shortest, longest = rule.minimum / model.rate, rule.maximum / model.rate
    return min(max(USUAL_SECONDS, shortest), longest)


def _revision(source: Job) -> str:
    return f"{source.model.slug}@{source.model.revision}"


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    width, height = map(int, text.split("x"))
    return width, height


def _wished(asked: dict[str, Any]) -> WishedCondition:
    return WishedCondition(
        reference_of(asked["reference"]),
        at=asked.get("frame", asked.get("seconds", asked.get("at", "first"))),
        strength=asked.get("strength", 1.0),
        moment=asked.get("moment", Fraction(0)),
    )


def _again(one: Any) -> WishedCondition:
    reference = one.reference
    moment = (
        one.still.frame * Fraction(reference.rate_den, reference.rate_num)
        if reference.rate_num
        else Fraction(0)
    )
    return WishedCondition(
        shown("reference", reference.id), at=one.frame, strength=one.strength, moment=moment
    )


def _styles(asked: dict[str, Any]) -> tuple[WishedStyle, ...]:
    return tuple(WishedStyle(**one) for one in asked.get("styles", ()))
