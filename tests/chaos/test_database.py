"""PostgreSQL is killed in mid-clip; the worker goes on and writes the end when it is back."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import psycopg
import pytest
from chaos.conftest import Crew, a_crew, a_slow_model, wait_until
from django.db import connection

from accounts.programmes.models import Role
from accounts.quotas.queries import discrepancies
from generation.clips.models import Clip
from generation.jobs.models import Attempt, Job
from generation.jobs.rules import State
from generation.worker.watchdog import watch_leases
from greenroom.embedded.roles import APP
from stage.builders import a_job, a_programme
from stage.cast import a_member
from stage.database import Database, Template, binaries_to_test

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def own_database(transactional_db: None) -> Iterator[Database]:
    """A second cluster, which may be killed; Django of this process works on it meanwhile."""
    usual = dict(connection.settings_dict)
    database = Database(Template(binaries_to_test()).copy())
    try:
        database.cluster.start()
        info = psycopg.conninfo.conninfo_to_dict(database.url(APP))
        connection.close()
        connection.settings_dict.update(HOST=info["host"], PASSWORD=info["password"])
        yield database
    finally:
        connection.close()
        connection.settings_dict.update(usual)
        database.cluster.remove()


@pytest.fixture
def crew(own_database: Database, media: Path, tmp_path: Path) -> Iterator[Crew]:
    made = a_crew(own_database, media, tmp_path)
    yield made
    made.leave()


def test_a_database_killed_in_mid_clip_costs_nothing(crew: Crew, own_database: Database) -> None:
    a_slow_model()
    tester = a_member(a_programme("studio"), Role.TESTER, name="tester")
    crew.hire()
    jobs = [a_job(tester, width=1280, height=720, seconds=Fraction(10)), a_job(tester)]
    wait_until(lambda: crew.is_drawing(jobs[0]))

    kill_and_start_again(own_database)

    wait_until(lambda: all_finished(jobs), doing=watch_leases)
    assert Clip.objects.count() == 2
    assert list(Attempt.objects.values_list("outcome", flat=True)) == ["finished"] * 2
    assert discrepancies() == []


def kill_and_start_again(database: Database) -> None:
    pid: Any = database.cluster.status().pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not database.cluster.status().is_running)
    connection.close()
    database.cluster.start()


def all_finished(jobs: list[Job]) -> bool:
    ids = [job.id for job in jobs]
    return Job.objects.filter(id__in=ids, state=State.FINISHED).count() == len(jobs)
