"""How somebody has shown who they are, from what allauth notes in the session."""

from __future__ import annotations

from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.contrib.auth.middleware import get_user
from django.http import HttpRequest

from accounts.people.models import Person

# Signed in without allauth's forms: an invitation just accepted.
DIRECT = "direct"
# Through the lab's own OpenID provider.
OPENID = "oidc"


def method_of_sign_in(request: HttpRequest, person: Person) -> str:
    """The last step of this sign-in: ``password``, ``oidc``, ``totp``, ``webauthn``,
    ``recovery_codes``."""
    records = get_authentication_records(request, person)
    return _method(records[-1]) if records else DIRECT


def fresh_method(request: HttpRequest) -> str | None:
    """How the person showed once more, within five minutes, who they are; None if they did not.

    allauth alone answers yes for somebody who has no way of doing so; here that is a no.
    """
    request.user = get_user(request)  # the API has put its own notion of a user there
    if not did_recently_reauthenticate(request):
        return None
    records = get_authentication_records(request, request.user)
    again = [each for each in records if each.get("reauthenticated")]
    return _method(again[-1]) if again else None


def _method(record: dict[str, Any]) -> str:
    return str(record.get("type") or record["method"])[:16]
