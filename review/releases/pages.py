"""Releasing in the portal: the form, taking down, links, and the piece on the clip's page."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts.credentials.doors import PortalRequest, signed_in
from accounts.credentials.queries import Actor
from accounts.rates.queries import rate_in_force
from accounts.rates.rules import ActKind
from core.clock import now
from core.errors import KeyReused, Refusal
from core.idempotency.commands import AlreadyAnswered, Once
from core.ids import shown
from generation.clips.models import Clip
from review.decisions.queries import approval_of
from review.releases.commands import (
    make_share_link,
    release_clip,
    revoke_share_link,
    take_down_release,
)
from review.releases.models import Release, ShareLink
from review.releases.queries import (
    clip_to_release,
    has_earned,
    last_release_of,
    link_for,
    release_for,
)
from review.releases.rules import LONGEST_LINK_NAME, LONGEST_TITLE
from review.releases.words import earning_sentence, shown_link

PLACES = [
    ("showcase", gettext_lazy("On the showcase, for everybody")),
    ("link", gettext_lazy("By link only, for whoever you give one")),
]


class NewRelease(forms.Form):
    title = forms.CharField(
        label=gettext_lazy("Title"),
        help_text=gettext_lazy("What the public reads above the picture."),
        widget=forms.TextInput(attrs={"maxlength": LONGEST_TITLE, "autocomplete": "off"}),
    )
    place = forms.ChoiceField(
        label=gettext_lazy("Where it is shown"),
        choices=PLACES,
        widget=forms.RadioSelect,
        initial="showcase",
    )
    shows_prompt = forms.BooleanField(
        label=gettext_lazy("Show what was asked"),
        help_text=gettext_lazy("The prompt stands below the picture, word for word."),
        required=False,
    )
    once = forms.CharField(widget=forms.HiddenInput, max_length=64)


class NewLink(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Who it is for"),
        help_text=gettext_lazy("Only you read this, to know later which link to revoke."),
        required=False,
        widget=forms.TextInput(attrs={"maxlength": LONGEST_LINK_NAME, "autocomplete": "off"}),
    )
    once = forms.CharField(widget=forms.HiddenInput, max_length=64)


def release_section(actor: Actor, clip: Clip) -> dict[str, Any]:
    """What ``review/releases/_release.html`` shows as ``release``, for whoever may see the clip.

    Its owner can release, take down and hand out links; staff read the state.
    """
    is_owner = clip.party_id == actor.party_id
    release = last_release_of(clip.id)
    is_live = release is not None and release.ended_at is None
    public_id = shown("clip", clip.id)
    section: dict[str, Any] = {
        "is_owner": is_owner,
        "is_live": is_live,
        "is_approved": is_live or approval_of(clip.id) is not None,
        "new_url": f"{reverse('new-release')}?clip={public_id}" if is_owner else None,
    }
    if release is not None:
        section |= _shown(release)
    return section


@require_http_methods(["GET", "POST"])
@signed_in
def new_release(request: PortalRequest) -> HttpResponse:
    """Says before the press who will see what, and what is earned."""
    clip = clip_to_release(request.actor, request.GET.get("clip", ""))
    if request.method == "GET":
        # No title is proposed: the prompt would be at hand, and would be public by oversight.
        return _ask(request, clip, NewRelease(initial={"once": uuid4().hex}))
    form = NewRelease(request.POST)
    if not form.is_valid():
        return _ask(request, clip, form, status=422)
    public_id = shown("clip", clip.id)
    wish = form.cleaned_data
    try:
        release_clip(
            actor=request.actor,
            clip_id=public_id,
            title=wish["title"],
            shows_prompt=wish["shows_prompt"],
            is_listed=wish["place"] == "showcase",
            once=_once(request, "new-release", {"clip": public_id, **wish}),
            answer=lambda made: (201, {"release": shown("release", made.id)}),
        )
    except (AlreadyAnswered, KeyReused):
        return redirect("clip", public_id)
    except Refusal as refusal:
        return _refused(request, clip, form, refusal)
    messages.success(request, _("It is released. You can take it down on this page at any time."))
    return redirect("clip", public_id)


@require_POST
@signed_in
def take_down(request: PortalRequest, release: str) -> HttpResponse:
    ended = take_down_release(actor=request.actor, release_id=release)
    messages.success(request, _("It is taken down. Nobody sees it any more, by no link either."))
    return redirect("clip", shown("clip", ended.clip_id))


@require_http_methods(["GET", "POST"])
@signed_in
def links(request: PortalRequest, release: str) -> HttpResponse:
    """Making a link. The answer to the form is the only page that ever holds its secret."""
    found = release_for(request.actor, release)
    if request.method == "GET":
        return _ask_for_link(request, found, NewLink(initial={"once": uuid4().hex}))
    form = NewLink(request.POST)
    if not form.is_valid():
        return _ask_for_link(request, found, form, status=422)
    try:
        return _make_link(request, found, form.cleaned_data)
    except (AlreadyAnswered, KeyReused):
        messages.warning(
            request, _("That form has made its link already, and it is not shown twice.")
        )
        return redirect("clip", shown("clip", found.clip_id))
    except Refusal as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.sentence)
        return _ask_for_link(request, found, form, status=refusal.http_status)


@require_POST
@signed_in
def revoke_link(request: PortalRequest, link: str) -> HttpResponse:
    clip_id = link_for(request.actor, link).release.clip_id
    revoke_share_link(actor=request.actor, link_id=link)
    messages.success(request, _("The link is revoked. It opens nothing any more."))
    return redirect("clip", shown("clip", clip_id))


@sensitive_variables("secret", "address")
def _make_link(request: PortalRequest, release: Release, wish: dict[str, Any]) -> HttpResponse:
    link, secret = make_share_link(
        actor=request.actor,
        release_id=shown("release", release.id),
        name=wish["name"],
        once=_once(request, "new-link", {"release": str(release.id), **wish}),
        answer=lambda _link: (201, {"url": reverse("clip", args=[_clip_id(release)])}),
    )
    context = {
        "link": shown_link(link, release),
        "address": request.build_absolute_uri(reverse("shared", args=[secret])),
        "back_url": reverse("clip", args=[_clip_id(release)]),
        "title": release.title,
    }
    return render(request, "review/releases/link_made.html", context, status=201)


def _ask(
    request: PortalRequest,
    clip: Clip,
    form: NewRelease,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    rate = rate_in_force(clip.programme_id, ActKind.RELEASE, now())
    files = {one.kind: one for one in clip.renditions.all()}
    poster = files.get("poster")
    context = {
        "form": form,
        "refusal": refusal,
        "clip": {
            "prompt": clip.prompt,
            "url": reverse("clip", args=[shown("clip", clip.id)]),
            "poster_url": f"/media/{shown('rendition', poster.id)}" if poster else "",
            "width": clip.width,
            "height": clip.height,
        },
        "is_approved": approval_of(clip.id) is not None,
        "earning": earning_sentence(rate, has_earned=has_earned(clip)),
    }
    return render(request, "review/releases/new.html", context, status=status)


def _refused(
    request: PortalRequest, clip: Clip, form: NewRelease, refusal: Refusal
) -> HttpResponse:
    if refusal.field in form.fields:
        form.add_error(refusal.field, refusal.sentence)
        return _ask(request, clip, form, status=refusal.http_status)
    return _ask(request, clip, form, refusal=refusal, status=refusal.http_status)


def _ask_for_link(
    request: PortalRequest, release: Release, form: NewLink, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "title": release.title,
        "is_live": release.ended_at is None,
        "back_url": reverse("clip", args=[_clip_id(release)]),
    }
    return render(request, "review/releases/link_new.html", context, status=status)


def _shown(release: Release) -> dict[str, Any]:
    public_id = shown("release", release.id)
    return {
        "title": release.title,
        "shows_prompt": release.shows_prompt,
        "is_listed": release.is_listed,
        "released_at": release.released_at,
        "ended_at": release.ended_at,
        "public_url": reverse("showcase-release", args=[public_id]) if release.is_listed else None,
        "take_down_url": reverse("take-down-release", args=[public_id]),
        "link_url": reverse("share-links", args=[public_id]),
        "links": [_shown_link(link, release) for link in release.links.all()],
    }


def _shown_link(link: ShareLink, release: Release) -> dict[str, Any]:
    said = shown_link(link, release)
    return {
        "name": said.name,
        "state": said.state,
        "made_at": said.made_at,
        "revoked_at": said.revoked_at,
        "revoke_url": reverse("revoke-share-link", args=[said.public_id]),
    }


def _clip_id(release: Release) -> str:
    return shown("clip", release.clip_id)


def _once(request: PortalRequest, form: str, wish: dict[str, Any]) -> Once:
    return Once.of(
        scope=f"{request.actor.party_id}:{request.actor.programme}:{form}",
        key=wish["once"],
        payload=wish,
    )


urlpatterns = [
    path("releases/new", new_release, name="new-release"),
    path("releases/<str:release>/take-down", take_down, name="take-down-release"),
    path("releases/<str:release>/links", links, name="share-links"),
    path("links/<str:link>/revoke", revoke_link, name="revoke-share-link"),
]
