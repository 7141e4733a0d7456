"""python -m greenroom.parent.web FD…: serves on the sockets its parent has bound."""

from __future__ import annotations

import resource
import socket
import sys

import uvicorn

from greenroom.router.wire import Bounded

STOP_LIMIT_S = 4


def serve(sockets: list[socket.socket]) -> None:
    config = uvicorn.Config(
        "greenroom.asgi:application",
        http=Bounded,
        proxy_headers=False,  # only our own trusted-proxy setting counts
        server_header=False,
        access_log=False,  # the router writes one line per request
        log_config=None,
        ws="none",
        timeout_graceful_shutdown=STOP_LIMIT_S,
    )
    uvicorn.Server(config).run(sockets=sockets)


def open_many_files() -> int:
    """Lift the soft limit to the hard one and return it: shells often allow 1,024 open files, and
    every page that listens for events is one."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


if __name__ == "__main__":
    open_many_files()
    serve([socket.socket(fileno=int(word)) for word in sys.argv[1:]])
