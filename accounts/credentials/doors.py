"""What a page behind the sign-in may count on."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url

from accounts.credentials.methods import fresh_method
from accounts.credentials.queries import Actor
from accounts.people.models import Person
from accounts.programmes.models import Programme
from core.errors import Absent


class PortalRequest(HttpRequest):
    """A request whose sender is signed in: ``greenroom.middleware.Actor`` put these there."""

    actor: Actor
    user: Person
    programme: Programme | None


Page = Callable[..., HttpResponse]


def signed_in(page: Page) -> Page:
    """Send everybody else to the sign-in page, and back here afterwards."""

    @wraps(page)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if getattr(request, "actor", None) is None:
            query = urlencode({"next": request.get_full_path()})
            return redirect(f"{resolve_url(settings.LOGIN_URL)}?{query}")
        return page(request, *args, **kwargs)

    return guarded


def only_for(*roles: str) -> Callable[[Page], Page]:
    """A room for these roles; for everybody else who is signed in there is nothing here."""

    def guard(page: Page) -> Page:
        @wraps(page)
        def guarded(request: PortalRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.actor.roles.intersection(roles):
                raise Absent
            return page(request, *args, **kwargs)

        return signed_in(guarded)

    return guard


def shown_again(page: Page) -> Page:
    """Only for somebody who has shown within five minutes, once more, who they are."""

    @wraps(page)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if fresh_method(request) is None:
            return ask_again(request)
        return page(request, *args, **kwargs)

    return guarded


def ask_again(request: HttpRequest) -> HttpResponse:
    """Ask who they are, then send them back here; a form they had filled in is not kept.

    allauth would keep it, by writing the whole request, session cookie and all, into the session.
    """
    ways = get_adapter().get_reauthentication_methods(request.user)
    if not ways:
        raise PermissionDenied
    return redirect(f"{ways[0]['url']}?{urlencode({'next': request.get_full_path()})}")
