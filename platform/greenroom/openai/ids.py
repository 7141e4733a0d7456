"""Ids of this door: the same 26 characters as everywhere, behind the prefixes that SDKs expect."""

from __future__ import annotations

from uuid import UUID

from core.ids import PREFIXES, read_id, shown

VIDEO, FILE = "video_", "file_"
_THINGS = {VIDEO: "job", FILE: "reference"}


def id_here(prefix: str, value: UUID) -> str:
    """``id_here(VIDEO, job.id)`` gives ``video_01…``."""
    return prefix + shown(_THINGS[prefix], value).rpartition("_")[2]


def native_id(prefix: str, text: str) -> str:
    """``job_01…`` for ``video_01…``; what is no id of this door gives one that nothing has."""
    if not text.startswith(prefix):
        return ""
    return f"{PREFIXES[_THINGS[prefix]]}_{text.removeprefix(prefix)}"


def uuid_of(prefix: str, text: str) -> UUID | None:
    return read_id(_THINGS[prefix], native_id(prefix, text))
