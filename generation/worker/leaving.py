"""Whether this worker is to end. Its parent process says so, its pool children look."""

from __future__ import annotations

import mmap

# One shared byte, made before the pool forks: children that are forked later see it too.
_flag = mmap.mmap(-1, 1)


def leave() -> None:
    _flag[0] = 1


def is_leaving() -> bool:
    return _flag[0] == 1
