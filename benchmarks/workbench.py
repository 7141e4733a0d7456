"""What the scripts that need a database share: a throw-away cluster, Django upon it, a programme.

Import it before anything of Greenroom: importing prepares the environment and sets Django up, also
in the processes that a script starts. The cluster's commits wait for the disk, as production's do.
"""

from __future__ import annotations

import argparse
import atexit
import json
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accounts.credentials.queries import Actor
    from accounts.programmes.models import Programme
    from greenroom.embedded import Cluster

ROOT = Path(__file__).resolve().parent.parent
SERVER = {"shared_buffers": "256MB", "max_wal_size": "4GB", "max_connections": "60"}


def _prepare() -> None:
    if "GREENROOM_WORKBENCH" not in os.environ:
        var = tempfile.mkdtemp(prefix="greenroom-bench-")
        atexit.register(shutil.rmtree, var, ignore_errors=True)
        for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "CELERY_BROKER_URL", "GREENROOM_MEDIA"):
            os.environ.pop(name, None)  # what the operator's shell says is not for a benchmark
        os.environ.update(
            GREENROOM_WORKBENCH="1",
            GREENROOM_VAR=var,
            GREENROOM_MODE="demo",
            DJANGO_SETTINGS_MODULE="greenroom.settings",
            HF_HUB_OFFLINE="1",
        )
        from greenroom.secrets import load_secrets

        load_secrets(create=True)
    import django

    django.setup()
    logging.getLogger().setLevel(logging.ERROR)


_prepare()


@dataclass(frozen=True)
class Bar:
    """What a figure must not exceed (or, with ``is_floor``, fall below)."""

    limit: float
    is_floor: bool = False

    def holds(self, figure: float) -> bool:
        return figure >= self.limit if self.is_floor else figure <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.is_floor else '≤'} {self.limit:g}"


def parsed(description: str | None, quick: str) -> argparse.Namespace:
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--quick", action="store_true", help=quick)
    options.add_argument("--keep", metavar="NAME", help="also write results/<script>-NAME.json")
    return options.parse_args()


@contextmanager
def running_database() -> Iterator[Cluster]:
    """A migrated cluster with honest commits, and Django of this process upon it."""
    from django.db import connection

    from greenroom.embedded import Cluster

    cluster = replace(Cluster.throwaway(), settings=SERVER)
    try:
        cluster.start()
        turn_to(cluster)
        # In a process of its own: this one is the application, and stays so.
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity=0", "--skip-checks"],
            cwd=ROOT,
            env={
                **os.environ,
                "GREENROOM_DB_ROLE": "owner",
                "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
            },
            check=True,
        )
        yield cluster
    finally:
        connection.close()
        cluster.remove()


def turn_to(cluster: Cluster, database: str = "greenroom") -> None:
    """Django of this process, and of those it starts from now on, works on this database."""
    from django.db import connection
    from psycopg.conninfo import conninfo_to_dict

    from greenroom.embedded.roles import APP, OWNER

    url = cluster.url(APP, database)
    os.environ.update(DATABASE_URL=url, DATABASE_OWNER_URL=cluster.url(OWNER, database))
    info = conninfo_to_dict(url)
    connection.close()
    connection.settings_dict.update(
        NAME=info["dbname"], USER=info["user"], PASSWORD=info["password"], HOST=info["host"]
    )


def seeded_programme(credits: int = 10**12) -> Programme:  # noqa: A002
    from accounts.agreements.commands import publish_agreement
    from accounts.programmes.commands import ParticularsWish, make_programme, open_programme
    from accounts.quotas.commands import grant_budget
    from accounts.quotas.models import Kind

    programme = make_programme(slug="bench", wish=ParticularsWish("Bench"))
    publish_agreement(programme_id=programme.id, text="Make clips.", summary="Make clips.")
    grant_budget(programme_id=programme.id, kind=Kind.CREDITS, limit=credits)
    return open_programme(programme_id=programme.id)


def seeded_tester(programme: Programme, number: int, credits: int = 10**9) -> Actor:  # noqa: A002
    """A tester with everything that a submit asks for, acting by a token."""
    from accounts.agreements.commands import answer_agreement
    from accounts.agreements.models import Acceptance
    from accounts.credentials.commands import issue_token
    from accounts.credentials.queries import actor_by_token
    from accounts.people.models import Person
    from accounts.programmes.commands import add_member
    from accounts.programmes.models import Role
    from accounts.quotas.commands import grant_budget
    from accounts.quotas.models import Kind

    person = Person.objects.create_user(f"tester{number}@bench.example", None)
    add_member(programme_id=programme.id, party_id=person.party_id, roles=[Role.TESTER])
    answer_agreement(
        programme_id=programme.id,
        party_id=person.party_id,
        number=1,
        act=Acceptance.Act.ACCEPTED,
        credential_id=None,
    )
    grant_budget(
        programme_id=programme.id, party_id=person.party_id, kind=Kind.CREDITS, limit=credits
    )
    token = issue_token(
        party_id=person.party_id,
        programme_id=programme.id,
        name="bench",
        scopes=["clips:create", "clips:read"],
        days=30,
    )
    actor = actor_by_token(token)
    assert actor is not None
    return actor


def in_processes(deed: Callable[..., Any], arguments: list[tuple[Any, ...]]) -> list[Any]:
    """``deed(barrier, *arguments)`` once per entry, each in a fresh process; answers in order.

    ``deed`` stands at the top of its script and waits at the barrier when it is ready to begin.
    """
    spawn = get_context("spawn")
    with spawn.Manager() as manager:
        barrier = manager.Barrier(len(arguments))
        with spawn.Pool(len(arguments)) as pool:
            waiting = [pool.apply_async(deed, (barrier, *each)) for each in arguments]
            return [each.get() for each in waiting]


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def conclude(figures: dict[str, Any], bars: dict[str, Bar], options: argparse.Namespace) -> None:
    """The table for people, the file to keep, and the last line for programs."""
    for name, figure in figures.items():
        bar = bars.get(name)
        verdict = f"bar {bar}  {'holds' if bar.holds(figure) else 'MISSED'}" if bar else ""
        print(f"{name:26} {figure!s:>12}  {verdict}".rstrip())
    if options.keep:
        _keep(options.keep, figures)
    print(json.dumps(figures))


def _keep(name: str, figures: dict[str, Any]) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    kept = {
        "commit": commit,
        "machine": platform.platform(),
        "cores": os.cpu_count(),
        **figures,
    }
    path = ROOT / "benchmarks" / "results" / f"{Path(sys.argv[0]).stem}-{name}.json"
    path.write_text(json.dumps(kept, indent=2) + "\n")
    print(f"kept in {path.relative_to(ROOT)}")
