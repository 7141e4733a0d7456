from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import Prefetch, QuerySet

from generation.catalogue.models import AllowedModels, PriceRow, VideoModel
from generation.catalogue.rules import split_name
from generation.engines.limits import FrameRule
from generation.engines.registry import EngineUnknown, is_installed


def models_offered() -> QuerySet[VideoModel]:
    """With their price tables, in the order a composer shows them; of revisions of one model that
    are offered side by side the newest first."""
    prices = PriceRow.objects.order_by("-width", "-height", "tier")
    return (
        VideoModel.objects.filter(state=VideoModel.State.OFFERED)
        .prefetch_related(Prefetch("prices", queryset=prices), "tiers")
        .order_by("order", "slug", "-made_at", "-id")
    )


def allowed_models_in_force(programme_id: UUID) -> AllowedModels | None:
    """The programme's newest list; without one it allows every model that is offered."""
    return AllowedModels.objects.filter(programme_id=programme_id).order_by("-number").first()


def models_allowed(programme_id: UUID) -> QuerySet[VideoModel]:
    """Those offered that the programme lets its testers use, as ``models_offered`` gives them."""
    newest = allowed_models_in_force(programme_id)
    offered = models_offered()
    return offered if newest is None else offered.filter(slug__in=newest.slugs)


def model_offered(name: str) -> VideoModel | None:
    return model_named(models_offered(), name)


def model_named(models: QuerySet[VideoModel], name: str) -> VideoModel | None:
    """By its slug, which means the newest of its revisions, or by ``slug@revision``."""
    slug, revision = split_name(name)
    found = models.filter(slug=slug)
    if revision is not None:
        found = found.filter(revision=revision)
    return found.order_by("-made_at", "-id").first()


def by_name(models: Sequence[VideoModel]) -> dict[str, VideoModel]:
    """Under what an order calls each: its slug, with the revision where there is more than one."""
    revisions = Counter(model.slug for model in models)
    return {
        f"{model.slug}@{model.revision}" if revisions[model.slug] > 1 else model.slug: model
        for model in models
    }


def usual_model(models: Sequence[VideoModel]) -> VideoModel | None:
    """The one to begin with: the first whose engine is here, else the first."""
    return next((model for model in models if is_ready(model)), next(iter(models), None))


def usual_size(model: VideoModel) -> tuple[int, int]:
    """The smallest of its sizes that is 1280 wide, or the largest of a model of smaller ones."""
    sizes = sorted(
        {(row.width, row.height) for row in model.prices.all()}, key=lambda size: size[0] * size[1]
    )
    return next((size for size in sizes if size[0] >= 1280), sizes[-1])


def frame_rule_of(model: VideoModel) -> FrameRule:
    return FrameRule(
        step=model.frame_step,
        offset=model.frame_offset,
        minimum=model.min_frames,
        maximum=model.max_frames,
    )


def checkpoint_folder(name: str) -> Path | None:
    """Where a checkpoint of this name lies on this machine; None for an engine that needs none."""
    return Path(settings.MODELS_FOLDER) / name if name else None


def is_ready(model: VideoModel) -> bool:
    """Whether its engine is installed here and now, and its checkpoint is there."""
    folder = checkpoint_folder(model.checkpoint)
    try:
        return is_installed(model.engine) and (folder is None or folder.is_dir())
    except EngineUnknown:
        return False
