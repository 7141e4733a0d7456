"""What a clip shows, told from its frames alone: the judge of how well a prompt was followed.

Measures of the frames (colours, the outline's harmonics, the tracks of place and size) are compared
with those of drawn clips that went through the autoencoder, two thirds of them with latents a
little off, as generated ones are; the nearest seven vote. Nothing here knows the prompt, and
nothing is learned from generated clips.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from demo_model import codec
from demo_model.codec import Codec
from demo_model.rendering import render
from demo_model.scenes import LOOKS, SIDE, STYLES, Scene, random_scene

TRAITS = ("style", "background", "colour", "motion", "shape")
KNOWN_CLIPS = 1_800
_OFF = (0.0, 0.15, 0.3)
"""How far off the latents of known clips are, in turn, in units of the latents' mean square."""
_NEIGHBOURS = 7
_HARMONICS = 8
_ORDERS, _ANGLES, _RINGS = 6, 48, 10


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Each of shape (clips, numbers); ``colour`` goes with its ground, since contrast misleads."""

    style: Tensor
    background: Tensor
    colour: Tensor
    motion: Tensor
    shape: Tensor


def measure(clips: Tensor) -> Measures:
    """``clips``: (clips, 3, 17, 64, 64), -1 … 1."""
    clips = (clips.float().clamp(-1, 1) + 1) / 2
    ground = _ground(clips)
    apart = (clips - ground).square().sum(1).sqrt()
    weight = _object(apart)
    around = _Around(weight)
    border = torch.cat([clips[..., :3], clips[..., -3:]], -1)
    top, bottom = border[..., :10, :].mean((2, 3, 4)), border[..., -10:, :].mean((2, 3, 4))
    inner = (clips * weight[:, None]).sum((2, 3, 4)) / weight.sum((1, 2, 3))[:, None]
    return Measures(
        style=_style(clips, ground, apart, around, inner, border),
        background=(top + bottom) / 2,
        colour=torch.cat([inner, (top + bottom) / 4], 1),
        motion=around.motion(),
        shape=around.outline(),
    )


def _ground(clips: Tensor) -> Tensor:
    """Each row's colour at the sides over all frames, (clips, 3, 1, rows, 1)."""
    sides = torch.cat([clips[..., :8], clips[..., -8:]], -1)
    return sides.permute(0, 1, 3, 2, 4).flatten(3).median(-1).values[:, :, None, :, None]


def _object(apart: Tensor) -> Tensor:
    """0 … 1: how much a pixel belongs to what stands out most; (clips, frames, rows, columns)."""
    most = apart[:, ::4].flatten(1).quantile(0.985, 1)[:, None, None, None].clamp(min=0.05)
    return ((apart / most - 0.40) / 0.25).clamp(0, 1)


