from __future__ import annotations

import re
from functools import cache
from typing import Any
from zoneinfo import available_timezones

USUAL_LANGUAGES = ("en",)
ADMINISTRATOR = "administrator"  # no role of a programme: it holds for the whole installation
# The part of BCP 47 that people write: a language, and a script or a region where it matters.
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?\Z")
_SLUG = re.compile(r"(?=.{1,64}\Z)[a-z0-9]+(-[a-z0-9]+)*\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
FIELDS = (
    "name",
    "time_zone",
    "opens_on",
    "closes_on",
    "languages",
    "contact",
    "credits_per_tester",
    "submissions_per_day",
    "cases_per_hour",
)


@cache  # Python opens six hundred files to find them
def zone_names() -> tuple[str, ...]:
    """The zones one may choose: a place, or UTC; without the old names of countries and offsets."""
    return tuple(sorted(name for name in available_timezones() if "/" in name or name == "UTC"))


def is_a_language(text: str) -> bool:
    return _LANGUAGE.match(text) is not None


def is_a_slug(text: str) -> bool:
    return _SLUG.match(text) is not None


def is_a_currency(text: str) -> bool:
    return _CURRENCY.match(text) is not None


def differences(before: Any, after: Any, fields: tuple[str, ...] = FIELDS) -> list[dict[str, Any]]:
    """What a newer version moved: field, what stood there and what stands there now, as text."""
    found = []
    for field in fields:
        was, is_now = getattr(before, field, None), getattr(after, field, None)
        if was != is_now:
            found.append({"field": field, "before": _text(was), "after": _text(is_now)})
    return found


def _text(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
