"""A remote server as its folder describes it: where it is, what may be asked of it, its key."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from generation.engines.limits import Capabilities
from generation.engines.order import Order, OrderRefused
from generation.engines.protocol import EngineFailure, FailureCode
from generation.engines.remote.dialect import Dialect
from generation.engines.remote.line import Address

_KEY = re.compile(r"[!-~]{1,512}")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds and bytes. ``silence_s``: no byte while an answer is due; ``away_s``: how long
    polling goes on without an answer; ``job_s``: from create to completed."""

    connect_s: float = 5.0
    answer_s: float = 60.0
    silence_s: float = 30.0
    away_s: float = 60.0
    job_s: float = 3000.0
    download_s: float = 600.0
    download_bytes: int = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Tier:
    """What one tier asks for: another model's name there, further fields of the create.

    ``is_lossy`` and ``measured`` are the operator's word: how far its pictures are from those of
    the same server without its levers.
    """

    steps: int
    model: str | None = None
    fields: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    is_lossy: bool = False
    measured: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Server:
    """``usual_s``: what the longest, largest clip takes, roughly: the first estimate."""

    folder: Path
    address: Address
    dialect: Dialect
    model: str
    capabilities: Capabilities
    sizes: tuple[tuple[int, int], ...]
    rates: tuple[Fraction, ...]
    tiers: Mapping[str, Tier]
    slots: int
    usual_s: float
    limits: Limits
    key_env: str | None
    key_file: Path | None

    def check(self, order: Order) -> None:
        """Raises ``OrderRefused`` unless this server can be asked for exactly this order."""
        self.capabilities.check(order)
        if (order.width, order.height) not in self.sizes:
            offered = [f"{width}x{height}" for width, height in self.sizes]
            asked = f"{order.width}x{order.height}"
            raise OrderRefused("size_out_of_range", "width", asked=asked, offered=offered)
        if order.rate not in self.rates:
            raise OrderRefused(
                "rate_out_of_range",
                "rate",
                asked=str(order.rate),
                offered=[str(rate) for rate in self.rates],
            )
        is_in_seconds = self.dialect.names.frames is None and self.dialect.whole_seconds
        if is_in_seconds and order.duration.denominator != 1:
            raise OrderRefused("length_out_of_range", "frames", asked=str(order.duration))
        if order.negative_prompt and self.dialect.names.negative_prompt is None:
            raise OrderRefused("negative_prompt_not_offered", "negative_prompt")

    def key(self) -> str | None:
        """Read anew each time, so that it can be changed without a restart."""
        if self.key_env is not None:
            found = os.environ.get(self.key_env, "").strip()
            place = f"the variable {self.key_env}"
        elif self.key_file is not None:
            found, place = _line(self.key_file), f"the file {self.key_file}"
        else:
            return None
        if not _KEY.fullmatch(found):
            raise EngineFailure(FailureCode.CHECKPOINT_MISSING, f"{place} holds no key")
        return found


def _line(path: Path) -> str:
    try:
        with path.open("rb") as opened:
            return opened.read(2048).decode("ascii", "replace").strip()
    except OSError as error:
        raise EngineFailure(FailureCode.CHECKPOINT_MISSING, f"{path}: {error}") from error
