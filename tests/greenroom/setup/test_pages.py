"""The set-up, step by step: what is in force, the form made from it, and what comes of it."""

from __future__ import annotations

import re
from datetime import date

import pytest

from accounts.administrators.models import Administrator
from accounts.agreements.commands import publish_agreement
from accounts.agreements.queries import agreement_in_force
from accounts.calendars.queries import calendar_in_force
from accounts.consents.queries import consents_in_force
from accounts.consents.rules import Purpose
from accounts.programmes.models import Programme, Role
from accounts.programmes.queries import particulars_in_force
from accounts.quotas.models import Kind
from accounts.quotas.queries import programme_budget
from accounts.rates.queries import rate_in_force
from accounts.rates.rules import ActKind
from accounts.retention.queries import retention_in_force
from core.clock import now
from generation.catalogue.queries import allowed_models_in_force
from review.ledger.commands import record_funding_at_the_machine
from review.policies.commands import publish_charter
from review.policies.queries import charter_in_force, policy_in_force
from stage.builders import a_model
from stage.cast import a_member

pytestmark = pytest.mark.django_db

STEPS = [
    *("particulars", "calendar", "agreement", "consents", "clauses", "charter"),
    *("rates", "credits", "models", "retention", "money"),
]


@pytest.fixture
def administrator(programme):
    """Somebody without any role in the programme, who may stand in every one."""
    member = a_member(programme, name="administrator", has_accepted=False)
    member.programme.memberships.filter(party_id=member.party_id).update(ended_at=now())
    Administrator.objects.create(party_id=member.party_id)
    return member


def page(member, path, status=200):
    answer = member.client.get(path)
    assert answer.status_code == status, text_of(answer.content.decode())[-1500:]
    return answer.content.decode()


def fields_of(said, action, deed=""):
    """What a browser without scripts would send from the form with this address and button."""
    forms = re.findall(
        rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', said, re.DOTALL
    )
    (form,) = [each for each in forms if f'value="{deed}"' in each or not deed]
    found = {}
    for tag in re.findall(r"<input[^>]*>", form):
        given = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        kind = given.get("type", "text")
        if kind in ("checkbox", "radio") and not re.search(r"\bchecked\b", tag):
            continue
        if "name" in given:
            usual = "on" if kind == "checkbox" else ""
            found.setdefault(given["name"], []).append(given.get("value", usual))
    for name, text in re.findall(
        r'<textarea name="([^"]+)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL
    ):
        found[name] = [_plain(text)]
    for name, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        found[name] = re.findall(r'<option value="([^"]*)" selected', options)
    return {name: [_plain(value) for value in values] for name, values in found.items()}


def _plain(text):
    for sign, written in (
        ("<", "&lt;"),
        (">", "&gt;"),
        ("'", "&#x27;"),
        ('"', "&quot;"),
        ("&", "&amp;"),
    ):
        text = text.replace(written, sign)
    return text


def sent(member, step, path=None, status=302, **changed):
    """The form of a step as it stands, with these fields changed."""
    action = path or f"/setup/{step}"
    body = fields_of(page(member, f"/setup/{step}"), action, changed.get("deed", "")) | changed
    return posted(member, action, body, status)


def posted(member, path, body, status=302):
    answer = member.client.post(path, body)
    assert answer.status_code == status, text_of(answer.content.decode())[-1500:]
    return answer.content.decode()


def text_of(said):
    return " ".join(re.sub(r"<[^>]*>", " ", said).split())


@pytest.mark.parametrize("step", STEPS)
def test_every_step_has_a_page_before_anything_is_published(manager, step):
    a_model()
    said = page(manager, f"/setup/{step}")
    assert "<h1>" in said


def test_the_list_says_what_is_in_force_and_what_is_next(manager):
    said = page(manager, "/setup")
    shown = text_of(said)
    assert "Version 1, in force since" in shown
    assert "Next: Working hours and holidays" in shown
    assert "things named above" in shown
    for step in STEPS:
        assert f'href="/setup/{step}"' in said


