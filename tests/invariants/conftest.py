from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from invariants.world import World, a_world

from greenroom.embedded.roles import APP, OWNER
from stage.clock import Clock
from stage.database import Database


@pytest.fixture(scope="module")
def world(database: Database, django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock():
        yield a_world(Clock(database))
        database.reset()


@pytest.fixture(scope="module")
def roles(database: Database) -> Iterator[dict[str, psycopg.Connection[Any]]]:
    connections = {role: database.connect(role, autocommit=True) for role in (APP, OWNER)}
    yield connections
    for each in connections.values():
        each.close()
