"""The versions of a step, newest first, each with what it changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby, zip_longest
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db.models import Max, QuerySet
from django.utils import formats, timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.agreements.models import AgreementVersion
from accounts.agreements.rules import word_diff
from accounts.agreements.words import end_words, until_words
from accounts.calendars.models import CalendarVersion
from accounts.consents.models import ConsentVersion
from accounts.consents.rules import Purpose
from accounts.programmes.models import Particulars
from accounts.programmes.rules import differences
from accounts.rates.models import Rate
from accounts.rates.queries import said_by_rate
from accounts.rates.rules import FIELDS as RATE_FIELDS
from accounts.rates.rules import ActKind
from accounts.retention.models import RetentionVersion
from accounts.retention.words import unlimited_words
from core.money import MICRO, Money, shown_money
from generation.catalogue.models import AllowedModels, VideoModel
from generation.clips.rules import Allows
from review.policies.models import CharterVersion, PolicyVersion
from review.policies.queries import said_by_policy

VERSIONS_SHOWN = 10
# A text longer than this is shown as a comparison of its words, not as two cells of a table.
LONG = 160
_UNLIMITED = frozenset({"draft_days", "unreleased_days", "released_days"})

FIELD_WORDS: dict[str, Any] = {
    "name": gettext_lazy("Name"),
    "time_zone": gettext_lazy("Time zone"),
    "opens_on": gettext_lazy("First day"),
    "closes_on": gettext_lazy("Last day"),
    "languages": gettext_lazy("Languages"),
    "contact": gettext_lazy("Contact"),
    "credits_per_tester": gettext_lazy("Credits of a new tester"),
    "submissions_per_day": gettext_lazy("Clips put forward on a working day"),
    "cases_per_hour": gettext_lazy("Cases that one reviewer decides in an hour"),
    "week": gettext_lazy("Working hours, Monday to Sunday"),
    "holidays": gettext_lazy("Holidays"),
    "text": gettext_lazy("Text"),
    "summary": gettext_lazy("Summary"),
    "changes": gettext_lazy("What is new"),
    "answer_by": gettext_lazy("Answer by"),
    "is_asked": gettext_lazy("Whether it is asked for"),
    "words": gettext_lazy("Words"),
    "introduction": gettext_lazy("Introduction"),
    "clauses": gettext_lazy("Clauses"),
    "files_before": gettext_lazy("Files before approval"),
    "decide_within_hours": gettext_lazy("Hours until a clip is decided"),
    "appeal_within_hours": gettext_lazy("Hours until an appeal is decided"),
    "appeal_open_days": gettext_lazy("Days in which one may appeal"),
    "slugs": gettext_lazy("Video models allowed"),
    "draft_days": gettext_lazy("Days a draft is kept"),
    "unreleased_days": gettext_lazy("Days an unreleased clip is kept"),
    "released_days": gettext_lazy("Days a released clip is kept"),
    "warning_days": gettext_lazy("Days of warning"),
    "books_years": gettext_lazy("Years the books are kept"),
    "amount": gettext_lazy("Amount"),
    "applies_from": gettext_lazy("Applies from"),
}

FIELDS: dict[str, tuple[str, ...]] = {
    "particulars": (
        *("name", "time_zone", "opens_on", "closes_on", "languages", "contact"),
        *("credits_per_tester", "submissions_per_day", "cases_per_hour"),
    ),
    "calendar": ("week", "holidays"),
    "agreement": ("summary", "text", "answer_by"),
    "consents": ("is_asked", "words"),
    "clauses": ("introduction", "clauses", "files_before"),
    "charter": ("decide_within_hours", "appeal_within_hours", "appeal_open_days", "words"),
    "rates": RATE_FIELDS,
    "models": ("slugs",),
    "retention": (
        *("draft_days", "unreleased_days", "released_days", "warning_days", "books_years"),
    ),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One field that moved, in words. Text that is empty was not there."""

    words: Any
    before: str
    after: str

    @property
    def diff(self) -> list[tuple[str, str]]:
        """Word by word, for a text that is too long for two cells of a table; else empty."""
        is_long = max(len(self.before), len(self.after)) > LONG
        return word_diff(self.before, self.after) if is_long else []


@dataclass(frozen=True, slots=True)
class Version:
    number: int
    at: datetime
    changes: list[Change]
    said: str


def versions_of(
    step: str,
    programme_id: UUID,
    purpose: Purpose | None = None,
    *,
    kind: ActKind | None = None,
) -> list[Any]:
    """The rows themselves, newest first, one more than are shown: the last to compare with.
    Consents are asked for by purpose, rates by the kind of act."""
    found = _versions(programme_id)[step]
    if purpose is not None:
        found = found.filter(purpose=purpose)
    if kind is not None:
        found = found.filter(kind=kind)
    return list(found.order_by("-number")[: VERSIONS_SHOWN + 1])


