"""Signing in through the lab's own OpenID provider: there and back. For staff who have an account.

Nobody is made by it and nothing is kept of it. Where no provider is set up there is nothing here.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from accounts.credentials.methods import OPENID
from accounts.entrance.openid import (
    Attempt,
    NotVouched,
    Provider,
    ProviderAway,
    address_to_ask,
    new_attempt,
    vouched_address,
)
from accounts.entrance.queries import staff_at
from core.clock import now
from core.errors import Absent

KEPT = "openid"
LASTS = timedelta(minutes=10)


@never_cache
@require_POST
@sensitive_variables("attempt")
def leave(request: HttpRequest) -> HttpResponse:
    """A form, so that no other site signs anybody in; answered by a page that goes on, since
    ``form-action 'self'`` holds for redirects after a form, too."""
    provider = _provider()
    attempt = new_attempt()
    try:
        url = address_to_ask(provider, attempt)
    except (ProviderAway, NotVouched):
        return _away(request, provider)
    wanted = request.POST.get("next", "")
    request.session[KEPT] = {
        **asdict(attempt),
        "until": (now() + LASTS).isoformat(),
        "next": wanted if get_adapter(request).is_safe_url(wanted) else "",
    }
    context = {"url": url, "name": provider.name}
    return render(request, "account/openid_leaving.html", context)


@never_cache
@require_GET
@sensitive_variables("attempt", "kept")
def come_back(request: HttpRequest) -> HttpResponse:
    """Each attempt counts once, in the browser that began it, for ten minutes."""
    provider = _provider()
    kept: dict[str, Any] = request.session.pop(KEPT, None) or {}
    attempt = Attempt(kept.get("state", ""), kept.get("nonce", ""), kept.get("verifier", ""))
    if not _is_ours(request, kept):
        return _refused(
            request, _("This sign-in was not begun in this browser, or took too long."), 400
        )
    if "code" not in request.GET:
        return _refused(request, _("You did not sign in there, so you are not signed in here."))
    try:
        address = vouched_address(provider, attempt, request.GET["code"])
    except ProviderAway:
        return _away(request, provider)
    except NotVouched:
        _note("", request)
        return _refused(request, _("It did not vouch for a verified e-mail address of yours."))
    person = staff_at(address)
    if person is None:
        _note(address, request)
        return _refused(
            request,
            _(
                "This way in is for staff who have an account here, and nobody of the staff has"
                " your address. Testers sign in with their own password or passkey."
            ),
        )
    record_authentication(request, person, method=OPENID)
    login = Login(user=person, email=person.email, redirect_url=kept["next"] or None)
    response: HttpResponse = perform_login(request, login)
    return response


def _provider() -> Provider:
    if settings.OPENID is None:
        raise Absent
    back = f"{settings.PUBLIC_ADDRESS}{reverse('openid-callback')}"
    return Provider(**settings.OPENID, redirect_uri=back)


def _is_ours(request: HttpRequest, kept: dict[str, Any]) -> bool:
    if not kept or datetime.fromisoformat(kept["until"]) < now():
        return False
    return compare_digest(request.GET.get("state", "").encode(), kept["state"].encode())


def _note(address: str, request: HttpRequest) -> None:
    """On record like every other sign-in that failed, without the address."""
    user_login_failed.send(sender=__name__, credentials={"email": address}, request=request)


def _refused(request: HttpRequest, sentence: str, status: int = 403) -> HttpResponse:
    context = {"sentence": sentence, "is_away": False}
    return render(request, "account/openid_refused.html", context, status=status)


def _away(request: HttpRequest, provider: Provider) -> HttpResponse:
    context = {"name": provider.name, "is_away": True}
    return render(request, "account/openid_refused.html", context, status=503)


urlpatterns = [
    path("openid/", leave, name="openid"),
    path("openid/callback/", come_back, name="openid-callback"),
]
