from __future__ import annotations

from zoneinfo import available_timezones


def zone_names() -> list[str]:
    """The zones one may choose: a place, or UTC; without the old names of countries and offsets."""
    return sorted(name for name in available_timezones() if "/" in name or name == "UTC")
