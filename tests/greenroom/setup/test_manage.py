"""manage.py programme: from nothing to an open programme at the prompt."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.agreements.queries import agreement_in_force
from accounts.calendars.queries import calendar_in_force
from accounts.consents.queries import consents_in_force
from accounts.consents.rules import Purpose
from accounts.programmes.models import Programme, Role
from accounts.programmes.queries import particulars_in_force
from accounts.quotas.models import Budget, Kind
from accounts.retention.queries import retention_in_force
from core.money import MICRO
from generation.catalogue.queries import allowed_models_in_force
from greenroom.setup import defaults
from review.ledger.commands import record_funding_at_the_machine
from stage.builders import a_model
from stage.cast import a_member

pytestmark = pytest.mark.django_db
WEEK = "09:00-17:00,09:00-17:00,09:00-17:00,09:00-17:00,09:00-13:00,,"


def said(*words: str) -> str:
    out = StringIO()
    call_command("programme", *words, stdout=out)
    return out.getvalue()


def refused(*words: str) -> tuple[str, str]:
    """What it printed before, and why it stopped."""
    out = StringIO()
    with pytest.raises(CommandError) as stopped:
        call_command("programme", *words, stdout=out)
    return out.getvalue(), str(stopped.value)


@pytest.fixture
def harbour() -> Programme:
    said("make", "harbour", "--name", "Harbour tests", "--time-zone", "Europe/Lisbon")
    return Programme.objects.get(slug="harbour")


def test_from_nothing_to_open_and_closed_again(harbour):
    printed, why = refused("check", "harbour")
    assert "agreement: Publish an agreement" in printed
    assert "things are to be done" in why
    assert "Kept: Agreement" in said("defaults", "harbour")
    assert "nothing was changed" in said("defaults", "harbour")
    a_model()
    record_funding_at_the_machine(programme_id=harbour.id, amount_micro=5_000 * MICRO)
    _printed, why = refused("open", "harbour")
    assert "people: Somebody has to manage the programme." in why
    for number, role in enumerate([Role.MANAGER, Role.REVIEWER, Role.REVIEWER, Role.FINANCE]):
        a_member(harbour, role, name=f"staff {number}", has_accepted=False)
    assert said("check", "harbour") == "Nothing is wrong.\n"
    assert said("open", "harbour") == "Harbour tests is open.\n"
    assert said("list") == "harbour open Harbour tests\n"
    assert said("close", "harbour") == "Harbour tests is closed.\n"
    assert said("list") == "harbour closed Harbour tests\n"


def test_particulars_are_said_at_the_making_and_changed_one_by_one(harbour):
    said("set", "harbour", "--language", "en", "--language", "pt", "--closes", "2035-12-31")
    said("set", "harbour", "--name", "Harbour", "--cases-per-hour", "4")
    version = particulars_in_force(harbour.id)
    assert (version.number, version.name, version.time_zone) == (3, "Harbour", "Europe/Lisbon")
    assert (version.languages, version.cases_per_hour) == (["en", "pt"], 4)
    assert version.closes_on.isoformat() == "2035-12-31"


def test_working_hours_come_from_the_line_or_from_a_file(harbour, tmp_path):
    said("calendar", "harbour", "--week", WEEK, "--holiday", "2026-12-25")
    calendar = calendar_in_force(harbour.id)
    assert calendar.week == WEEK.split(",")
    assert [day.isoformat() for day in calendar.holidays] == ["2026-12-25"]
    path = tmp_path / "calendar.toml"
    path.write_text(f"week = {defaults.WEEK}\nholidays = [2026-12-26, 2026-12-25]\n")
    said("calendar", "harbour", str(path))
    calendar = calendar_in_force(harbour.id)
    assert (calendar.number, len(calendar.holidays)) == (2, 2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("week = ", "no TOML"),
        ("holidays = [2026-12-25]", "seven texts"),
        (f'week = {defaults.WEEK}\nholidays = ["Christmas"]', "seven texts"),
        (f"week = {defaults.WEEK}\nholyday = []", "seven texts"),
        ('week = ["09:00-17:00"]', "seven days"),
        ('week = ["9 to 5", "", "", "", "", "", ""]', "Monday"),
    ],
)
def test_a_calendar_that_is_none_is_refused_in_words(harbour, tmp_path, text, why):
    path = tmp_path / "calendar.toml"
    path.write_text(text)
    assert why in refused("calendar", "harbour", str(path))[1]
    assert calendar_in_force(harbour.id) is None


def test_an_agreement_is_read_from_two_files(harbour, tmp_path):
    text, summary = tmp_path / "text.md", tmp_path / "summary.md"
    text.write_text("1. You may make clips.")
    summary.write_text("Make clips.")
    files = ("--text", str(text), "--summary", str(summary))
    assert "Version 1" in said("agreement", "harbour", *files)
    text.write_text("1. You may make clips and keep them.")
    said("agreement", "harbour", *files, "--changes", "You keep them.")
    version = agreement_in_force(harbour.id)
    assert (version.number, version.changes) == (2, "You keep them.")
    _printed, why = refused("agreement", "harbour", "--text", "/none", "--summary", "/none")
    assert "cannot be read" in why


def test_each_consent_is_asked_or_not_in_words_of_ones_own(harbour):
    words = ("--words", "On our own pages only.")
    assert "asked for" in said("consent", "harbour", "publicity", "--asked", *words)
    said("consent", "harbour", "training", "--not-asked", "--words", "We do not.")
    found = consents_in_force(harbour.id)
    assert {purpose: version.is_asked for purpose, version in found.items()} == {
        Purpose.PUBLICITY: True,
        Purpose.TRAINING: False,
    }
    refused("consent", "harbour", "publicity", *words)


def test_retention_is_said_part_by_part(harbour):
    said("retention", "harbour", "--drafts", "90", "--books", "7")
    said("retention", "harbour", "--drafts", "keep", "--released", "730")
    version = retention_in_force(harbour.id)
    assert (version.number, version.draft_days, version.released_days) == (2, None, 730)
    assert version.books_years == 7
    assert "warning" in refused("retention", "harbour", "--drafts", "3")[1]
    assert "number" in refused("retention", "harbour", "--drafts", "soon")[1]


def test_credits_of_all_and_of_one(harbour):
    tester = a_member(harbour, Role.TESTER, name="tester", has_accepted=False, credits=0)
    stranger_words = ("credits", "harbour", "5", "--person", "nobody@example.org")
    said("credits", "harbour", "20000")
    assert "300 credits" in said("credits", "harbour", "300", "--person", tester.email)
    assert "Nobody" in refused(*stranger_words)[1]
    limits = Budget.objects.filter(programme=harbour, kind=Kind.CREDITS)
    assert sorted(limits.values_list("limit", flat=True)) == [300, 20000]


def test_models_are_allowed_by_name(harbour):
    a_model()
    assert said("models", "harbour", "still") == "Allowed: still.\n"
    assert "not-there" in refused("models", "harbour", "still", "not-there")[1]
    assert allowed_models_in_force(harbour.id).number == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("make", "harbour", "--name", "Again"), "There is a programme"),
        (("make", "quay", "--name", " "), "name"),
        (("make", "quay", "--name", "Quay", "--time-zone", "Nowhere/City"), "time zone"),
        (("make", "quay", "--name", "Quay", "--opens", "soon"), "2026-12-25"),
        (("make", "quay", "--name", "Quay", "--currency", "euro"), "currency"),
        (("make", "The Quay", "--name", "Quay"), "short name"),
        (("check", "quay"), "There is no programme"),
        (("calendar", "harbour"), "--week"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_leaves_nothing(harbour, words, why):
    assert why in refused(*words)[1]
    assert Programme.objects.count() == 1
