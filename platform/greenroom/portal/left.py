"""What stays with somebody in a programme that they left: consents to take back, work, pay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.agreements.pages import receipt_file
from accounts.consents.commands import issue_consent_receipt, revoke_consent
from accounts.consents.models import ConsentAct
from accounts.consents.queries import consent_acts_of, consents_of, is_yes
from accounts.consents.rules import Purpose
from accounts.consents.words import EFFECTS
from accounts.credentials.doors import PortalRequest, signed_in
from accounts.credentials.queries import Actor
from accounts.programmes.models import Membership
from accounts.programmes.queries import memberships_ended, particulars_in_force
from core.api import page_of
from core.errors import Absent, TooLate
from core.ids import shown
from generation.clips.models import Clip
from generation.clips.queries import allows_of, clips_of, own_clip_for
from generation.clips.rules import opens
from review.ledger.queries import owed_to, statement_of
from review.ledger.words import shown_lines, shown_sum

CLIPS_ON_A_PAGE = 24
LINES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class GivenStill:
    """A yes that counts: for the whole programme, or (``clip`` says which) for one clip."""

    clip: str
    at: datetime
    take_back_url: str


@dataclass(frozen=True, slots=True)
class StillGiven:
    purpose: str
    title: str
    about: Promise
    stops: Promise
    stays: Promise
    given: list[GivenStill]


@dataclass(frozen=True, slots=True)
class ShownAct:
    title: str
    sentence: str
    clip: str
    at: datetime
    receipt_url: str


def place_left(actor: Actor, slug: str) -> tuple[Membership, Actor]:
    """The membership that ended, and the actor where it was: with what is theirs, in no role.

    Raises ``Absent`` for a programme they were never in, and for one they are in now.
    """
    ended = memberships_ended(actor.party_id).filter(programme__slug=slug).first()
    if ended is None:
        raise Absent
    return ended, replace(actor, programme_id=ended.programme_id, roles=frozenset())


@require_GET
@signed_in
def places_left(request: PortalRequest) -> HttpResponse:
    context = {"left": [_place(each) for each in memberships_ended(request.actor.party_id)]}
    return render(request, "portal/left/all.html", context)


@require_GET
@signed_in
def left_page(request: PortalRequest, slug: str) -> HttpResponse:
    ended, actor = place_left(request.actor, slug)
    page = page_of(
        clips_of(actor),
        {"limit": CLIPS_ON_A_PAGE, "cursor": request.GET.get("cursor")},
        by=("-made_at", "-id"),
    )
    lines = list(statement_of(actor.party_id, actor.programme)[:LINES_SHOWN])
    context = {
        "place": _place(ended),
        "consents": _consents(actor, slug),
        "acts": [_act(act, slug) for act in consent_acts_of(actor)],
        "sum": shown_sum(owed_to(actor.party_id, actor.programme)),
        # Where they lead is behind the membership; what they say is not.
        "lines": [replace(line, url=None) for line in shown_lines(lines, reader=actor)],
        "clips": [_clip(clip) for clip in page.rows],
        "more_url": f"?{urlencode({'cursor': page.next})}#clips" if page.next else None,
    }
    return render(request, "portal/left/one.html", context)


@require_POST
@signed_in
def take_back(request: PortalRequest, slug: str, purpose: str, clip: str = "") -> HttpResponse:
    """Of a yes for the whole programme, or for one clip. There is no way to give one here."""
    _ended, actor = place_left(request.actor, slug)
    if purpose not in Purpose.values:
        raise Absent
    try:
        revoke_consent(
            actor=actor,
            purpose=Purpose(purpose),
            clip_id=own_clip_for(actor, clip).id if clip else None,
        )
    except TooLate as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, _("Taken back. It counts from now on; the receipt is below."))
    return redirect(f"{reverse('left', args=[slug])}#consents")


@require_GET
@signed_in
def left_receipt(request: PortalRequest, slug: str, act: str) -> HttpResponse:
    _ended, actor = place_left(request.actor, slug)
    return receipt_file(issue_consent_receipt(actor=actor, act_id=act), f"consent-{act}.json")


def _place(ended: Membership) -> dict[str, Any]:
    particulars = particulars_in_force(ended.programme_id)
    return {
        "name": ended.programme.name,
        "ended_at": ended.ended_at,
        "contact": particulars.contact if particulars else "",
        "url": reverse("left", args=[ended.programme.slug]),
        "terms_url": reverse("programme", args=[ended.programme.slug]),
    }


def _consents(actor: Actor, slug: str) -> list[StillGiven]:
    """Every yes that still counts; a purpose without any is not among them."""
    found = consents_of(actor.programme, actor.party_id)
    titles = _titles(actor, {clip_id for consent in found for clip_id in consent.clips})
    shown_ones = []
    for consent in found:
        here = [slug, consent.purpose.value]
        given = []
        if consent.act is not None and consent.is_given:
            given.append(GivenStill("", consent.act.at, reverse("take-back-left", args=here)))
        for clip_id, act in sorted(consent.clips.items(), key=lambda each: each[1].at):
            if is_yes(act) and clip_id in titles:
                url = reverse("take-back-left-clip", args=[*here, shown("clip", clip_id)])
                given.append(GivenStill(titles[clip_id], act.at, url))
        if given:
            effects = EFFECTS[consent.purpose]
            shown_ones.append(
                StillGiven(
                    purpose=consent.purpose.value,
                    title=str(consent.purpose.label),
                    about=effects.about,
                    stops=effects.stops,
                    stays=effects.stays,
                    given=given,
                )
            )
    return shown_ones


def _titles(actor: Actor, ids: set[UUID]) -> dict[UUID, str]:
    return dict(clips_of(actor).filter(id__in=ids).values_list("id", "prompt")) if ids else {}


def _act(act: ConsentAct, slug: str) -> ShownAct:
    return ShownAct(
        title=str(Purpose(act.purpose).label),
        sentence=_("You said yes.") if is_yes(act) else _("You said no."),
        clip=shown("clip", act.clip_id) if act.clip_id else "",
        at=act.at,
        receipt_url=reverse("left-receipt", args=[slug, shown("consent_act", act.id)]),
    )


def _clip(clip: Clip) -> dict[str, Any]:
    """An owner opens their files, member or not; the page of a clip is its programme's."""
    allows = allows_of(clip)
    open_ones = {one.kind: one for one in clip.renditions.all() if opens(one.kind, allows)}
    mine = open_ones.get("master") or open_ones.get("proxy")
    return {
        "public_id": shown("clip", clip.id),
        "prompt": clip.prompt,
        "made_at": clip.made_at,
        "url": f"/media/{shown('rendition', mine.id)}?download=1" if mine else None,
    }


urlpatterns = [
    path("left", places_left, name="places-left"),
    path("left/<slug:slug>", left_page, name="left"),
    path("left/<slug:slug>/consents/<str:purpose>", take_back, name="take-back-left"),
    path(
        "left/<slug:slug>/consents/<str:purpose>/clips/<str:clip>",
        take_back,
        name="take-back-left-clip",
    ),
    path("left/<slug:slug>/acts/<str:act>/receipt", left_receipt, name="left-receipt"),
]
