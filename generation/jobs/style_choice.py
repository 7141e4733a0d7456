"""The styles in the composer: which fit the chosen model, which are chosen, how strongly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from generation.catalogue.rules import split_name
from generation.jobs.styles import WishedStyle
from generation.styles.models import Style

FIELD = "styles"
WEIGHT = "weight-"
Pair = tuple[str, float | None]


@dataclass(frozen=True, slots=True)
class StyleRow:
    """A style as a line of the form."""

    style: Style
    is_chosen: bool
    weight_field: forms.BoundField

    @property
    def weight(self) -> str:
        """As it was typed; the usual one where the form did not have this style before."""
        typed = self.weight_field.value()
        return f"{self.style.usual_weight:g}" if typed in (None, "") else str(typed)


def add_fields(form: forms.Form, styles: Sequence[Style]) -> None:
    """Any style of any model may be named: whether it fits is for the quote to say, in a sentence.
    So is the range of weights, which would else bind styles that nobody chose."""
    form.fields[FIELD] = forms.MultipleChoiceField(
        choices=[(style.slug, style.name) for style in styles],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    for style in styles:
        form.fields[f"{WEIGHT}{style.slug}"] = forms.FloatField(required=False)


def is_of_styles(name: str) -> bool:
    return name == FIELD or name.startswith(WEIGHT)


def take_pairs(cleaned: dict[str, Any]) -> None:
    """Leaves the chosen alone, each with its weight, so that two forms that ask for the same are
    the same."""
    weights = {name: cleaned.pop(name) for name in list(cleaned) if name.startswith(WEIGHT)}
    if FIELD in cleaned:
        cleaned[FIELD] = [(slug, weights.get(f"{WEIGHT}{slug}")) for slug in cleaned[FIELD]]


def wished(pairs: Iterable[Pair], *, only: set[str] | None = None) -> tuple[WishedStyle, ...]:
    """``only``: those of a model that was just chosen; others were chosen for the one before."""
    return tuple(
        WishedStyle(slug, weight) for slug, weight in pairs if only is None or slug in only
    )


def fitting(styles: Iterable[Style], model: str | None) -> list[Style]:
    """``styles`` with their fits, as ``styles_allowed`` gives them; ``model`` as an order names
    it."""
    slug, revision = split_name(model or "")
    return [
        style
        for style in styles
        if any(
            fit.model.slug == slug and revision in (None, fit.model.revision)
            for fit in style.fits.all()
        )
    ]


def models_with_styles(styles: Iterable[Style]) -> list[str]:
    names = {fit.model.name: None for style in styles for fit in style.fits.all()}
    return list(names)


def rows(form: forms.Form, styles: Iterable[Style], model: str | None) -> list[StyleRow]:
    chosen = set(form[FIELD].value() or [])
    return [
        StyleRow(style, style.slug in chosen, form[f"{WEIGHT}{style.slug}"])
        for style in fitting(styles, model)
    ]
