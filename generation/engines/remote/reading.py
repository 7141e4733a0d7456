"""``remote.json``, read strictly: what is not known is refused, and so is what cannot be."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from generation.engines.limits import Capabilities, FrameRule, SizeRule
from generation.engines.order import STEPS_LIMIT, Mode
from generation.engines.protocol import EngineFailure, FailureCode
from generation.engines.remote.dialect import DIALECTS, Dialect
from generation.engines.remote.line import USUAL_PORTS, Address
from generation.engines.remote.server import Limits, Server, Tier

FILE = "remote.json"
KEY_PREFIX = "GREENROOM_REMOTE_"
"""Variables that may hold a key: a folder from elsewhere must not name our other secrets."""

_LARGEST_FILE = 1 << 20
_MOST_SLOTS = 1000
_USUAL_STEPS = 30
_SIZE = re.compile(r"([1-9]\d{1,4})x([1-9]\d{1,4})")
_OURS = {"prompt", "model", "size", "seconds", "input_reference"}


def slots(folder: Path) -> int:
    """How many jobs may wait for this server at once: one process can carry them all, since it
    only waits, with an engine of its own for each."""
    return read_server(folder).slots


def digest_of(folder: Path) -> str:
    try:
        return hashlib.sha256((folder / FILE).read_bytes()).hexdigest()
    except OSError as error:
        raise EngineFailure(FailureCode.CHECKPOINT_MISSING, str(error)) from error


def read_server(folder: Path | None) -> Server:
    """Raises ``EngineFailure``: no such file, damaged, or words that this version does not know."""
    if folder is None or not (folder / FILE).is_file():
        raise EngineFailure(FailureCode.CHECKPOINT_MISSING, str(folder))
    plain = _json(folder / FILE)
    unknown = sorted(set(plain) - FIELDS)
    if unknown:
        raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"{FILE}: {unknown}")
    try:
        return _server(folder, plain)
    except (AttributeError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        told = f"{FILE}: {type(error).__name__}: {error}"
        raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, told) from error


FIELDS = {
    *("address", "dialect", "model", "key_env", "key_file", "ca_file", "sizes", "multiple"),
    *("rates", "frames", "longest_s", "most_steps", "modes", "tiers", "has_sound"),
    *("slots", "usual_s", "limits"),
}


def _server(folder: Path, plain: dict[str, Any]) -> Server:
    dialect = _dialect(plain["dialect"])
    sizes = tuple(_size(text) for text in _list(plain["sizes"]))
    rates = tuple(_rate(text, dialect) for text in _list(plain["rates"]))
    tiers = _tiers(plain, dialect)
    ca_file = plain.get("ca_file")
    key_file = plain.get("key_file")
    return Server(
        folder=folder,
        address=_address(_text(plain["address"]), None if ca_file is None else folder / ca_file),
        dialect=dialect,
        model=_text(plain["model"]),
        capabilities=_capabilities(plain, dialect, sizes, rates, tuple(tiers)),
        sizes=sizes,
        rates=rates,
        tiers=tiers,
        slots=_whole(plain.get("slots", 1), 1, _MOST_SLOTS),
        usual_s=_seconds(plain.get("usual_s", 120)),
        limits=_limits(plain.get("limits", {})),
        key_env=_key_env(plain.get("key_env")),
        key_file=None if key_file is None else folder / _text(key_file),
    )


def _capabilities(
    plain: dict[str, Any],
    dialect: Dialect,
    sizes: tuple[tuple[int, int], ...],
    rates: tuple[Fraction, ...],
    tiers: tuple[str, ...],
) -> Capabilities:
    modes = tuple(Mode(mode) for mode in plain.get("modes", ["text"]))
    if not modes or not set(modes) <= set(dialect.modes):
        raise ValueError(
            f"{dialect.name} offers the modes {[mode.value for mode in dialect.modes]}"
        )
    return Capabilities(
        frames=FrameRule(**{name: _whole(n, 0, 100_000) for name, n in plain["frames"].items()}),
        sizes=SizeRule(
            multiple=_whole(plain.get("multiple", 2), 1, 256),
            least_side=min(min(size) for size in sizes),
            most_side=max(max(size) for size in sizes),
            most_pixels=max(width * height for width, height in sizes),
        ),
        longest_s=Fraction(_text(plain.get("longest_s", "10"))),
        slowest_rate=min(rates),
        fastest_rate=max(rates),
        most_steps=_most_steps(plain),
        tiers=tiers,
        has_guidance=dialect.names.guidance is not None,
        modes=modes,
        most_conditions=0 if modes == (Mode.TEXT,) else 1,
        has_sound=_yes_or_no(plain.get("has_sound", False)),
    )


def _dialect(name: object) -> Dialect:
    found = DIALECTS.get(name) if isinstance(name, str) else None
    if found is None:
        told = f"{FILE}: dialect {name!r}, known are {', '.join(DIALECTS)}"
        raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, told)
    return found


def _address(text: str, ca_file: Path | None) -> Address:
    parts = urlsplit(text)
    if parts.scheme not in USUAL_PORTS or not parts.hostname:
        raise ValueError("the address begins with http:// or https:// and a host")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("the address holds no name, key or question")
    return Address(
        scheme=parts.scheme,
        host=parts.hostname.encode("idna").decode(),
        port=parts.port or USUAL_PORTS[parts.scheme],
        prefix=parts.path.rstrip("/").removesuffix("/v1"),
        ca_file=ca_file,
    )


def _tiers(plain: dict[str, Any], dialect: Dialect) -> dict[str, Tier]:
    most_steps = _most_steps(plain)
    tiers = plain.get("tiers", {"standard": {}})
    return {_text(name): _tier(tier, dialect, most_steps) for name, tier in tiers.items()}


def _most_steps(plain: dict[str, Any]) -> int:
    return _whole(plain.get("most_steps", 100), 1, STEPS_LIMIT)


def _tier(plain: dict[str, Any], dialect: Dialect, most_steps: int) -> Tier:
    if set(plain) - {known.name for known in fields(Tier)}:
        raise ValueError(f"a tier knows no {sorted(plain)}")
    extra, measured = plain.get("fields", {}), plain.get("measured", {})
    names = dialect.names
    ours = {*_OURS, names.frames, names.rate, names.seed}
    if ours & set(extra) or not all(isinstance(v, str | int | float) for v in extra.values()):
        raise ValueError("a tier's fields are texts and numbers, and none of ours")
    if not all(isinstance(value, int | float) for value in measured.values()):
        raise ValueError("what was measured are numbers")
    model = plain.get("model")
    return Tier(
        steps=_whole(plain.get("steps", min(_USUAL_STEPS, most_steps)), 1, most_steps),
        model=None if model is None else _text(model),
        fields=dict(extra),
        is_lossy=_yes_or_no(plain.get("is_lossy", False)),
        measured=dict(measured),
    )


def _limits(plain: dict[str, Any]) -> Limits:
    if set(plain) - {known.name for known in fields(Limits)}:
        raise ValueError(f"limits: {sorted(plain)}")
    most_bytes = plain.get("download_bytes", Limits.download_bytes)
    seconds = {name: _seconds(s) for name, s in plain.items() if name != "download_bytes"}
    return Limits(**seconds, download_bytes=_whole(most_bytes, 1, 1 << 40))


def _key_env(name: object) -> str | None:
    if name is not None and not str(name).startswith(KEY_PREFIX):
        raise ValueError(f"the variable's name begins with {KEY_PREFIX}")
    return None if name is None else str(name)


def _size(text: object) -> tuple[int, int]:
    found = _SIZE.fullmatch(_text(text))
    if found is None or int(found[1]) % 2 or int(found[2]) % 2:
        raise ValueError(f"a size is like 1280x704, both sides even: {text!r}")
    return int(found[1]), int(found[2])


def _rate(text: object, dialect: Dialect) -> Fraction:
    rate = Fraction(_text(text))
    if not 1 <= rate <= 120 or (dialect.whole_rates and rate.denominator != 1):
        raise ValueError(f"{dialect.name} cannot be asked for {text} frames a second")
    return rate


def _json(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as opened:
            plain = json.loads(opened.read(_LARGEST_FILE))
    except (OSError, ValueError, RecursionError) as error:
        raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, f"{FILE}: {error}") from error
    if not isinstance(plain, dict):
        raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, f"{FILE} is not an object")
    return plain


def _list(plain: object) -> list[object]:
    if not isinstance(plain, list) or not plain:
        raise TypeError("a list with one entry at least")
    return plain


def _text(plain: object) -> str:
    if not isinstance(plain, str) or not 1 <= len(plain) <= 1000 or not plain.isprintable():
        raise TypeError(f"a text of one line, not {plain!r}")
    return plain


def _whole(plain: object, least: int, most: int) -> int:
    if isinstance(plain, bool) or not isinstance(plain, int) or not least <= plain <= most:
        raise ValueError(f"a whole number from {least} to {most}, not {plain!r}")
    return plain


def _seconds(plain: object) -> float:
    if isinstance(plain, bool) or not isinstance(plain, int | float) or not 0 < plain <= 86_400:
        raise ValueError(f"seconds, more than 0 and at most a day, not {plain!r}")
    return float(plain)


def _yes_or_no(plain: object) -> bool:
    if not isinstance(plain, bool):
        raise TypeError(f"true or false, not {plain!r}")
    return plain
