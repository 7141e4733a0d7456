"""What one fills in at each step of the set-up. Limits are the commands' to judge; a form reads
what was written, and keeps it where it cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.calendars.models import DAYS, CalendarVersion
from accounts.programmes.commands import ParticularsWish
from accounts.programmes.models import Particulars
from accounts.programmes.rules import zone_names
from accounts.retention.commands import RetentionWish
from accounts.retention.models import RetentionVersion
from core.money import Money, amount_words, read_money
from generation.catalogue.models import AllowedModels

USUAL = ParticularsWish("")
LINES_NAMED = 10
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00")
_PLAIN = {"autocomplete": "off"}


def zones() -> list[tuple[str, str]]:
    return [(name, name) for name in zone_names()]


def line_input(**attributes: Any) -> forms.TextInput:
    return forms.TextInput(attrs=_PLAIN | attributes)


def lines_input(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


def day_field(label: Any, help_text: Any = "") -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(
        label=label,
        help_text=help_text,
        required=False,
        widget=widget,
        input_formats=["%Y-%m-%d"],
    )


def number_field(label: Any, help_text: Any = "", *, least: int = 0) -> forms.IntegerField:
    return forms.IntegerField(label=label, help_text=help_text, min_value=least)


class StepForm(forms.Form):
    """``seen``: the number of the version that the form was made from, 0 before the first."""

    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0, required=False)

    def clean_seen(self) -> int:
        return self.cleaned_data["seen"] or 0


class _OfAProgramme(forms.Form):
    """What every programme says about itself; two forms ask for it."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120, widget=line_input())
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("Dates, working hours and due times are told in it."),
        choices=zones,
    )
    opens_on = day_field(
        gettext_lazy("First day"), gettext_lazy("Without one, from the moment it is opened.")
    )
    closes_on = day_field(
        gettext_lazy("Last day"), gettext_lazy("Included. Without one, until it is closed.")
    )
    languages = forms.CharField(
        label=gettext_lazy("Languages"),
        help_text=gettext_lazy(
            "In which its people answer: codes like “en” or “pt-BR”, with commas between."
        ),
        widget=line_input(),
    )
    contact = forms.CharField(
        label=gettext_lazy("Contact"),
        help_text=gettext_lazy("An address or a number that everybody may read."),
        max_length=254,
        required=False,
        widget=line_input(),
    )

    def clean_languages(self) -> tuple[str, ...]:
        return tuple(re.split(r"[\s,;]+", self.cleaned_data["languages"].strip(" ,;")))


class ProgrammeForm(_OfAProgramme):
    slug = forms.SlugField(
        label=gettext_lazy("Short name"),
        help_text=gettext_lazy(
            "It stands in addresses and commands and stays as it is: small letters, figures,"
            " hyphens."
        ),
        error_messages={"invalid": gettext_lazy("Small letters, figures and hyphens.")},
        max_length=64,
        widget=line_input(),
    )
    currency = forms.RegexField(
        r"^[A-Z]{3}\Z",
        label=gettext_lazy("Currency"),
        help_text=gettext_lazy("Its code of three letters, like EUR. It stays as it is."),
        error_messages={
            "invalid": gettext_lazy(
                "A currency is written as its code of three capital letters, like EUR, GBP or JPY."
            )
        },
        # No limit in the field: a browser would cut a longer word to three letters unasked.
        widget=line_input(),
    )

    field_order = ("name", "slug", "time_zone", "currency")

    @classmethod
    def usual(cls) -> dict[str, Any]:
        return {
            "time_zone": USUAL.time_zone,
            "currency": "EUR",
            "languages": ", ".join(USUAL.languages),
        }

    def wish(self) -> ParticularsWish:
        said = {name: self.cleaned_data[name] for name in _OfAProgramme.base_fields}
        return ParticularsWish(**said)


class ParticularsForm(StepForm, _OfAProgramme):
    submissions_per_day = number_field(
        gettext_lazy("Clips put forward on a working day"),
        gettext_lazy("What you expect. The check of your promises rests on it."),
    )
    cases_per_hour = number_field(
        gettext_lazy("Cases that one reviewer decides in an hour"),
        gettext_lazy("What you expect, pauses included."),
        least=1,
    )

    @classmethod
    def of(cls, version: Particulars) -> dict[str, Any]:
        said = {name: getattr(version, name) for name in cls.base_fields if name != "seen"}
        return said | {"languages": ", ".join(version.languages)}

    def wish(self, credits_per_tester: int = USUAL.credits_per_tester) -> ParticularsWish:
        """Credits are set on a page of their own."""
        said = {name: self.cleaned_data[name] for name in self.base_fields if name != "seen"}
        return ParticularsWish(**said, credits_per_tester=credits_per_tester)


