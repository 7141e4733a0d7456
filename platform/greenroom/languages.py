"""The pseudo-locale ``en-xa``: every string that went through gettext, made visibly so.

Words come out accented, about a third longer and in brackets, so that a string that was never
marked, a layout that cannot stretch, and a sentence glued together from pieces all show at a
glance. Nothing is compiled: a fresh machine has no msgfmt. Third parties' strings pass through the
same door and are changed too.
"""

from __future__ import annotations

import re
from functools import lru_cache

from django.conf import settings
from django.utils.translation import trans_real
from django.utils.translation.trans_real import DjangoTranslation

PSEUDO_CODE = "en-xa"
PSEUDO_LANGUAGE = (PSEUDO_CODE, "Ƥšéûðö")

# What a program reads and must find untouched: %-formats, braces, tags, entities, addresses.
KEPT = re.compile(
    r"%\(\w+\)[#0\- +]*\d*(?:\.\d+)?[a-zA-Z]"
    r"|%[#0\-+]*\d*(?:\.\d+)?[sdifrxXeEgGcoua](?!\w)"
    r"|%%"
    r"|\{[^{}]*\}"
    r"|<[^<>]+>"
    r"|&(?:#\d+|#x[0-9a-fA-F]+|\w+);"
    r"|https?://\S+"
)
ACCENTED = str.maketrans(
    "aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpPqQrRsStTuUvVwWxXyYzZ",
    "åÅƀƁçÇðÐéÉƒƑĝĜĥĤîÎĵĴķĶļĻɱṀñÑöÖþÞɋɊŕŔšŠţŢûÛṽṼŵŴẋẊýÝžŽ",
)
VOWELS = frozenset("aeiouyAEIOUY")
LONGER_BY = 0.3
CONTEXT_END = "\x04"


@lru_cache(maxsize=4096)
def pseudo(text: str) -> str:
    """The text as the pseudo-locale shows it. Without a letter outside kept parts: unchanged."""
    core = text.strip()
    pieces = _pieces(core)
    letters = sum(len(piece) for piece, kept in pieces if not kept)
    if not any(c.isalpha() for piece, kept in pieces if not kept for c in piece):
        return text
    room = max(1, round(letters * LONGER_BY))
    out: list[str] = []
    for piece, kept in pieces:
        changed, room = (piece, room) if kept else _stretch(piece, room)
        out.append(changed)
    start = text.index(core)
    return f"{text[:start]}[{''.join(out)}{'~' * room}]{text[start + len(core) :]}"


def _pieces(text: str) -> list[tuple[str, bool]]:
    """The text in order, each piece with whether it must be kept."""
    pieces: list[tuple[str, bool]] = []
    end = 0
    for found in KEPT.finditer(text):
        pieces += [(text[end : found.start()], False), (found.group(), True)]
        end = found.end()
    return [*pieces, (text[end:], False)]


def _stretch(piece: str, room: int) -> tuple[str, int]:
    """Accent the letters and double vowels while there is room; returns what room is left."""
    out = []
    for letter in piece:
        accented = letter.translate(ACCENTED)
        if room > 0 and letter in VOWELS:
            accented += accented
            room -= 1
        out.append(accented)
    return "".join(out), room


class PseudoTranslation(DjangoTranslation):
    """Holds no catalogue: it changes whatever it is asked for, and keeps nothing between calls."""

    def gettext(self, message: str) -> str:
        return pseudo(_without_context(message))

    def ngettext(self, msgid1: str, msgid2: str, n: float) -> str:
        return pseudo(_without_context(msgid1 if n == 1 else msgid2))


def _without_context(message: str) -> str:
    """Django asks for ``context<EOT>message`` and takes an answer without the mark as a finding."""
    return message.rpartition(CONTEXT_END)[2]


def install() -> None:
    """Make ``en-xa`` known where the settings want it. Called once, from an app's ``ready()``.

    Django keeps one translation object per language and never looks for another: putting ours
    there is all it takes, for LocaleMiddleware, cookies, ``Accept-Language`` and ``override``.
    """
    if settings.PSEUDO_LOCALE:
        known = trans_real._translations  # type: ignore[attr-defined]  # noqa: SLF001
        known[PSEUDO_CODE] = PseudoTranslation(PSEUDO_CODE)
