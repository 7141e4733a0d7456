"""A clip rendered again from its record, and how far the two are apart."""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import TooLate
from generation.clips.models import Clip, Removal
from generation.engines.local.measuring import psnr, ssim
from generation.engines.order import Order
from generation.engines.protocol import Engine, Stage, Watch
from generation.engines.registry import engine
from generation.media.decoding import frames_of
from generation.media.recording import record
from generation.media.writer import Encoding
from generation.renditions.models import Rendition
from generation.worker.extending import Beginning, beginning_of
from generation.worker.rendering import order_of, shape_of


@dataclass(frozen=True, slots=True)
class Replay:
    """``ssim`` and ``psnr_db`` are means over the frames, ``worst_ssim`` is the least like one.

    ``differences`` are facts of the recipe that are others today, as (name, then, now).
    """

    is_same_file: bool
    ssim: float
    worst_ssim: float
    psnr_db: float
    differences: tuple[tuple[str, str, str], ...]


def replay_clip(*, clip: Clip) -> Replay:
    """Render the clip's own order once more and compare. Keeps nothing.

    Raises ``TooLate`` where its files are gone, or those of the clip that it extends, and what
    engines and media raise.
    """
    master, order = _master_of(clip), order_of(clip.job)
    beginning = _beginning_of(clip)
    with closing(engine(clip.job.model.engine)) as runner, tempfile.TemporaryDirectory() as scratch:
        if beginning is not None:
            order = beginning.begun(order, Path(scratch))
        runner.load(order.checkpoint)
        again = Path(scratch) / "again"
        _render(runner, order, again, clip, beginning)
        differences = tuple(_differences(clip.recipe.get("engine", {}), runner.describe()))
        return _compared(master, again / "clip.mp4", clip, differences)


class _Patient(Watch):
    def tick(self, stage: Stage, step: int, steps: int) -> None:
        """Nobody waits for it but whoever typed the command."""


def _master_of(clip: Clip) -> Path:
    if Removal.objects.filter(clip=clip, done_at__isnull=False).exists():
        raise TooLate(_("The files of this clip were removed, so there is nothing to compare."))
    key = Rendition.objects.values_list("storage_key", flat=True).get(
        clip=clip, kind=Rendition.Kind.MASTER
    )
    return Path(settings.MEDIA_FOLDER) / key


def _beginning_of(clip: Clip) -> Beginning | None:
    if Removal.objects.filter(clip__extensions=clip.job, done_at__isnull=False).exists():
        raise TooLate(
            _("The files of the clip that it extends were removed, so it cannot be made again.")
        )
    return beginning_of(clip.job, Path(settings.MEDIA_FOLDER))


def _render(
    runner: Engine, order: Order, folder: Path, clip: Clip, beginning: Beginning | None
) -> None:
    watch = _Patient()
    with closing(runner.render(order, watch)) as frames:
        stream = beginning.followed_by(frames, order, watch.tick) if beginning else frames
        record(stream, folder, shape_of(clip.job), Encoding(), sheet_url="sheet.webp")


def _compared(
    master: Path, again: Path, clip: Clip, differences: tuple[tuple[str, str, str], ...]
) -> Replay:
    pairs = zip(frames_of(master), frames_of(again), strict=True)
    likeness = np.array([(ssim(one, other), psnr(one, other)) for one, other in pairs])
    return Replay(
        is_same_file=_sha256(again) == clip.master_sha256,
        ssim=float(likeness[:, 0].mean()),
        worst_ssim=float(likeness[:, 0].min()),
        psnr_db=float(likeness[:, 1].mean()),
        differences=differences,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _differences(then: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, str, str]]:
    before, after = _flat(then), _flat(now)
    return [
        (name, before.get(name, "-"), after.get(name, "-"))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _flat(plain: dict[str, Any], under: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in plain.items():
        path = f"{under}{name}"
        if isinstance(value, dict):
            flat |= _flat(value, f"{path}.")
        else:
            flat[path] = str(value)
    return flat
