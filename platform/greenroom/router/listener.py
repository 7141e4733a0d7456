"""The process's one LISTEN connection: it comes back by itself, and says when it has been away."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import psycopg

from greenroom.router.problems import Unavailable

log = logging.getLogger(__name__)

CHANNEL = "greenroom"
_FIRST_WAIT_S = 0.2
_LONGEST_WAIT_S = 10.0
_QUIET_S = 30.0
_ANSWER_S = 10.0


class Listener:
    """`connected` is awaited after each (re)connect, before the first notification is passed on."""

    def __init__(
        self,
        parameters: Mapping[str, Any],
        *,
        hear: Callable[[str], None],
        connected: Callable[[], Awaitable[None]],
    ) -> None:
        self._parameters = dict(parameters)
        self._hear = hear
        self._connected = connected
        self._wait_s = _FIRST_WAIT_S

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._listen()
            except (psycopg.Error, Unavailable, OSError, TimeoutError) as error:
                log.warning("not listening: %s", type(error).__name__)
            await asyncio.sleep(self._wait_s * random.uniform(0.5, 1.0))  # noqa: S311
            self._wait_s = min(self._wait_s * 2, _LONGEST_WAIT_S)

    async def _listen(self) -> None:
        connection = await psycopg.AsyncConnection.connect(**self._parameters, autocommit=True)
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            await self._connected()
            log.info("listening")
            self._wait_s = _FIRST_WAIT_S
            while True:
                async for notification in connection.notifies(timeout=_QUIET_S):
                    self._hear(notification.payload)
                # After a silence: a connection that died without a word answers nothing.
                async with asyncio.timeout(_ANSWER_S):
                    await connection.execute("SELECT 1")
