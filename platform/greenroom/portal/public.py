"""What everybody can see without signing in: the showcase, and releases by their links."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from core.api import page_of
from core.ids import shown
from review.credits.words import ShownCredit
from review.releases.models import Release
from review.releases.queries import release_by_link, release_shown, showcase
from review.releases.words import named_credits, shown_player, shown_release

RELEASES_ON_A_PAGE = 24


@dataclass(frozen=True, slots=True)
class Card:
    """``credits`` is empty where nobody is named."""

    url: str
    poster_url: str
    sprite_url: str
    sprite_tiles: int
    sprite_columns: int
    title: str
    duration_text: str
    credits: list[ShownCredit]
    released_at: datetime
    width: int
    height: int


@require_safe
def showcase_page(request: HttpRequest) -> HttpResponse:
    wish = {"limit": RELEASES_ON_A_PAGE, "cursor": request.GET.get("cursor")}
    page = page_of(showcase(), wish, by=("-released_at", "-id"))
    context = {
        "cards": [_card(release) for release in page.rows],
        "more_url": f"?{urlencode({'cursor': page.next})}" if page.next else None,
        "is_first": not request.GET.get("cursor"),
    }
    return render(request, "portal/public/showcase.html", context)


@require_safe
def release_page(request: HttpRequest, release: str) -> HttpResponse:
    return _release(request, release_shown(release), "/media")


@require_safe
@sensitive_variables("secret")
def shared_page(request: HttpRequest, secret: str) -> HttpResponse:
    """The same page by link. Search engines keep out; no other site hears the address anyway."""
    response = _release(request, release_by_link(secret), f"/shared/{secret}")
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _release(request: HttpRequest, release: Release, place: str) -> HttpResponse:
    context: dict[str, Any] = {
        "release": shown_release(release),
        "clip": shown_player(release, place),
        "is_by_link": place != "/media",
    }
    return render(request, "portal/public/release.html", context)


def _card(release: Release) -> Card:
    player = shown_player(release, "/media")
    return Card(
        url=reverse("showcase-release", args=[shown("release", release.id)]),
        poster_url=player["poster"],
        sprite_url=player["sprite_url"],
        sprite_tiles=player["sprite_tiles"],
        sprite_columns=player["sprite_columns"],
        title=release.title,
        duration_text=player["duration_text"],
        credits=named_credits(shown_release(release).credits),
        released_at=release.released_at,
        width=player["width"],
        height=player["height"],
    )


urlpatterns = [
    path("showcase", showcase_page, name="showcase"),
    path("showcase/<str:release>", release_page, name="showcase-release"),
    path("shared/<str:secret>", shared_page, name="shared"),
]
