"""A clip's page: one record that its maker, the reviewer and finance all see."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from accounts.credentials.doors import PortalRequest, signed_in
from core.errors import Absent
from generation.clips.pages import clip_pieces
from generation.clips.queries import clip_for, clip_to_view
from greenroom.portal.consents import consents_section
from greenroom.portal.record import record_of
from review.chains.pages import review_section
from review.credits.pages import credits_section
from review.ledger.queries import acts_of_clip
from review.ledger.words import shown_acts
from review.releases.pages import release_section
from review.retention.pages import files_section


@signed_in
def clip_page(request: PortalRequest, clip: str) -> HttpResponse:
    try:
        found = clip_for(request.actor, clip)
    except Absent:
        clip_to_view(request.actor, clip)  # absent too for everybody who may not look
        return redirect("ask-clip", clip)
    context = {
        **clip_pieces(request, found),
        "review": review_section(request.actor, found),
        "credits": credits_section(request.actor, found),
        "release": release_section(request.actor, found),
        "retention": files_section(request.actor, found),
        "consents": consents_section(request.actor, found),
        "earned": shown_acts(acts_of_clip(found.id)),
        "record": record_of(found, request.actor),
    }
    return render(request, "portal/clip.html", context)


urlpatterns = [path("clips/<str:clip>", clip_page, name="clip")]
