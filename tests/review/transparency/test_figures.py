"""Every figure that is published can be counted again from the rows, and comes out the same."""

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

import pytest

from accounts.programmes.models import Role
from accounts.rates.commands import publish_rate
from accounts.rates.rules import ActKind
from core.clock import now
from core.ids import new_id, shown
from core.money import Money
from review.decisions.models import Appeal, Decision
from review.ledger.commands import record_funding
from review.ledger.models import LedgerEntry
from review.payouts.commands import approve_payout, pay_payout, propose_payout
from review.releases.commands import release_clip, take_down_release
from review.releases.models import Release
from review.submissions.commands import withdraw_submission
from review.submissions.models import Case, SealedPerson, Submission
from review.transparency.queries import ClauseFigure, MoneyFigure, figures, terms_of
from review.transparency.words import charter_sentences, duration_words, shown_figures
from stage.builders import a_programme
from stage.cast import Member, a_member, api_of
from stage.clock import Clock
from stage.review import a_decision, a_submission, an_appeal, open_review

pytestmark = pytest.mark.django_db

MICRO = 1_000_000


@dataclass
class Season:
    """A little of everything: every outcome, late ones, appeals both ways, money, releases.

    ``ahead`` is how far the clock was turned for it.
    """

    programme: Any
    tester: Member
    second_tester: Member
    second_reviewer: Member
    ahead: timedelta

    @property
    def id(self):
        return self.programme.id


@pytest.fixture(scope="module")
def committed(database, django_db_setup, django_db_blocker):
    """Made once: whatever a test adds to it goes with the test."""
    with django_db_blocker.unblock():
        made = a_season(Clock(database))
        (made.ahead,) = database.superuser.execute("SELECT ahead FROM test.clock").fetchone()
    yield made
    database.reset()


@pytest.fixture
def season(committed, clock):
    clock.advance(committed.ahead)
    return committed


def a_season(clock):
    programme = a_programme("season")
    people = {
        name: a_member(programme, role, name=name)
        for name, role in (
            ("tester", Role.TESTER),
            ("second tester", Role.TESTER),
            ("reviewer", Role.REVIEWER),
            ("second reviewer", Role.REVIEWER),
            ("finance", Role.FINANCE),
            ("manager", Role.MANAGER),
        )
    }
    tester, second_tester, reviewer, second_reviewer, finance, manager = people.values()
    open_review(programme, hours=2, appeal_hours=4)
    publish_rate(programme_id=programme.id, kind=ActKind.RELEASE, amount_micro=7 * MICRO)
    clock.advance(seconds=1)
    shown_clips = []
    for number, member in enumerate([tester, tester, second_tester]):
        clip = a_submission(member).clip
        clock.advance(minutes=20 * number)
        a_decision(reviewer, clock)
        shown_clips.append((member, clip))
    releases = [
        release_clip(
            actor=member.actor,
            clip_id=shown("clip", clip.id),
            title="A boat",
            is_listed=number != 1,
        )
        for number, (member, clip) in enumerate(shown_clips)
    ]
    take_down_release(actor=tester.actor, release_id=shown("release", releases[0].id))
    _decisions_of_all_kinds(tester, reviewer, second_reviewer, clock)
    _a_payout(tester, finance, manager)
    withdraw_submission(
        actor=tester.actor, submission_id=shown("submission", a_submission(tester).id)
    )
    a_submission(second_tester)
    clock.advance(hours=3)
    a_submission(second_tester)
    return Season(programme, tester, second_tester, second_reviewer, timedelta())


def _decisions_of_all_kinds(tester, reviewer, second_reviewer, clock):
    upheld, overturned, waits, gives_up = [], [], [], []
    for pile, clause in ((upheld, 1), (overturned, 2), (waits, 2), (gives_up, 3)):
        pile.append(a_submission(tester))
        a_decision(reviewer, clock, "declined", clause=clause)
    a_submission(tester)
    clock.advance(hours=5)
    a_decision(reviewer, clock, "changes_requested", clause=3)
    an_appeal(tester, upheld[0])
    a_decision(second_reviewer, clock, "declined", clause=2)
    an_appeal(tester, overturned[0])
    clock.advance(hours=5)
    a_decision(second_reviewer, clock)
    an_appeal(tester, gives_up[0])
    withdraw_submission(actor=tester.actor, submission_id=shown("submission", gives_up[0].id))
    an_appeal(tester, waits[0])


