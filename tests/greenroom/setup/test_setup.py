"""From an empty programme to one that may open."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.agreements.queries import agreement_in_force
from accounts.calendars.commands import publish_calendar
from accounts.calendars.queries import calendar_in_force
from accounts.consents.queries import consents_in_force
from accounts.consents.rules import Purpose
from accounts.programmes.commands import ParticularsWish, make_programme, publish_particulars
from accounts.programmes.models import Programme, Role
from accounts.quotas.commands import grant_budget
from accounts.quotas.models import Kind
from accounts.quotas.queries import programme_budget
from accounts.rates.commands import publish_rate
from accounts.rates.queries import rate_in_force
from accounts.rates.rules import ActKind
from accounts.retention.queries import retention_in_force
from core.audit.models import AuditEvent
from core.clock import now
from core.errors import InvalidOrder
from core.ids import shown
from core.money import MICRO
from generation.catalogue.models import VideoModel
from greenroom.checkout import CHECKOUT
from greenroom.setup import defaults
from greenroom.setup.commands import (
    ProgrammeNotReady,
    keep_defaults,
    open_when_ready,
)
from greenroom.setup.queries import StepState, findings, steps
from greenroom.setup.rules import FindingCode, StepCode
from review.ledger.commands import record_funding_at_the_machine
from review.policies.commands import publish_charter
from review.policies.queries import charter_in_force, policy_in_force
from review.policies.rules import Ground
from stage.builders import a_model
from stage.cast import a_member

pytestmark = pytest.mark.django_db
MONEY = 5_000 * MICRO


@pytest.fixture
def empty() -> Programme:
    return make_programme(slug="harbour", wish=ParticularsWish("Harbour tests"))


@pytest.fixture
def staffed(empty) -> Programme:
    for name, role in [
        ("manager", Role.MANAGER),
        ("first reviewer", Role.REVIEWER),
        ("second reviewer", Role.REVIEWER),
        ("finance", Role.FINANCE),
    ]:
        a_member(empty, role, name=name, has_accepted=False)
    return empty


@pytest.fixture
def ready(staffed) -> Programme:
    a_model()
    keep_defaults(programme_id=staffed.id)
    record_funding_at_the_machine(programme_id=staffed.id, amount_micro=MONEY)
    return staffed


def codes(programme) -> list[str]:
    return [finding.code for finding in findings(programme.id, now())]


def states(programme) -> dict[str, str]:
    return {step.code: step.state for step in steps(programme.id)}


def move(programme, **particulars) -> None:
    publish_particulars(
        programme_id=programme.id, wish=ParticularsWish("Harbour tests", **particulars)
    )


# What is found --------------------------------------------------------------------------------


def test_an_empty_programme_is_told_everything_it_lacks_in_the_order_of_the_steps(empty):
    assert codes(empty) == [
        "calendar_missing",
        "agreement_missing",
        *["consent_missing"] * len(Purpose),
        "clauses_missing",
        "charter_missing",
        *["rate_missing"] * len(ActKind),
        "credits_missing",
        "models_missing",
        "retention_missing",
        "manager_missing",
        "reviewers_missing",
    ]
    assert states(empty) == {
        **dict.fromkeys(StepCode, StepState.OPEN),
        StepCode.PARTICULARS: StepState.DONE,
        StepCode.MONEY: StepState.DONE,
    }


def test_with_every_default_people_and_money_nothing_is_wrong(ready):
    assert findings(ready.id, now()) == []
    assert set(states(ready).values()) == {StepState.DONE}


def test_every_step_says_how_it_stands(ready):
    for step in steps(ready.id):
        assert step.title
        assert step.sentence
        assert step.page == f"setup-{step.code}"


def test_a_last_day_that_is_over_keeps_it_closed(ready):
    yesterday = now().date() - timedelta(days=2)
    move(ready, closes_on=yesterday)
    assert codes(ready) == ["days_over"]


def test_pay_that_is_promised_takes_money_and_two_people(staffed):
    a_model()
    keep_defaults(programme_id=staffed.id)
    assert codes(staffed) == ["money_missing"]
    record_funding_at_the_machine(programme_id=staffed.id, amount_micro=MICRO)
    (finding,) = findings(staffed.id, now())
    assert (finding.code, finding.step) == ("money_short", "money")


def test_who_promises_no_pay_needs_neither_money_nor_finance(empty):
    a_model()
    for kind in ActKind:
        publish_rate(programme_id=empty.id, kind=kind, amount_micro=0)
    keep_defaults(programme_id=empty.id)
    assert codes(empty) == ["manager_missing", "reviewers_missing"]


def test_a_promise_that_the_working_hours_cannot_keep_names_the_day(ready, clock):
    clock.set(now().replace(year=2035, month=6, day=4, hour=9))
    publish_charter(programme_id=ready.id, decide_within_hours=48, appeal_within_hours=24)
    late, appeals = findings(ready.id, now())
    assert (late.code, appeals.code) == ("decisions_late", "appeals_late")
    assert "June 8, 2035" in late.sentence
    assert "48 hours" in late.sentence
    assert "More people would not help" in late.sentence
    assert "at least 72 hours would be kept" in late.sentence


def test_a_promise_that_too_few_people_cannot_keep_says_how_many_are_missing(ready):
    move(ready, submissions_per_day=150)
    (finding,) = findings(ready.id, now())
    assert finding.code == "decisions_late"
    assert "With 2 reviewers" in finding.sentence
    assert "more reviewer" in finding.sentence


def test_promises_are_checked_for_the_days_on_which_it_runs(ready, clock):
    clock.set(now().replace(year=2035, month=6, day=4, hour=9))
    holidays = [date(2035, 6, day) for day in range(18, 23)]
    publish_calendar(programme_id=ready.id, week=defaults.WEEK, holidays=holidays)
    assert codes(ready) == ["decisions_late", "appeals_late"]
    move(ready, closes_on=date(2035, 6, 8))
    assert codes(ready) == []


def test_a_model_that_is_allowed_and_retired_is_missed(ready):
    from generation.catalogue.commands import allow_models

    allow_models(programme_id=ready.id, slugs=["still"])
    VideoModel.objects.update(state=VideoModel.State.RETIRED)
    assert codes(ready) == ["models_missing"]
    assert states(ready)[StepCode.MODELS] == StepState.WRONG


def test_every_finding_is_in_the_reference():
    text = (CHECKOUT / "docs/reference.md").read_text()
    section = text.partition("\n## Findings\n")[2].partition("\n## ")[0]
    named = {line.split("`")[1] for line in section.splitlines() if line.startswith("| `")}
    assert named == set(FindingCode)


# Defaults -------------------------------------------------------------------------------------


def test_defaults_are_versions_like_any_other_and_are_kept_once(empty, manager):
    kept = keep_defaults(programme_id=empty.id, actor=manager.party_id)
    assert kept == [
        *("calendar", "agreement", "consents", "clauses", "charter", "rates", "credits"),
        "retention",
    ]
    assert calendar_in_force(empty.id).published_by_id == manager.party_id
    assert agreement_in_force(empty.id).text == defaults.AGREEMENT_TEXT
    assert not any(version.is_asked for version in consents_in_force(empty.id).values())
    assert {each.ground for each in policy_in_force(empty.id).clauses.all()} == set(Ground)
    assert charter_in_force(empty.id).decide_within_hours == defaults.DECIDE_WITHIN_HOURS
    assert rate_in_force(empty.id, ActKind.RELEASE, now()).amount_micro == 25 * MICRO
    assert programme_budget(empty.id, Kind.CREDITS).limit == 50 * 400
    assert retention_in_force(empty.id).released_days is None
    lines = AuditEvent.objects.count()
    assert keep_defaults(programme_id=empty.id, actor=manager.party_id) == []
    assert AuditEvent.objects.count() == lines


def test_what_was_decided_is_left_alone(empty):
    publish_rate(programme_id=empty.id, kind=ActKind.RELEASE, amount_micro=0)
    publish_charter(programme_id=empty.id, decide_within_hours=200, appeal_within_hours=200)
    keep_defaults(programme_id=empty.id)
    assert rate_in_force(empty.id, ActKind.RELEASE, now()).amount_micro == 0
    assert charter_in_force(empty.id).decide_within_hours == 200


def test_single_steps_can_be_kept_and_what_has_no_default_cannot(empty):
    assert keep_defaults(programme_id=empty.id, steps=["charter"]) == ["charter"]
    with pytest.raises(InvalidOrder) as refused:
        keep_defaults(programme_id=empty.id, steps=["calendar", "people"])
    assert refused.value.code == "step_without_default"
    assert calendar_in_force(empty.id) is None


def test_a_currency_without_decimals_is_paid_in_figures_of_its_own():
    assert defaults.rates("JPY")[ActKind.RELEASE] == 100 * defaults.rates("EUR")[ActKind.RELEASE]


def test_defaults_stop_whole_where_one_of_them_cannot_be(empty, monkeypatch):
    monkeypatch.setattr(defaults, "CLAUSES", [])
    with pytest.raises(InvalidOrder):
        keep_defaults(programme_id=empty.id)
    assert agreement_in_force(empty.id) is None


# Opening --------------------------------------------------------------------------------------


def test_it_opens_when_nothing_is_wrong_and_again_is_fine(ready, manager):
    assert open_when_ready(programme_id=ready.id, actor=manager.party_id).is_open
    assert open_when_ready(programme_id=ready.id, actor=manager.party_id).is_open
    assert AuditEvent.objects.filter(kind="programme.opened", subject_id=ready.id).count() == 1


def test_it_does_not_open_before_and_says_why(staffed):
    keep_defaults(programme_id=staffed.id)
    with pytest.raises(ProgrammeNotReady) as refused:
        open_when_ready(programme_id=staffed.id)
    assert (refused.value.code, refused.value.http_status) == ("programme_not_ready", 409)
    assert [each["code"] for each in refused.value.facts["findings"]] == [
        "models_missing",
        "money_missing",
    ]
    assert not Programme.objects.get(id=staffed.id).is_open


# Credits --------------------------------------------------------------------------------------


def test_the_set_up_takes_no_members_own_credits(programme):
    both = a_member(programme, Role.MANAGER, Role.TESTER, name="both")
    body = {"limit": 999_999, "party": shown("party", both.party_id)}
    refused = both.api.post("/api/v1/programme/credits", body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "party")


@pytest.mark.parametrize("day", [date(1, 1, 1), date(9999, 12, 31)])
def test_days_that_nobody_can_mean_are_refused(programme, day):
    for publish in (
        lambda: publish_particulars(
            programme_id=programme.id, wish=ParticularsWish("Studio", closes_on=day)
        ),
        lambda: publish_calendar(programme_id=programme.id, week=defaults.WEEK, holidays=[day]),
        lambda: publish_rate(
            programme_id=programme.id,
            kind=ActKind.RELEASE,
            amount_micro=1,
            applies_from=datetime(day.year, day.month, day.day, tzinfo=UTC),
        ),
    ):
        with pytest.raises(InvalidOrder) as refused:
            publish()
        assert refused.value.code == "moment_out_of_range"


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_pages_refuse_a_day_that_nobody_can_mean(manager, tester, day):
    person = shown("party", tester.party_id)
    answers = [
        manager.client.post(f"/people/{person}/roles", {"role": "reviewer", "until": day}),
        manager.client.post("/setup/agreement", {"text": "T", "seen": 1, "answer_by": day}),
    ]
    assert [answer.status_code for answer in answers] == [422, 422]


def test_money_is_set_aside_and_not_granted(programme):
    with pytest.raises(InvalidOrder) as refused:
        grant_budget(programme_id=programme.id, kind=Kind.MONEY, limit=MONEY)
    assert refused.value.code == "money_is_set_aside"
