"""From styles wished for to styles of an order: whether they are offered, for this model, and how
strongly they may be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError
from django.utils.translation import gettext as _

from core.errors import InvalidOrder
from generation.catalogue.models import VideoModel
from generation.jobs.models import Job, JobStyle
from generation.styles.models import Style
from generation.styles.queries import fits, styles_named
from generation.styles.rules import MOST_STYLES, State

FIELD = "styles"


@dataclass(frozen=True, slots=True)
class WishedStyle:
    """By its short name; ``weight`` None is the usual one."""

    style: str
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    style: Style
    weight: float


def chosen_styles(wished: Sequence[WishedStyle], model: VideoModel) -> tuple[Chosen, ...]:
    """In the order in which they were named. Raises ``InvalidOrder`` for the first that cannot
    be."""
    if not wished:
        return ()
    _must_take_styles(model)
    if len(wished) > MOST_STYLES:
        raise InvalidOrder(
            "too_many_styles",
            _("A clip has %(most)s styles at most.") % {"most": MOST_STYLES},
            field=FIELD,
            asked=len(wished),
            most=MOST_STYLES,
        )
    slugs = [one.style for one in wished]
    if len(set(slugs)) < len(slugs):
        raise InvalidOrder("style_named_twice", _("Name each style once."), field=FIELD)
    known = styles_named(slugs)
    return tuple(_chosen(one, known.get(one.style), model) for one in wished)


def write_styles(job: Job, chosen: Sequence[Chosen]) -> None:
    """With their job, in its transaction. Raises ``InvalidOrder`` where one retired meanwhile."""
    rows = [
        JobStyle(job=job, model=job.model, style=one.style, number=number, weight=one.weight)
        for number, one in enumerate(chosen)
    ]
    try:
        JobStyle.objects.bulk_create(rows)
    except IntegrityError as refused:
        said = getattr(refused.__cause__, "diag", None)
        if said is None or said.constraint_name != "only_an_offered_style_is_ordered":
            raise
        raise InvalidOrder(
            "style_not_offered", _("One of the styles is not offered any more."), field=FIELD
        ) from None


def _must_take_styles(model: VideoModel) -> None:
    if not model.takes_styles:
        raise InvalidOrder(
            "styles_not_offered",
            _("%(model)s takes no styles.") % {"model": model.name},
            field=FIELD,
        )


def _chosen(wished: WishedStyle, style: Style | None, model: VideoModel) -> Chosen:
    if style is None:
        raise InvalidOrder("style_unknown", _("There is no style of this name."), field=FIELD)
    if style.state != State.OFFERED:
        raise InvalidOrder(
            "style_not_offered",
            _("The style “%(style)s” is not offered any more.") % {"style": style.name},
            field=FIELD,
        )
    if not fits(style, model):
        raise InvalidOrder(
            "style_not_for_model",
            _("The style “%(style)s” is not made for %(model)s.")
            % {"style": style.name, "model": model.name},
            field=FIELD,
        )
    weight = style.usual_weight if wished.weight is None else wished.weight
    if not style.least_weight <= weight <= style.most_weight:
        raise InvalidOrder(
            "style_weight_out_of_range",
            _("The style “%(style)s” is used with a weight from %(least)g to %(most)g.")
            % {"style": style.name, "least": style.least_weight, "most": style.most_weight},
            field=FIELD,
            least=style.least_weight,
            most=style.most_weight,
        )
    return Chosen(style, weight)
