"""Families by the pipeline they know, from the entry points ``greenroom.families``."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from generation.engines.local.family import Family

GROUP = "greenroom.families"


@cache
def families() -> tuple[Family, ...]:
    """One of each that some installed package declares, by name.

    Raises ``LookupError`` where two claim the same pipeline: which of them rendered a clip must
    not depend on the order of installation.
    """
    found = tuple(
        point.load()() for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)
    )
    claimed: dict[str, str] = {}
    for family in found:
        for pipeline in family.pipelines:
            if pipeline in claimed:
                raise LookupError(f"{claimed[pipeline]} and {family.name} both claim {pipeline}")
            claimed[pipeline] = family.name
    return found


def family_of(pipeline: str) -> Family | None:
    return next((family for family in families() if pipeline in family.pipelines), None)
