"""The access line: who did what, how it went, how long it took. No query string, no secret."""

from __future__ import annotations

import logging
import re

from greenroom.router.exchange import Exchange

log = logging.getLogger("greenroom.access")

# Public ids have 30 characters. What is longer is a one-time key of a link (password reset,
# invitation, e-mail confirmation): as good as a password until it is used.
_SECRET_SEGMENT = re.compile(r"[^/]{33,}")


def shown_path(path: str) -> str:
    if path.startswith("/static/"):
        return path
    return _SECRET_SEGMENT.sub("…", path.replace("grm_", "…"))


def write_line(exchange: Exchange, *, ms: float) -> None:
    """Status 499 means that the other side left before an answer was begun."""
    log.info(
        "request",
        extra={
            "method": exchange.method,
            "path": shown_path(exchange.path),
            "status": exchange.status or 499,
            "ms": round(ms, 1),
            "credential": exchange.key_id or None,
        },
    )
