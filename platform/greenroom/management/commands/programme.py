"""manage.py programme: everything about setting a programme up, at the prompt.

Each deed is one command of the house; whatever it refuses is said in words, and nothing is done.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.agreements.commands import publish_agreement
from accounts.calendars.commands import publish_calendar
from accounts.consents.commands import publish_consent
from accounts.consents.rules import Purpose
from accounts.people.models import Person
from accounts.programmes.commands import (
    ParticularsWish,
    close_programme,
    make_programme,
    publish_particulars,
)
from accounts.programmes.models import Programme
from accounts.programmes.queries import membership_of, particulars_in_force, programmes_listed
from accounts.quotas.commands import grant_budget, grant_credits
from accounts.quotas.models import Kind
from accounts.retention.commands import RetentionWish, publish_retention
from accounts.retention.queries import retention_in_force
from core.clock import now
from core.command_line import HouseCommand
from core.errors import Refusal
from generation.catalogue.commands import allow_models
from greenroom.setup.commands import ProgrammeNotReady, keep_defaults, open_when_ready
from greenroom.setup.queries import findings
from greenroom.setup.rules import StepCode
from greenroom.setup.words import TITLES

NOTHING_WRONG = "Nothing is wrong."
KEEP = "keep"


class Command(HouseCommand):
    help = "Set a programme up: make it, decide each step or keep the defaults, check it, open it."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
        _add_particulars(deeds)
        for name, words in (
            ("defaults", "keep the kind default of every step that nobody decided yet"),
            ("check", "say what keeps it from opening, one line each"),
            ("open", "let testers work, if nothing is wrong"),
            ("close", "take no new work; what is queued, judged and owed goes its way"),
        ):
            _with_slug(deeds.add_parser(name, help=words))
        _add_terms(deeds)
        _add_limits(deeds)
        deeds.add_parser("list", help="every programme, and whether it is open")

    def handle(self, *_: Any, deed: str, **options: Any) -> None:
        if deed == "list":
            self._list()
            return
        if deed == "make":
            done = _in_words(lambda: _make(options))
        else:
            programme = _programme(options["slug"])
            if deed == "check":
                self._check(programme)
                return
            done = _in_words(lambda: DEEDS[deed](programme, options))
        self.stdout.write(done)

    def _list(self) -> None:
        for programme in programmes_listed():
            state = "open" if programme.is_open else "closed"
            self.stdout.write(f"{programme.slug} {state} {programme.name}")

    def _check(self, programme: Programme) -> None:
        found = findings(programme.id, now())
        for finding in found:
            self.stdout.write(f"{finding.step}: {finding.sentence}")
        if found:
            raise CommandError(_so_many(len(found)))
        self.stdout.write(NOTHING_WRONG)


# What can be said ------------------------------------------------------------------------------


def _with_slug(parser: CommandParser) -> CommandParser:
    parser.add_argument("slug", metavar="SLUG")
    return parser


def _add_particulars(deeds: Any) -> None:
    make = _with_slug(deeds.add_parser("make", help="a new programme, closed for now"))
    make.add_argument("--name", required=True)
    make.add_argument("--currency", default="EUR", help="ISO 4217; it stays as it is")
    change = _with_slug(deeds.add_parser("set", help="the next version of its particulars"))
    change.add_argument("--name")
    for each in (make, change):
        each.add_argument("--time-zone", metavar="PLACE", help="like Europe/Lisbon")
        each.add_argument("--opens", type=_day, metavar="DATE", help="its first day")
        each.add_argument("--closes", type=_day, metavar="DATE", help="its last day, included")
        each.add_argument(
            "--language", action="append", metavar="CODE", help="like en or pt-BR; again for more"
        )
        each.add_argument("--contact", help="one line that everybody may read")
        each.add_argument("--credits-per-tester", type=int, metavar="N")
        each.add_argument("--submissions-per-day", type=int, metavar="N", help="as you expect")
        each.add_argument("--cases-per-hour", type=int, metavar="N", help="of one reviewer")


def _add_terms(deeds: Any) -> None:
    calendar = _with_slug(deeds.add_parser("calendar", help="when its people work"))
    calendar.add_argument("file", nargs="?", type=Path, help="TOML: week = [7 texts], holidays")
    calendar.add_argument(
        "--week", metavar="HOURS,…", help="seven, Monday first: 09:00-17:00 or nothing between"
    )
    calendar.add_argument("--holiday", action="append", type=_day, metavar="DATE", default=[])
    agreement = _with_slug(deeds.add_parser("agreement", help="the next version of its terms"))
    agreement.add_argument("--text", type=Path, required=True, metavar="FILE")
    agreement.add_argument("--summary", type=Path, required=True, metavar="FILE")
    agreement.add_argument("--changes", default="", help="what is new, in plain words")
    agreement.add_argument("--answer-by", type=_moment, metavar="MOMENT")
    consent = _with_slug(deeds.add_parser("consent", help="what is asked besides the work"))
    consent.add_argument("purpose", choices=Purpose.values)
    asked = consent.add_mutually_exclusive_group(required=True)
    asked.add_argument("--asked", dest="is_asked", action="store_true")
    asked.add_argument("--not-asked", dest="is_asked", action="store_false")
    consent.add_argument("--words", required=True, help="what a yes would mean")
    retention = _with_slug(deeds.add_parser("retention", help="how long files are kept"))
    for name, words in (
        ("drafts", "draft"),
        ("unreleased", "unreleased"),
        ("released", "released"),
    ):
        retention.add_argument(
            f"--{name}", dest=f"{words}_days", type=_days, metavar="DAYS", help=f"or “{KEEP}”"
        )
    retention.add_argument("--warning", dest="warning_days", type=int, metavar="DAYS")
    retention.add_argument("--books", dest="books_years", type=int, metavar="YEARS")


def _add_limits(deeds: Any) -> None:
    credits_ = _with_slug(deeds.add_parser("credits", help="how much may be rendered"))
    credits_.add_argument("limit", type=int)
    credits_.add_argument("--person", metavar="EMAIL", help="of one member; else of all together")
    models = _with_slug(deeds.add_parser("models", help="the video models that testers may use"))
    models.add_argument("models", nargs="+", metavar="MODEL")


# What is done ----------------------------------------------------------------------------------


def _make(options: dict[str, Any]) -> str:
    programme = make_programme(
        slug=options["slug"],
        wish=ParticularsWish(options["name"], **_said_of_particulars(options)),
        currency=options["currency"],
    )
    return f"{programme.name} is made, and closed until it is opened."


def _set(programme: Programme, options: dict[str, Any]) -> str:
    last = particulars_in_force(programme.id)
    usual: dict[str, Any] = {"name": programme.name, "time_zone": programme.time_zone}
    if last:
        usual = {name: getattr(last, name) for name in ParticularsWish.__dataclass_fields__}
        usual["languages"] = tuple(last.languages)
    said = _said_of_particulars(options) | ({"name": options["name"]} if options["name"] else {})
    version = publish_particulars(
        programme_id=programme.id,
        wish=ParticularsWish(**usual | said),
        seen=last.number if last else 0,
    )
    return f"Version {version.number} of its particulars is in force."


def _said_of_particulars(options: dict[str, Any]) -> dict[str, Any]:
    said = {
        "time_zone": options["time_zone"],
        "opens_on": options["opens"],
        "closes_on": options["closes"],
        "languages": tuple(options["language"]) if options["language"] else None,
        "contact": options["contact"],
        "credits_per_tester": options["credits_per_tester"],
        "submissions_per_day": options["submissions_per_day"],
        "cases_per_hour": options["cases_per_hour"],
    }
    return {name: value for name, value in said.items() if value is not None}


def _defaults(programme: Programme, _options: dict[str, Any]) -> str:
    kept = keep_defaults(programme_id=programme.id)
    if not kept:
        return "Every step is decided already; nothing was changed."
    return "\n".join(f"Kept: {TITLES[StepCode(step)]}" for step in kept)


def _open(programme: Programme, _options: dict[str, Any]) -> str:
    try:
        open_when_ready(programme_id=programme.id)
    except ProgrammeNotReady as refusal:
        lines = [f"{finding.step}: {finding.sentence}" for finding in refusal.findings]
        raise CommandError("\n".join([*lines, _so_many(len(lines))])) from refusal
    return f"{programme.name} is open."


def _close(programme: Programme, _options: dict[str, Any]) -> str:
    close_programme(programme_id=programme.id)
    return f"{programme.name} is closed."


def _calendar(programme: Programme, options: dict[str, Any]) -> str:
    if (options["file"] is None) == (options["week"] is None):
        raise CommandError("Give either a file or --week.")
    week, holidays = (
        _calendar_of(options["file"])
        if options["file"]
        else (options["week"].split(","), options["holiday"])
    )
    version = publish_calendar(programme_id=programme.id, week=week, holidays=holidays)
    return f"Calendar {version.number} is in force."


def _agreement(programme: Programme, options: dict[str, Any]) -> str:
    version = publish_agreement(
        programme_id=programme.id,
        text=_text_of(options["text"]),
        summary=_text_of(options["summary"]),
        changes=options["changes"],
        answer_by=options["answer_by"],
    )
    return f"Version {version.number} of the agreement is in force."


def _consent(programme: Programme, options: dict[str, Any]) -> str:
    version = publish_consent(
        programme_id=programme.id,
        purpose=Purpose(options["purpose"]),
        is_asked=options["is_asked"],
        words=options["words"],
    )
    asked = "asked for" if version.is_asked else "not asked for"
    return f"{Purpose(version.purpose).label}: {asked}, version {version.number}."


def _retention(programme: Programme, options: dict[str, Any]) -> str:
    last = retention_in_force(programme.id)
    wish: dict[str, Any] = asdict(RetentionWish())
    for name, usual in wish.items():
        said = options[name]
        kept = getattr(last, name) if last else usual
        wish[name] = kept if said is None else None if said == KEEP else said
    version = publish_retention(
        programme_id=programme.id, wish=RetentionWish(**wish), seen=last.number if last else 0
    )
    return f"Version {version.number} of how long files are kept is in force."


def _credits(programme: Programme, options: dict[str, Any]) -> str:
    email = options["person"]
    if email is None:
        budget = grant_budget(programme_id=programme.id, kind=Kind.CREDITS, limit=options["limit"])
        return f"{programme.name}: {budget.limit} credits in all, {budget.left} of them left."
    person = Person.objects.filter(email=email.strip().lower()).first()
    if person is None or membership_of(programme.id, person.party_id) is None:
        raise CommandError("Nobody in the programme has this address.")
    budget = grant_credits(
        programme_id=programme.id, party_id=person.party_id, limit=options["limit"]
    )
    return f"{person.email}: {budget.limit} credits in all, {budget.left} of them left."


def _models(programme: Programme, options: dict[str, Any]) -> str:
    version = allow_models(programme_id=programme.id, slugs=options["models"])
    return f"Allowed: {', '.join(version.slugs)}."


DEEDS: dict[str, Callable[[Programme, dict[str, Any]], str]] = {
    "set": _set,
    "defaults": _defaults,
    "open": _open,
    "close": _close,
    "calendar": _calendar,
    "agreement": _agreement,
    "consent": _consent,
    "retention": _retention,
    "credits": _credits,
    "models": _models,
}


# What was written ------------------------------------------------------------------------------


def _programme(slug: str) -> Programme:
    programme = Programme.objects.filter(slug=slug).first()
    if programme is None:
        raise CommandError(f"There is no programme “{slug}”.")
    return programme


def _in_words(deed: Callable[[], str]) -> str:
    try:
        return deed()
    except Refusal as refusal:
        raise CommandError(refusal.sentence) from refusal


def _so_many(count: int) -> str:
    return "One thing is to be done." if count == 1 else f"{count} things are to be done."


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"A date is written like 2026-12-25, not “{text}”.") from None


def _moment(text: str) -> datetime:
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or timezone.is_naive(moment):
        raise CommandError("A moment is written like 2026-05-01T00:00+02:00, with its zone.")
    return moment


def _days(text: str) -> int | str:
    if text == KEEP:
        return KEEP
    if not (text.isascii() and text.isdigit()):
        raise CommandError(f"Days are a number or “{KEEP}”, not “{text}”.")
    return int(text)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is no text in UTF-8.") from error


def _calendar_of(path: Path) -> tuple[list[str], list[date]]:
    """``week`` of seven texts and ``holidays`` of dates, as TOML writes both."""
    try:
        said = tomllib.loads(_text_of(path))
    except tomllib.TOMLDecodeError as error:
        raise CommandError(f"This is no TOML: {error}") from error
    week: Any = said.get("week")
    holidays: Any = said.get("holidays", [])
    is_week = isinstance(week, list) and all(isinstance(day, str) for day in week)
    are_days = isinstance(holidays, list) and all(
        isinstance(day, date) and not isinstance(day, datetime) for day in holidays
    )
    if not is_week or not are_days or set(said) - {"week", "holidays"}:
        raise CommandError(
            'A calendar has week = ["09:00-17:00", …] with seven texts, and may have holidays ='
            " [2026-12-25, …]."
        )
    return week, holidays
