"""What a page behind the sign-in may count on."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url

from accounts.credentials.queries import Actor
from accounts.people.models import Person
from accounts.programmes.models import Programme
from django.conf import settings


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
