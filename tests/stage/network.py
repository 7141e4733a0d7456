"""The socket guard: a test reaches this machine and nothing else. And ports on it.

An audit hook sees every connection that Python makes, whichever library asks. It cannot be
taken off again, which is what is wanted.
"""

from __future__ import annotations

import ipaddress
import random
import socket
import sys
from contextlib import suppress
from typing import Any

GUARDED = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"})
# Below what any system gives to outgoing connections: nobody takes a port between asking and using.
PORTS = range(20_000, 32_000)
HERE = frozenset({"localhost", "", "testserver", socket.gethostname()})


class NetworkBlocked(RuntimeError):
    """Not an OSError: code that shrugs off a failed connection must not hide it."""


def block() -> None:
    sys.addaudithook(_refuse_elsewhere)


def free_port() -> int:
    """One that nobody listens on, drawn so widely that two test processes do not meet."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def _refuse_elsewhere(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in GUARDED:
        return
    host = arguments[0] if event == "socket.getaddrinfo" else _host(*arguments[:2])
    if host is not None and not _is_here(host):
        raise NetworkBlocked(f"a test reached for {host!r} ({event})")


def _host(sock: socket.socket, address: Any) -> Any:
    """None for what has no host: a unix socket, or a socket that is connected already."""
    if sock.family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple):
        return None
    return address[0]


def _is_here(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name in HERE:
        return True
    try:
        found = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return found.is_loopback or found.is_unspecified
