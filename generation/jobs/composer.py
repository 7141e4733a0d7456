"""The form that a clip is ordered with, and the quote beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.credentials.queries import Actor
from accounts.programmes.queries import must_be_working
from core.errors import Refusal
from core.ids import shown
from generation.catalogue.models import PriceRow, VideoModel
from generation.catalogue.queries import by_name
from generation.catalogue.words import generated_words
from generation.jobs import style_choice
from generation.jobs.conditions import At, WishedCondition
from generation.jobs.orders import LARGEST_SEED, LONGEST_PROMPT, Quote, Wish, quote
from generation.references.models import Reference
from generation.references.rules import Shape
from generation.references.words import shown_name
from generation.styles.models import Style

# Where the form lets a picture stand, and the field that says which; programs may name any frame.
PICTURES: dict[str, At] = {"first_picture": "first", "last_picture": "last"}
# Beside the id of a clip: its last frame, not its first.
END = ":end"


@dataclass(frozen=True, slots=True)
class ShownQuote:
    """What stands beside the button: the price and what is left after it, or why not."""

    credits: int = 0
    left: int = 0
    left_after: int = 0
    sentence: str = ""
    refusal: str = ""


class Composer(forms.Form):
    """Choices come from the catalogue; whether they go together is the quote's to say."""

    prompt = forms.CharField(
        label=gettext_lazy("What should be seen"),
        max_length=LONGEST_PROMPT,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": gettext_lazy("Write what the clip should show.")},
    )
    model = forms.ChoiceField(label=gettext_lazy("Model"))
    size = forms.ChoiceField(label=gettext_lazy("Size"))
    seconds = forms.DecimalField(
        label=gettext_lazy("Length in seconds"), max_digits=7, decimal_places=3
    )
    tier = forms.ChoiceField(label=gettext_lazy("Tier"))
    seed = forms.IntegerField(
        label=gettext_lazy("Seed"),
        required=False,
        min_value=0,
        max_value=LARGEST_SEED,
        help_text=gettext_lazy("The same seed and words make the same clip. Empty: by chance."),
    )
    first_picture = forms.ChoiceField(label=gettext_lazy("Begins with"), required=False)
    last_picture = forms.ChoiceField(label=gettext_lazy("Ends with"), required=False)
    key = forms.CharField(widget=forms.HiddenInput, max_length=64)
    continues = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)
    extends = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)

    def __init__(
        self,
        *args: Any,
        models: list[VideoModel],
        references: list[Reference],
        styles: Sequence[Style] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.styles = styles
        style_choice.add_fields(self, styles)
        rows = [(model, row) for model in models for row in model.prices.all()]
        named = by_name(models)
        self._choose("model", [(name, _model_words(name, one)) for name, one in named.items()])
        self._choose("size", _sizes(rows))
        tiers = sorted({row.tier for _model, row in rows})
        self._choose("tier", [(tier, tier_words(tier)) for tier in tiers])
        self.suggesting = [
            (name, model) for name, model in named.items() if model.words or model.examples
        ]
        pictured = [model.name for model in models if model.most_conditions]
        self.takes_pictures = list(dict.fromkeys(pictured))
        for name in PICTURES:
            # An extension begins with the clip that it extends.
            is_taken = name == "first_picture" and bool(self["extends"].value())
            if self.takes_pictures and not is_taken:
                self._choose(name, [("", _("No picture")), *_pictures(references)])
            else:
                del self.fields[name]

    def wish(self) -> Wish:
        """Of a valid form."""
        width, height = self.cleaned_data["size"].split("x")
        return Wish(
            prompt=self.cleaned_data["prompt"],
            model=self.cleaned_data["model"],
            width=int(width),
            height=int(height),
            seconds=Fraction(self.cleaned_data["seconds"]),
            tier=self.cleaned_data["tier"],
            seed=self.cleaned_data["seed"],
            continues=self.cleaned_data["continues"] or None,
            conditions=wished_pictures(self.cleaned_data),
            styles=style_choice.wished(self.cleaned_data["styles"]),
            extends=self.cleaned_data["extends"] or None,
        )

    def clean(self) -> dict[str, Any]:
        super().clean()
        style_choice.take_pairs(self.cleaned_data)
        return self.cleaned_data

    @property
    def style_rows(self) -> list[style_choice.StyleRow]:
        """Those that the chosen model can be made with."""
        return style_choice.rows(self, self.styles, self["model"].value())

    @property
    def models_with_styles(self) -> list[str]:
        return style_choice.models_with_styles(self.styles)

    @property
    def plain_fields(self) -> list[forms.BoundField]:
        """Those that stand beside each other: neither the words nor the pictures nor the styles."""
        return [
            one
            for one in self.visible_fields()
            if one.name not in ("prompt", *PICTURES) and not style_choice.is_of_styles(one.name)
        ]

    @property
    def picture_fields(self) -> list[forms.BoundField]:
        return [one for one in self.visible_fields() if one.name in PICTURES]

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


def wished_pictures(values: dict[str, Any]) -> tuple[WishedCondition, ...]:
    wished = []
    for name, at in PICTURES.items():
        chosen = values.get(name) or ""
        if chosen:
            reference, _colon, which = chosen.partition(":")
            wished.append(WishedCondition(reference, at, moment=None if which else Fraction(0)))
    return tuple(wished)


def shown_quote(form: Composer, left: int, *, actor: Actor) -> ShownQuote | None:
    """The quote for what stands in the form, whether or not the prompt is written yet."""
    wish = _partial_wish(form)
    if wish is None:
        return None
    try:
        must_be_working(actor.programme)
        quoted = quote(wish, programme_id=actor.programme, party_id=actor.party_id)
    except Refusal as refusal:
        return ShownQuote(refusal=refusal.sentence)
    cost, after = quoted.price_credits, left - quoted.price_credits
    if after < 0:
        return ShownQuote(
            refusal=ngettext(
                "This clip costs %(cost)s credit, and you have %(left)s left.",
                "This clip costs %(cost)s credits, and you have %(left)s left.",
                cost,
            )
            % {"cost": cost, "left": left}
        )
    return ShownQuote(credits=cost, left=left, left_after=after, sentence=_length_words(quoted))


def _model_words(name: str, model: VideoModel) -> str:
    """With the revision where there is another one to choose."""
    return model.name if name == model.slug else f"{model.name} · {model.revision}"


def tier_words(tier: str) -> str:
    words = {
        "standard": _("Standard"),
        "turbo": _("Turbo: fewer steps, sooner done"),
        "quality": _("Quality: more steps, later done"),
    }
    return words.get(tier, tier)


def _length_words(quoted: Quote) -> str:
    frames, row = quoted.frames, quoted.row
    sentence = ngettext("%(frames)s frame", "%(frames)s frames", frames) % {"frames": frames}
    if quoted.extended is not None:
        sentence = _("%(sentence)s, %(total)s s in all") % {
            "sentence": sentence,
            "total": f"{float(quoted.whole_seconds):.1f}",
        }
    made = generated_words(row.width, row.height, (row.generated_width, row.generated_height))
    size = "" if row.enlarged_by > 1 else f"{row.width} × {row.height}"  # it is said already
    return " · ".join(filter(None, (sentence, size, made)))


def _pictures(references: list[Reference]) -> list[tuple[str, str]]:
    choices = []
    for one in references:
        public_id, name = shown("reference", one.id), shown_name(one)
        if one.shape == Shape.IMAGE:
            choices.append((public_id, name))
        else:
            choices.append((public_id, _("%(name)s, its beginning") % {"name": name}))
            choices.append((f"{public_id}{END}", _("%(name)s, its end") % {"name": name}))
    return choices


def _sizes(rows: list[tuple[VideoModel, PriceRow]]) -> list[tuple[str, str]]:
    """Every size once, the largest first, with the models that make it."""
    made_by: dict[tuple[int, int], list[str]] = {}
    for model, row in rows:
        names = made_by.setdefault((row.width, row.height), [])
        name = _maker(model, row)
        if name not in names:
            names.append(name)
    return [
        (f"{width}x{height}", f"{width} × {height} ({', '.join(names)})")
        for (width, height), names in sorted(
            made_by.items(), key=lambda item: -item[0][0] * item[0][1]
        )
    ]


def _maker(model: VideoModel, row: PriceRow) -> str:
    if row.enlarged_by == 1:
        return model.name
    facts = {"model": model.name, "w": row.generated_width, "h": row.generated_height}
    return _("%(model)s, resized from %(w)s × %(h)s") % facts


def _partial_wish(form: Composer) -> Wish | None:
    form.is_valid()
    values = getattr(form, "cleaned_data", {})
    seconds, size = values.get("seconds"), values.get("size")
    if not isinstance(seconds, Decimal) or not size or "model" not in values:
        return None
    width, height = size.split("x")
    return Wish(
        prompt="-",
        model=values["model"],
        width=int(width),
        height=int(height),
        seconds=Fraction(seconds),
        tier=values.get("tier"),
        conditions=wished_pictures(values),
        styles=style_choice.wished(
            values.get("styles", []),
            only={style.slug for style in style_choice.fitting(form.styles, values["model"])},
        ),
        extends=values.get("extends") or None,
    )