def test_what_is_open_is_kept_with_one_press_and_a_second_changes_nothing(manager):
    a_model()
    posted(manager, "/setup/defaults", {})
    programme = manager.programme
    assert calendar_in_force(programme.id).number == 1
    assert agreement_in_force(programme.id).number == 1  # it was there
    assert set(consents_in_force(programme.id)) == set(Purpose)
    assert "Published as they are" in text_of(page(manager, "/setup"))
    posted(manager, "/setup/defaults", {})
    assert calendar_in_force(programme.id).number == 1
    assert "kind defaults for everything" not in page(manager, "/setup")


def test_the_amounts_stand_beside_the_button_that_publishes_them(manager):
    sent(manager, "rates", "/setup/rates/feedback", amount="3.00")
    said = page(manager, "/setup")
    form = re.search(r'<form[^>]*action="/setup/defaults".*?</form>', said, re.DOTALL)[0]
    shown = text_of(form).replace("\N{NO-BREAK SPACE}", " ")
    for line in (
        "Release of a clip 25.00 EUR",
        "Bug report 15.00 EUR",
        "Red-team finding 60.00 EUR",
        "Hours until a clip is decided 72",
        "A draft is kept 180 days",
        "Working hours Mon–Fri 09:00–17:00, Sat–Sun off",
    ):
        assert line in shown, line
    assert "Feedback" not in shown, "a rate that is in force stays"
    posted(manager, "/setup/defaults", {})
    programme = manager.programme
    assert rate_in_force(programme.id, ActKind.RELEASE, now()).amount_micro == 25_000_000
    assert rate_in_force(programme.id, ActKind.FEEDBACK, now()).amount_micro == 3_000_000


def test_the_credits_of_a_fresh_programme_are_shown_with_the_sum_they_come_from(administrator):
    form = fields_of(page(administrator, "/setup/programmes/new"), "/setup/programmes/new")
    wanted = {"name": "Late show", "slug": "late-show", "currency": "JPY"}
    posted(administrator, "/setup/programmes/new", form | wanted)
    shown = text_of(page(administrator, "/setup")).replace("\N{NO-BREAK SPACE}", " ")
    assert "Credits of the whole programme 20,000 = 50 × 400" in shown
    assert "Credits of a new tester 400" in shown
    assert "Release of a clip 2,500 JPY" in shown
    posted(administrator, "/setup/defaults", {})
    made = Programme.objects.get(slug="late-show")
    assert programme_budget(made.id, Kind.CREDITS).limit == 20_000


@pytest.mark.parametrize("who", ["tester", "reviewer", "finance", "auditor", "stranger"])
def test_there_is_no_set_up_for_anybody_else(who, request):
    member = request.getfixturevalue(who)
    for path in ("/setup", "/setup/programmes/new", *(f"/setup/{step}" for step in STEPS)):
        page(member, path, 404)
    for path in ("/setup/open", "/setup/close", "/setup/defaults", "/setup/charter"):
        posted(member, path, {}, 404)
    for path in ("/setup/rates/release", "/setup/consents/training"):
        posted(member, path, {}, 404)
    assert charter_in_force(member.programme.id) is None


def test_who_is_not_signed_in_is_sent_to_the_door(client):
    for path in ("/setup", "/setup/charter"):
        answer = client.get(path, headers={"host": "localhost"})
        assert answer.headers["Location"].startswith("/account/login/")


def test_a_manager_sets_up_their_own_programme_and_no_other(manager, other_programme):
    answer = manager.client.post("/place", {"programme": other_programme.slug})
    assert answer.status_code == 404
    sent(manager, "charter")
    assert charter_in_force(other_programme.id) is None


# One step after the other


