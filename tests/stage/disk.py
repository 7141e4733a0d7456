"""A disk that is full, without a disk and without privileges: no file may grow beyond so much.

The kernel then answers ``EFBIG`` where a full disk answers ``ENOSPC``; the house takes both alike.
Child processes inherit it.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def full_disk(most_bytes: int) -> Iterator[None]:
    """Of this process only, and only while it lasts: the hard limit stays as it is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
