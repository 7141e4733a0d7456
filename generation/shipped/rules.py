"""The small video model that comes along: where its files lie, what it is called, what it costs."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path

from generation.catalogue.rules import Offered

FOLDER = Path(__file__).resolve().parents[2] / "demo_model" / "weights"
STYLES = "styles/styles.json"
SLUG = "shapes"
NAME = "Shapes"
LICENCE = "Apache-2.0"
RATE = Fraction(8)
ORDER = 40
"""Before the others: it makes what was asked for, and needs no device of its own."""

# It makes 64 × 64 and nothing else; the file may be larger, and its page says so.
PRICES = tuple(
    Offered(tier, side, side, steps, credits_per_second)
    for side in (64, 256, 512)
    for tier, steps, credits_per_second in (
        ("turbo", 4, 1),
        ("standard", 8, 1),
        ("quality", 24, 2),
    )
)


def revision_of(weights: dict[str, str]) -> str:
    """Other files are another revision, and the same files the same, without anybody counting."""
    told = "\n".join(f"{path} {digest}" for path, digest in sorted(weights.items()))
    return hashlib.sha256(told.encode()).hexdigest()[:12]