class CalendarForm(StepForm):
    holidays = forms.CharField(
        label=gettext_lazy("Holidays"),
        help_text=gettext_lazy("One date on each line, like 2026-12-25."),
        required=False,
        widget=lines_input(6),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for day in range(DAYS):
            words = {"day": WEEKDAYS[day]}
            for edge, label in (("from", _("%(day)s, from")), ("to", _("%(day)s, to"))):
                self.fields[f"{edge}_{day}"] = forms.CharField(
                    label=label % words,
                    required=False,
                    widget=line_input(maxlength=5, size=5),
                )

    @classmethod
    def of(cls, version: CalendarVersion) -> dict[str, Any]:
        return cls.of_week(version.week) | {
            "holidays": "\n".join(day.isoformat() for day in version.holidays)
        }

    @classmethod
    def of_week(cls, week: list[str]) -> dict[str, Any]:
        edges = [text.partition("-")[::2] for text in week]
        return {f"from_{day}": begin for day, (begin, _end) in enumerate(edges)} | {
            f"to_{day}": end for day, (_begin, end) in enumerate(edges)
        }

    def days(self) -> Iterator[tuple[Any, BoundField, BoundField]]:
        for day in range(DAYS):
            yield WEEKDAYS[day], self[f"from_{day}"], self[f"to_{day}"]

    def clean_holidays(self) -> list[date]:
        lines = [line.strip() for line in self.cleaned_data["holidays"].splitlines()]
        days = {number: _read_day(line) for number, line in enumerate(lines, 1) if line}
        wrong = [str(number) for number, day in days.items() if day is None]
        if wrong:
            raise forms.ValidationError(_no_dates(wrong))
        return sorted({day for day in days.values() if day})

    def clean(self) -> dict[str, Any]:
        for day in range(DAYS):
            self._read_hours(day)
        return self.cleaned_data

    def week(self) -> list[str]:
        said = self.cleaned_data
        return [
            f"{said[f'from_{day}']}-{said[f'to_{day}']}" if said[f"from_{day}"] else ""
            for day in range(DAYS)
        ]

    def _read_hours(self, day: int) -> None:
        begin, end = f"from_{day}", f"to_{day}"
        written = [self.cleaned_data.get(name, "").strip() for name in (begin, end)]
        if not any(written):
            self.cleaned_data |= {begin: "", end: ""}
            return
        for name, text in zip((begin, end), written, strict=True):
            if not _TIME.fullmatch(text):
                self.add_error(name, _("Write a time like 09:00, or leave both empty."))
                return
            self.cleaned_data[name] = text.rjust(5, "0")
        if self.cleaned_data[begin] >= self.cleaned_data[end]:
            self.add_error(end, _("It ends before it begins."))


class RateForm(StepForm):
    amount = forms.CharField(
        label=gettext_lazy("Amount"), widget=line_input(inputmode="decimal", maxlength=20)
    )
    applies_from = forms.DateTimeField(
        label=gettext_lazy("From"),
        help_text=gettext_lazy("Without a moment it applies from now on."),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    words = forms.CharField(
        label=gettext_lazy("Words beside it"),
        help_text=gettext_lazy("For instance what counts as one."),
        max_length=300,
        required=False,
        widget=line_input(),
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        self.fields["amount"].help_text = _("In %(currency)s. Zero pays nothing.") % {
            "currency": currency
        }

    def clean_amount(self) -> Money:
        money = read_money(self.cleaned_data["amount"], self.currency)
        if money is None:
            raise forms.ValidationError(amount_words())
        return money


class LimitForm(forms.Form):
    limit = number_field(
        gettext_lazy("Credits of the whole programme"),
        gettext_lazy("Nothing is rendered beyond it, whatever single people have left."),
    )


class NewTesterForm(StepForm):
    credits_per_tester = number_field(
        gettext_lazy("Credits of a new tester"),
        gettext_lazy("What somebody gets who comes in from now on; nobody else's change."),
    )


class ModelsForm(StepForm):
    slugs = forms.MultipleChoiceField(
        label=gettext_lazy("Video models that testers may use"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Allow one at least.")},
    )

    def __init__(self, *args: Any, offered: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["slugs"].choices = offered  # type: ignore[attr-defined]  # a choice field

    @classmethod
    def of(cls, version: AllowedModels) -> dict[str, Any]:
        return {"slugs": version.slugs}


class RetentionForm(StepForm):
    draft_days = forms.IntegerField(
        label=gettext_lazy("Days a draft is kept"),
        help_text=gettext_lazy(
            "A clip that was never put forward. Empty: for as long as the programme runs."
        ),
        min_value=1,
        required=False,
    )
    unreleased_days = forms.IntegerField(
        label=gettext_lazy("Days an unreleased clip is kept"),
        help_text=gettext_lazy(
            "After its last decision. Empty: for as long as the programme runs."
        ),
        min_value=1,
        required=False,
    )
    released_days = forms.IntegerField(
        label=gettext_lazy("Days a released clip is kept"),
        help_text=gettext_lazy("After its release. Empty: for as long as the programme runs."),
        min_value=1,
        required=False,
    )
    warning_days = number_field(
        gettext_lazy("Days of warning"),
        gettext_lazy("So long before anything goes, its owner is told. A week at least."),
        least=1,
    )
    books_years = number_field(
        gettext_lazy("Years the books are kept"),
        gettext_lazy("Money and what it rests on: ask whoever keeps your accounts."),
        least=1,
    )

    @classmethod
    def of(cls, version: RetentionVersion) -> dict[str, Any]:
        return {name: getattr(version, name) for name in cls.base_fields if name != "seen"}

    def wish(self) -> RetentionWish:
        said = {name: self.cleaned_data[name] for name in self.base_fields if name != "seen"}
        return RetentionWish(**said)


def _read_day(line: str) -> date | None:
    try:
        return date.fromisoformat(line)
    except ValueError:
        return None


def _no_dates(numbers: list[str]) -> str:
    """All of them by number; of very many the first, and how many more."""
    named, more = numbers[:LINES_NAMED], len(numbers) - LINES_NAMED
    if len(numbers) == 1:
        return _("Line %(number)s is no date like 2026-12-25.") % {"number": numbers[0]}
    if more <= 0:
        return _("These lines are no dates like 2026-12-25: %(numbers)s.") % {
            "numbers": ", ".join(named)
        }
    return ngettext(
        "These lines are no dates like 2026-12-25: %(numbers)s, and %(more)s more.",
        "These lines are no dates like 2026-12-25: %(numbers)s, and %(more)s more.",
        more,
    ) % {"numbers": ", ".join(named), "more": more}