@pytest.mark.parametrize("step", ["calendar", "clauses", "charter", "models", "retention"])
def test_the_kind_default_is_published_as_it_stands(manager, step):
    a_model()
    sent(manager, step)
    said = text_of(page(manager, f"/setup/{step}"))
    assert "In force: version 1, since" in said
    assert "The first one." in said
    assert "Publish version 2" in said


def test_a_new_version_shows_what_it_changed(manager):
    sent(manager, "charter")
    sent(manager, "charter", decide_within_hours="24")
    assert charter_in_force(manager.programme.id).decide_within_hours == 24
    said = text_of(page(manager, "/setup/charter"))
    assert "Changed: Hours until a clip is decided" in said
    assert "72" in said


def test_particulars_keep_what_their_form_does_not_ask(manager):
    before = particulars_in_force(manager.programme.id)
    sent(manager, "credits", credits_per_tester="77", deed="tester")
    sent(
        manager,
        "particulars",
        name="Night studio",
        opens_on="2027-01-11",
        closes_on="2027-03-31",
        languages="en, pt-BR",
        contact="stage@example.org",
        submissions_per_day="9",
    )
    found = particulars_in_force(manager.programme.id)
    assert (found.number, found.credits_per_tester) == (before.number + 2, 77)
    assert (found.name, found.languages) == ("Night studio", ["en", "pt-BR"])
    assert (found.opens_on, found.closes_on) == (date(2027, 1, 11), date(2027, 3, 31))
    assert found.submissions_per_day == 9


def test_a_week_and_its_holidays_are_written_without_a_script(manager):
    sent(
        manager,
        "calendar",
        from_0="9:30",
        to_0="24:00",
        from_1="",
        to_1="",
        holidays="2026-12-25\r\n\r\n2026-12-26\r\n2026-12-25",
    )
    found = calendar_in_force(manager.programme.id)
    assert found.week[:3] == ["09:30-24:00", "", "09:00-17:00"]
    assert found.holidays == [date(2026, 12, 25), date(2026, 12, 26)]
    assert "09:30" in page(manager, "/setup/calendar")