class _Around:
    """An object's pixels in coordinates of its own centre. Its place and size are told from every
    frame, its outline from every fourth."""

    def __init__(self, weight: Tensor) -> None:
        axis = (torch.arange(SIDE, device=weight.device) + 0.5) * 2 / SIDE - 1
        rows, columns = weight.sum(3), weight.sum(2)
        self.mass = rows.sum(2).clamp(min=1.0)
        self.x = (columns * axis).sum(2) / self.mass
        self.y = (rows * axis).sum(2) / self.mass
        squares = (columns * axis.square()).sum(2) + (rows * axis.square()).sum(2)
        spread = squares / self.mass - self.x.square() - self.y.square()
        self.reach = spread.clamp(min=4e-4).sqrt()
        self.weight = weight[:, ::4]
        left, down = axis - self.x[:, ::4, None], axis - self.y[:, ::4, None]
        self.place = torch.complex(
            left[:, :, None, :].expand_as(self.weight), down[:, :, :, None].expand_as(self.weight)
        )
        self.length = self.place.abs()
        # About the outline: moments of order n about the centre, each of shape (clips, frames).
        power = torch.ones_like(self.place)
        size = torch.ones_like(self.length)
        self.moments: list[Tensor] = []
        for _ in range(_ORDERS):
            power, size = power * self.place, size * self.length
            whole = (self.weight * size).sum((2, 3)).clamp(min=1e-5)
            self.moments.append((self.weight * power).sum((2, 3)) / whole)

    def motion(self) -> Tensor:
        x, y = self.x - self.x.mean(1, keepdim=True), self.y - self.y.mean(1, keepdim=True)
        size = (self.reach / self.reach.mean(1, keepdim=True)).log()
        turns = [number for order in (3, 4, 5) for number in self._turning(order)]
        turn = torch.stack(turns, 1)
        return torch.cat([x[:, ::2], y[:, ::2], 0.8 * size[:, ::2], 0.5 * turn], 1)

    def _turning(self, order: int) -> tuple[Tensor, Tensor]:
        """1 where the outline keeps its direction through the clip, 0 where it goes around; and
        how much of a direction it has."""
        moment = self.moments[order - 1]
        strength = moment.abs().mean(1)
        return moment.mean(1).abs() / strength.clamp(min=1e-3), 2 * strength

    def outline(self) -> Tensor:
        """Free of place, size and direction, each the mean over the frames."""
        far = self._farthest()
        spectrum = torch.fft.rfft(far, dim=2).abs()
        harmonics = (spectrum[:, :, 1 : _HARMONICS + 1] / spectrum[:, :, :1]).mean(1)
        moments = torch.stack([moment.abs().mean(1) for moment in self.moments[1:]], 1)
        reach = far.mean(2)
        rings = self._rings(far.amax(2))
        mass = self.weight.sum((2, 3))
        fill = mass * (2 / SIDE) ** 2 / (math.pi * reach.square()).clamp(min=1e-3)
        spread = far.amax(2) / reach
        both = torch.stack([0.5 * fill.mean(1), spread.mean(1)], 1)
        return torch.cat([6 * harmonics, 3 * moments, rings, both], 1)

    def _farthest(self) -> Tensor:
        """(clips, frames, angles): how far out the object goes in each direction, softly."""
        angle = torch.angle(self.place)
        bins = ((angle + math.pi) / (2 * math.pi) * _ANGLES).long().clamp(0, _ANGLES - 1)
        held = (self.weight * self.length).flatten(2)
        empty = held.new_zeros(*held.shape[:2], _ANGLES)
        far = empty.scatter_reduce(2, bins.flatten(2), held, "amax")
        # Near the centre some directions hold no pixel: their neighbours speak for them.
        near = torch.stack([far.roll(1, 2), far.roll(-1, 2)]).amax(0)
        return torch.where(far > 0, far, near).clamp(min=1e-3)

    def _rings(self, reach: Tensor) -> Tensor:
        share = (self.length / reach[..., None, None]).clamp(0, 0.999)
        bins = (share * _RINGS).long().flatten(2)
        empty = self.weight.new_zeros(*bins.shape[:2], _RINGS)
        filled = empty.scatter_add(2, bins, self.weight.flatten(2))
        return (filled / self.weight.sum((2, 3)).clamp(min=1.0)[..., None]).mean(1) * 2


def _style(
    clips: Tensor, ground: Tensor, apart: Tensor, around: _Around, inner: Tensor, border: Tensor
) -> Tensor:
    middle = clips.mean(1)
    middle = middle[:, ::4]
    steps = (middle[..., 1:, :] - middle[..., :-1, :]).abs()
    near = (around.length < 0.5 * around.reach[:, ::4, None, None]).float()
    core = (apart[:, ::4] * near).sum((1, 2, 3)) / near.sum((1, 2, 3)).clamp(min=1)
    wash = (border - ground).square().mean((1, 2, 3, 4)).sqrt()
    colour = border.mean((2, 3, 4))
    dark = middle.flatten(1).quantile(0.03, 1)
    light = middle.flatten(1).quantile(0.97, 1)
    numbers = [
        core / apart[:, ::4].flatten(1).quantile(0.985, 1).clamp(min=0.05),
        4 * wash,
        3 * steps.mean((1, 2, 3)),
        dark,
        light,
        around.mass.mean(1) / SIDE**2,
        (border[..., :8, :].mean((1, 2, 3, 4)) - border[..., -8:, :].mean((1, 2, 3, 4))),
    ]
    return torch.cat([torch.stack(numbers, 1), 0.5 * colour, 0.5 * inner], 1)


