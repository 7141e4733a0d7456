"""The listening sockets. The parent binds them, so that they outlive the web process."""

from __future__ import annotations

import errno
import os
import socket

BACKLOG = 512
HIGHEST = 65535


class PortUnusable(RuntimeError):
    pass


def wanted_port() -> int:
    text = os.environ.get("PORT", "8000")
    if not text.isdigit() or not 0 < int(text) <= HIGHEST:
        raise PortUnusable(f"PORT is {text!r}; it is a number from 1 to 65535.")
    return int(text)


def bind_local(port: int) -> list[socket.socket]:
    """Sockets on 127.0.0.1 and, where there is one, ::1. Raises PortUnusable."""
    bound = [_bind(socket.AF_INET, "127.0.0.1", port)]
    try:
        bound.append(_bind(socket.AF_INET6, "::1", port))
    except PortUnusable:
        bound[0].close()
        raise
    except OSError:
        pass  # no IPv6 here
    return bound


def _bind(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortUnusable(
                f"Port {port} is in use by another program. Choose another: PORT={port + 1} make up"
            ) from None
        if error.errno == errno.EACCES:
            raise PortUnusable(f"Port {port} may not be used by this user.") from None
        raise
    return listener
