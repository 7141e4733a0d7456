"""What people may write where others will read it."""

from __future__ import annotations

import unicodedata

# Overrides and isolates of Unicode's bidirectional algorithm (UAX 9): they can make a line read as
# something else than it says. The plain marks that right-to-left writing needs are not among them.
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_readable(text: str, *, lines: bool = False) -> bool:
    """No control, surrogate or turning characters; line breaks and tabs only with ``lines``."""
    allowed = "\n\r\t" if lines else ""
    return all(
        sign in allowed or (unicodedata.category(sign) not in ("Cc", "Cs") and sign not in TURNING)
        for sign in text
    )


def visible_signs(text: str) -> int:
    """How many signs a reader sees: neither spaces nor those that only format others."""
    return sum(unicodedata.category(sign)[0] in "LNPSM" for sign in text)


def with_plain_breaks(text: str) -> str:
    """Lines end with a line feed alone. Forms send two signs; the same text is the same text."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
