"""An order as the body of a create, in the words of a dialect. Pictures travel as bytes, never as
paths or addresses: some servers would open any path they are told."""

from __future__ import annotations

import json
import secrets
from fractions import Fraction
from io import BytesIO

from generation.engines.local.pictures import prepared
from generation.engines.order import Order
from generation.engines.remote.dialect import Body
from generation.engines.remote.server import Server

Value = str | int | float | bool


def create_body(server: Server, order: Order) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Headers and body. Raises ``EngineFailure`` where the picture is gone."""
    said = said_to(server, order)
    picture = _picture(server, order)
    if server.dialect.body is Body.JSON and picture is None:
        kind, body = "application/json", json.dumps(said).encode()
    else:
        kind, body = _form(said, picture)
    return (("Content-Type", kind), ("Accept", "application/json")), body


def said_to(server: Server, order: Order) -> dict[str, Value]:
    """The fields of a create. The size is what the model generates: the surplus is ours to crop."""
    names, tier = server.dialect.names, server.tiers[order.tier]
    width, height = server.capabilities.sizes.generated(order.width, order.height)
    whole = order.rate.denominator == 1
    rate: Value = order.rate.numerator if whole else str(order.rate)
    said: dict[str, Value] = {
        "prompt": order.prompt,
        "model": tier.model or server.model,
        "size": f"{width}x{height}",
    }
    optional: tuple[tuple[str | None, Value | None], ...] = (
        (names.frames, order.frames),
        (names.rate, rate),
        (names.seed, order.seed),
        (names.steps, order.steps),
        (names.guidance, order.guidance),
        (names.negative_prompt, order.negative_prompt or None),
        (names.tier, order.tier),
        (names.sound, True if server.capabilities.has_sound else None),
    )
    said |= {name: value for name, value in optional if name is not None and value is not None}
    if names.frames is None:
        said["seconds"] = _seconds(order.duration)
    return said | dict(tier.fields)


def _seconds(duration: Fraction) -> str:
    """Six places, from which the nearest frame is the one that was meant."""
    if duration.denominator == 1:
        return str(duration.numerator)
    return f"{float(duration):.6f}".rstrip("0")


def _picture(server: Server, order: Order) -> bytes | None:
    width, height = server.capabilities.sizes.generated(order.width, order.height)
    for picture, _condition in prepared(order, width, height):
        written = BytesIO()
        picture.save(written, "PNG")
        return written.getvalue()
    return None


def _form(said: dict[str, Value], picture: bytes | None) -> tuple[str, bytes]:
    """multipart/form-data (RFC 7578). The boundary is random: no prompt can contain it."""
    boundary = secrets.token_hex(24)
    start, end = f"--{boundary}\r\n", f"--{boundary}--\r\n"
    parts = [
        f'{start}Content-Disposition: form-data; name="{name}"\r\n\r\n{_text(value)}\r\n'.encode()
        for name, value in said.items()
    ]
    if picture is not None:
        head = (
            f'{start}Content-Disposition: form-data; name="input_reference"; filename="first.png"'
            "\r\nContent-Type: image/png\r\n\r\n"
        )
        parts += [head.encode(), picture, b"\r\n"]
    return f"multipart/form-data; boundary={boundary}", b"".join((*parts, end.encode()))


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