def _a_payout(tester, finance, manager):
    record_funding(actor=finance.actor, amount_micro=100 * MICRO)
    payout = propose_payout(actor=finance.actor, party_id=tester.party_id)
    public_id = shown("payout", payout.id)
    approve_payout(
        actor=manager.actor,
        payout_id=public_id,
        instruction_sha256=payout.instruction_sha256,
    )
    pay_payout(actor=finance.actor, payout_id=public_id, reference="SEPA 1")


def recounted(programme, at):
    """The same figures, in plain Python over the rows."""
    cases = list(Case.objects.filter(programme=programme))
    decisions = list(
        Decision.objects.filter(programme=programme).select_related("case", "clause", "policy")
    )
    last_word = {}
    for decision in sorted(decisions, key=lambda one: one.round):
        last_word[decision.case.submission_id] = decision
    standings, clauses = Counter(), Counter()
    for submission in Submission.objects.filter(programme=programme):
        mine = [case for case in cases if case.submission_id == submission.id]
        word = last_word.get(submission.id)
        if any(case.closed_at is None for case in mine):
            standings["waiting"] += 1
        elif word is None:
            standings["withdrawn"] += 1
        else:
            standings[word.outcome] += 1
            if word.clause:
                place = (word.policy.number, word.clause.number, word.clause.title)
                clauses[(*place, word.outcome)] += 1
    took = {
        round_: [
            (one.decided_at - one.case.opened_at).total_seconds()
            for one in decisions
            if one.round == round_
        ]
        for round_ in (1, 2)
    }
    appeals = [one for one in decisions if one.round == 2]
    live = [one for one in Release.objects.filter(programme=programme) if one.ended_at is None]
    places = sorted({place[:3] for place in clauses}, key=lambda place: (-place[0], place[1]))
    return {
        "at": at,
        "submitted": sum(standings.values()),
        **{
            name: standings[name]
            for name in ("approved", "declined", "changes_requested", "withdrawn", "waiting")
        },
        "overdue": sum(case.closed_at is None and case.due_at <= at for case in cases),
        "decided": len(decisions),
        "decided_late": sum(one.decided_at > one.case.due_at for one in decisions),
        "median_decision_s": median(took[1]) if took[1] else None,
        "median_appeal_s": median(took[2]) if took[2] else None,
        "appeals_filed": Appeal.objects.filter(case__programme=programme).count(),
        "appeals_decided": len(appeals),
        "appeals_upheld": sum(one.outcome == "declined" for one in appeals),
        "appeals_overturned": sum(one.outcome == "approved" for one in appeals),
        "appeals_independent": sum(_is_independent(one, decisions) for one in appeals),
        "released_listed": sum(one.is_listed for one in live),
        "released_by_link": sum(not one.is_listed for one in live),
        "clauses": [
            ClauseFigure(
                *place, clauses[(*place, "declined")], clauses[(*place, "changes_requested")]
            )
            for place in places
        ],
        "money": _money(programme),
    }


def _is_independent(appeal, decisions):
    before = {
        one.reviewer_id
        for one in decisions
        if one.chain_id == appeal.chain_id and one.id != appeal.id
    }
    people = SealedPerson.objects.filter(submission_id=appeal.case.submission_id)
    took_part = set(people.values_list("party_id", flat=True)) | {appeal.owner_id}
    return appeal.reviewer_id not in before | took_part


def _money(programme):
    earned, paid = Counter(), Counter()
    for line in LedgerEntry.objects.filter(programme=programme).select_related(
        "account", "transaction"
    ):
        if line.account.kind != "owed":
            continue
        if line.transaction.kind == "payout":
            paid[line.currency] += line.amount_micro
        else:
            earned[line.currency] -= line.amount_micro
    return [
        MoneyFigure(Money(earned[currency], currency), Money(paid[currency], currency))
        for currency in sorted(earned)
    ]


def as_dict(found):
    return {name: getattr(found, name) for name in found.__dataclass_fields__}


def test_every_figure_is_what_plain_counting_gives(season):
    at = now()
    found = as_dict(figures(season.id, at))
    expected = recounted(season.programme, at)
    for name in ("median_decision_s", "median_appeal_s"):
        assert found.pop(name) == pytest.approx(expected.pop(name), abs=1e-5)
    assert found == expected


def test_the_season_has_something_of_everything(season):
    found = as_dict(figures(season.id, now()))
    assert {name for name, value in found.items() if not value} == set()
    assert found["appeals_filed"] == 4
    assert (found["appeals_upheld"], found["appeals_overturned"]) == (1, 1)
    assert found["money"][0].owed.amount_micro == 7 * MICRO


