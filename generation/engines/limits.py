"""What an engine can make: frame grid, size grid and ranges, as values that a page can show."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from generation.engines.order import Mode, Order, OrderRefused


@dataclass(frozen=True, kw_only=True)
class FrameRule:
    """Frame counts a model can make: ``step * k + offset`` between ``minimum`` and ``maximum``.

    Video models compress time, so most make 4k+1 or 8k+1 frames and round anything else in
    silence. Price, quota and length are always computed from the snapped count.
    """

    step: int
    offset: int
    minimum: int
    maximum: int

    def __post_init__(self) -> None:
        if self.step < 1 or self.offset < 0 or self.minimum < 1:
            raise ValueError("a frame rule needs step >= 1, offset >= 0 and minimum >= 1")
        if not (self.allows(self.minimum) and self.allows(self.maximum)):
            raise ValueError("the ends of a frame rule must lie on its own grid")

    def allows(self, frames: int) -> bool:
        return self.minimum <= frames <= self.maximum and (frames - self.offset) % self.step == 0

    def snap(self, frames: int) -> int:
        """The nearest count on the grid, the longer one when two are equally near.

        Exact: no floats. A count outside ``minimum`` .. ``maximum`` is refused, not clamped,
        because nobody who asks for a minute wants ten seconds. ``snap(snap(n)) == snap(n)``.
        """
        if not self.minimum <= frames <= self.maximum:
            raise OrderRefused(
                "frames_out_of_range",
                "frames",
                asked=frames,
                minimum=self.minimum,
                maximum=self.maximum,
            )
        steps_above = (2 * (frames - self.offset) + self.step) // (2 * self.step)
        return steps_above * self.step + self.offset


@dataclass(frozen=True, kw_only=True)
class SizeRule:
    """File sizes an engine can make, in pixels; landscape and portrait alike.

    The model generates the next ``multiple`` up on each side and the surplus is cropped, never
    rescaled: 1920×1080 with multiple 32 is generated as 1920×1088 and loses four rows above and
    four below. One with a ``native`` size generates that and no other; its file may be whole times
    as wide and as high, up to ``enlarge_at_most``, and whoever shows it says what was generated.
    """

    multiple: int
    least_side: int
    most_side: int
    most_pixels: int
    native: tuple[int, int] | None = None
    enlarge_at_most: int = 1

    def generated(self, width: int, height: int) -> tuple[int, int]:
        if self.native is not None:
            return self.native
        return _up(width, self.multiple), _up(height, self.multiple)

    def enlarged_by(self, width: int, height: int) -> int:
        """How many times larger the file is than what is generated, on each side."""
        return 1 if self.native is None else width // self.native[0]

    def crop(self, width: int, height: int) -> tuple[int, int]:
        """Columns and rows cut off at the left and the top; of an odd surplus the smaller part."""
        if self.native is not None:
            return 0, 0
        generated_width, generated_height = self.generated(width, height)
        return (generated_width - width) // 2, (generated_height - height) // 2

    def check(self, width: int, height: int) -> None:
        for field, side in (("width", width), ("height", height)):
            if not self.least_side <= side <= self.most_side:
                raise OrderRefused(
                    "size_out_of_range",
                    field,
                    asked=side,
                    minimum=self.least_side,
                    maximum=self.most_side,
                )
        if width * height > self.most_pixels:
            raise OrderRefused(
                "size_too_large", "width", asked=width * height, maximum=self.most_pixels
            )
        if self.native is not None and (width, height) not in self.offered:
            raise OrderRefused(
                "size_not_offered", "width", asked=f"{width}x{height}", offered=self.offered
            )

    @property
    def offered(self) -> tuple[tuple[int, int], ...]:
        """Every size of a model with a native one, the smallest first; else none is listed."""
        if self.native is None:
            return ()
        width, height = self.native
        return tuple((width * k, height * k) for k in range(1, self.enlarge_at_most + 1))


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """All that can be known about an engine and a checkpoint without loading either.

    ``takes_strength``: it holds a picture as loosely as an order says; others hold it as they do.
    """

    frames: FrameRule
    sizes: SizeRule
    longest_s: Fraction
    slowest_rate: Fraction
    fastest_rate: Fraction
    most_steps: int
    tiers: tuple[str, ...]
    has_guidance: bool
    modes: tuple[Mode, ...] = (Mode.TEXT,)
    most_conditions: int = 0
    takes_strength: bool = False
    takes_styles: bool = False
    has_sound: bool = False

    def frames_for(self, seconds: Fraction, rate: Fraction) -> int:
        """The snapped count nearest to ``seconds`` at ``rate``; half a frame rounds up.

        The grid may make the clip a few frames longer or shorter than asked, so show
        ``frames / rate``, not ``seconds``.
        """
        if not 0 < seconds <= self.longest_s:
            raise OrderRefused(
                "length_out_of_range", "frames", asked=str(seconds), maximum=str(self.longest_s)
            )
        asked = (2 * seconds * rate + 1) // 2
        return self.frames.snap(min(max(asked, self.frames.minimum), self.frames.maximum))

    def check(self, order: Order) -> None:
        """Raises ``OrderRefused`` unless this engine can render exactly this order."""
        self.sizes.check(order.width, order.height)
        self._check_time(order)
        if order.steps > self.most_steps:
            raise OrderRefused(
                "steps_out_of_range",
                "steps",
                asked=order.steps,
                minimum=1,
                maximum=self.most_steps,
            )
        if order.tier not in self.tiers:
            raise OrderRefused("tier_unknown", "tier", asked=order.tier, offered=self.tiers)
        if order.guidance is not None and not self.has_guidance:
            raise OrderRefused("guidance_not_offered", "guidance", asked=order.guidance)
        if order.mode not in self.modes:
            raise OrderRefused(
                "mode_not_offered", "conditions", asked=order.mode.value, offered=self.modes
            )
        if len(order.conditions) > self.most_conditions:
            raise OrderRefused(
                "too_many_conditions",
                "conditions",
                asked=len(order.conditions),
                maximum=self.most_conditions,
            )
        weak = [one.strength for one in order.conditions if one.strength != 1]
        if weak and not self.takes_strength:
            raise OrderRefused("strength_not_offered", "conditions", asked=weak[0])
        if order.styles and not self.takes_styles:
            raise OrderRefused("styles_not_offered", "styles", asked=len(order.styles))

    def _check_time(self, order: Order) -> None:
        if not self.slowest_rate <= order.rate <= self.fastest_rate:
            raise OrderRefused(
                "rate_out_of_range",
                "rate",
                asked=str(order.rate),
                minimum=str(self.slowest_rate),
                maximum=str(self.fastest_rate),
            )
        snapped = self.frames.snap(order.frames)
        if snapped != order.frames:
            raise OrderRefused("frames_off_grid", "frames", asked=order.frames, nearest=snapped)
        # Ten seconds may snap to a frame more than ten seconds, and is still "ten seconds".
        most = self.frames_for(self.longest_s, order.rate)
        if order.frames > most:
            raise OrderRefused("length_out_of_range", "frames", asked=order.frames, maximum=most)


def _up(side: int, multiple: int) -> int:
    return -(-side // multiple) * multiple
