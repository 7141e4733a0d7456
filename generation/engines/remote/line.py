"""A connection, opened and waited on such that the caller has a word in at every breath."""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

BREATH_S = 0.2
USUAL_PORTS = {"http": 80, "https": 443}

Pause = Callable[[], None]
"""Called between waits; what it raises ends the request and passes through unchanged."""


class ServerAway(Exception):
    """No connection, no answer in time, or one that broke off."""


class NotReached(ServerAway):
    """There was no connection, so that nothing can have begun there."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a server is. ``prefix`` is a path without a slash at its end, often empty."""

    scheme: str
    host: str
    port: int
    prefix: str = ""
    ca_file: Path | None = None

    @property
    def shown(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == USUAL_PORTS[self.scheme] else f"{host}:{self.port}"


_Spot = tuple[str, int] | tuple[str, int, int, int]
_Place = tuple[socket.AddressFamily, _Spot]


def wait_for(
    line: socket.socket,
    until: float,
    pause: Pause,
    *,
    writes: bool,
    late: type[ServerAway] = NotReached,
) -> None:
    while True:
        pause()
        poll = select.poll()  # select() cannot see descriptors above 1023
        poll.register(line, select.POLLOUT if writes else select.POLLIN)
        if poll.poll(BREATH_S * 1000):
            return
        if time.monotonic() > until:
            raise late("no answer in time")


@contextmanager
def connected(address: Address, connect_s: float, pause: Pause) -> Iterator[socket.socket]:
    until = time.monotonic() + connect_s
    line = _opened(address, until, pause)
    try:
        if address.scheme == "https":
            line = _wrapped(line, address)
            _shake_hands(line, until, pause)
        yield line
    finally:
        line.close()


def _opened(address: Address, until: float, pause: Pause) -> socket.socket:
    places = _places(address, until, pause)
    failed: ServerAway = NotReached(f"the name {address.host} has no address")
    for number, (family, place) in enumerate(places):
        now = time.monotonic()
        line = socket.socket(family, socket.SOCK_STREAM)
        try:
            # Each address has its share of the time: the first may be a dead one.
            _connect(line, place, now + (until - now) / (len(places) - number), pause)
            return line
        except ServerAway as error:
            line.close()
            failed = error
        except BaseException:
            line.close()
            raise
    raise failed


def _connect(line: socket.socket, place: _Spot, until: float, pause: Pause) -> None:
    line.setblocking(False)
    number = line.connect_ex(place)
    if number == errno.EINPROGRESS:
        wait_for(line, until, pause, writes=True)
        number = line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        raise NotReached(f"no connection to {place[0]} port {place[1]}: {os.strerror(number)}")


def _wrapped(line: socket.socket, address: Address) -> ssl.SSLSocket:
    try:
        trust = ssl.create_default_context(cafile=address.ca_file)
        return trust.wrap_socket(line, server_hostname=address.host, do_handshake_on_connect=False)
    except OSError as error:
        raise NotReached(f"{type(error).__name__}: {error}") from error


def _shake_hands(line: ssl.SSLSocket, until: float, pause: Pause) -> None:
    while True:
        try:
            line.do_handshake()
            return
        except ssl.SSLWantReadError:
            writes = False
        except ssl.SSLWantWriteError:
            writes = True
        except OSError as error:  # a certificate that is not trusted, among others
            raise NotReached(f"{type(error).__name__}: {error}") from error
        wait_for(line, until, pause, writes=writes)


def _places(address: Address, until: float, pause: Pause) -> list[_Place]:
    with suppress(socket.gaierror):
        return _looked_up(address, socket.AI_NUMERICHOST)
    # The resolver cannot be interrupted: it goes on alone, and ends by its own time limit.
    found: list[_Place] = []
    failed: list[OSError] = []
    is_done = threading.Event()

    def look() -> None:
        try:
            found.extend(_looked_up(address, 0))
        except OSError as error:
            failed.append(error)
        finally:
            is_done.set()

    threading.Thread(target=look, name="resolver", daemon=True).start()
    while not is_done.wait(BREATH_S):
        pause()
        if time.monotonic() > until:
            raise NotReached(f"the name {address.host} was not found in time")
    if failed:
        raise NotReached(f"{address.host}: {failed[0]}") from failed[0]
    return found


def _looked_up(address: Address, flags: int) -> list[_Place]:
    answers = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, place) for family, _, _, _, place in answers]  # type: ignore[misc]
