from __future__ import annotations

from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import Prefetch, Q, QuerySet

from generation.catalogue.models import VideoModel
from generation.catalogue.queries import models_allowed
from generation.styles.models import Style, StyleFit
from generation.styles.rules import FOLDER, State


def style_file(sha256: str) -> Path:
    """Where the file of this hash lies on this machine."""
    return Path(settings.MODELS_FOLDER) / FOLDER / f"{sha256}.safetensors"


def styles_known() -> QuerySet[Style]:
    """Every revision, with the models it fits: for who looks after them."""
    fits = StyleFit.objects.select_related("model").order_by("model__slug", "checked_at")
    return Style.objects.prefetch_related(Prefetch("fits", queryset=fits)).order_by(
        "slug", "-revision"
    )


def styles_of(model: VideoModel) -> QuerySet[Style]:
    """Those offered that fit this revision of a model, by name."""
    offered = Style.objects.filter(state=State.OFFERED, fits__model=model)
    return offered.order_by("name", "slug")


def styles_allowed(programme_id: UUID) -> QuerySet[Style]:
    """Those offered that fit some model the programme lets its testers use, with those models."""
    allowed = models_allowed(programme_id).values("id")
    fits = StyleFit.objects.filter(model__in=allowed).select_related("model")
    return (
        Style.objects.filter(Q(state=State.OFFERED) & Q(fits__model__in=allowed))
        .distinct()
        .prefetch_related(Prefetch("fits", queryset=fits.order_by("model__order", "model__slug")))
        .order_by("name", "slug")
    )


def styles_named(slugs: list[str]) -> dict[str, Style]:
    """By slug: the revision that is offered, else the last that was. One never offered is none."""
    known = Style.objects.filter(slug__in=slugs).exclude(state=State.ADDED)
    found: dict[str, Style] = {}
    for style in known.order_by("slug", "revision"):
        before = found.get(style.slug)
        if before is None or before.state != State.OFFERED:
            found[style.slug] = style
    return found


def fits(style: Style, model: VideoModel) -> bool:
    return StyleFit.objects.filter(style=style, model=model).exists()
