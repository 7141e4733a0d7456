"""What an erasure takes, what it leaves, and what becomes of released clips."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Releases(TextChoices):
    TAKEN_DOWN = "taken_down", _("Take them down, and remove their files")
    NAMELESS = "nameless", _("Leave them to be seen, without my name")


class Gone(StrEnum):
    """In the order in which a receipt lists them."""

    PERSON = "person"
    NAMES = "names"
    ADDRESSES = "addresses"
    SIGN_IN = "sign_in"
    PREFERENCES = "preferences"
    EXPORTS = "exports"
    FILES = "files"


class Kept(StrEnum):
    BOOKS = "books"
    AGREEMENTS = "agreements"
    WORK = "work"
    AUDIT = "audit"
    RELEASES = "releases"


def books_until(moment: datetime, years: int) -> date:
    """Books are kept in whole years, counted from the end of the one in which they were closed."""
    return date(moment.year + years, 12, 31)