@pytest.mark.parametrize(
    ("step", "typed", "why"),
    [
        ("calendar", {"from_0": "nine"}, "Write a time like 09:00"),
        ("calendar", {"from_0": "18:00"}, "It ends before it begins"),
        ("calendar", {"holidays": "Christmas"}, "Line 1 is no date"),
        (
            "calendar",
            {"holidays": "Christmas\n2026-12-25\n\nEaster\n2026-2-30"},
            "These lines are no dates like 2026-12-25: 1, 4, 5.",
        ),
        (
            "calendar",
            {"holidays": "\n".join(["soon"] * 12)},
            "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, and 2 more.",
        ),
        ("particulars", {"languages": "klingon!"}, "Languages are written like"),
        ("particulars", {"closes_on": "2020-01-01", "opens_on": "2021-01-01"}, "closes before"),
        ("particulars", {"name": ""}, "required"),
        ("clauses", {"clause-0-title": ""}, "A clause says something here"),
        ("clauses", {"introduction": ""}, "required"),
        ("charter", {"decide_within_hours": "99999"}, "between 1 and"),
        ("retention", {"warning_days": "2"}, "warned between"),
        ("models", {"slugs": []}, "Allow one at least"),
        ("models", {"slugs": "made-up"}, "made-up"),
        ("agreement", {"text": ""}, "required"),
        ("agreement", {"answer_by": "2020-01-01"}, "a day that is to come"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field_and_kept(manager, step, typed, why):
    a_model()
    said = sent(manager, step, status=422, **typed)
    assert why in _plain(said)
    for text in typed.values():
        assert not text or not isinstance(text, str) or text in said
    assert "Nothing is published yet" in said or "In force: version 1" in said


def test_a_clause_is_taken_out_by_its_tick_and_another_put_in_its_words(manager):
    sent(manager, "clauses")
    whole = policy_in_force(manager.programme.id).clauses.count()
    form = fields_of(page(manager, "/setup/clauses"), "/setup/clauses")
    del form["clause-1-is_in"]
    posted(manager, "/setup/clauses", form | {"clause-0-title": "Nobody without a yes"})
    clauses = list(policy_in_force(manager.programme.id).clauses.all())
    assert (len(clauses), clauses[0].title) == (whole - 1, "Nobody without a yes")
    said = page(manager, "/setup/clauses")
    assert said.count("A clause of this programme") == whole
    assert "Changed: Clauses" in text_of(said)


def test_which_files_an_owner_gets_before_approval_is_said_with_the_clauses(manager):
    sent(manager, "clauses")
    assert policy_in_force(manager.programme.id).files_before == "clip"
    form = fields_of(page(manager, "/setup/clauses"), "/setup/clauses")
    posted(manager, "/setup/clauses", form | {"files_before": "preview"})
    assert policy_in_force(manager.programme.id).files_before == "preview"
    changed = page(manager, "/setup/clauses")
    assert "Files before approval" in changed
    assert "The light copy and the pictures" in changed


def test_the_agreement_shows_its_changes_before_it_is_published(manager):
    said = sent(
        manager,
        "agreement",
        status=200,
        text="You may make clips. You may say what you like about them.",
        deed="preview",
    )
    assert "<del>" in said
    assert "<ins>" in said
    assert "[new:" in said
    assert "Nothing is published yet." in said
    assert agreement_in_force(manager.programme.id).number == 1


def test_an_agreement_is_published_with_its_last_day_in_the_programmes_zone(manager):
    sent(
        manager,
        "agreement",
        text="Other terms.",
        changes="Everything.",
        answer_by="2100-06-30",
        deed="publish",
    )
    found = agreement_in_force(manager.programme.id)
    assert (found.number, found.text, found.changes) == (2, "Other terms.", "Everything.")
    assert found.answer_by.isoformat() == "2100-06-30T22:00:00+00:00"
    assert found.published_by_id == manager.party_id


def test_a_consent_is_asked_in_the_programmes_words(manager):
    path = "/setup/consents/training"
    sent(manager, "consents", path, is_asked="on", words="May we train on it?")
    found = consents_in_force(manager.programme.id)
    assert set(found) == {Purpose.TRAINING}
    assert (found[Purpose.TRAINING].is_asked, found[Purpose.TRAINING].words) == (
        True,
        "May we train on it?",
    )
    posted(manager, "/setup/consents/charity", {}, 404)


def test_a_rate_begins_now_or_later(manager):
    page(manager, "/setup/rates")
    sent(manager, "rates", "/setup/rates/release", amount="12.50", words="For each, once.")
    assert rate_in_force(manager.programme.id, ActKind.RELEASE, now()).amount_micro == 12_500_000
    sent(
        manager,
        "rates",
        "/setup/rates/release",
        amount="14",
        applies_from="2100-01-01T00:00",
        words="",
    )
    said = text_of(page(manager, "/setup/rates"))
    assert "Then 14.00" in said
    assert "For each, once." in said


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"amount": "much"}, "Write the amount in figures, like 1250.00 or 1250,00"),
        ({"amount": "1,000"}, "nothing between the thousands"),
        ({"amount": "1.000,50"}, "one point or comma"),
        ({"amount": "1", "applies_from": "2020-01-01T00:00"}, "now or later"),
    ],
)
def test_a_rate_that_cannot_be_is_kept_in_its_form(manager, typed, why):
    said = sent(manager, "rates", "/setup/rates/feedback", status=422, **typed)
    assert why in said
    assert f'value="{typed["amount"]}"' in said
    assert rate_in_force(manager.programme.id, ActKind.FEEDBACK, now()) is None


