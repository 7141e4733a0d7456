"""What an engine is asked for: one immutable, validated order, and the way it is refused."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
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
CONDITIONS_LIMIT = 16
STYLES_LIMIT = 8
STYLE_WEIGHT_LIMIT = 2.0
_SHA256 = 64


class Mode(StrEnum):
    """What an order starts from, beside its words. It follows from the conditions."""

    TEXT = "text"
    IMAGE = "image"
    FIRST_LAST = "first_last"
    KEYFRAMES = "keyframes"


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
class Condition:
    """A picture that the clip must show at ``frame`` (0 is the first, counted in snapped frames).

    ``path`` is our own decoded copy, free of metadata: PNG, RGB. ``strength`` 1 holds it exactly
    where the model can; 0 would ignore it.
    """

    path: Path
    sha256: str
    frame: int
    strength: float = 1.0

    def __post_init__(self) -> None:
        _check_whole("condition_frame", self.frame, 0, FRAMES_LIMIT - 1)
        _check_sha256("conditions", self.sha256)
        if not 0 < self.strength <= 1:
            raise OrderRefused(
                "strength_out_of_range", "conditions", asked=self.strength, minimum=0, maximum=1
            )


@dataclass(frozen=True, kw_only=True)
class StyleWeight:
    """LoRA weights from the approved styles of this house, and how strongly they are used."""

    path: Path
    sha256: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        _check_sha256("styles", self.sha256)
        if not -STYLE_WEIGHT_LIMIT <= self.weight <= STYLE_WEIGHT_LIMIT:
            raise OrderRefused(
                "style_weight_out_of_range",
                "styles",
                asked=self.weight,
                minimum=-STYLE_WEIGHT_LIMIT,
                maximum=STYLE_WEIGHT_LIMIT,
            )


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
    negative_prompt: str = ""
    conditions: tuple[Condition, ...] = ()
    styles: tuple[StyleWeight, ...] = ()

    def __post_init__(self) -> None:
        _check_prompt(self.prompt)
        if self.negative_prompt:
            _check_prompt(self.negative_prompt, "negative_prompt")
        self._check_conditions()
        if len(self.styles) > STYLES_LIMIT:
            raise OrderRefused(
                "too_many_styles", "styles", asked=len(self.styles), maximum=STYLES_LIMIT
            )
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
    def mode(self) -> Mode:
        return mode_of([condition.frame for condition in self.conditions], self.frames)

    @property
    def duration(self) -> Fraction:
        """Seconds, exact."""
        return self.frames / self.rate

    def as_dict(self) -> dict[str, Any]:
        """JSON of this order; ``order_from`` reads it back to an equal value."""
        plain = asdict(self)
        plain["rate"] = str(self.rate)
        plain["checkpoint"] = None if self.checkpoint is None else str(self.checkpoint)
        for field in ("conditions", "styles"):
            plain[field] = [{**one, "path": str(one["path"])} for one in plain[field]]
        return plain

    def _check_conditions(self) -> None:
        at = [condition.frame for condition in self.conditions]
        if len(at) > CONDITIONS_LIMIT:
            raise OrderRefused(
                "too_many_conditions", "conditions", asked=len(at), maximum=CONDITIONS_LIMIT
            )
        if at != sorted(set(at)):
            raise OrderRefused("conditions_unsorted", "conditions", asked=at)
        if at and at[-1] >= self.frames:
            raise OrderRefused(
                "condition_frame_out_of_range", "conditions", asked=at[-1], maximum=self.frames - 1
            )


def mode_of(at: Sequence[int], frames: int) -> Mode:
    """``at``: the frames of the conditions, in order."""
    if not at:
        return Mode.TEXT
    if list(at) == [0]:
        return Mode.IMAGE
    return Mode.FIRST_LAST if list(at) == [0, frames - 1] else Mode.KEYFRAMES


def order_from(plain: dict[str, Any]) -> Order:
    """The order that ``Order.as_dict`` wrote; validated again."""
    folder = plain["checkpoint"]
    conditions = plain.get("conditions", ())
    styles = plain.get("styles", ())
    return Order(
        **{
            **plain,
            "rate": Fraction(plain["rate"]),
            "checkpoint": None if folder is None else Path(folder),
            "conditions": tuple(Condition(**{**c, "path": Path(c["path"])}) for c in conditions),
            "styles": tuple(StyleWeight(**{**s, "path": Path(s["path"])}) for s in styles),
        }
    )


def _check_prompt(prompt: str, field: str = "prompt") -> None:
    if not prompt.strip():
        raise OrderRefused("prompt_empty", field)
    if len(prompt) > PROMPT_LIMIT:
        raise OrderRefused("prompt_too_long", field, asked=len(prompt), maximum=PROMPT_LIMIT)
    # Control characters and lone surrogates break the database, the tokenizer or the page.
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\r\t" for c in prompt):
        raise OrderRefused("prompt_unreadable", field)


def _check_sha256(field: str, digest: str) -> None:
    if len(digest) != _SHA256 or any(c not in "0123456789abcdef" for c in digest):
        raise OrderRefused("hash_wrong", field, asked=digest)


def _check_whole(field: str, asked: int, minimum: int, maximum: int) -> None:
    if isinstance(asked, bool) or not isinstance(asked, int) or not minimum <= asked <= maximum:
        name = "size" if field in ("width", "height") else field
        raise OrderRefused(
            f"{name}_out_of_range", field, asked=asked, minimum=minimum, maximum=maximum
        )
