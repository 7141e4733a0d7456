"""One way to change a state: the row must still be as the mover saw it."""

from __future__ import annotations

from enum import StrEnum

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.states import UnknownMove, advance, moves_from, sources_of
from generation.jobs.models import Job
from generation.jobs.rules import MOVES, Move, State
from stage.builders import a_job


class Light(StrEnum):
    RED = "red"
    GREEN = "green"


class Press(StrEnum):
    GO = "go"
    STOP = "stop"


LIGHTS = {(Light.RED, Press.GO): Light.GREEN, (Light.GREEN, Press.STOP): Light.RED}


def test_the_table_is_the_list_of_buttons():
    assert moves_from(LIGHTS, Light.RED) == [Press.GO]
    assert sources_of(LIGHTS, Press.STOP) == [Light.GREEN]


def test_the_first_mover_wins_and_the_second_hears_it(tester):
    mine = Job.objects.filter(id=a_job(tester).id)
    assert advance(mine, MOVES, Move.HOLD, seen=State.QUEUED, held_until=tester.person.made_at)
    assert not advance(mine, MOVES, Move.HOLD, seen=State.QUEUED, held_until=None)


def test_a_move_that_is_not_in_the_table_raises_and_asks_nothing_of_the_database(tester):
    mine = Job.objects.filter(id=a_job(tester).id)
    with CaptureQueriesContext(connection) as asked, pytest.raises(UnknownMove):
        advance(mine, MOVES, Move.RESUME, seen=State.QUEUED)
    assert len(asked) == 0


def test_only_the_named_fields_are_written(tester):
    mine = Job.objects.filter(id=a_job(tester).id)
    with CaptureQueriesContext(connection) as asked:
        advance(mine, MOVES, Move.HOLD, seen=State.QUEUED, held_until=tester.person.made_at)
    (update,) = [query["sql"] for query in asked]
    written = update.partition(" SET ")[2].partition(" WHERE ")[0]
    assert [part.split(" = ")[0] for part in written.split(", ")] == ['"state"', '"held_until"']
    assert "\"state\" = 'queued'" in update.partition(" WHERE ")[2]
