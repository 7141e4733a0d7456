"""How writing media fails, as codes that the doors turn into sentences."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class MediaCode(StrEnum):
    DISK_FULL = "disk_full"
    ENCODER_FAILED = "encoder_failed"
    SIZE_ODD = "size_odd"
    FRAME_WRONG = "frame_wrong"
    FRAMES_MISSING = "frames_missing"
    SOUND_WRONG = "sound_wrong"
    SOUND_DAMAGED = "sound_damaged"
    FILE_DAMAGED = "file_damaged"


class MediaFailure(Exception):
    """No file was left behind. ``detail`` is for the operator's log: it may name folders."""

    def __init__(self, code: MediaCode, detail: str = "") -> None:
        super().__init__(f"{code.value}: {detail}" if detail else code.value)
        self.code = code
        self.detail = detail


def failure_of(error: Exception) -> MediaFailure:
    """What an error of FFmpeg or the file system means; quotas and size limits count as full."""
    if isinstance(error, MediaFailure):
        return error
    number = getattr(error, "errno", None)
    code = MediaCode.DISK_FULL if number in _FULL else MediaCode.ENCODER_FAILED
    return MediaFailure(code, f"{type(error).__name__}: {error}")


@contextmanager
def media_errors() -> Iterator[None]:
    """Turns any ordinary error inside the block into the ``MediaFailure`` it stands for."""
    try:
        yield
    except Exception as error:
        raise failure_of(error) from error
