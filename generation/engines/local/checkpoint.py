"""A folder of weights in the diffusers layout, judged and described without torch.

The web asks here what a checkpoint can make, so only JSON and the heads of safetensors files are
read.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections import Counter
from dataclasses import dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from generation.engines.limits import Capabilities, FrameRule, SizeRule
from generation.engines.local.tiers import Tier, read_tiers
from generation.engines.order import CONDITIONS_LIMIT, SIDE_LIMIT, Mode
from generation.engines.protocol import EngineFailure, FailureCode

_MOST_HEAD = 64 * 2**20
_PICTURES = {Mode.IMAGE: 1, Mode.FIRST_LAST: 2}


@dataclass(frozen=True, kw_only=True)
class Grid:
    """What a checkpoint's configuration files fix.

    ``spatial`` pixels and ``temporal`` frames make one latent; sides are generated in multiples of
    ``multiple`` pixels; frame counts are ``temporal × k + 1``.
    """

    spatial: int
    temporal: int
    multiple: int
    modes: tuple[Mode, ...] = (Mode.TEXT,)
    most_conditions: int = 0
    takes_strength: bool = False
    takes_styles: bool = False
    has_sound: bool = False
    has_upsampler: bool = False


@dataclass(frozen=True, kw_only=True)
class Preset:
    """What a checkpoint says about its own use, in ``greenroom.json`` beside ``model_index.json``.

    ``schedule`` "even" asks for evenly spaced timesteps instead of the pipeline's default, which
    spends half of few steps on nearly pure noise; ``coordinate_rate`` is the frame rate the
    positions were trained with, where it is not the file's; the ``decode_…`` numbers are for
    decoders that were trained with noise. ``compile`` and ``attention`` (backends of diffusers, the
    first that is at hand is taken) count on CUDA only. ``window_frames`` is the length that the
    model was trained for and makes at a time, longer clips being windows in a row; ``native`` the
    size it generates, whatever the file's, which is up to ``enlarge_at_most`` times as wide and as
    high. ``words`` are those it knows, ``examples`` prompts to begin with, ``modes`` those it was
    trained for where its pipeline takes more. Absent means: like the stock pipeline.
    """

    schedule: str = "pipeline"
    guidance: float = 3.0
    coordinate_rate: float | None = None
    decode_timestep: float = 0.0
    decode_noise_scale: float | None = None
    longest_s: str = "10"
    most_side: int = 1920
    most_pixels: int = 1920 * 1088
    most_steps: int = 100
    compile: bool = False
    attention: tuple[str, ...] = ()
    window_frames: int | None = None
    native: tuple[int, int] | None = None
    enlarge_at_most: int = 1
    words: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    modes: tuple[Mode, ...] | None = None
    tiers: dict[str, Tier] = field(default_factory=lambda: {"turbo": Tier(), "standard": Tier()})


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    folder: Path
    pipeline: str
    family: str
    grid: Grid
    preset: Preset = field(default_factory=Preset)

    @property
    def window(self) -> int | None:
        """Frames that are made at a time; None where a clip of any length is made in one go."""
        return self.preset.window_frames

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Those that the pipeline takes and the model was trained for."""
        kept = self.preset.modes
        return tuple(mode for mode in self.grid.modes if kept is None or mode in kept)

    def capabilities(self) -> Capabilities:
        grid = self.grid
        # Windows share the frame at which one ends and the next begins.
        step = grid.temporal if self.window is None else self.window - 1
        return Capabilities(
            frames=FrameRule(
                step=step, offset=1, minimum=1 + step, maximum=1 + step * (600 // step)
            ),
            sizes=SizeRule(
                multiple=grid.multiple,
                least_side=grid.multiple,
                most_side=self.preset.most_side,
                most_pixels=self.preset.most_pixels,
                native=self.preset.native,
                enlarge_at_most=self.preset.enlarge_at_most,
            ),
            longest_s=Fraction(self.preset.longest_s),
            slowest_rate=Fraction(1),
            fastest_rate=Fraction(60),
            most_steps=self.preset.most_steps,
            tiers=tuple(self.preset.tiers),
            has_guidance=True,
            modes=self.modes,
            most_conditions=min(grid.most_conditions, _most_pictures(self.modes)),
            takes_strength=grid.takes_strength,
            takes_styles=grid.takes_styles,
            has_sound=grid.has_sound,
        )


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every weight and configuration file, by its path inside the folder."""
    hashes = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".safetensors", ".json"):
            with path.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
            hashes[path.relative_to(folder).as_posix()] = digest
    return hashes


def stored_dtype(folder: Path) -> str:
    """The transformer's commonest dtype in safetensors' words (F32, BF16, F16)."""
    counts: Counter[str] = Counter()
    for path in sorted((folder / "transformer").glob("*.safetensors")):
        for tensor in read_head(path).values():
            counts[str(tensor["dtype"])] += _count(tensor["shape"])
    return counts.most_common(1)[0][0] if counts else "F32"


def parameter_count(folder: Path, component: str) -> int:
    return sum(
        _count(tensor["shape"])
        for path in (folder / component).glob("*.safetensors")
        for tensor in read_head(path).values()
    )


def tensor_names(folder: Path, component: str) -> set[str]:
    return {name for path in (folder / component).glob("*.safetensors") for name in read_head(path)}


def preset(path: Path, *, guidance: float, unmeasured: bool = False) -> Preset:
    """``guidance`` is the stock pipeline's own, where the file says nothing of it; ``unmeasured``
    lets lossy levers pass that nobody measured yet."""
    if not path.is_file():
        return Preset(guidance=guidance)
    plain = read_json(path)
    unknown = set(plain) - {known.name for known in fields(Preset)}
    if unknown:
        raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"greenroom.json: {unknown}")
    if "tiers" in plain:
        plain["tiers"] = read_tiers(plain["tiers"], unmeasured=unmeasured)
    _read_own_fields(plain)
    return Preset(**{"guidance": guidance, **plain})


def _read_own_fields(plain: dict[str, Any]) -> None:
    """What JSON cannot say becomes what it means; what it must not say is refused."""
    if isinstance(plain.get("attention"), str):
        plain["attention"] = [plain["attention"]]
    for name in ("attention", "words", "examples"):
        if name in plain:
            plain[name] = _texts(name, plain[name])
    for name, read in (("modes", _modes), ("native", _native)):
        if plain.get(name) is not None:
            plain[name] = read(plain[name])
    for name, least, most in (("window_frames", 2, 600), ("enlarge_at_most", 1, 30)):
        if plain.get(name) is not None:
            _check_whole(name, plain[name], least, most)


def _texts(name: str, plain: Any) -> tuple[str, ...]:
    if not isinstance(plain, list) or not all(isinstance(one, str) and one for one in plain):
        raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"greenroom.json: {name} {plain!r}")
    return tuple(plain)


def _modes(plain: Any) -> tuple[Mode, ...]:
    names = _texts("modes", plain)
    if not names or not set(names) <= set(Mode):
        raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"greenroom.json: modes {plain!r}")
    return tuple(Mode(name) for name in names)


def _most_pictures(modes: tuple[Mode, ...]) -> int:
    if Mode.KEYFRAMES in modes:
        return CONDITIONS_LIMIT
    return max(_PICTURES.get(mode, 0) for mode in modes) if modes else 0


def _native(plain: Any) -> tuple[int, int]:
    if not isinstance(plain, list) or len(plain) != 2:
        raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"greenroom.json: native {plain!r}")
    for side in plain:
        _check_whole("native", side, 2, SIDE_LIMIT)
    return plain[0], plain[1]


def _check_whole(name: str, value: Any, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"greenroom.json: {name} {value!r}")


def read_json(path: Path) -> dict[str, Any]:
    try:
        plain = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, f"{path.name}: {error}") from error
    if not isinstance(plain, dict):
        raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, f"{path.name} is not an object")
    return plain


def read_head(path: Path) -> dict[str, Any]:
    """The head of a safetensors file: eight bytes of length, then JSON."""
    try:
        with path.open("rb") as opened:
            (length,) = struct.unpack("<Q", opened.read(8))
            if length > _MOST_HEAD:
                raise ValueError("its head is too long")
            head = json.loads(opened.read(length))
        return {name: tensor for name, tensor in head.items() if name != "__metadata__"}
    except (OSError, ValueError, struct.error, AttributeError) as error:
        raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, f"{path.name}: {error}") from error


def _count(shape: list[int]) -> int:
    count = 1
    for side in shape:
        count *= side
    return count
