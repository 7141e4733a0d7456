"""Pictures that a clip begins or ends with: read here, sent as references of one's own."""

from __future__ import annotations

import hashlib
import secrets
from argparse import Namespace
from pathlib import Path
from typing import Any

from greenroom.cli.client import Server
from greenroom.cli.outcomes import Exit, Stop

MOST_BYTES = 20 * 1024 * 1024  # so says the server


def conditions_of(asked: Namespace, server: Server) -> list[dict[str, Any]]:
    """As an order names them. Each file is sent once, whatever is tried again."""
    named = [(at, getattr(asked, at)) for at in ("first", "last")]
    wanted = [(at, path) for at, path in named if path is not None]
    if wanted and asked.rights is None:
        raise Stop(
            Exit.USAGE,
            "rights_missing",
            "Say with --rights why you may use the pictures: own, licensed or public_domain.",
        )
    contents = [(at, Path(path).name, _content(path)) for at, path in wanted]
    return [
        {"reference": _sent(server, name, content, asked), "at": at}
        for at, name, content in contents
    ]


def _content(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Stop(Exit.FILE, "file_unreadable", f"{path}: {error.strerror}") from None
    if len(content) > MOST_BYTES:
        raise Stop(Exit.FILE, "file_too_large", f"{path} has more than 20 MB.")
    return content


def _sent(server: Server, name: str, content: bytes, asked: Namespace) -> str:
    fields = {"rights": asked.rights, "rights_words": asked.rights_words or ""}
    body, kind = a_form(fields, name, content)
    # Of the order where it has a key, so that the order made again names the same reference.
    key = asked.idempotency_key or secrets.token_hex(16)
    told_apart = hashlib.sha256(content).hexdigest()[:16]
    sent = server.send("/api/v1/references", body, kind, key=f"{key}-{told_apart}"[-255:])
    return str(sent["id"])


def a_form(fields: dict[str, str], name: str, content: bytes) -> tuple[bytes, str]:
    """multipart/form-data (RFC 7578) with one file."""
    line = secrets.token_hex(16)
    shown = name.replace("\\", "_").replace('"', "_").replace("\r", "_").replace("\n", "_")
    parts = [
        f'--{line}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in fields.items()
    ]
    head = (
        f'--{line}\r\nContent-Disposition: form-data; name="file"; filename="{shown}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    whole = b"".join([*parts, head.encode(), content, f"\r\n--{line}--\r\n".encode()])
    return whole, f"multipart/form-data; boundary={line}"
