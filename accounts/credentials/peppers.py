"""The keys under which token secrets are stored, by id, so that they can be rotated.

Settings hand them in: this floor does not know where the installation keeps its secrets.
"""

from __future__ import annotations

from django.conf import settings


class PepperUnknown(LookupError):
    """A stored token names a pepper this installation does not have."""


def current() -> tuple[str, str]:
    """Id and key of the pepper for new tokens."""
    peppers: dict[str, str] = settings.PEPPERS()
    return list(peppers.items())[-1]


def pepper(pepper_id: str) -> str:
    """The key of an id; for an empty id any key, so that a miss costs what a hit costs."""
    peppers: dict[str, str] = settings.PEPPERS()
    if not pepper_id:
        return current()[1]
    try:
        return peppers[pepper_id]
    except KeyError:
        raise PepperUnknown(pepper_id) from None
