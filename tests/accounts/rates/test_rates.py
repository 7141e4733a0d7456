"""Rates are published before they apply, and never edited."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from accounts.programmes.commands import ChangedMeanwhile
from accounts.rates.commands import RateBeginsAlready, publish_rate
from accounts.rates.models import Rate
from accounts.rates.queries import rate_card, rate_in_force, rates_of
from accounts.rates.rules import FIELDS, ActKind
from accounts.rates.words import shown_rate_card
from core.audit.models import AuditEvent
from core.clock import now
from core.errors import Absent, InvalidOrder
from core.ids import new_id
from core.money import MICRO
from stage.money import a_rate

pytestmark = pytest.mark.django_db

BUG, FEEDBACK = ActKind.BUG_REPORT, ActKind.FEEDBACK


def test_a_rate_applies_from_its_moment_until_the_next_begins(programme, clock):
    start = clock.stop()
    first = a_rate(programme.id, 25 * MICRO)
    clock.advance(hours=2)
    second = a_rate(programme.id, 5 * MICRO)

    def at(**after: float) -> Rate | None:
        return rate_in_force(programme.id, BUG, start + timedelta(**after))

    assert at(seconds=-1) is None
    assert at() == first
    assert at(minutes=119) == first
    assert at(hours=2) == second
    assert rate_in_force(programme.id, FEEDBACK, now()) is None


def test_a_rate_of_another_programme_does_not_apply_here(programme, other_programme):
    a_rate(other_programme.id)
    assert rate_in_force(programme.id, BUG, now()) is None


def test_the_database_says_the_same(programme, clock):
    start = clock.stop()
    a_rate(programme.id, 1)
    a_rate(programme.id, 2, applies_from=start + timedelta(days=1))
    for after in (-1, 0, 3600, 86_399, 86_400, 10**6):
        at = start + timedelta(seconds=after)
        with connection.cursor() as cursor:
            cursor.execute("SELECT rate_in_force(%s, %s, %s)", [programme.id, BUG.value, at])
            (found,) = cursor.fetchone()
        rate = rate_in_force(programme.id, BUG, at)
        assert found == (rate.id if rate else None)


def test_the_card_has_every_kind_with_its_rate_and_those_to_come_in_one_query(
    programme, clock, django_assert_num_queries
):
    start = clock.stop()
    for number in range(5):
        a_rate(programme.id, number)
        clock.advance(minutes=1)
    later = [
        a_rate(programme.id, 10 + days, applies_from=start + timedelta(days=days))
        for days in (2, 1)
    ]
    a_rate(programme.id, 7, FEEDBACK, applies_from=start + timedelta(days=1))
    moment = now()
    with django_assert_num_queries(1):
        card = {line.kind: line for line in rate_card(programme.id, moment)}
    assert list(card) == list(ActKind)
    assert card[BUG].in_force.amount_micro == 4
    assert card[BUG].later == later[::-1]
    assert card[FEEDBACK].in_force is None
    assert len(card[FEEDBACK].later) == 1
    assert card[ActKind.RELEASE] == type(card[BUG])(ActKind.RELEASE, None, [])


def test_the_card_says_plainly_that_nothing_is_paid(programme):
    a_rate(programme.id, 0)
    a_rate(programme.id, 25 * MICRO, FEEDBACK)
    lines = {line.kind: line.now for line in shown_rate_card(rate_card(programme.id, now()))}
    assert lines["release"].amount == lines["bug_report"].amount == "Nothing is paid."
    assert lines["feedback"].amount == "25.00\N{NO-BREAK SPACE}EUR"
    assert [line.is_paid for line in lines.values()] == [False, False, True, False]


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"amount_micro": -1}, "rate_negative"),
        ({"amount_micro": 10**15 + 1}, "rate_too_large"),
        ({"words": "two\nlines"}, "rate_words_invalid"),
        ({"words": "x" * 301}, "rate_words_invalid"),
    ],
)
def test_a_rate_that_makes_no_sense_is_refused(programme, wish, code):
    with pytest.raises(InvalidOrder) as refused:
        publish_rate(**({"programme_id": programme.id, "kind": BUG, "amount_micro": 1} | wish))
    assert refused.value.code == code
    assert not Rate.objects.exists()


def test_nobodys_work_is_priced_afterwards(programme):
    with pytest.raises(InvalidOrder) as refused:
        a_rate(programme.id, applies_from=now() - timedelta(microseconds=1))
    assert refused.value.code == "rate_in_the_past"


def test_two_rates_of_a_kind_do_not_begin_together(programme, clock):
    later = clock.stop() + timedelta(hours=1)
    a_rate(programme.id, applies_from=later)
    with pytest.raises(RateBeginsAlready) as refused:
        a_rate(programme.id, 1, applies_from=later)
    assert refused.value.code == "rate_begins_already"
    a_rate(programme.id, 1, FEEDBACK, applies_from=later)


def test_of_two_published_in_one_moment_the_second_begins_after_the_first(programme, clock):
    clock.stop()
    first, second = a_rate(programme.id), a_rate(programme.id, 1)
    assert first.applies_from < second.applies_from
    clock.advance(seconds=1)
    assert rate_in_force(programme.id, BUG, now()) == second


def test_whoever_did_not_see_the_newest_rate_is_told_what_changed(programme, clock):
    first = a_rate(programme.id, 25 * MICRO, seen=0)
    clock.advance(seconds=1)
    with pytest.raises(ChangedMeanwhile) as refused:
        a_rate(programme.id, 5 * MICRO, seen=0, words="Each")
    assert refused.value.facts["number"] == 1
    assert [each["field"] for each in refused.value.facts["changes"]] == list(FIELDS)
    second = a_rate(programme.id, 5 * MICRO, seen=1, words="Each")
    clock.advance(seconds=1)
    with pytest.raises(ChangedMeanwhile) as refused:
        a_rate(programme.id, MICRO, seen=1)
    assert {"field": "amount", "before": "25 EUR", "after": "5 EUR"} in refused.value.facts[
        "changes"
    ]
    assert {"field": "words", "before": "", "after": "Each"} in refused.value.facts["changes"]
    other = a_rate(programme.id, MICRO, FEEDBACK, seen=0)
    assert [each.number for each in (first, second, other)] == [1, 2, 1]


def test_every_rate_stays_to_be_read_also_those_that_are_over(programme, other_programme, clock):
    kept = []
    for amount in (1, 2, 3):
        kept.append(a_rate(programme.id, amount))
        clock.advance(seconds=1)
    a_rate(other_programme.id)
    a_rate(programme.id, 9, FEEDBACK)
    assert list(rates_of(programme.id, BUG)) == kept[::-1]
    assert rates_of(programme.id).count() == 4


def test_an_absent_programme_has_no_rates(db):
    with pytest.raises(Absent):
        a_rate(new_id())


def test_who_published_it_is_kept_with_it(programme, manager):
    rate = a_rate(programme.id, words="As agreed", actor=manager.party_id)
    assert (rate.published_by_id, rate.words, rate.currency) == (
        manager.party_id,
        "As agreed",
        "EUR",
    )
    (line,) = AuditEvent.objects.filter(kind="rate.published")
    assert (line.subject_id, line.facts["amount_micro"]) == (rate.id, 25 * MICRO)
