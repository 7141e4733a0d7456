"""What a program asks without an account, in the forms of RFC 8628 and RFC 6749.

Their bodies are theirs: forms or JSON come in, unknown fields are ignored, and an error is an
``error`` with its ``error_description``. Everything else of the API speaks problem details.
"""

from __future__ import annotations

import json
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from accounts.credentials.rules import USUAL_LIFE_DAYS
from accounts.device_logins.commands import (
    NotTaken,
    begin_device_login,
    take_device_login,
)
from accounts.device_logins.rules import GRANT_TYPE, LASTS, shown_user_code
from accounts.device_logins.wishes import LONGEST_NAME, TooManyDeviceLogins
from core.errors import InvalidOrder
from core.ids import shown

LARGEST_BODY = 16 * 1024
USUAL_SCOPES = "clips:create clips:read quota:read"
# Codes of the command, as the errors of RFC 6749, section 5.2.
ERRORS = {"scopes_invalid": "invalid_scope"}


class BadRequest(Exception):
    def __init__(self, error: str, sentence: str) -> None:
        super().__init__(error)
        self.error = error
        self.sentence = sentence


@csrf_exempt  # it asks neither for a session nor for anything in its name
@require_POST
@sensitive_variables("begun", "code")
def begin(request: HttpRequest) -> JsonResponse:
    """Device authorization request, section 3.1 of RFC 8628. ``client_name`` and ``days`` are ours:
    what the person reads, and for how long the token is to be."""
    try:
        asked = _asked(request)
        begun = begin_device_login(
            client_name=asked.get("client_name", asked["client_id"])[: LONGEST_NAME + 1],
            scopes=(asked.get("scope") or USUAL_SCOPES).split(),
            days=_days(asked),
            asked_from=_address(request),
        )
    except BadRequest as wrong:
        return _error(wrong.error, wrong.sentence)
    except KeyError:
        return _error("invalid_request", _("Say in “client_id” which program asks."))
    except TooManyDeviceLogins as refusal:
        answer = _error("slow_down", refusal.sentence, status=refusal.http_status)
        answer.headers["Retry-After"] = str(int(LASTS.total_seconds()))
        return answer
    except InvalidOrder as refusal:
        return _error(ERRORS.get(refusal.code, "invalid_request"), refusal.sentence)
    code = shown_user_code(begun.user_code)
    page = f"{settings.PUBLIC_ADDRESS}{reverse('device')}"
    return _unkept(
        {
            "device_code": begun.device_code,
            "user_code": code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={code}",
            "expires_in": int(LASTS.total_seconds()),
            "interval": begun.login.interval_s,
        }
    )


@csrf_exempt
@require_POST
@sensitive_variables("asked", "taken")
def take(request: HttpRequest) -> JsonResponse:
    """Device access token request, section 3.4. The token stands in this one answer."""
    try:
        asked = _asked(request)
        if asked.get("grant_type", "") != GRANT_TYPE:
            return _error("unsupported_grant_type", _("Device codes are redeemed here."))
        taken = take_device_login(device_code=asked["device_code"])
    except BadRequest as wrong:
        return _error(wrong.error, wrong.sentence)
    except KeyError:
        return _error("invalid_request", _("Send the device code as “device_code”."))
    except NotTaken as not_yet:
        more = {} if not_yet.interval_s is None else {"interval": not_yet.interval_s}
        return _error(not_yet.error, not_yet.sentence, **more)
    token = taken.token
    return _unkept(
        {
            "access_token": taken.secret,
            "token_type": "Bearer",
            "expires_in": int((token.expires_at - token.minted_at).total_seconds()),
            "scope": " ".join(token.scopes),
            "id": shown("credential", token.id),
            "key_id": token.key_id,
            "expires_at": token.expires_at.isoformat(),
        }
    )


def _asked(request: HttpRequest) -> dict[str, str]:
    """The fields of a form or of a JSON object, each once and each a text or a whole number."""
    kind = (request.content_type or "").lower()
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
        raise BadRequest("invalid_request", _("The body is larger than what is accepted."))
    if kind == "application/json":
        return _texts(_read(request.body))
    if kind == "application/x-www-form-urlencoded":
        if any(len(values) > 1 for _name, values in request.POST.lists()):
            raise BadRequest("invalid_request", _("Send each field once."))
        return _texts(request.POST.dict())
    raise BadRequest("invalid_request", _("Send a form or a JSON object."))


def _read(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body.decode(), object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadRequest("invalid_request", _("Send a form or a JSON object."))
    return found


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _texts(fields: dict[str, Any]) -> dict[str, str]:
    """Without what is empty: by RFC 6749, section 3.1, it counts as left out."""
    known = ("client_id", "client_name", "scope", "days", "grant_type", "device_code")
    found = {name: fields[name] for name in known if fields.get(name) not in (None, "")}
    for name, value in found.items():
        is_number = name == "days" and isinstance(value, int) and not isinstance(value, bool)
        if not isinstance(value, str) and not is_number:
            raise BadRequest("invalid_request", _("“%(name)s” is a text.") % {"name": name})
        if "\0" in str(value) or not _is_text(str(value)):
            raise BadRequest("invalid_request", _("“%(name)s” is a text.") % {"name": name})
    return {name: str(value) for name, value in found.items()}


def _is_text(value: str) -> bool:
    """JSON's escapes can spell half a surrogate pair, which is no sign at all."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _days(asked: dict[str, str]) -> int:
    text = asked.get("days", str(USUAL_LIFE_DAYS))
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        raise BadRequest("invalid_request", _("“days” is a whole number."))
    return int(text)


def _address(request: HttpRequest) -> str | None:
    """Who asks, as the router found it: only proxies that the operator named are believed."""
    try:
        return str(ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None


def _error(error: str, sentence: str, *, status: int = 400, **more: Any) -> JsonResponse:
    return _unkept({"error": error, "error_description": sentence, **more}, status=status)


def _unkept(body: dict[str, Any], status: int = 200) -> JsonResponse:
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})


urlpatterns = [
    path("api/v1/device-login", begin, name="device-login"),
    path("api/v1/device-login/token", take, name="device-login-token"),
]