def test_a_decimal_comma_is_as_good_as_a_point(manager):
    sent(manager, "rates", "/setup/rates/release", amount="30,50")
    assert rate_in_force(manager.programme.id, ActKind.RELEASE, now()).amount_micro == 30_500_000


def test_the_programmes_credits_are_set_and_never_below_their_use(manager):
    sent(manager, "credits", limit="500", deed="limit")
    assert programme_budget(manager.programme.id, Kind.CREDITS).limit == 500
    assert "500" in page(manager, "/setup/credits")
    sent(manager, "credits", limit="-1", deed="limit", status=422)
    assert programme_budget(manager.programme.id, Kind.CREDITS).limit == 500


def test_models_are_allowed_by_name(manager):
    a_model("still")
    a_model("other")
    sent(manager, "models", slugs=["other"])
    assert allowed_models_in_force(manager.programme.id).slugs == ["other"]


def test_a_state_without_a_number_is_kept(manager):
    sent(manager, "retention", draft_days="", unreleased_days="400")
    found = retention_in_force(manager.programme.id)
    assert (found.draft_days, found.unreleased_days) == (None, 400)


def test_the_list_says_what_money_is_not_promised_yet(manager):
    record_funding_at_the_machine(
        programme_id=manager.programme.id, amount_micro=1_250_500_000, words="First."
    )
    shown = text_of(page(manager, "/setup")).replace("\N{NO-BREAK SPACE}", " ")
    assert "1,250.50 EUR set aside and not yet promised." in shown


def test_money_says_who_may_set_it_aside(manager, finance):
    said = text_of(page(manager, "/setup/money"))
    assert "by somebody with the role finance" in said
    assert "Set money aside" not in said


# Two at once


def test_the_second_of_two_sees_what_the_first_changed_and_loses_nothing(manager):
    second = a_member(manager.programme, Role.MANAGER, name="second manager")
    sent(manager, "charter")
    form = fields_of(page(second, "/setup/charter"), "/setup/charter")
    sent(manager, "charter", decide_within_hours="24")
    said = posted(second, "/setup/charter", form | {"words": "In my own words."}, 409)
    shown = text_of(said)
    assert "Version 2 was published meanwhile" in shown
    assert "Hours until a clip is decided 72 24" in shown
    assert "In my own words." in said
    assert charter_in_force(manager.programme.id).number == 2
    again = fields_of(said, "/setup/charter")
    assert again["seen"] == ["2"]
    posted(second, "/setup/charter", again)
    assert charter_in_force(manager.programme.id).words == "In my own words."
    assert charter_in_force(manager.programme.id).number == 3


def test_what_the_other_changed_is_said_as_pages_say_it(manager):
    a_model("still")
    a_model("other")
    changes = {
        "agreement": {"text": "Other terms.", "changes": "New.", "answer_by": "2100-06-30"},
        "particulars": {"opens_on": "2027-01-11", "submissions_per_day": "2000"},
        "calendar": {"holidays": "2026-12-25\n2026-12-26", "from_0": "", "to_0": ""},
        "models": {"slugs": ["other"]},
        "retention": {"draft_days": ""},
    }
    shown = {}
    for step, changed in changes.items():
        sent(manager, step, deed="publish" if step == "agreement" else "")
        form = fields_of(page(manager, f"/setup/{step}"), f"/setup/{step}", "publish")
        sent(manager, step, **changed, deed="publish")
        said = posted(manager, f"/setup/{step}", form | {"deed": "publish"}, 409)
        table = re.search(r'<table class="changes">.*?</table>', said, re.DOTALL)[0]
        shown[step] = text_of(table)
    assert "Answer by Nothing the end of 30 Jun 2100" in shown["agreement"]
    assert "First day Nothing 11 Jan 2027" in shown["particulars"]
    assert "2,000" in shown["particulars"]
    assert "25 Dec 2026, 26 Dec 2026" in shown["calendar"]
    assert "Mon off, Tue–Fri 09:00–17:00, Sat–Sun off" in shown["calendar"]
    assert "for as long as the programme runs" in shown["retention"].lower()
    assert "Video models allowed" in shown["models"]
    raw = re.compile(r"\d{4}-\d\d-\d\d|\+00:00|True|False|None")
    assert {step: raw.findall(text) for step, text in shown.items()} == {step: [] for step in shown}


