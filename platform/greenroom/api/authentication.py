"""Who sends this request: a token in ``Authorization``, else the portal's session cookie.

A header wins over the cookie: whoever sends one means it, and a bad one is not forgiven.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.request import Request

from accounts.credentials.commands import note_use
from accounts.credentials.queries import Actor, actor_by_token
from core.errors import Anonymous, NotAllowed, Unreadable
from greenroom.router import note_credential

CHALLENGE = 'Bearer realm="greenroom"'
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class TokenAuthentication(BaseAuthentication):
    """One query. A token that is unknown, expired or revoked is refused like a made-up one."""

    def authenticate(self, request: Request) -> tuple[Actor, Actor] | None:
        # The router refuses this, too; Django may stand behind another one.
        if any("grm_" in value for value in request.query_params.dict().values()):
            raise CredentialInUrl
        header = request._request.META.get("HTTP_AUTHORIZATION", "")  # noqa: SLF001
        if not header:
            return None
        scheme, _space, text = header.partition(" ")
        actor = actor_by_token(text.strip()) if scheme.lower() == "bearer" else None
        if actor is None:
            raise Anonymous
        note_credential(request._request.META, actor.key_id)  # noqa: SLF001
        _uses.note(actor.credential_id)
        return actor, actor

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class PortalSessionAuthentication(BaseAuthentication):
    """What ``greenroom.middleware.Actor`` found. Cookies come unasked, hence the CSRF check."""

    def authenticate(self, request: Request) -> tuple[Actor, Actor] | None:
        actor: Actor | None = getattr(request._request, "actor", None)  # noqa: SLF001
        if actor is None:
            return None
        if request.method not in SAFE:
            _check_csrf(request)
        return actor, actor


class CredentialInUrl(Unreadable):
    code = "credential_in_url"

    def __init__(self) -> None:
        super().__init__(
            _("A credential never stands in an address. Send it in the Authorization header.")
        )


class CsrfFailed(NotAllowed):
    code = "csrf_failed"

    def __init__(self) -> None:
        super().__init__(_("This came from another page than ours, or the page is too old."))


def _check_csrf(request: Request) -> None:
    check = CSRFCheck(_nowhere)
    check.process_request(request._request)  # noqa: SLF001
    if check.process_view(request._request, _nowhere, (), {}):  # noqa: SLF001
        raise CsrfFailed


def _nowhere(_request: HttpRequest) -> HttpResponse:
    """Middleware must lead somewhere; this check is asked directly and never goes there."""
    raise AssertionError("the check went on")


class _Uses:
    """Which credentials were noted lately, so that *last used* costs no query on every request.

    Only what is shown depends on it: whether a credential counts is asked each time.
    """

    EVERY_S = 300.0
    MOST = 4096

    def __init__(self) -> None:
        self._noted: OrderedDict[UUID, float] = OrderedDict()
        self._lock = Lock()

    def note(self, credential_id: UUID) -> None:
        if self._is_due(credential_id):
            note_use(credential_id)

    def _is_due(self, credential_id: UUID) -> bool:
        moment = time.monotonic()
        with self._lock:
            last = self._noted.get(credential_id)
            if last is not None and moment - last < self.EVERY_S:
                return False
            self._noted[credential_id] = moment
            self._noted.move_to_end(credential_id)
            if len(self._noted) > self.MOST:
                self._noted.popitem(last=False)
            return True


_uses = _Uses()
