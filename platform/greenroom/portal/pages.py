"""The studio: quota, jobs under way, clips. Strangers see the front of the house."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.agreements.queries import agreement_standing
from accounts.agreements.words import until_words
from accounts.credentials.doors import PortalRequest, signed_in
from accounts.credentials.queries import Actor
from accounts.notices.queries import unread_notices
from accounts.notices.words import shown_notices
from accounts.profile.choices import CHOSEN
from accounts.programmes.models import Membership, Role
from accounts.programmes.queries import (
    memberships_ended,
    particulars_in_force,
    why_not_working,
)
from accounts.quotas.models import Kind
from accounts.quotas.queries import quota_of
from core.clock import now
from core.errors import Absent
from generation.catalogue.queries import is_ready, models_offered
from generation.clips.pages import shown_cards
from generation.clips.queries import clips_of
from generation.jobs.pages import shown_jobs
from generation.jobs.queries import live_jobs_of
from greenroom.portal.place import places_of
from greenroom.portal.waiting import is_staff, waiting_for
from review.chains.words import card_states

CLIPS_ON_A_PAGE = 24
FAREWELLS_SHOWN = 5
NOTICES_SHOWN = 3  # the inbox holds the others


def studio(request: HttpRequest) -> HttpResponse:
    if getattr(request, "actor", None) is None:
        return render(request, "portal/welcome.html")
    return _studio(cast("PortalRequest", request))


def _studio(request: PortalRequest) -> HttpResponse:
    actor = request.actor
    if actor.programme_id is None:
        ended = memberships_ended(actor.party_id)[:FAREWELLS_SHOWN]
        return render(
            request,
            "portal/studio.html",
            {"clips": [], "jobs": [], "farewells": [_farewell(each) for each in ended]},
        )
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
        "notices": shown_notices(list(unread_notices(actor.party_id)[:NOTICES_SHOWN])),
        "engine_notice": engine_notice(),
        "why_not_working": why_not_working(actor.programme),
        **_agreement(actor),
        **_waiting(request),
    }
    return render(request, "portal/studio.html", context)


@require_POST
@signed_in
def choose_place(request: PortalRequest) -> HttpResponse:
    """Stand in another of one's programmes, at its front: the page one is on may not be there."""
    chosen = request.POST.get("programme", "")
    found = next((one for one in places_of(request.actor) if one.slug == chosen), None)
    if found is None:
        raise Absent
    request.session[CHOSEN] = str(found.id)
    return redirect("studio")


def _waiting(request: PortalRequest) -> dict[str, Any]:
    """For somebody who makes no clips here. Testers find in the studio what is theirs."""
    if request.programme is None or not is_staff(request.actor):
        return {}
    return {"is_staff": True, "waiting": waiting_for(request.actor, request.programme, now())}


def _farewell(ended: Membership) -> dict[str, Any]:
    """That somebody was let go, in the days of the programme they were in."""
    programme = ended.programme
    particulars = particulars_in_force(programme.id)
    assert ended.ended_at is not None, "only what has ended is asked for"
    return {
        "name": programme.name,
        "ended_on": ended.ended_at.astimezone(ZoneInfo(programme.time_zone)).date(),
        "contact": particulars.contact if particulars else "",
        "url": reverse("left", args=[programme.slug]),
    }


def _agreement(actor: Actor) -> dict[str, Any]:
    """Whether it keeps the actor from new work, and whether a newer version waits for a word."""
    standing = agreement_standing(actor.programme, actor.party_id)
    if standing is None or Role.TESTER not in actor.roles:
        return {}
    waits = standing if standing.waits and standing.governing else None
    return {
        "needs_agreement": standing.governing is None,
        "agreement_waits": waits,
        "answer_until": until_words(standing.version) if waits else "",
    }


def engine_notice() -> str | None:
    """A sentence while the video engine is not there yet."""
    if all(is_ready(model) for model in models_offered()):
        return None
    return _(
        "The video engine is still being installed. Until then the still engine draws a quiet"
        " landscape, so that you can try the way through the house."
    )


urlpatterns = [
    path("", studio, name="studio"),
    path("place", choose_place, name="place"),
]
