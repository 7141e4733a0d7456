"""What is not in the table of moves is refused twice: by Python, and by the database."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import psycopg
import pytest
from django.db import connection

from core.states import UnknownMove, advance, moves_from
from generation.jobs.models import Job
from generation.jobs.rules import LIVE, MOVES, OVER, Move, State
from stage.builders import a_job

transactional = pytest.mark.django_db(transaction=True)
PAIRS = {(before, after) for (before, _), after in MOVES.items()}
OTHER_PAIRS = [pair for pair in product(State, State) if pair[0] != pair[1] and pair not in PAIRS]

# What the constraints on one row ask of a job in this state, beside the state itself.
CLEARED = {"lease_until": "NULL", "held_until": "NULL", "finished_at": "NULL", "failure_code": "''"}
ASKED: dict[State, dict[str, str]] = {
    State.QUEUED: {},
    State.RUNNING: {"lease_until": "core_now()", "fence": "fence + 1"},
    State.HELD: {"held_until": "core_now()"},
    State.FINISHED: {"finished_at": "core_now()"},
    State.FAILED: {"finished_at": "core_now()", "failure_code": "'engine_error'"},
    State.CANCELLED: {"finished_at": "core_now()"},
}
WAY_TO = {
    State.QUEUED: [],
    State.RUNNING: [State.RUNNING],
    State.HELD: [State.HELD],
    State.FINISHED: [State.RUNNING, State.FINISHED],
    State.FAILED: [State.FAILED],
    State.CANCELLED: [State.CANCELLED],
}


def put(via: psycopg.Connection[Any], state: State) -> None:
    """Move the only job there is, past all Python, every column but perhaps the state correct."""
    columns = {"state": f"'{state.value}'", **CLEARED, **ASKED[state]}
    written = ", ".join(f"{name} = {value}" for name, value in columns.items())
    via.execute(f"UPDATE generation_job SET {written}")


def attempt(via: psycopg.Connection[Any], before: State, after: State) -> None:
    """Bring the job to ``before``, then try ``after``; nothing of it stays."""
    with via.transaction(force_rollback=True):
        for step in [*WAY_TO[before], after]:
            put(via, step)


@pytest.mark.parametrize(("state", "move"), [p for p in product(State, Move) if p not in MOVES])
def test_python_refuses_every_move_outside_the_table(state, move, db):
    with pytest.raises(UnknownMove):
        advance(Job.objects.all(), MOVES, move, seen=state)


@transactional
def test_the_database_refuses_every_move_outside_the_table(tester, as_application, as_owner):
    a_job(tester)
    for via, (before, after) in product([as_application, as_owner], OTHER_PAIRS):
        with pytest.raises(psycopg.errors.RestrictViolation) as refused:
            attempt(via, before, after)
        assert refused.value.diag.constraint_name == "job_moves", (before, after)


@transactional
def test_the_database_allows_every_move_of_the_table(tester, as_application):
    a_job(tester)
    for before, after in sorted(PAIRS):
        attempt(as_application, before, after)


def test_the_trigger_lists_exactly_the_moves_of_the_table(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'generation_job_law'")
        (source,) = cursor.fetchone()
    listed = re.findall(r"\('(\w+)', '(\w+)'\)", source.partition("THEN")[0])
    assert {(State(before), State(after)) for before, after in listed} == PAIRS
    assert len(listed) == len(PAIRS)


def test_what_is_over_stays_over_and_what_is_live_can_end():
    assert all(moves_from(MOVES, state) == [] for state in OVER)
    assert set(LIVE) | set(OVER) == set(State)
    for state in LIVE:
        assert any(MOVES[state, move] in OVER for move in moves_from(MOVES, state))
