"""The web of this house, spoken to from another machine: whose credential this is, files there and
back.

One connection a request, over TLS unless it goes to this very machine; no redirect is followed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from generation.engines.remote.line import USUAL_PORTS, Address, Pause
from generation.engines.remote.wire import Answer, Patience, Request, ask
from generation.machines.rules import content_digest, read_worker_credential

_LARGEST_ANSWER = 1 << 16
_GREETING = Patience(connect_s=5, silence_s=10, whole_s=15)
_FILE = Patience(connect_s=10, silence_s=60, whole_s=3600)


class NoCredential(Exception):
    """There is none, or what stands in its place is none. Never says what it read."""


@dataclass(frozen=True)
class Web:
    """Its methods raise ``ServerAway``, ``AnswerGarbled`` and whatever ``pause`` raises; what the
    web refuses is an answer like another."""

    address: Address
    credential: str = field(repr=False)

    def machine(self, pause: Pause) -> tuple[Answer, str]:
        """Whose credential this is; empty where the answer does not say."""
        answer = self._asked(Request(method="GET", target="/worker/me"), _GREETING, pause)
        try:
            said = json.loads(answer.body) if answer.is_fine else {}
        except ValueError:
            said = {}
        return answer, str(said.get("machine", "")) if isinstance(said, dict) else ""

    def put(self, place: tuple[UUID, int], path: Path, sha256: str, pause: Pause) -> Answer:
        attempt_id, fence = place
        request = Request(
            method="PUT",
            target=f"/worker/attempts/{attempt_id}/{fence}/made/{path.name}",
            headers=(("Content-Digest", content_digest(bytes.fromhex(sha256))),),
            upload=path,
        )
        return self._asked(request, _FILE, pause)

    def get(
        self,
        place: tuple[UUID, int],
        sha256: str,
        *,
        file: BinaryIO,
        most_bytes: int,
        pause: Pause,
    ) -> Answer:
        attempt_id, fence = place
        target = f"/worker/attempts/{attempt_id}/{fence}/needed/{sha256}"
        request = Request(method="GET", target=target)
        return self._asked(request, _FILE, pause, most_bytes=most_bytes, file=file)

    def _asked(
        self,
        request: Request,
        patience: Patience,
        pause: Pause,
        *,
        most_bytes: int = _LARGEST_ANSWER,
        file: BinaryIO | None = None,
    ) -> Answer:
        proof = ("Authorization", f"Bearer {self.credential}")
        proved = replace(request, headers=(proof, *request.headers))
        return ask(
            self.address, proved, patience=patience, pause=pause, most_bytes=most_bytes, file=file
        )


def the_web() -> Web:
    """Raises ``NoCredential``. Only where files go to another machine."""
    parts = urlsplit(settings.FILES_ADDRESS)
    try:
        credential = settings.WORKER_CREDENTIAL()
    except (OSError, ValueError):
        raise NoCredential("GREENROOM_WORKER_CREDENTIAL_FILE cannot be read") from None
    if read_worker_credential(credential) is None:
        raise NoCredential("there is no worker credential here, or it is mistyped")
    address = Address(
        scheme=parts.scheme,
        host=(parts.hostname or "").encode("idna").decode(),
        port=parts.port or USUAL_PORTS[parts.scheme],
        prefix=parts.path,
        ca_file=Path(settings.FILES_CA) if settings.FILES_CA else None,
    )
    return Web(address, credential)
