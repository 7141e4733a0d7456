"""What one attempt leaves for the next: the token of its create and the id of the job there.

It stands in the job's own folder, and is believed only where it was written for this very order to
this very server.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

from generation.engines.order import Order
from generation.engines.remote.answers import is_id, object_of
from generation.engines.remote.asking import said_to
from generation.engines.remote.server import Server

_FILE = "remote.json"
_LARGEST = 1 << 16


class Note:
    """Without a folder nothing outlives the attempt."""

    def __init__(self, folder: Path | None, order: Order, server: Server) -> None:
        self._path = None if folder is None else folder / _FILE
        self._order = _fingerprint(order, server)
        known = self._read()
        token, job_id = known.get("token"), known.get("id")
        self.token: str = (
            token if isinstance(token, str) and is_id(token) else secrets.token_hex(16)
        )
        self.job_id: str | None = str(job_id) if is_id(job_id) else None

    @property
    def is_kept(self) -> bool:
        return self._path is not None

    def begin(self) -> None:
        """Before the create: an answer that is lost can then be asked for again."""
        self._write()

    def remember(self, job_id: str) -> None:
        self.job_id = job_id
        self._write()

    def forget(self) -> None:
        """The job there is over, or not wanted any more."""
        self.job_id = None
        self.token = secrets.token_hex(16)
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any]:
        if self._path is None:
            return {}
        try:
            with self._path.open("rb") as opened:
                known = object_of(opened.read(_LARGEST)) or {}
        except OSError:
            return {}
        return known if known.get("order") == self._order else {}

    def _write(self) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_name(f".{_FILE}.{os.getpid()}")
        told = {"order": self._order, "token": self.token, "id": self.job_id}
        partial.write_text(json.dumps(told))
        partial.replace(self._path)


def _fingerprint(order: Order, server: Server) -> str:
    """Of what was asked and where; of pictures what they show, not where they lie."""
    address = server.address
    asked = {
        "place": [address.scheme, address.host, address.port, address.prefix, server.dialect.name],
        "said": said_to(server, order),
        "seed": order.seed,
        "pictures": [[one.sha256, one.frame] for one in order.conditions],
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
