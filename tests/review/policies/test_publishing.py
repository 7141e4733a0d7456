from __future__ import annotations

import pytest

from accounts.programmes.commands import ChangedMeanwhile
from core.errors import InvalidOrder
from review.policies.commands import NewClause, publish_charter, publish_policy
from review.policies.models import Clause
from review.policies.queries import charter_in_force, policy_in_force
from review.policies.rules import Ground
from stage.review import CLAUSES

ONE = [NewClause(Ground.HATE, "No hatred", "Of anybody, for what they are.")]


def test_a_policy_is_numbered_and_the_newest_is_in_force(programme):
    publish_policy(programme_id=programme.id, introduction="First.", clauses=CLAUSES)
    second = publish_policy(programme_id=programme.id, introduction="Second.", clauses=ONE)
    found = policy_in_force(programme.id)
    assert found == second
    assert (second.number, [clause.number for clause in found.clauses.all()]) == (2, [1])
    assert Clause.objects.count() == len(CLAUSES) + 1, "the first policy stands as it was"


@pytest.mark.parametrize(
    ("introduction", "clauses", "code"),
    [
        ("Why.", [], "clauses_missing"),
        (" ", ONE, "policy_unreadable"),
        ("Why.", [NewClause(Ground.HATE, "", "words")], "policy_unreadable"),
        ("Why.", [NewClause(Ground.HATE, "title\u202e", "words")], "policy_unreadable"),
    ],
)
def test_a_policy_that_says_nothing_is_refused(programme, introduction, clauses, code):
    with pytest.raises(InvalidOrder) as refused:
        publish_policy(programme_id=programme.id, introduction=introduction, clauses=clauses)
    assert refused.value.code == code
    assert policy_in_force(programme.id) is None


def test_criticism_is_no_ground():
    assert not {"criticism", "opinion", "other"} & set(Ground.values)


def test_a_charter_is_numbered_and_the_newest_is_in_force(programme):
    publish_charter(programme_id=programme.id, decide_within_hours=48, appeal_within_hours=96)
    newest = publish_charter(
        programme_id=programme.id, decide_within_hours=24, appeal_within_hours=96
    )
    assert charter_in_force(programme.id) == newest
    assert (newest.number, newest.appeal_open_days) == (2, 184)


@pytest.mark.parametrize(
    "wrong",
    [{"decide_within_hours": 0}, {"appeal_within_hours": 10**6}, {"appeal_open_days": 0}],
)
def test_a_clock_that_promises_nothing_is_refused(programme, wrong):
    usual = {"decide_within_hours": 48, "appeal_within_hours": 96}
    with pytest.raises(InvalidOrder) as refused:
        publish_charter(programme_id=programme.id, **(usual | wrong))
    assert (refused.value.code, refused.value.field) == ("charter_out_of_range", next(iter(wrong)))


def test_who_writes_second_sees_what_the_first_changed(programme):
    publish_policy(programme_id=programme.id, introduction="First.", clauses=ONE, seen=0)
    publish_policy(programme_id=programme.id, introduction="Second.", clauses=ONE, seen=1)
    with pytest.raises(ChangedMeanwhile) as refused:
        publish_policy(programme_id=programme.id, introduction="Third.", clauses=ONE, seen=1)
    assert refused.value.facts == {
        "number": 2,
        "changes": [{"field": "introduction", "before": "First.", "after": "Second."}],
    }
    publish_policy(programme_id=programme.id, introduction="Second.", clauses=CLAUSES, seen=2)
    with pytest.raises(ChangedMeanwhile) as refused:
        publish_policy(programme_id=programme.id, introduction="Third.", clauses=ONE, seen=2)
    (change,) = refused.value.facts["changes"]
    assert (change["field"], change["before"]) == (
        "clauses",
        "1. No hatred: Of anybody, for what they are.",
    )


def test_a_clock_that_somebody_else_moved_is_not_moved_back_unseen(programme):
    times = {"decide_within_hours": 72, "appeal_within_hours": 120}
    publish_charter(programme_id=programme.id, **times, seen=0)
    publish_charter(programme_id=programme.id, **times | {"decide_within_hours": 24}, seen=1)
    with pytest.raises(ChangedMeanwhile) as refused:
        publish_charter(programme_id=programme.id, **times, seen=1)
    assert refused.value.facts["changes"] == [
        {"field": "decide_within_hours", "before": "72", "after": "24"}
    ]
    assert charter_in_force(programme.id).number == 2
