"""Every test process has a PostgreSQL of its own, copied from a template that is migrated once.

The template is built as the owner when the migrations' fingerprint is new, and kept stopped in the
temporary folder; its copies stand in memory where there is room. The tests run as the application
role. GREENROOM_TEST_PG chooses the server: a major version, ``newest`` of the wheel (also when it
is not set) or ``oldest`` of all at hand.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.test import TransactionTestCase

from greenroom.checkout import CHECKOUT
from greenroom.embedded import Binaries, Cluster, system_binaries, wheel_binaries
from greenroom.embedded.roles import APP, OWNER, SUPERUSER
from stage.environment import fresh_folder, own_folder

SCHEMA = Path(__file__).with_name("schema.sql")
TEMPLATES_KEPT = 4


@dataclass
class Database:
    """This test process's own. ``superuser`` is for the stage itself, never for a test."""

    cluster: Cluster

    def url(self, role: str = APP) -> str:
        return self.cluster.url(role)

    @cached_property
    def superuser(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url(SUPERUSER), autocommit=True)

    def connect(self, role: str = APP, **options: Any) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url(role), **options)

    def reset(self) -> None:
        """As after the migrations: every row that a test committed is gone, the clock runs."""
        self.superuser.execute("SELECT test.reset()")

    def waiting(self) -> int:
        """How many sessions wait for a lock at this moment."""
        row = self.superuser.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
        assert row is not None
        return int(row[0])

    def environment(self) -> dict[str, str]:
        """For child processes, which then play on the same stage."""
        return {
            **os.environ,
            "DATABASE_URL": self.url(APP),
            "DATABASE_OWNER_URL": self.url(OWNER),
            "PYTHONPATH": os.pathsep.join(
                str(CHECKOUT / shelf) for shelf in ("", "platform", "tests")
            ),
        }


def binaries_to_test() -> Binaries:
    found = [*wheel_binaries(), *system_binaries()]
    if not found:
        pytest.exit("There is no PostgreSQL here. Install requirements/web.txt.")
    wanted = os.environ.get("GREENROOM_TEST_PG") or "newest"
    if wanted == "newest":
        return found[0]
    if wanted == "oldest":
        return min(found, key=lambda each: each.major)
    for each in found:
        if wanted == str(each.major):
            return each
    pytest.exit(f"There is no PostgreSQL {wanted} here, only {sorted({e.major for e in found})}.")


@dataclass
class Template:
    """A stopped, migrated cluster, shared by all test processes of one fingerprint."""

    binaries: Binaries
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        name = f"template-{self.binaries.major}-{self._fingerprint()}"
        self.folder = own_folder(Path("/tmp")) / name

    def copy(self) -> Cluster:
        with _locked(self.folder.with_suffix(".lock")):
            if not self.folder.exists():
                self._build()
            os.utime(self.folder)
            _forget_old_templates(self.folder)
            return self._stopped().copy_stopped(fresh_folder("run"))

    def _stopped(self) -> Cluster:
        passwords = json.loads((self.folder / "passwords.json").read_text())
        cluster = Cluster.throwaway(home=self.folder, binaries=self.binaries)
        # Races ask which of two transactions was committed first.
        settings = {**cluster.settings, "track_commit_timestamp": "on"}
        return replace(cluster, passwords=passwords, settings=settings)

    def _build(self) -> None:
        fresh = Cluster.throwaway(
            home=self.folder.with_name(f"{self.folder.name}.new"), binaries=self.binaries
        )
        fresh.remove()  # what a killed builder left
        fresh.home.mkdir(mode=0o711)
        try:
            fresh.start()
            _migrate(fresh)
            with psycopg.connect(fresh.url(SUPERUSER), autocommit=True) as superuser:
                superuser.execute(SCHEMA.read_bytes())
                superuser.execute("CHECKPOINT")
        finally:
            fresh.stop()
        kept = fresh.home / "passwords.json"
        kept.touch(mode=0o600)
        kept.write_text(json.dumps(dict(fresh.passwords)))
        fresh.home.rename(self.folder)

    def _fingerprint(self) -> str:
        told = hashlib.sha256(str(self.binaries.folder).encode())
        for path in _what_shapes_the_schema():
            told.update(path.read_bytes())
        return told.hexdigest()[:12]


def _what_shapes_the_schema() -> list[Path]:
    shelves = [CHECKOUT / name for name in ("platform/core", "accounts", "generation", "review")]
    migrations = [
        path
        for shelf in shelves
        for pattern in ("migrations/*.py", "migrations/*.sql", "sql/*.py")
        for path in shelf.glob(pattern)
    ]
    pinned = CHECKOUT / "requirements/web.txt"  # allauth's and Django's own migrations
    roles = CHECKOUT / "platform/greenroom/embedded/roles.py"
    return [*sorted(migrations), pinned, roles, SCHEMA]


def _migrate(cluster: Cluster) -> None:
    """In a process of its own: this one is the application, and stays so."""
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0", "--skip-checks"],
        cwd=CHECKOUT,
        env={**Database(cluster).environment(), "GREENROOM_DB_ROLE": "owner"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.exit(f"The test database cannot be migrated.\n{done.stderr[-4000:]}", returncode=3)


def _forget_old_templates(current: Path) -> None:
    known = sorted(
        (path for path in current.parent.glob("template-*") if path.suffix != ".lock"),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    for old in known[TEMPLATES_KEPT:]:
        if old != current and old.suffix != ".new":
            shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@pytest.fixture(scope="session")
def database() -> Iterator[Database]:
    """Started by the first test that needs it."""
    cluster = Template(binaries_to_test()).copy()
    cluster.start()
    made = Database(cluster)
    try:
        yield made
    finally:
        made.superuser.close()
        cluster.remove()


@pytest.fixture(scope="session")
def django_db_setup(
    database: Database, django_test_environment: None, django_db_blocker: Any
) -> Iterator[None]:
    """In place of pytest-django's: nothing is created here, Django is only told where it is."""
    info = psycopg.conninfo.conninfo_to_dict(database.url(APP))
    settings.DATABASES["default"].update(
        NAME=info["dbname"],
        USER=info["user"],
        PASSWORD=info["password"],
        HOST=info["host"],
        PORT="",
    )
    TransactionTestCase._fixture_setup = classmethod(_refuse_what_needs_an_owner)  # type: ignore[assignment]
    TransactionTestCase._fixture_teardown = lambda _test: database.reset()  # type: ignore[method-assign]
    yield
    with django_db_blocker.unblock():
        connections.close_all()


def _refuse_what_needs_an_owner(cls: type[TransactionTestCase]) -> None:
    if cls.reset_sequences or cls.serialized_rollback or cls.fixtures:
        raise TypeError("the application role cannot reset sequences or load fixtures")


@pytest.fixture
def as_owner(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """A second connection as the role that owns the tables; sees committed rows only."""
    with database.connect(OWNER, autocommit=True) as connection:
        yield connection


@pytest.fixture
def as_application(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """A second connection as the application role; sees committed rows only."""
    with database.connect(APP, autocommit=True) as connection:
        yield connection
