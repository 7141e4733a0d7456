"""Refusals: what the platform answers instead of doing a thing, and the one table to HTTP.

A refusal is a value with a kind, a code for programs and a sentence for people. Commands raise
it; a door never decides what it means in HTTP, it asks ``http_status``.
"""

from __future__ import annotations

import errno
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class Kind(StrEnum):
    UNREADABLE = "unreadable"
    INVALID = "invalid"
    ANONYMOUS = "anonymous"
    FORBIDDEN = "forbidden"
    ABSENT = "absent"
    CONFLICT = "conflict"
    EXHAUSTED = "exhausted"
    TOO_LARGE = "too_large"
    UNAVAILABLE = "unavailable"
    FULL = "full"


HTTP_STATUS: dict[Kind, int] = {
    Kind.UNREADABLE: 400,
    Kind.INVALID: 422,
    Kind.ANONYMOUS: 401,
    Kind.FORBIDDEN: 403,
    Kind.ABSENT: 404,
    Kind.CONFLICT: 409,
    Kind.EXHAUSTED: 429,
    Kind.TOO_LARGE: 413,
    Kind.UNAVAILABLE: 503,
    Kind.FULL: 507,
}

TITLES = {
    Kind.UNREADABLE: gettext_lazy("This request cannot be read."),
    Kind.INVALID: gettext_lazy("That cannot be done as asked."),
    Kind.ANONYMOUS: gettext_lazy("Please sign in."),
    Kind.FORBIDDEN: gettext_lazy("This is not open to you."),
    Kind.ABSENT: gettext_lazy("There is nothing here."),
    Kind.CONFLICT: gettext_lazy("Something changed in the meantime."),
    Kind.EXHAUSTED: gettext_lazy("There is not enough left."),
    Kind.TOO_LARGE: gettext_lazy("This is larger than what is accepted here."),
    Kind.UNAVAILABLE: gettext_lazy("This is not ready yet."),
    Kind.FULL: gettext_lazy("There is no room left here."),
}


class Refusal(Exception):
    """Something is not done, and nothing was changed.

    ``code`` is for programs and never changes; ``sentence`` is for people, already translated;
    ``facts`` are plain values worth showing (what was asked, what is left).
    """

    kind: Kind = Kind.INVALID
    code: str = "refused"

    def __init__(self, sentence: str, *, field: str | None = None, **facts: Any) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field
        self.facts = facts

    @property
    def http_status(self) -> int:
        return HTTP_STATUS[self.kind]


class Unreadable(Refusal):
    """Not even input: a body that is no JSON object, a credential in an address."""

    kind = Kind.UNREADABLE
    code = "body_unreadable"


class BodyTooLarge(Refusal):
    kind = Kind.TOO_LARGE
    code = "body_too_large"


class InvalidOrder(Refusal):
    """Input that no state of the world would make acceptable. ``code`` names what is wrong."""

    def __init__(self, code: str, sentence: str, *, field: str | None = None, **facts: Any) -> None:
        super().__init__(sentence, field=field, **facts)
        self.code = code


class Anonymous(Refusal):
    """No credential, or one that does not count (unknown, expired, revoked: all look alike)."""

    kind = Kind.ANONYMOUS
    code = "not_signed_in"

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or _("Sign in, or send a valid token."))


class WrongScope(Refusal):
    kind = Kind.FORBIDDEN
    code = "wrong_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(
            _("This credential does not carry the scope “%(scope)s”.") % {"scope": scope},
            scope=scope,
        )


class NotAllowed(Refusal):
    kind = Kind.FORBIDDEN
    code = "not_allowed"


class Absent(Refusal):
    """Absent and not yours look alike, byte for byte."""

    kind = Kind.ABSENT
    code = "not_found"

    def __init__(self) -> None:
        super().__init__(_("There is nothing here, or it is not yours to see."))


class AgreementMissing(Refusal):
    kind = Kind.FORBIDDEN
    code = "agreement_required"

    def __init__(self) -> None:
        super().__init__(
            _("Please read and accept the programme's agreement first. Nothing was submitted.")
        )


class QuotaExceeded(Refusal):
    """A budget on the path refused. ``budget`` says whose it is, in the reader's words."""

    kind = Kind.EXHAUSTED
    code = "quota_exceeded"

    def __init__(self, *, asked: int, left: int, budget: str, budget_kind: str) -> None:
        super().__init__(
            _("This needs %(asked)s, and %(left)s is left in the budget “%(budget)s”.")
            % {"asked": asked, "left": left, "budget": budget},
            asked=asked,
            left=left,
            budget=budget,
            budget_kind=budget_kind,
        )


class TooLate(Refusal):
    """A move that the thing's present state does not allow, or that somebody made first."""

    kind = Kind.CONFLICT
    code = "state_changed"


class NotReady(Refusal):
    kind = Kind.UNAVAILABLE

    def __init__(self, code: str, sentence: str, **facts: Any) -> None:
        super().__init__(sentence, **facts)
        self.code = code


class StorageFull(Refusal):
    """The disk is full, or what may be written on it. Whatever was begun is gone again."""

    kind = Kind.FULL
    code = "storage_full"

    def __init__(self) -> None:
        super().__init__(
            _(
                "There is no room left on this house's disk. Nothing was kept, and nothing is"
                " counted; whoever runs the house has to make room."
            )
        )


# No room, a quota of the file system, a limit on one file: to whoever sent it, all the same.
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def is_storage_full(fault: BaseException | None) -> bool:
    """Whether a full disk is behind this error, or behind what it was raised from."""
    while fault is not None:
        if isinstance(fault, OSError) and fault.errno in _NO_ROOM:
            return True
        fault = fault.__cause__
    return False


class KeyReused(Refusal):
    """The same ``Idempotency-Key`` came with another payload."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(
            _("This Idempotency-Key was used for a different request. Nothing was done.")
        )
