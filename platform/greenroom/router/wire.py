"""What one connection may send before there is a request: uvicorn itself sets no limit to it.

Without these, one request's headers fill the memory and a thousand sockets that say nothing use up
the process's files. What comes after the headers has its limits in `spool`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 * 1024
HEAD_WITHIN_S = 20.0


class HeadTooLarge(Exception):
    pass


class Bounded(HttpToolsProtocol):
    """A request line with its headers has a largest size, and a time in which it must be whole."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._is_in_head = False
        self._received = self._parsed = 0
        self._until: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self._begin_waiting()
        if self._is_in_head:
            self._received += len(data)
        super().data_received(data)
        # One header without an end reaches no callback: its pieces wait in the parser.
        if self._is_in_head and self._received > LARGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("The headers are too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = True
        self._received = self._parsed = 0

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._end_waiting()
        super().on_headers_complete()

    def _count(self, length: int) -> None:
        """Raises HeadTooLarge into the parser, which then answers 400 and closes."""
        self._parsed += length
        if self._parsed > LARGEST_HEAD:
            raise HeadTooLarge

    def _begin_waiting(self) -> None:
        if self._until is None:
            self._until = self.loop.call_later(HEAD_WITHIN_S, self._too_late)

    def _end_waiting(self) -> None:
        if self._until is not None:
            self._until.cancel()
            self._until = None

    def _too_late(self) -> None:
        self._until = None
        self.transport.close()
