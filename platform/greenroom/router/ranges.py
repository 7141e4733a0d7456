"""Byte ranges and conditions (RFC 9110, sections 13 and 14), as pure functions.

Several ranges in one request are answered with the whole file, which the standard allows: no
player asks for them, and assembling many small parts is a known way to exhaust a server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(
    r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*\Z", re.IGNORECASE | re.ASCII
)


class Unsatisfiable(Exception):
    """Well formed, but outside the file: 416."""


@dataclass(frozen=True)
class Part:
    """`length` bytes from `start` of a file of `size`."""

    start: int
    length: int
    size: int

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


def asked_part(header: str | None, size: int) -> Part | None:
    """The part asked for, or None for the whole file (also where the header makes no sense)."""
    found = _ONE_RANGE.match(header) if header else None
    if found is None or found.group(1) == found.group(2) == "":
        return None
    first, last = found.groups()
    if not first:
        return _suffix(int(last), size)
    start = int(first)
    end = int(last) if last else size - 1
    if last and end < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return Part(start, min(end, size - 1) - start + 1, size)


def _suffix(length: int, size: int) -> Part:
    if length == 0 or size == 0:
        raise Unsatisfiable
    length = min(length, size)
    return Part(size - length, length, size)


def is_unchanged(if_none_match: str | None, etag: str) -> bool:
    """Whether the reader has this very file already (weak comparison, as section 13.1.2 says)."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag in tags


def may_be_partial(if_range: str | None, etag: str) -> bool:
    """Strong comparison; a date never matches, since we give none."""
    return if_range is None or if_range.strip() == etag
