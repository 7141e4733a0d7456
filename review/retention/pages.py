"""Storage for the programme's people; removing and keeping the files of a clip for its owner."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.credentials.doors import PortalRequest, only_for, signed_in
from accounts.credentials.queries import Actor
from core.clock import now
from core.ids import shown
from generation.clips.models import Clip, Removal
from generation.clips.queries import own_clip_for, removal_of
from generation.clips.rules import OWNER_CAN_KEEP
from review.retention.commands import (
    RemovalStays,
    ShownOrJudged,
    keep_own_clip,
    remove_own_clip,
)
from review.retention.queries import is_shown_or_judged, standing_of, storage_for
from review.retention.rules import GOING_DAYS, RATE_DAYS, ROLES_OF_STORAGE
from review.retention.words import way_out


def files_section(actor: Actor, clip: Clip) -> dict[str, Any] | None:
    """What ``review/retention/_files.html`` shows as ``retention``; None for all but the owner, and
    once the files are gone."""
    removal = removal_of(clip)
    if clip.party_id != actor.party_id or (removal and removal.done_at):
        return None
    public_id = shown("clip", clip.id)
    standing = standing_of(clip)
    by_owner = removal is not None and removal.why == Removal.Why.OWNER
    return {
        "due_at": removal.due_at if removal else None,
        "by_owner": by_owner,
        "goes_at": standing.goes_at,
        "way_out": way_out(standing.state),
        "keep_url": reverse("keep-clip", args=[public_id]) if by_owner else None,
        "remove_url": None
        if by_owner or is_shown_or_judged(clip)
        else reverse("remove-clip", args=[public_id]),
    }


@require_GET
@only_for(*ROLES_OF_STORAGE)
def storage(request: PortalRequest) -> HttpResponse:
    found = storage_for(request.actor)
    context = {
        "storage": found,
        "rate_days": RATE_DAYS,
        "going_days": GOING_DAYS,
        "states": [
            {
                "words": each.state.label,
                "clips": each.clips,
                "bytes": each.bytes,
                "days": found.terms.days(each.state) if found.terms else None,
                "going": [each.goes_within(days) for days in GOING_DAYS],
            }
            for each in found.stored
        ],
    }
    return render(request, "review/retention/storage.html", context)


@require_http_methods(["GET", "POST"])
@signed_in
def remove(request: PortalRequest, clip: str) -> HttpResponse:
    """Says before the press what goes, what stays and until when it can be taken back."""
    found = own_clip_for(request.actor, clip)
    refusal: ShownOrJudged | None = None
    if request.method == "POST":
        try:
            remove_own_clip(actor=request.actor, clip_id=clip)
        except ShownOrJudged as refused:
            refusal = refused
        else:
            messages.success(
                request, _("Its files go in a day. Until then you can keep them on this page.")
            )
            return redirect("clip", clip)
    elif removal_of(found) is not None:
        return redirect("clip", clip)
    context = {
        "clip_url": reverse("clip", args=[clip]),
        "prompt": found.prompt,
        "goes_at": now() + OWNER_CAN_KEEP,
        "refusal": refusal,
    }
    status = refusal.http_status if refusal else 200
    return render(request, "review/retention/remove.html", context, status=status)


@require_POST
@signed_in
def keep(request: PortalRequest, clip: str) -> HttpResponse:
    try:
        keep_own_clip(actor=request.actor, clip_id=clip)
    except RemovalStays as refused:
        messages.warning(request, refused.sentence)
    else:
        messages.success(request, _("Its files stay."))
    return redirect("clip", clip)


urlpatterns = [
    path("storage", storage, name="storage"),
    path("clips/<str:clip>/remove", remove, name="remove-clip"),
    path("clips/<str:clip>/keep", keep, name="keep-clip"),
]
