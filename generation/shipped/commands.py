"""Offering the model that comes along, with its styles, whether or not its engine is there yet."""

from __future__ import annotations

import json
from pathlib import Path

from django.db import transaction

from core.audit.commands import record
from generation.catalogue.commands import retire_offered
from generation.catalogue.models import VideoModel
from generation.checkpoints.commands import NewModel, add_model, check_model
from generation.checkpoints.models import ModelCheck
from generation.checkpoints.rules import licence_of
from generation.engines.local.checkpoint import file_hashes
from generation.engines.local.diffusers_engine import DiffusersEngine
from generation.shipped.rules import (
    FOLDER,
    LICENCE,
    NAME,
    ORDER,
    PRICES,
    RATE,
    SLUG,
    STYLES,
    revision_of,
)
from generation.styles.commands import NewStyle, add_style, offer_style
from generation.styles.models import Style
from generation.styles.rules import State


def offer_shipped_model() -> VideoModel:
    """Added as any model is, and offered at once: its files were looked at before they came along.

    Its limits are in its files, so the packages of its engine may still be on their way. Doing it
    again changes nothing; who retired it finds it retired. Raises ``EngineFailure`` where files are
    missing or damaged.
    """
    new = NewModel(
        folder=FOLDER,
        slug=SLUG,
        name=NAME,
        revision=revision_of(file_hashes(FOLDER)),
        licence=licence_of(LICENCE),
        rate=RATE,
        source="demo_model",
        prices=PRICES,
        order=ORDER,
    )
    known = VideoModel.objects.filter(slug=SLUG, revision=new.revision).first()
    if known is not None:
        return known
    with transaction.atomic():
        retire_offered(SLUG)
        # Others are offered after a try; this one could not be tried before its engine is there.
        model = add_model(new, reader=DiffusersEngine(), state=VideoModel.State.OFFERED)
        record("model.offered", subject=("model", model.id), slug=SLUG, revision=model.revision)
    return model


def offer_shipped_styles() -> list[Style]:
    """Those that lie beside the weights; one that somebody retired stays so."""
    told = FOLDER / STYLES
    if not told.is_file():
        return []
    styles = [add_style(_style(told.parent, one)) for one in json.loads(told.read_bytes())]
    return [
        offer_style(slug=style.slug, revision=style.revision)
        for style in styles
        if style.state != State.RETIRED
    ]


def check_shipped_model(model: VideoModel) -> ModelCheck | None:
    """Renders a short clip here once, and never again for this revision. None: done before."""
    if ModelCheck.objects.filter(model=model, has_passed=True).exists():
        return None
    return check_model(model=model)


def _style(folder: Path, told: dict[str, str]) -> NewStyle:
    return NewStyle(
        file=folder / told["file"],
        slug=told["slug"],
        name=told["name"],
        description=told["description"],
        trigger=told.get("trigger", ""),
        usual_weight=float(told.get("weight", 1.0)),
        models=(SLUG,),
        licence=licence_of(LICENCE),
    )
