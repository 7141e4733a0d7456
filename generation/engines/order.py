"""What an engine is asked for: one immutable, validated order, and the way it is refused."""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

PROMPT_LIMIT = 2_000
SEED_LIMIT = 2**32
STEPS_LIMIT = 500
SIDE_LIMIT = 8_192
FRAMES_LIMIT = 100_000
RATE_LIMIT = 120
GUIDANCE_LIMIT = 50.0


class OrderRefused(ValueError):
    """Nothing was rendered and nothing changed.

    ``code`` and ``field`` are stable words for the doors to translate; ``facts`` holds the numbers
    that a sentence about it needs (``asked``, ``minimum``, ``maximum``, ``multiple``).
    """

    def __init__(self, code: str, field: str, **facts: Any) -> None:
        super().__init__(f"{field}: {code} {facts}" if facts else f"{field}: {code}")
        self.code = code
        self.field = field
        self.facts = facts


@dataclass(frozen=True, kw_only=True)
class Order:
    """One clip, exactly as it will be rendered: ``frames`` is already snapped (``FrameRule.snap``).

    ``width`` and ``height`` are the file's size in pixels; what the model generates before the crop
    follows from ``SizeRule.generated``. ``guidance`` None means the checkpoint's own default.
    ``checkpoint`` is the local folder of weights, None for an engine that has none.
    Only what holds for every engine is checked here, the rest by ``Capabilities.check``.
    """

    prompt: str
    seed: int
    frames: int
    rate: Fraction
    width: int
    height: int
    steps: int
    tier: str = "standard"
    guidance: float | None = None
    checkpoint: Path | None = None

    def __post_init__(self) -> None:
        _check_prompt(self.prompt)
        _check_whole("seed", self.seed, 0, SEED_LIMIT - 1)
        _check_whole("frames", self.frames, 1, FRAMES_LIMIT)
        _check_whole("steps", self.steps, 1, STEPS_LIMIT)
        for field in ("width", "height"):
            _check_whole(field, getattr(self, field), 2, SIDE_LIMIT)
            if getattr(self, field) % 2:
                # H.264 in yuv420p halves both sides of the colour planes.
                raise OrderRefused("size_odd", field, asked=getattr(self, field))
        if not isinstance(self.rate, Fraction) or not 1 <= self.rate <= RATE_LIMIT:
            raise OrderRefused(
                "rate_out_of_range", "rate", asked=str(self.rate), minimum=1, maximum=RATE_LIMIT
            )
        if self.guidance is not None and not 0 <= self.guidance <= GUIDANCE_LIMIT:
            raise OrderRefused(
                "guidance_out_of_range",
                "guidance",
                asked=self.guidance,
                minimum=0,
                maximum=GUIDANCE_LIMIT,
            )

    @property
    def duration(self) -> Fraction:
        """Seconds, exact."""
        return self.frames / self.rate

    def as_dict(self) -> dict[str, Any]:
        """JSON of this order; ``order_from`` reads it back to an equal value."""
        plain = asdict(self)
        plain["rate"] = str(self.rate)
        plain["checkpoint"] = None if self.checkpoint is None else str(self.checkpoint)
        return plain


def order_from(plain: dict[str, Any]) -> Order:
    """The order that ``Order.as_dict`` wrote; validated again."""
    folder = plain["checkpoint"]
    checkpoint = None if folder is None else Path(folder)
    return Order(**{**plain, "rate": Fraction(plain["rate"]), "checkpoint": checkpoint})


def _check_prompt(prompt: str) -> None:
    if not prompt.strip():
        raise OrderRefused("prompt_empty", "prompt")
    if len(prompt) > PROMPT_LIMIT:
        raise OrderRefused("prompt_too_long", "prompt", asked=len(prompt), maximum=PROMPT_LIMIT)
    # Control characters and lone surrogates break the database, the tokenizer or the page.
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\r\t" for c in prompt):
        raise OrderRefused("prompt_unreadable", "prompt")


def _check_whole(field: str, asked: int, minimum: int, maximum: int) -> None:
    if isinstance(asked, bool) or not isinstance(asked, int) or not minimum <= asked <= maximum:
        name = "size" if field in ("width", "height") else field
        raise OrderRefused(
            f"{name}_out_of_range", field, asked=asked, minimum=minimum, maximum=maximum
        )
