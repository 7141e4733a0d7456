"""What goes and what stays, in sentences: before anybody presses and on the receipt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.programmes.models import Programme
from core.ids import read_id
from core.money import Money, shown_money
from greenroom.erasures.rules import Gone, Kept

GONE: dict[Gone, Callable[[], str]] = {
    Gone.PERSON: lambda: _("Your account, and with it who you are: no one can sign in with it."),
    Gone.NAMES: lambda: _("Your name, your credit name, your contact and your settings."),
    Gone.ADDRESSES: lambda: _("Your addresses, and open invitations to them."),
    Gone.SIGN_IN: lambda: _("Your password, passkeys and authenticator, tokens and sign-ins."),
    Gone.PREFERENCES: lambda: _("How you wanted to hear of things."),
    Gone.EXPORTS: lambda: _("Archives you asked for. Download yours before."),
    Gone.FILES: lambda: _("The files of your drafts and of clips that are not released."),
}


@dataclass(frozen=True, slots=True)
class ShownKept:
    """What stays, why, and until when. ``money`` is what is still owed, empty for nothing."""

    what: str
    why: str
    until: str
    money: str


def gone_sentences() -> list[str]:
    return [GONE[each]() for each in Gone]


def shown_kept(kept: list[dict[str, Any]]) -> list[ShownKept]:
    names = _names(kept)
    return [
        ShownKept(
            what=_what(Kept(each["what"]), each, names),
            why=_why(Kept(each["what"])),
            until=_until(Kept(each["what"]), each["until"]),
            money=_money(each),
        )
        for each in kept
    ]


def _what(what: Kept, entry: dict[str, Any], names: dict[str, str]) -> str:
    place = names.get(entry.get("programme", ""), "")
    match what:
        case Kept.BOOKS:
            return _("What you earned and were paid in %(programme)s") % {"programme": place}
        case Kept.AGREEMENTS:
            return _("What you answered to the terms and consents of %(programme)s") % {
                "programme": place
            }
        case Kept.WORK:
            return _("Prompts, notes, appeals, contributions and messages you wrote, and decisions")
        case Kept.AUDIT:
            return _("The record of what was done, by a number that points to nobody")
        case Kept.RELEASES:
            count = entry["count"]
            return ngettext(
                "%(count)s released clip, without a name",
                "%(count)s released clips, without a name",
                count,
            ) % {"count": count}


def _why(what: Kept) -> str:
    return {
        Kept.BOOKS: _("The law asks for the books."),
        Kept.AGREEMENTS: _("It proves on which terms the work was done and paid."),
        Kept.WORK: _("It is part of the record of work that was judged and paid."),
        Kept.AUDIT: _("Without it nobody could check what the programme did."),
        Kept.RELEASES: _("You chose to leave them to be seen."),
    }[what]


def _until(what: Kept, until: str | None) -> str:
    if until is None and what is Kept.WORK:
        return _("No end is set. It stays as you wrote it, and nothing beside it names you.")
    if until is None:
        return _("No end is set. It names nobody.")
    return _("Until %(date)s.") % {"date": date_format(date.fromisoformat(until), "j M Y")}


def _money(entry: dict[str, Any]) -> str:
    owed = entry.get("owed_micro", 0)
    return shown_money(Money(owed, entry["currency"])) if owed else ""


def _names(kept: list[dict[str, Any]]) -> dict[str, str]:
    """Of the programmes that are named, by their public ids. One query."""
    ids: dict[UUID, str] = {}
    for each in kept:
        found = read_id("programme", each.get("programme", ""))
        if found:
            ids[found] = each["programme"]
    return {ids[row.id]: row.name for row in Programme.objects.filter(id__in=ids)}
