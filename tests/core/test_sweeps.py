"""One row that cannot must not keep the others, and somebody sees that it could not."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError

from accounts.people.models import Party
from core.sweeps import sweep, sweep_all

pytestmark = pytest.mark.django_db


def make(kind: str) -> int:
    Party.objects.create(kind=kind)
    if kind == "":
        raise OSError("the disk is away")
    return 1


def said(caplog: pytest.LogCaptureFixture, what: str) -> list[logging.LogRecord]:
    return [each for each in caplog.records if each.message == what]


@pytest.mark.parametrize("bad", ["", "a kind that no party has"])
def test_a_row_that_fails_stops_and_leaves_nothing_but_itself(bad, caplog):
    before = Party.objects.count()
    assert sweep("parties", ["person", bad, "person"], make) == 2
    assert Party.objects.count() == before + 2
    (row,) = said(caplog, "sweep_row_failed")
    assert (row.sweep, row.row) == ("parties", bad)
    (end,) = said(caplog, "sweep_failed")
    assert (end.sweep, end.done, end.failed) == ("parties", 2, 1)
    assert end.levelno == logging.ERROR


def test_where_nothing_fails_nothing_is_said(caplog):
    assert sweep("parties", ["person"], make) == 1
    assert not caplog.records


@pytest.mark.parametrize("lost", [OperationalError, InterfaceError, DatabaseError])
def test_where_the_connection_is_gone_it_ends_at_once(monkeypatch, lost):
    asked = []
    monkeypatch.setattr("core.sweeps.connection", SimpleNamespace(is_usable=lambda: False))

    def gone(row: int) -> int:
        asked.append(row)
        raise lost("server closed the connection")

    with pytest.raises(lost):
        sweep("parties", [1, 2, 3], gone)
    assert asked == [1]


def test_each_sweep_runs_whatever_became_of_the_others_and_the_first_fault_is_raised(caplog):
    ran = []

    def fails() -> int:
        ran.append("fails")
        raise ValueError("no")

    def fails_too() -> int:
        ran.append("fails too")
        raise KeyError("neither")

    with pytest.raises(ValueError, match="no"):
        sweep_all(fails, fails_too, lambda: ran.append("goes on") or 0)
    assert ran == ["fails", "fails too", "goes on"]
    assert [each.sweep for each in said(caplog, "sweep_broke_off")] == ["fails", "fails_too"]