def newest_since(programme_id: UUID) -> dict[str, datetime]:
    """By step, when the newest version came into force. One query for each."""
    found = {
        step: versions.aggregate(at=Max("published_at"))["at"]
        for step, versions in _versions(programme_id).items()
    }
    return {step: at for step, at in found.items() if at}


def _versions(programme_id: UUID) -> dict[str, QuerySet[Any]]:
    kinds: dict[str, QuerySet[Any]] = {
        "particulars": Particulars.objects.all(),
        "calendar": CalendarVersion.objects.all(),
        "agreement": AgreementVersion.objects.all(),
        "consents": ConsentVersion.objects.all(),
        "clauses": PolicyVersion.objects.prefetch_related("clauses"),
        "charter": CharterVersion.objects.all(),
        "rates": Rate.objects.all(),
        "models": AllowedModels.objects.all(),
        "retention": RetentionVersion.objects.all(),
    }
    return {step: versions.filter(programme_id=programme_id) for step, versions in kinds.items()}


def history(step: str, versions: list[Any]) -> list[Version]:
    pairs = list(zip_longest(versions, versions[1:]))
    return [
        Version(
            number=version.number,
            at=version.published_at,
            changes=changes_between(step, before, version) if before else [],
            said=getattr(version, "changes", ""),
        )
        for version, before in pairs[:VERSIONS_SHOWN]
    ]


def changes_between(step: str, before: Any, after: Any) -> list[Change]:
    return shown_changes(differences(_flat(before), _flat(after), FIELDS[step]))


def shown_changes(changes: Iterable[dict[str, Any]], *, time_zone: str = "UTC") -> list[Change]:
    """Those of a refusal, too, whose values are text for programs: in words, as pages say them.
    ``time_zone`` is the programme's."""
    return [
        Change(
            words=FIELD_WORDS.get(change["field"], change["field"]),
            before=_in_words(change["field"], change["before"], time_zone),
            after=_in_words(change["field"], change["after"], time_zone),
        )
        for change in changes
    ]


def _flat(version: Any) -> Any:
    if isinstance(version, AgreementVersion):
        return SimpleNamespace(
            summary=version.summary, text=version.text, answer_by=until_words(version)
        )
    if isinstance(version, Rate):
        return said_by_rate(version)
    return said_by_policy(version) if isinstance(version, PolicyVersion) else version


def _in_words(field: str, text: str, time_zone: str) -> str:
    if text == "":
        return unlimited_words() if field in _UNLIMITED else ""
    if field == "answer_by":
        moment = _moment(text)
        return end_words(moment, time_zone) if moment else text  # a version has its words already
    reader = _READERS.get(field)
    return reader(text) if reader else text


def _files_words(text: str) -> str:
    return str(Allows(text).label)


def _asked_words(text: str) -> str:
    return _("asked for") if text == "True" else _("not asked for")


def _begin_words(text: str) -> str:
    return formats.date_format(
        datetime.fromisoformat(text).astimezone(timezone.get_current_timezone()), "j M Y, H:i"
    )


def _days_words(text: str) -> str:
    days = [date.fromisoformat(day) for day in text.split(", ")]
    return ", ".join(formats.date_format(day, "j M Y") for day in days)


def _model_words(text: str) -> str:
    names = dict(VideoModel.objects.values_list("slug", "name"))
    return ", ".join(names.get(slug, slug) for slug in text.split(", "))


def _money_words(text: str) -> str:
    """Of ``str(Money)``."""
    number, currency = text.split(" ")
    return shown_money(Money(int(Decimal(number) * MICRO), currency))


def _count_words(text: str) -> str:
    return formats.number_format(int(text), force_grouping=True)


def week_words(hours: list[str]) -> str:
    """Days that follow each other with the same hours are said together."""
    said = []
    for text, days in groupby(range(len(hours)), key=lambda day: hours[day]):
        first, *rest = days
        names = [str(WEEKDAYS_ABBR[day]) for day in (first, *rest[-1:])]
        said.append(f"{'–'.join(names)} {text.replace('-', '–') or _('off')}")
    return ", ".join(said)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


_READERS: dict[str, Callable[[str], str]] = {
    "is_asked": _asked_words,
    "applies_from": _begin_words,
    "opens_on": _days_words,
    "closes_on": _days_words,
    "holidays": _days_words,
    "week": lambda text: week_words(text.split(", ")),
    "slugs": _model_words,
    "files_before": _files_words,
    "amount": _money_words,
    "credits_per_tester": _count_words,
    "submissions_per_day": _count_words,
    "cases_per_hour": _count_words,
}
