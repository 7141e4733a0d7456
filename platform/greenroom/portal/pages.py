"""The studio: quota, jobs under way, clips. Strangers see the front of the house."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from accounts.agreements.queries import acceptance_of, agreement_in_force
from accounts.credentials.doors import PortalRequest
from accounts.notices.queries import unread_notices
from accounts.notices.words import shown_notice
from accounts.quotas.models import Kind
from accounts.quotas.queries import quota_of
from generation.catalogue.queries import is_ready, models_offered
from generation.clips.pages import shown_cards
from generation.clips.queries import clips_of
from generation.jobs.pages import shown_jobs
from generation.jobs.queries import live_jobs_of
from review.chains.words import card_states

CLIPS_ON_A_PAGE = 24
NOTICES_SHOWN = 5


def studio(request: HttpRequest) -> HttpResponse:
    if getattr(request, "actor", None) is None:
        return render(request, "portal/welcome.html")
    return _studio(cast("PortalRequest", request))


def _studio(request: PortalRequest) -> HttpResponse:
    actor = request.actor
    if actor.programme_id is None:
        return render(request, "portal/studio.html", {"clips": [], "jobs": []})
    cursor = request.GET.get("cursor")
    clips, more = shown_cards(
        clips_of(actor),
        cursor=cursor,
        most=CLIPS_ON_A_PAGE,
        states=lambda clip_ids: card_states(actor, clip_ids),
    )
    context: dict[str, Any] = {
        "budget": quota_of(
            programme_id=actor.programme,
            party_id=actor.party_id,
            lineage_id=actor.lineage_id,
            kind=Kind.CREDITS,
        ),
        "jobs": shown_jobs(list(live_jobs_of(actor)[:50])),
        "clips": clips,
        "more_url": f"?{urlencode({'cursor': more})}" if more else None,
        "notices": [shown_notice(one) for one in unread_notices(actor.party_id)[:NOTICES_SHOWN]],
        "engine_notice": engine_notice(),
        "needs_agreement": agreement_in_force(actor.programme) is not None
        and acceptance_of(actor.programme, actor.party_id) is None,
    }
    return render(request, "portal/studio.html", context)


def engine_notice() -> str | None:
    """A sentence while the video engine is not there yet."""
    if all(is_ready(model) for model in models_offered()):
        return None
    return _(
        "The video engine is still being installed. Until then the still engine draws a quiet"
        " landscape, so that you can try the way through the house."
    )


urlpatterns = [path("", studio, name="studio")]
