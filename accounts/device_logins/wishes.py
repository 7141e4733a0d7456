"""What is refused of a device login, and why: wishes, answers, and too many of them."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from accounts.credentials.rules import LONGEST_LIFE_DAYS, TOKEN_SCOPES, TOKENS_PER_PARTY
from accounts.device_logins.models import DeviceLogin
from accounts.device_logins.queries import tokens_held
from core.errors import InvalidOrder, Kind, Refusal
from core.text import is_readable

LONGEST_NAME = 80


class TooManyDeviceLogins(Refusal):
    kind = Kind.EXHAUSTED
    code = "device_logins_exhausted"

    def __init__(self) -> None:
        super().__init__(
            _("Too many sign-ins were begun from here. Wait ten minutes, then try again.")
        )


class TooManyCodes(Refusal):
    kind = Kind.EXHAUSTED
    code = "user_codes_exhausted"

    def __init__(self) -> None:
        super().__init__(
            _("You typed ten codes within ten minutes. Wait a little, then try again."),
            field="code",
        )


def no_such_code() -> InvalidOrder:
    """Over, answered, or opened by somebody else: one answer for all of them."""
    return InvalidOrder(
        "user_code_unknown",
        _("No program waits with this code. It counts for ten minutes, and once."),
        field="code",
    )


def check_wish(client_name: str, scopes: list[str], days: int) -> None:
    if not 1 <= len(client_name.strip()) <= LONGEST_NAME or not is_readable(client_name):
        raise InvalidOrder(
            "name_invalid", _("A name is one line, up to 80 characters."), field="client_name"
        )
    if not scopes or set(scopes) - set(TOKEN_SCOPES):
        raise InvalidOrder(
            "scopes_invalid", _("Choose at least one of the offered scopes."), field="scope"
        )
    _check_days(days, LONGEST_LIFE_DAYS)


def check_answer(login: DeviceLogin, scopes: list[str], days: int) -> None:
    if not scopes or set(scopes) - set(login.scopes):
        raise InvalidOrder(
            "scopes_invalid", _("Choose at least one of the offered scopes."), field="scopes"
        )
    _check_days(days, login.days)


def _check_days(days: int, most: int) -> None:
    if not 1 <= days <= most:
        raise InvalidOrder(
            "days_out_of_range",
            _("A token lives for 1 to %(most)s days.") % {"most": most},
            field="days",
        )


def must_have_room(party_id: UUID) -> None:
    """Said to the person, who can revoke one; whoever mints counts again, and holds the party."""
    held = tokens_held(party_id)
    if held >= TOKENS_PER_PARTY:
        raise InvalidOrder(
            "too_many_tokens",
            _("You hold %(count)s tokens already. Revoke one first.") % {"count": held},
        )