def test_a_rate_that_moved_is_said_with_its_currency_and_its_moment(manager):
    path = "/setup/rates/release"
    sent(manager, "rates", path, amount="12.50")
    form = fields_of(page(manager, "/setup/rates"), path)
    sent(manager, "rates", path, amount="1300", applies_from="2100-01-01T00:00")
    said = posted(manager, path, form | {"amount": "14"}, 409)
    table = re.search(r'<table class="changes">.*?</table>', said, re.DOTALL)[0]
    shown = text_of(table).replace("\N{NO-BREAK SPACE}", " ")
    assert "Amount 12.50 EUR 1,300.00 EUR" in shown
    assert "1 Jan 2100, 00:00" in shown
    assert "+00:00" not in shown


def test_a_form_made_before_the_first_version_meets_it_too(manager):
    form = fields_of(page(manager, "/setup/charter"), "/setup/charter")
    publish_charter(programme_id=manager.programme.id, decide_within_hours=1, appeal_within_hours=1)
    said = posted(manager, "/setup/charter", form, 409)
    assert "Nothing" in text_of(said)


@pytest.mark.parametrize("step", ["particulars", "calendar", "agreement", "clauses", "retention"])
def test_no_step_is_written_over_unseen(manager, step):
    sent(manager, step)
    form = fields_of(page(manager, f"/setup/{step}"), f"/setup/{step}")
    sent(manager, step)
    said = posted(manager, f"/setup/{step}", form, 409)
    assert "with the same content" in said


def test_consents_and_a_new_testers_credits_are_guarded_alike(manager):
    consent = "/setup/consents/labour"
    form = fields_of(page(manager, "/setup/consents"), consent)
    sent(manager, "consents", consent, words="Other words.", is_asked="on")
    said = posted(manager, consent, form | {"words": ["Mine."]}, 409)
    assert "Mine." in said
    assert "Other words." in said
    credits_form = {"credits_per_tester": "5", "deed": "tester", "seen": "1"}
    posted(manager, "/setup/credits", credits_form)
    assert 'value="6"' in posted(
        manager, "/setup/credits", credits_form | {"credits_per_tester": "6"}, 409
    )


def test_a_long_text_that_changed_is_compared_word_by_word(manager):
    form = fields_of(page(manager, "/setup/agreement"), "/setup/agreement")
    text = "Make clips. " * 40
    for last in ("Speak freely.", "Speak of them freely."):
        publish_agreement(programme_id=manager.programme.id, text=text + last, summary="Freely.")
    said = posted(manager, "/setup/agreement", form, 409)
    assert "<ins>" in said


# Opening, closing, and from nothing


def test_it_opens_when_nothing_is_wrong_and_closes(programme, manager):
    a_model()
    posted(manager, "/setup/close", {})
    assert "closed again" in page(manager, "/setup")
    said = text_of(posted(manager, "/setup/open", {}, 409))
    assert "It cannot open yet" in said
    assert "Say when its people work." in said
    assert not Programme.objects.get(id=programme.id).is_open
    posted(manager, "/setup/defaults", {})
    for number, role in enumerate([Role.REVIEWER] * 3 + [Role.FINANCE]):
        a_member(programme, role, name=f"staff {number}")
    record_funding_at_the_machine(
        programme_id=programme.id, amount_micro=10**10, words="For the season"
    )
    said = text_of(page(manager, "/setup"))
    assert "Nothing is missing, and every promise can be kept." in said
    assert "Testers can work from this moment on" in said
    assert "The programme can be opened" in text_of(page(manager, "/"))
    posted(manager, "/setup/open", {})
    assert Programme.objects.get(id=programme.id).is_open
    assert "From this moment nobody begins new work" in text_of(page(manager, "/setup"))
    assert "Nothing waits for you." in page(manager, "/")


