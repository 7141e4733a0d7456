"""Setting a programme up over the native API."""

from __future__ import annotations

import pytest

from accounts.administrators.models import Administrator
from accounts.calendars.queries import calendar_in_force
from accounts.programmes.models import Programme, Role
from accounts.programmes.queries import particulars_in_force
from accounts.quotas.models import Kind
from accounts.quotas.queries import programme_budget
from core.money import MICRO
from greenroom.setup import defaults
from review.ledger.commands import record_funding_at_the_machine
from review.policies.queries import charter_in_force, policy_in_force
from stage.builders import a_model
from stage.cast import a_member

pytestmark = pytest.mark.django_db
API = "/api/v1/programme"


@pytest.fixture
def staffed(programme, manager, reviewer, second_reviewer, finance) -> None:
    a_model()
    record_funding_at_the_machine(programme_id=programme.id, amount_micro=5_000 * MICRO)


def post(member, path, body=None):
    return member.api.post(f"{API}/{path}", body or {})


def test_a_manager_sees_how_far_it_is_and_what_is_wrong(manager):
    answer = manager.api.get(f"{API}/setup").json()
    assert (answer["is_open"], answer["is_ready"]) == (True, False)
    assert [step["code"] for step in answer["steps"]][:2] == ["particulars", "calendar"]
    assert answer["findings"][0]["code"] == "calendar_missing"
    assert answer["findings"][0]["sentence"]


def test_from_closed_to_open_by_programs_alone(programme, manager, staffed):
    assert post(manager, "close").json()["is_open"] is False
    refused = post(manager, "open")
    assert (refused.status_code, refused.json()["code"]) == (409, "programme_not_ready")
    assert "calendar_missing" in {each["code"] for each in refused.json()["findings"]}
    kept = post(manager, "defaults").json()["steps"]
    assert kept == ["calendar", "consents", "clauses", "charter", "rates", "retention"]
    assert post(manager, "open").json()["is_open"] is True
    assert manager.api.get(f"{API}/setup").json()["is_ready"] is True


def test_a_calendar_is_published_and_read(programme, manager, tester):
    assert tester.api.get(f"{API}/calendar").status_code == 404
    body = {"week": defaults.WEEK, "holidays": ["2026-12-25"], "seen": 0}
    assert post(manager, "calendar", body).json()["number"] == 1
    assert tester.api.get(f"{API}/calendar").json()["holidays"] == ["2026-12-25"]
    again = post(manager, "calendar", {**body, "holidays": []})
    assert (again.status_code, again.json()["code"]) == (409, "changed_meanwhile")
    assert {each["field"] for each in again.json()["changes"]} == {"week", "holidays"}
    assert calendar_in_force(programme.id).number == 1


def test_particulars_move_only_where_something_is_said(programme, manager):
    answer = post(manager, "particulars", {"contact": "hello@example.org", "seen": 1})
    assert answer.status_code == 200
    version = particulars_in_force(programme.id)
    assert (version.number, version.name, version.contact) == (2, "Studio", "hello@example.org")
    stale = post(manager, "particulars", {"name": "Other", "seen": 1})
    assert stale.json()["changes"] == [
        {"field": "contact", "before": "", "after": "hello@example.org"}
    ]


def test_storage_models_clauses_and_clock_are_published(programme, manager, tester):
    a_model()
    terms = {
        "draft_days": 90,
        "unreleased_days": None,
        "released_days": None,
        "warning_days": 14,
        "books_years": 10,
    }
    assert post(manager, "retention", terms).json()["draft_days"] == 90
    assert tester.api.get(f"{API}/retention").json()["number"] == 1
    assert tester.api.get(f"{API}/models").json() == {"number": None, "models": ["still"]}
    assert post(manager, "models", {"models": ["still"]}).json()["number"] == 1
    clause = {"ground": "hate", "title": "No hatred", "words": "Of anybody."}
    policy = {"introduction": "Why.", "clauses": [clause], "seen": 0}
    assert post(manager, "policy", policy).json()["number"] == 1
    assert post(manager, "policy", policy).json()["code"] == "changed_meanwhile"
    charter = {"decide_within_hours": 72, "appeal_within_hours": 120}
    assert post(manager, "charter", charter).json()["number"] == 1
    assert policy_in_force(programme.id).clauses.count() == 1
    assert charter_in_force(programme.id).appeal_open_days == 184


def test_rates_and_credits_are_set(programme, manager):
    rate = post(manager, "rates", {"kind": "feedback", "amount_micro": 10 * MICRO}).json()
    assert (rate["kind"], rate["currency"]) == ("feedback", "EUR")
    assert post(manager, "credits", {"limit": 900}).json()["left"] == 900
    assert programme_budget(programme.id, Kind.CREDITS).limit == 900


def test_an_administrator_makes_programmes_and_may_stand_in_each(programme, tester, stranger):
    boss = a_member(programme, Role.MANAGER, name="boss")
    Administrator.objects.create(party_id=boss.party_id)
    body = {"slug": "harbour", "name": "Harbour tests", "languages": ["en", "pt"]}
    answer = boss.api.post("/api/v1/programmes", body)
    assert answer.status_code == 201
    assert answer["Location"] == answer.json()["url"] == "/programmes/harbour"
    made = Programme.objects.get(slug="harbour")
    assert (made.is_open, particulars_in_force(made.id).languages) == (False, ["en", "pt"])
    again = boss.api.post("/api/v1/programmes", body).json()
    assert again["errors"][0]["code"] == "slug_taken"
    places = boss.api.get("/api/v1/programmes").json()["items"]
    assert [each["slug"] for each in places] == ["studio", "elsewhere", "harbour"]
    assert [each["slug"] for each in tester.api.get("/api/v1/programmes").json()["items"]] == [
        "studio"
    ]
    assert tester.api.post("/api/v1/programmes", body).status_code == 404
