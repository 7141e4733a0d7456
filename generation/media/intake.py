"""Pictures and short clips that somebody sent, read apart from the house: see ``intake_child``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from generation.media.failure import MediaCode, MediaFailure
from generation.media.files import FileFacts, facts_of, flush

CHILD = Path(__file__).with_name("intake_child.py")
PATIENCE_S = 60.0
AT_ONCE = 2
LAST = "last"

# Each may take two gigabytes for a moment; whoever comes while two are read waits.
_PLACES = threading.BoundedSemaphore(AT_ONCE)


class IntakeRefused(Exception):
    """The file is not what is taken. ``code`` is a stable word, ``facts`` the numbers of it."""

    def __init__(self, code: str, facts: dict[str, int]) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(frozen=True, kw_only=True)
class Still:
    """One frame (0 the first) as a PNG, RGB in sRGB, free of all metadata."""

    frame: int
    file: FileFacts
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Intake:
    """``frames`` is 1 for a picture, whose ``rate`` is 0. What it is was read from its content."""

    media_type: str
    frames: int
    rate: Fraction
    stills: tuple[Still, ...]


def take_in(source: Path, folder: Path, wanted: Sequence[int | str] = (0, LAST)) -> Intake:
    """Read a PNG, JPEG, WebP or MP4, and write the wanted frames into ``folder``.

    A frame that the file does not have is left out. Raises ``IntakeRefused``, and ``MediaFailure``
    with ``disk_full`` where there is no room for them.
    """
    answer = _answer(source, folder, [str(frame) for frame in wanted])
    if answer.get("refused") == MediaCode.DISK_FULL:
        raise MediaFailure(MediaCode.DISK_FULL, str(folder))
    if "refused" in answer:
        raise IntakeRefused(answer["refused"], answer["facts"])
    made = []
    for name, (frame, width, height) in answer["stills"].items():
        place = folder / f"{frame}.png"
        (folder / f"{name}.png").rename(place)
        flush(place)
        made.append(
            Still(frame=frame, file=facts_of(place, "image/png"), width=width, height=height)
        )
    for frame in wanted:
        left = folder / f"{frame}.png"
        if left.exists() and left.stat().st_size == 0:
            left.unlink()
    return Intake(
        media_type=answer["media_type"],
        frames=answer["frames"],
        rate=Fraction(*answer["rate"]),
        stills=tuple(made),
    )


def _answer(source: Path, folder: Path, wanted: list[str]) -> dict[str, Any]:
    # -I: neither the current folder nor the environment decides what is imported.
    asked = [sys.executable, "-I", str(CHILD), str(source), str(folder), *wanted]
    alone = {"PATH": os.defpath, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with _PLACES:
        try:
            done = subprocess.run(
                asked,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE_S,
                env=alone,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise IntakeRefused("reference_too_heavy", {}) from None
    if done.returncode:
        # Ended by a limit, or by a fault in a decoder: whatever it was, it ended there.
        raise IntakeRefused("reference_too_heavy", {})
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