def test_an_administrator_without_a_programme_makes_one(administrator):
    Programme.objects.exclude(id=administrator.programme.id).delete()
    said = page(administrator, "/setup/programmes/new")
    form = fields_of(said, "/setup/programmes/new")
    assert form["currency"] == ["EUR"]
    wanted = {"name": "Late show", "slug": "late-show", "currency": "CHF"}
    refused = posted(administrator, "/setup/programmes/new", form | wanted | {"slug": "a b"}, 422)
    assert "Small letters, figures and hyphens." in refused
    for word in ("euro", "eur", "Swiss francs"):
        typed = form | wanted | {"currency": word}
        refused = posted(administrator, "/setup/programmes/new", typed, 422)
        assert "its code of three capital letters, like EUR" in refused
        assert f'value="{word}"' in refused, "what was typed is not cut"
    assert 'maxlength="3"' not in said
    posted(administrator, "/setup/programmes/new", form | wanted)
    made = Programme.objects.get(slug="late-show")
    assert (made.name, made.currency, made.is_open) == ("Late show", "CHF", False)
    assert "Late show" in page(administrator, "/setup")
    posted(administrator, "/setup/programmes/new", form | wanted, 422)


def test_a_manager_makes_no_programme(manager):
    page(manager, "/setup/programmes/new", 404)
    assert "Make another programme" not in page(manager, "/setup")


# Where one stands, and what waits there


def test_who_has_several_programmes_changes_between_them(administrator, other_programme):
    for slug in (other_programme.slug, administrator.programme.slug):
        posted(administrator, "/place", {"programme": slug})
        said = page(administrator, "/setup/particulars")
        assert f'<option value="{slug}" selected>' in said
        assert f'value="{Programme.objects.get(slug=slug).name}"' in said
    posted(administrator, "/place", {"programme": "nowhere"}, 404)


def test_who_has_one_programme_is_offered_no_change(manager):
    assert 'action="/place"' not in page(manager, "/")


@pytest.mark.parametrize("who", ["manager", "reviewer", "finance", "auditor"])
def test_staff_land_on_what_waits_for_them(who, request):
    said = page(request.getfixturevalue(who), "/")
    assert "What waits for you" in said
    assert "Your clips will stand here" not in said
    assert "Before your first clip" not in said


def test_a_manager_is_told_of_the_set_up(manager):
    said = text_of(page(manager, "/"))
    assert re.search(r"The set-up has \d+ things? that", said)


def test_a_testers_studio_stays_as_it_is(tester):
    said = page(tester, "/")
    assert "What waits for you" not in said
    assert "Your clips will stand here" in said


# What everybody reads


def test_the_public_page_says_when_with_whom_and_what_is_asked_and_kept(manager, client):
    posted(manager, "/setup/defaults", {})
    sent(manager, "calendar", holidays="2026-12-25")
    sent(manager, "particulars", opens_on="2027-01-11", contact="stage@example.org")
    sent(manager, "consents", "/setup/consents/training", is_asked="on", words="May we train?")
    said = text_of(
        client.get(
            f"/programmes/{manager.programme.slug}", headers={"host": "localhost"}
        ).content.decode()
    )
    for words in (
        "11 Jan 2027 – until it is closed",
        "stage@example.org",
        "Monday: 09:00-17:00",
        "Sunday: off",
        "25 Dec 2026",
        "Training of models May we train?",
        "A draft that was never put forward is kept for 180 days.",
        "A released clip is kept for as long as the programme runs.",
    ):
        assert words in said, words
    assert "May we show" not in said
    assert "Publicity" not in said
