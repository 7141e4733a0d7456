"""The form in which a verdict is typed: what it held, and the wish it makes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from core.errors import InvalidOrder
from review.decisions.commands import VerdictWish

RANGES = 3
QUOTES = 2
_WHOLE = re.compile(r"[0-9]{1,9}\Z")


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the verdict form, as it was typed: whatever is refused, nothing is lost."""

    outcome: str = ""
    clause: str = ""
    reason: str = ""
    remedy: str = ""
    reversal: str = ""
    frames: list[tuple[str, str]] = field(default_factory=list)
    quotes: list[str] = field(default_factory=list)
    lease_number: str = ""
    replaces: str = ""

    @classmethod
    def of(cls, said: QueryDict) -> Typed:
        plain = (
            "outcome",
            "clause",
            "reason",
            "remedy",
            "reversal",
            "lease_number",
            "replaces",
        )
        frames = zip(said.getlist("frame_from"), said.getlist("frame_to"), strict=False)
        return cls(
            **{name: said.get(name, "") for name in plain},
            frames=[(start.strip(), end.strip()) for start, end in frames],
            quotes=said.getlist("quote"),
        )

    @classmethod
    def before(cls, draft: dict[str, Any]) -> Typed:
        """What was taken back, from the session."""
        frames = [(str(start), str(end)) for start, end in draft.pop("frames")]
        return cls(**draft, frames=frames)

    def wish(self, prompt: str) -> VerdictWish:
        """Raises ``InvalidOrder`` for frames that are no numbers."""
        return VerdictWish(
            outcome=self.outcome,
            lease_number=whole(self.lease_number) or 0,
            clause=whole(self.clause),
            reason=self.reason,
            remedy=self.remedy,
            reversal=self.reversal,
            frames=[_frames(start, end) for start, end in self.frames if start or end],
            quotes=[_quote(text, prompt) for text in self.quotes if text.strip()],
            replaces=self.replaces,
        )

    @property
    def ranges(self) -> list[tuple[str, str]]:
        return [*self.frames, *[("", "")] * RANGES][:RANGES]

    @property
    def quotations(self) -> list[str]:
        return [*self.quotes, *[""] * QUOTES][:QUOTES]

    @property
    def is_long(self) -> bool:
        """Whether the fields for further evidence hold any."""
        return any(start or end for start, end in self.ranges[1:]) or bool(self.quotations[1])


def whole(text: str) -> int | None:
    """None for what is no whole number of at most nine digits."""
    return int(text) if _WHOLE.match(text.strip()) else None


def _frames(start: str, end: str) -> tuple[int, int]:
    """One frame where only one of the two is given."""
    found = (whole(start or end), whole(end or start))
    if found[0] is None or found[1] is None:
        raise InvalidOrder(
            "frames_outside_the_clip", _("Frames are whole numbers, from 0."), field="frames"
        )
    return found[0], found[1]


def _quote(text: str, prompt: str) -> str:
    """Forms send line ends as CR and LF, whatever the prompt has."""
    said = text.strip()
    return said if said in prompt else said.replace("\r\n", "\n")