@dataclass(frozen=True, kw_only=True)
class Detector:
    scenes: list[Scene]
    measures: Measures

    def seen(self, clips: Tensor) -> list[Scene]:
        """What each clip shows. Size and gradient are not judged and stand as of no meaning."""
        found = measure(clips)
        styles = self._votes("style", found.style, [True] * len(self.scenes))
        return [self._scene(found, place, style) for place, style in enumerate(styles)]

    def _scene(self, found: Measures, place: int, style: str) -> Scene:
        # Neon makes every ground dark: the other traits are told among clips of one style.
        alike = [scene.style == style for scene in self.scenes]
        traits: dict[str, Any] = {
            trait: self._votes(trait, getattr(found, trait)[place : place + 1], alike)[0]
            for trait in TRAITS[1:]
        }
        return Scene(size="big", style=style, **traits)

    def _votes(self, trait: str, numbers: Tensor, asked: list[bool]) -> list[str]:
        chosen = torch.tensor(asked)
        known: Tensor = getattr(self.measures, trait)[chosen]
        labels = [
            getattr(scene, trait)
            for scene, is_asked in zip(self.scenes, asked, strict=True)
            if is_asked
        ]
        spread = known.std(0).clamp(min=1e-3) if trait in _SCALED else torch.ones(known.shape[1])
        nearest = torch.cdist(numbers / spread, known / spread).topk(_NEIGHBOURS, largest=False)
        return [_most(labels, places) for places in nearest.indices.tolist()]


_SCALED = ("style", "shape")


def _most(labels: list[str], places: list[int]) -> str:
    votes: dict[str, int] = {}
    for place in places:  # nearest first: it wins a tie
        votes[labels[place]] = votes.get(labels[place], 0) + 1
    return max(votes, key=lambda label: votes[label])


def detector(found: Codec, *, clips: int = KNOWN_CLIPS, seed: int = 11) -> Detector:
    scenes, numbers = [], []
    chance = random.Random(seed)  # noqa: S311 - scenes, no secrets
    noise = torch.Generator().manual_seed(seed)
    for batch in range(clips // 100):
        drawn = [any_scene(chance) for _ in range(100)]
        scenes += drawn
        shown = through(found, render(drawn, chance), off=_OFF[batch % len(_OFF)], noise=noise)
        numbers.append(measure(shown))
    joined = {trait: torch.cat([getattr(one, trait) for one in numbers]) for trait in TRAITS}
    return Detector(scenes=scenes, measures=Measures(**joined))


def any_scene(chance: random.Random) -> Scene:
    """Of any style or look, held out or not: the judge has seen them all."""
    scene = random_scene(chance, held_out=chance.random() < 0.15)
    return replace(scene, style=chance.choice([*STYLES, *LOOKS]))


def through(
    found: Codec, clips: Tensor, *, off: float = 0.0, noise: torch.Generator | None = None
) -> Tensor:
    """Encoded and decoded, by the arithmetic that ``codec.build`` writes into the stock class;
    ``off``: with so much noise on the latents, in units of what the pipeline normalises them to."""
    cells = codec.patches(clips)
    middle = codec.spread(found.mean)
    latents = (cells - middle) @ found.axes
    if off:
        drawn = torch.randn(latents.shape, generator=noise)
        latents = latents + off * codec.latents_std(found.std) * drawn
    decoded = codec.neighbourhoods(latents) @ found.reading @ found.patch + middle
    return codec.unpatched(decoded)


def agreement(asked: list[Scene], seen: list[Scene]) -> dict[str, float]:
    """Shares that are right, by trait; ``motion`` of the four directions, ``motion10`` of all.
    Pencil is left out of ``colour``: it is nearly grey by design."""
    from demo_model.scenes import DIRECTIONS

    pairs = list(zip(asked, seen, strict=True))
    kept: dict[str, Callable[[Scene], bool]] = {
        "style": lambda _: True,
        "background": lambda _: True,
        "colour": lambda scene: scene.style in ("flat", "neon", "watercolour"),
        "motion": lambda scene: scene.motion in DIRECTIONS,
        "motion10": lambda _: True,
        "shape": lambda _: True,
    }
    shares = {}
    for trait, counts in kept.items():
        name = "motion" if trait == "motion10" else trait
        right = [getattr(one, name) == getattr(two, name) for one, two in pairs if counts(one)]
        shares[trait] = sum(right) / max(1, len(right))
    return shares


def ceiling(judge: Detector, found: Codec, *, clips: int = 200, seed: int = 12) -> dict[str, float]:
    """How often the judge is right on drawn clips it has not seen, through the autoencoder."""
    chance = random.Random(seed)  # noqa: S311 - scenes, no secrets
    scenes = [random_scene(chance, held_out=chance.random() < 0.5) for _ in range(clips)]
    return agreement(scenes, judge.seen(through(found, render(scenes, chance))))
