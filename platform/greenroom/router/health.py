"""/health/live and /health/ready, for whoever starts, restarts and balances this process.

Both say as little as possible: they are open to everybody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from greenroom.router import problems
from greenroom.router.exchange import Exchange
from greenroom.router.problems import Unavailable, refuse

# Anybody may ask as often as he likes; the database is asked once in this time.
_ANSWER_KEPT_S = 1.0
# Whoever probes gives up after a few seconds; a no is better than none.
_PATIENCE_S = 2.0
_HEADERS = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]

Migrations = Sequence[tuple[str, str]]


class Readiness(Protocol):
    async def is_migrated(self, migrations: Migrations) -> bool: ...


class Health:
    """`wanted` names the migrations this program needs; it is called once, in a thread."""

    def __init__(self, database: Readiness, wanted: Callable[[], Migrations]) -> None:
        self._database = database
        self._wanted = wanted
        self._migrations: Migrations | None = None
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._is_ready = False

    async def live(self, exchange: Exchange) -> None:
        """The event loop turns: that is all."""
        await self._answer(exchange, "live")

    async def ready(self, exchange: Exchange) -> None:
        """The database answers and has every migration of this program; otherwise 503."""
        async with self._asking:
            if time.monotonic() - self._asked_at > _ANSWER_KEPT_S:
                self._is_ready = await self._ask()
                self._asked_at = time.monotonic()
        if self._is_ready:
            await self._answer(exchange, "ready")
        else:
            await refuse(exchange, problems.NOT_READY)

    async def _ask(self) -> bool:
        if self._migrations is None:
            self._migrations = await asyncio.to_thread(self._wanted)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._database.is_migrated(self._migrations)
        except (Unavailable, TimeoutError):
            return False

    async def _answer(self, exchange: Exchange, status: str) -> None:
        if exchange.method not in ("GET", "HEAD"):
            await refuse(exchange, problems.READ_ONLY)
            return
        await exchange.answer(200, _HEADERS, b'{"status": "%s"}' % status.encode())


def migrations_on_disk() -> Migrations:
    """The newest migration of each app. Looks at files, not at the database."""
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(None, ignore_no_migrations=True)
    return [(str(app), str(name)) for app, name in loader.graph.leaf_nodes()]
