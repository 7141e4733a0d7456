"""Scenes as clips: signed distances, drawn on the fly in torch, so that no data is stored."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from demo_model.scenes import BACKGROUNDS, COLOURS, FRAMES, SIDE, Scene

_RADII = {"small": (0.27, 0.32), "big": (0.43, 0.50)}
_PIXEL = 2 / SIDE


@dataclass(frozen=True, kw_only=True)
class _Path:
    """Where the shape is: ``x``, ``y``, ``radius`` and ``angle``, each of shape (clips, frames);
    one unit is half the picture, y grows downwards."""

    x: Tensor
    y: Tensor
    radius: Tensor
    angle: Tensor


def render(
    scenes: Sequence[Scene], chance: random.Random, device: torch.device | str = "cpu"
) -> Tensor:
    """Shape (clips, 3, 17, 64, 64), -1 … 1. ``chance`` moves each a little from where it would
    be, so that one prompt has many clips."""
    paths = [_path(scene, chance) for scene in scenes]
    columns = [torch.stack(column).to(device) for column in zip(*paths, strict=True)]
    distance, own_x, own_y = _distances(scenes, _Path(**dict(zip(_NAMES, columns, strict=True))))
    colour = _colours([COLOURS[scene.colour] for scene in scenes], device)
    ground = _grounds(scenes, device)
    clips = torch.empty(len(scenes), 3, FRAMES, SIDE, SIDE, device=device)
    for style, draw in _DRAWN.items():
        chosen = [place for place, scene in enumerate(scenes) if scene.style == style]
        if chosen:
            clips[chosen] = draw(
                distance[chosen], colour[chosen], ground[chosen], own_x[chosen] + own_y[chosen]
            )
    return clips.clamp_(0, 1).mul_(2).sub_(1)


_NAMES = ("x", "y", "radius", "angle")


def _path(scene: Scene, chance: random.Random) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    share = torch.linspace(0, 1, FRAMES)
    still = torch.zeros(FRAMES)
    x, y = still + chance.uniform(-0.1, 0.1), still + chance.uniform(-0.1, 0.1)
    radius = still + chance.uniform(*_RADII[scene.size])
    angle = still + chance.uniform(-0.06, 0.06)
    reach = chance.uniform(0.42, 0.5)
    travel = reach * (1 - 2 * share)
    match scene.motion:
        case "moves left":
            x = x + travel
        case "moves right":
            x = x - travel
        case "moves up":
            y = y + travel
        case "moves down":
            y = y - travel
        case "spins":
            angle = angle + 2 * math.pi * chance.uniform(0.6, 0.8) * share
        case "grows":
            radius = radius * (0.5 + 0.75 * share)
        case "shrinks":
            radius = radius * (1.25 - 0.75 * share)
        case "bounces":
            y = y + reach * (1 - 2 * torch.sin(2 * math.pi * share).abs())
        case "orbits":
            turn = 2 * math.pi * share + chance.uniform(-0.3, 0.3)
            x, y = x + 0.36 * torch.cos(turn), y + 0.36 * torch.sin(turn)
    return x, y, radius, angle


def _distances(scenes: Sequence[Scene], path: _Path) -> tuple[Tensor, Tensor, Tensor]:
    """Signed distance to the outline, (clips, 1, frames, rows, columns), negative inside; then x
    and y of the picture, the same shape."""
    axis = (torch.arange(SIDE, device=path.x.device) + 0.5) * _PIXEL - 1
    rows, columns = axis[None, None, :, None], axis[None, None, None, :]
    x, y = columns - path.x[..., None, None], rows - path.y[..., None, None]
    cos, sin = path.angle.cos()[..., None, None], path.angle.sin()[..., None, None]
    turned_x, turned_y = x * cos + y * sin, y * cos - x * sin
    radius = path.radius[..., None, None]
    distance = torch.empty_like(turned_x)
    for shape, outline in _OUTLINES.items():
        chosen = [place for place, scene in enumerate(scenes) if scene.shape == shape]
        if chosen:
            distance[chosen] = outline(turned_x[chosen], turned_y[chosen], radius[chosen])
    return (
        distance[:, None],
        columns.expand_as(distance)[:, None],
        rows.expand_as(distance)[:, None],
    )


def _circle(x: Tensor, y: Tensor, radius: Tensor) -> Tensor:
    return torch.hypot(x, y) - 0.95 * radius


def _square(x: Tensor, y: Tensor, radius: Tensor) -> Tensor:
    return torch.maximum(x.abs(), y.abs()) - 0.84 * radius


def _triangle(x: Tensor, y: Tensor, radius: Tensor) -> Tensor:
    """Equilateral, a point upwards; its three sides as half-planes."""
    side = x.abs() * math.sqrt(0.75) - 0.5 * (y - 0.12 * radius)
    return torch.maximum(side, y - 0.12 * radius) - 0.6 * radius


def _star(x: Tensor, y: Tensor, radius: Tensor) -> Tensor:
    """Five points, one upwards: the plane folded onto a tenth of it, then one straight side."""
    fifth = 2 * math.pi / 5
    around = torch.atan2(x, -y)
    folded = (torch.remainder(around + fifth / 2, fifth) - fifth / 2).abs()
    length = torch.hypot(x, y)
    outer, inner = 1.2 * radius, 0.52 * radius
    near_x, near_y = inner * math.cos(fifth / 2), inner * math.sin(fifth / 2)
    along_x, along_y = near_x - outer, near_y
    norm = torch.hypot(along_x, along_y)
    across_x = length * folded.cos() - outer
    across_y = length * folded.sin()
    return (along_y * across_x - along_x * across_y) / norm


_OUTLINES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
}


def _colours(values: Sequence[tuple[float, float, float]], device: torch.device | str) -> Tensor:
    return torch.tensor(values, device=device)[:, :, None, None, None]


def _grounds(scenes: Sequence[Scene], device: torch.device | str) -> Tensor:
    """(clips, 3, 1, rows, 1); a gradient is lighter above and darker below."""
    plain = _colours([BACKGROUNDS[scene.background] for scene in scenes], device)
    fall = torch.linspace(0.16, -0.16, SIDE, device=device)[None, None, None, :, None]
    has_gradient = torch.tensor([float(scene.gradient) for scene in scenes], device=device)
    return plain + fall * has_gradient[:, None, None, None, None]


def _inside(distance: Tensor, softness: float = _PIXEL) -> Tensor:
    return (0.5 - distance / softness).clamp(0, 1)


def _flat(distance: Tensor, colour: Tensor, ground: Tensor, _diagonal: Tensor) -> Tensor:
    return torch.lerp(ground.expand_as(distance * colour), colour, _inside(distance))


def _neon(distance: Tensor, colour: Tensor, ground: Tensor, _diagonal: Tensor) -> Tensor:
    away = distance.abs()
    glow = torch.exp(-away / 0.07) + 0.3 * torch.exp(-away / 0.25)
    return 0.3 * ground + glow * colour + 0.35 * torch.exp(-away / 0.04)


def _pencil(distance: Tensor, colour: Tensor, ground: Tensor, diagonal: Tensor) -> Tensor:
    paper = 0.62 * 0.94 + 0.38 * ground
    hatched = 0.5 + 0.5 * torch.sin(diagonal * (math.pi / (3 * _PIXEL)))
    filled = 0.35 * colour + 0.65 * (0.5 + 0.22 * hatched)
    drawn = torch.lerp(paper.expand_as(filled), filled, _inside(distance))
    return drawn * (1 - 0.85 * torch.exp(-((distance / 0.05) ** 2)))


def _watercolour(distance: Tensor, colour: Tensor, ground: Tensor, diagonal: Tensor) -> Tensor:
    wash = 0.05 * torch.sin(diagonal * 4.1 + 0.7) + 0.035 * torch.sin(diagonal * 9.3 + 2.1)
    pale = 0.22 + 0.78 * ground
    painted = 0.25 + 0.75 * colour
    soft = torch.sigmoid(-distance / 0.03)
    drawn = torch.lerp(pale.expand_as(distance * colour), painted, 0.9 * soft)
    return drawn * (1 - 0.3 * torch.exp(-(((distance + 0.03) / 0.05) ** 2))) + wash


def _blueprint(distance: Tensor, _colour: Tensor, _ground: Tensor, diagonal: Tensor) -> Tensor:
    paper = _colours([(0.07, 0.22, 0.55)], distance.device)
    axis = torch.arange(SIDE, device=distance.device) % 8 == 4
    grid = (axis[:, None] | axis[None, :]).float()
    line = torch.exp(-((distance / 0.045) ** 2))
    drawn = paper + 0.10 * grid + 0.12 * _inside(distance)
    return torch.lerp(drawn, torch.full_like(drawn, 0.95), line)


def _sunset(distance: Tensor, _colour: Tensor, _ground: Tensor, diagonal: Tensor) -> Tensor:
    share = torch.linspace(0, 1, SIDE, device=distance.device)[None, None, None, :, None]
    above = _colours([(0.30, 0.10, 0.42)], distance.device)
    below = _colours([(1.00, 0.62, 0.18)], distance.device)
    sky = torch.lerp(above.expand_as(above * share), below, share)
    black = torch.full_like(distance * above, 0.05)
    drawn = torch.lerp(sky.expand_as(black), black, _inside(distance))
    return drawn + 0.35 * torch.exp(-((distance - 0.03).clamp(min=0) / 0.08)) * (distance > 0)


_DRAWN: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = {
    "flat": _flat,
    "neon": _neon,
    "pencil": _pencil,
    "watercolour": _watercolour,
    "blueprint": _blueprint,
    "sunset": _sunset,
}
