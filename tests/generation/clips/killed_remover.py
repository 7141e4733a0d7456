"""A sweep that is killed before line 1, before line 2, … of the code that removes files.

Run by ``test_removal.py`` as a process of its own: every try is a fork with a connection of its
own that SIGKILLs itself at its line, and goes on where the one before was killed. After each, a
file that is missing must be one whose row says so. Writes out how many lines there were.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from generation.clips import commands  # noqa: E402
from generation.clips.models import Clip, Removal  # noqa: E402
from generation.media import files  # noqa: E402

WATCHED = {commands.__file__, files.__file__}


def killed_before(line_number: int) -> bool:
    """Whether the try was killed; False when it came to its end before that many lines."""
    child = os.fork()
    if child == 0:
        _sweep_until(line_number)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0, f"the sweep broke before line {line_number}"
    return False


def must_hold() -> None:
    root = Path(settings.MEDIA_FOLDER)
    for clip in Clip.objects.all():
        keys = Clip.objects.filter(id=clip.id).values_list("renditions__storage_key", flat=True)
        there = [(root / key).exists() for key in keys]
        removal = Removal.objects.get(clip=clip)
        assert all(there) or removal.done_at is not None, "a file went before its row said so"
        assert not any(there) or removal.cleared_at is None, (
            "a row says cleared, and a file is there"
        )


def _sweep_until(line_number: int) -> None:
    """In the fork. Never returns."""
    seen = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal seen
        if frame.f_code.co_filename not in WATCHED and event == "call":
            return None
        if event == "line":
            seen += 1
            if seen == line_number:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    status = 1
    try:
        sys.settrace(trace)
        commands.finish_removals()
        sys.settrace(None)
        status = 0
    finally:
        os._exit(status)


def main() -> None:
    number = 1
    while killed_before(number):
        must_hold()
        connection.close()
        number += 1
    must_hold()
    sys.stdout.write(str(number - 1))


if __name__ == "__main__":
    main()
