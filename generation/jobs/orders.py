"""From a wish to an order: everything checked, snapped and priced before a row is written."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.profile.queries import country_of
from core.errors import InvalidOrder, NotReady
from core.text import is_readable
from generation.catalogue.models import PriceRow, VideoModel
from generation.catalogue.queries import (
    frame_rule_of,
    is_ready,
    model_named,
    model_offered,
    models_allowed,
)
from generation.catalogue.rules import TerritoryExcluded, frames_for, must_hold_in, price
from generation.jobs.conditions import Placed, WishedCondition, placed
from generation.jobs.extensions import Extended, extended, must_fit, whole_frames
from generation.jobs.styles import Chosen, WishedStyle, chosen_styles

LONGEST_PROMPT = 2_000
LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked for, through whichever door. ``seconds`` is snapped to frames, ``model``
    is a slug, or ``slug@revision``.

    ``extends`` names a finished clip, or its job: the new one begins with its last frame, and
    ``seconds`` is what comes after."""

    prompt: str
    model: str
    width: int
    height: int
    seconds: Fraction
    tier: str | None = None
    seed: int | None = None
    continues: str | None = None
    remix_of: str | None = None
    conditions: tuple[WishedCondition, ...] = ()
    styles: tuple[WishedStyle, ...] = ()
    extends: str | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """A wish that can be rendered: exact frames, exact price."""

    model: VideoModel
    row: PriceRow
    frames: int
    price_credits: int
    conditions: tuple[Placed, ...] = ()
    styles: tuple[Chosen, ...] = ()
    extended: Extended | None = None

    @property
    def seconds(self) -> Fraction:
        return Fraction(self.frames) / self.model.rate

    @property
    def whole_frames(self) -> int:
        """Of the clip to be: with what it extends."""
        return whole_frames(self.extended, self.frames)

    @property
    def whole_seconds(self) -> Fraction:
        return Fraction(self.whole_frames) / self.model.rate


def quote(wish: Wish, *, programme_id: UUID, party_id: UUID) -> Quote:
    """The exact price for this party. Raises ``InvalidOrder`` naming the field, ``NotReady``
    without engine."""
    source = extended(wish.extends, programme_id=programme_id, party_id=party_id)
    model = _model(wish.model, programme_id)
    _must_hold_for(model, party_id)
    row = _row(model, wish)
    frames = _frames(model, wish.seconds)
    _must_be_installed(model)
    if source is not None:
        must_fit(source, model=model, row=row, frames=frames)
    conditions = placed(
        wish.conditions,
        model=model,
        frames=frames,
        programme_id=programme_id,
        party_id=party_id,
        is_extension=source is not None,
    )
    styles = chosen_styles(wish.styles, model)
    cost = price(frames=frames, rate=model.rate, credits_per_second=row.credits_per_second)
    return Quote(model, row, frames, cost, conditions, styles, source)


def checked_prompt(prompt: str) -> str:
    """The prompt as it will be rendered: trimmed, otherwise untouched."""
    text = prompt.strip()
    if not text:
        raise InvalidOrder("prompt_empty", _("Write what the clip should show."), field="prompt")
    if len(text) > LONGEST_PROMPT:
        raise InvalidOrder(
            "prompt_too_long",
            _("The prompt has %(length)s characters; %(most)s is the most.")
            % {"length": len(text), "most": LONGEST_PROMPT},
            field="prompt",
            asked=len(text),
            most=LONGEST_PROMPT,
        )
    if not is_readable(text, lines=True):
        raise InvalidOrder(
            "prompt_unreadable", _("The prompt has control characters."), field="prompt"
        )
    return text


def chosen_seed(seed: int | None) -> int:
    if seed is None:
        return secrets.randbelow(LARGEST_SEED + 1)
    if not 0 <= seed <= LARGEST_SEED:
        raise InvalidOrder(
            "seed_out_of_range",
            _("A seed is a whole number from 0 to %(most)s.") % {"most": LARGEST_SEED},
            field="seed",
        )
    return seed


def _model(name: str, programme_id: UUID) -> VideoModel:
    allowed = models_allowed(programme_id)
    found = model_named(allowed, name)
    if found is not None:
        return found
    other = model_offered(name)
    if other is None:
        raise InvalidOrder("model_unknown", _("There is no model of this name."), field="model")
    raise InvalidOrder(
        "model_not_allowed",
        _("This programme does not use %(model)s.") % {"model": other.name},
        field="model",
        allowed=list(dict.fromkeys(model.slug for model in allowed)),
    )


def _must_hold_for(model: VideoModel, party_id: UUID) -> None:
    """A licence that does not hold everywhere must hold for this house and for this person."""
    if not model.territories_excluded:
        return
    must_hold_in(settings.TERRITORY, model.licence, model.territories_excluded)
    country = country_of(party_id)
    if not country:
        raise InvalidOrder(
            "country_unsaid",
            _(
                "The licence of %(model)s does not hold everywhere."
                " Say in your settings in which country you are."
            )
            % {"model": model.name},
            field="model",
        )
    if country in model.territories_excluded:
        raise TerritoryExcluded(
            _("The licence of %(model)s does not hold in %(country)s, where you say you are.")
            % {"model": model.name, "country": country}
        )


def _row(model: VideoModel, wish: Wish) -> PriceRow:
    sized = [
        row for row in model.prices.all() if (row.width, row.height) == (wish.width, wish.height)
    ]
    if not sized:
        offered = list(dict.fromkeys((row.width, row.height) for row in model.prices.all()))
        raise InvalidOrder(
            "size_not_offered",
            _("%(model)s does not make %(width)s × %(height)s. It makes %(sizes)s.")
            % {
                "model": model.name,
                "width": wish.width,
                "height": wish.height,
                "sizes": ", ".join(f"{width} × {height}" for width, height in offered),
            },
            field="size",
            offered=[f"{width}x{height}" for width, height in offered],
        )
    tiered = [row for row in sized if wish.tier in (None, row.tier)]
    if not tiered:
        raise InvalidOrder(
            "tier_not_offered",
            _("%(model)s has no tier “%(tier)s” at this size.")
            % {"model": model.name, "tier": wish.tier},
            field="tier",
            offered=[row.tier for row in sized],
        )
    return next((row for row in tiered if row.tier == "standard"), tiered[0])


def _frames(model: VideoModel, seconds: Fraction) -> int:
    rule = frame_rule_of(model)
    frames = frames_for(rule, model.rate, seconds)
    if frames is None:
        shortest, longest = rule.minimum, rule.maximum
        raise InvalidOrder(
            "length_not_offered",
            _("%(model)s makes clips of %(shortest)s to %(longest)s seconds.")
            % {
                "model": model.name,
                "shortest": f"{float(shortest / model.rate):g}",
                "longest": f"{float(longest / model.rate):g}",
            },
            field="seconds",
            shortest_frames=shortest,
            longest_frames=longest,
        )
    return frames


def _must_be_installed(model: VideoModel) -> None:
    if not is_ready(model):
        raise NotReady(
            "engine_not_installed",
            _("The engine for %(model)s is not installed here yet. Nothing was submitted.")
            % {"model": model.name},
            engine=model.engine,
        )