def test_parts_sum_to_totals(season):
    found = figures(season.id, now())
    assert found.submitted == (
        found.approved + found.declined + found.changes_requested + found.withdrawn + found.waiting
    )
    assert sum(clause.declined for clause in found.clauses) == found.declined
    assert sum(clause.changes_requested for clause in found.clauses) == found.changes_requested
    assert found.appeals_decided == found.appeals_upheld + found.appeals_overturned
    assert found.appeals_independent == found.appeals_decided


def test_the_figures_of_a_moment_come_out_the_same_later(season, clock):
    tester, second_tester = season.tester, season.second_tester
    clock.advance(seconds=1)
    then = now()
    before = figures(season.id, then)
    clock.advance(hours=1)
    for _ in range(3):
        a_decision(season.second_reviewer, clock)
    for release in Release.objects.filter(ended_at=None):
        owner = tester if release.owner_id == tester.party_id else second_tester
        take_down_release(actor=owner.actor, release_id=shown("release", release.id))
    a_submission(tester)
    assert figures(season.id, then) == before
    assert figures(season.id, now()) != before


def test_other_programmes_do_not_count(season, other_programme):
    found = as_dict(figures(other_programme.id, now()))
    assert {name for name, value in found.items() if value} == {"at"}


def test_figures_cost_three_queries_however_much_there_is(season, django_assert_num_queries):
    at = now()
    with django_assert_num_queries(3):
        figures(season.id, at)


@contextmanager
def as_if_sealed(database, submission_id, party_id):
    """Puts somebody among the people of a submission, past every trigger and key."""
    row_id = new_id()

    def past_all(statement, values):
        with database.superuser.transaction():
            database.superuser.execute("SET LOCAL session_replication_role = replica")
            database.superuser.execute(statement, values)

    past_all(
        "INSERT INTO review_sealedperson (id, submission_id, party_id) VALUES (%s, %s, %s)",
        [row_id, submission_id, party_id],
    )
    try:
        yield
    finally:
        past_all("DELETE FROM review_sealedperson WHERE id = %s", [row_id])


def test_that_a_judge_is_independent_is_counted_and_not_assumed(season, database):
    at = now()
    appeal = Decision.objects.filter(round=2).select_related("case").first()
    with as_if_sealed(database, appeal.case.submission_id, appeal.reviewer_id):
        found = figures(season.id, at)
    assert (found.appeals_decided, found.appeals_independent) == (2, 1)


# Words and doors


def test_every_figure_says_how_it_is_counted(season):
    groups = shown_figures(figures(season.id, now()))
    shown_ones = [figure for group in groups for figure in group.figures]
    assert len(shown_ones) > 15
    assert all(figure.label and figure.value and figure.how for figure in shown_ones)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "nothing was decided yet"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (61, "1 min 1 s"),
        (3600 * 5 + 60 * 7 + 3, "5 h 7 min"),
        (86_400 * 3 + 3600 * 2, "3 d 2 h"),
    ],
)
def test_times_are_said_in_two_units(seconds, words):
    assert duration_words(seconds) == words


def test_the_charter_is_said_in_plain_words(programme):
    open_review(programme, hours=36, appeal_hours=120)
    said = " ".join(charter_sentences(terms_of(programme, now()).charter))
    for words in ("36 hours", "5 days", "184 days", "no ground", "Silence is counted"):
        assert words in said


def test_the_api_gives_terms_and_figures_of_ones_own_programme(season, stranger):
    api = api_of(season.tester.token())
    terms = api.get("/api/v1/programme").json()
    assert terms["slug"] == season.programme.slug
    assert [clause["number"] for clause in terms["policy"]["clauses"]] == [1, 2, 3]
    assert terms["charter"]["decide_within_hours"] == 2
    (release,) = [line for line in terms["rates"] if line["kind"] == "release"]
    assert release["in_force"]["amount_micro"] == 7 * MICRO
    found = api.get("/api/v1/programme/figures").json()
    assert found["submitted"] == Submission.objects.count()
    assert found["money"][0]["owed_micro"] == 7 * MICRO
    other = stranger.api.get("/api/v1/programme").json()
    assert (other["policy"], other["charter"]) == (None, None)
    assert stranger.api.get("/api/v1/programme/figures").json()["submitted"] == 0


def test_the_api_asks_its_scope(tester):
    without = api_of(tester.token("clips:read"))
    for path in ("/api/v1/programme", "/api/v1/programme/figures"):
        assert without.get(path).status_code == 403
        assert api_of(tester.token("programme:read")).get(path).status_code == 200
