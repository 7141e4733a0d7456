from __future__ import annotations

from django.db.models import Prefetch, QuerySet

from generation.catalogue.models import PriceRow, VideoModel
from generation.engines.limits import FrameRule
from generation.engines.registry import EngineUnknown, is_installed


def models_offered() -> QuerySet[VideoModel]:
    """With their price tables, in the order a composer shows them."""
    prices = PriceRow.objects.order_by("-width", "-height", "tier")
    return (
        VideoModel.objects.filter(state=VideoModel.State.OFFERED)
        .prefetch_related(Prefetch("prices", queryset=prices))
        .order_by("order", "slug")
    )


def model_offered(slug: str) -> VideoModel | None:
    return models_offered().filter(slug=slug).first()


def frame_rule_of(model: VideoModel) -> FrameRule:
    return FrameRule(
        step=model.frame_step,
        offset=model.frame_offset,
        minimum=model.min_frames,
        maximum=model.max_frames,
    )


def is_ready(model: VideoModel) -> bool:
    """Whether its engine is installed here and now; an engine nobody declared is not."""
    try:
        return is_installed(model.engine)
    except EngineUnknown:
        return False
