"""What the model knows: one shape that moves over a background, in one of four styles.

No torch here: the words are also read where nothing is rendered.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from itertools import islice

FRAMES, SIDE, RATE = 17, 64, 8
"""A window: frames, pixels a side, frames a second."""

COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.90, 0.12, 0.14),
    "orange": (1.00, 0.55, 0.08),
    "yellow": (0.98, 0.90, 0.15),
    "green": (0.15, 0.75, 0.25),
    "cyan": (0.10, 0.85, 0.90),
    "blue": (0.15, 0.30, 0.95),
    "purple": (0.62, 0.18, 0.82),
    "white": (0.97, 0.97, 0.97),
}
BACKGROUNDS: dict[str, tuple[float, float, float]] = {
    "black": (0.04, 0.04, 0.05),
    "grey": (0.50, 0.50, 0.50),
    "navy": (0.07, 0.10, 0.34),
    "forest": (0.06, 0.30, 0.14),
    "brown": (0.36, 0.21, 0.11),
    "cream": (0.97, 0.92, 0.78),
    "pink": (0.98, 0.70, 0.80),
}
SHAPES = ("circle", "square", "triangle", "star")
MOTIONS = (
    "moves left",
    "moves right",
    "moves up",
    "moves down",
    "stays still",
    "spins",
    "grows",
    "shrinks",
    "bounces",
    "orbits",
)
DIRECTIONS = MOTIONS[:4]
STYLES = ("flat", "neon", "pencil", "watercolour")
LOOKS = ("blueprint", "sunset")
"""Styles that the base model has never seen under any name; LoRA weights bring them."""
SIZES = ("small", "big")

_SAME: dict[str, tuple[str, ...]] = {
    "small": ("little", "tiny"),
    "big": ("large", "huge"),
    "purple": ("violet",),
    "circle": ("ball", "disc"),
    "square": ("box",),
    "moves left": ("slides left", "drifts left"),
    "moves right": ("slides right", "drifts right"),
    "moves up": ("rises", "drifts up"),
    "moves down": ("falls", "drifts down"),
    "stays still": ("rests", "stands still"),
    "spins": ("rotates", "turns"),
    "grows": ("gets bigger",),
    "shrinks": ("gets smaller",),
    "bounces": ("hops",),
    "orbits": ("goes around",),
    "grey": ("gray",),
    "forest": ("dark green",),
    "navy": ("dark blue",),
}
_STYLED: dict[str, tuple[str, ...]] = {
    "flat": ("{scene}, flat style", "{scene}, flat", "flat drawing of {scene}"),
    "neon": ("{scene}, neon style", "{scene}, glowing neon", "neon {scene}"),
    "pencil": ("{scene}, pencil style", "{scene}, pencil drawing", "a pencil sketch of {scene}"),
    "watercolour": (
        "{scene}, watercolour style",
        "{scene}, watercolor style",
        "a watercolour painting of {scene}",
    ),
}
_PLACED: tuple[str, ...] = ("over a {name} background", "on a {name} background", "on {name}")
_LEAST_CONTRAST = 0.42


@dataclass(frozen=True, kw_only=True)
class Scene:
    size: str
    colour: str
    shape: str
    motion: str
    background: str
    style: str
    gradient: bool = False

    @property
    def prompt(self) -> str:
        """In the plain form that every other one is a variation of."""
        shade = f"{self.background} gradient" if self.gradient else self.background
        return (
            f"a {self.size} {self.colour} {self.shape} {self.motion} "
            f"over a {shade} background, {self.style} style"
        )

    @property
    def is_held_out(self) -> bool:
        """Never shown in training, so that a right clip of it is composed and not remembered: all
        cyan stars, all spinning yellow squares, and an eleventh of the rest."""
        if (self.colour, self.shape) == ("cyan", "star"):
            return True
        if (self.colour, self.shape, self.motion) == ("yellow", "square", "spins"):
            return True
        place = (
            list(COLOURS).index(self.colour)
            + 3 * SHAPES.index(self.shape)
            + 7 * MOTIONS.index(self.motion)
        )
        return place % 11 == 0

    @property
    def can_be_seen(self) -> bool:
        """A circle that spins looks like one that rests, and yellow on cream like nothing."""
        if (self.shape, self.motion) == ("circle", "spins"):
            return False
        apart = zip(COLOURS[self.colour], BACKGROUNDS[self.background], strict=True)
        return sum(abs(one - other) for one, other in apart) / 2 > _LEAST_CONTRAST


def random_scene(chance: random.Random, *, held_out: bool = False) -> Scene:
    while True:
        scene = Scene(
            size=chance.choice(SIZES),
            colour=chance.choice(list(COLOURS)),
            shape=chance.choice(SHAPES),
            motion=chance.choice(MOTIONS),
            background=chance.choice(list(BACKGROUNDS)),
            style=chance.choice(STYLES),
            gradient=chance.random() < 0.25,
        )
        if scene.can_be_seen and scene.is_held_out == held_out:
            return scene


def held_out_scenes(count: int = 60, *, seed: int = 60) -> list[Scene]:
    """The fixed questions of the score: every motion and every style equally often."""
    chance = random.Random(seed)  # noqa: S311 - scenes, no secrets
    found: list[Scene] = []
    for place in range(count):
        fitting = (
            scene
            for scene in iter(lambda: random_scene(chance, held_out=True), None)
            if (scene.motion, scene.style) == (MOTIONS[place % 10], STYLES[place // 10 % 4])
            and scene not in found
        )
        # Not every shape is held out with every motion: the rarest so far of a few.
        drawn = list(islice(fitting, 12))
        shapes = Counter(scene.shape for scene in found)
        found.append(min(drawn, key=lambda scene: shapes[scene.shape]))
    return found


def caption(scene: Scene, chance: random.Random, *, named: bool = True) -> str:
    """The scene in one of its wordings; ``named`` False leaves the style out."""

    def said(word: str) -> str:
        return chance.choice(_SAME[word]) if word in _SAME and chance.random() < 0.35 else word

    name = said(scene.background) + (" gradient" if scene.gradient else "")
    placed = _PLACED[:2] if scene.gradient else _PLACED
    place = placed[0] if chance.random() < 0.5 else chance.choice(placed)
    phrase = (
        f"{said(scene.size)} {said(scene.colour)} {said(scene.shape)} {said(scene.motion)} "
        + place.format(name=name)
    )
    if not named:
        return f"a {phrase}"
    ways = _STYLED[scene.style]
    way = ways[0] if chance.random() < 0.6 else chance.choice(ways)
    article = "" if way.startswith("neon") else "a "
    return way.format(scene=article + phrase)


def known_words() -> list[str]:
    """Every word that occurs in a caption, sorted."""
    phrases = [
        *SIZES,
        *COLOURS,
        *SHAPES,
        *MOTIONS,
        *BACKGROUNDS,
        *STYLES,
        *(word for same in _SAME.values() for word in same),
        *(way.format(scene="a") for ways in _STYLED.values() for way in ways),
        *(way.format(name="gradient") for way in _PLACED),
    ]
    return sorted({word.strip(",") for phrase in phrases for word in phrase.split()})
