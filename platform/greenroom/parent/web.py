"""python -m greenroom.parent.web FD…: serves on the sockets its parent has bound."""

from __future__ import annotations

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


if __name__ == "__main__":
    serve([socket.socket(fileno=int(word)) for word in sys.argv[1:]])
