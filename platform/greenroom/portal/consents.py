"""Consents: four things a programme may ask for, for everything or for one clip of one's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.agreements.pages import receipt_file
from accounts.consents.commands import grant_consent, issue_consent_receipt, revoke_consent
from accounts.consents.models import ConsentAct
from accounts.consents.queries import Consent, consent_acts_of, consents_of, is_yes
from accounts.consents.rules import Purpose
from accounts.consents.words import EFFECTS
from accounts.credentials.doors import PortalRequest, signed_in
from accounts.credentials.queries import Actor
from accounts.programmes.queries import memberships_ended
from core.errors import Absent, TooLate
from core.ids import shown
from generation.clips.models import Clip
from generation.clips.queries import clip_for, clips_of

DEEDS: dict[str, Callable[..., ConsentAct]] = {
    ConsentAct.Deed.GRANTED.value: grant_consent,
    ConsentAct.Deed.REVOKED.value: revoke_consent,
}


@dataclass(frozen=True, slots=True)
class ShownException:
    """A clip whose consent differs from, or was given apart from, the programme's."""

    title: str
    url: str
    is_given: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class ShownConsent:
    """One purpose on the page. ``read`` are the words of the yes that counts, where the programme
    asks in others by now."""

    purpose: str
    title: str
    about: Promise
    stops: Promise
    stays: Promise
    words: str
    is_asked: bool
    is_given: bool
    is_answered: bool
    is_own: bool
    at: datetime | None
    read: str
    answer_url: str
    exceptions: list[ShownException] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ShownAct:
    title: str
    sentence: str
    clip: str
    at: datetime
    receipt_url: str


@require_GET
@signed_in
def consents_page(request: PortalRequest) -> HttpResponse:
    actor = request.actor
    has_left = memberships_ended(actor.party_id).exists()
    if actor.programme_id is None:
        return render(request, "accounts/consents/consents.html", {"has_left": has_left})
    found = consents_of(actor.programme, actor.party_id)
    clips = _clips(actor, {clip_id for consent in found for clip_id in consent.clips})
    context = {
        "consents": [
            _shown(
                consent,
                act=consent.act,
                is_own=True,
                answer_url=reverse("answer-consent", args=[consent.purpose.value]),
                exceptions=_exceptions(consent, clips),
            )
            for consent in found
        ],
        "acts": [_act(act) for act in consent_acts_of(actor)],
        "has_left": has_left,
    }
    return render(request, "accounts/consents/consents.html", context)


@require_POST
@signed_in
def answer_consent(request: PortalRequest, purpose: str) -> HttpResponse:
    _answer(request, purpose, None)
    return redirect(f"{reverse('consents')}#{purpose}")


@require_GET
@signed_in
def clip_consents_page(request: PortalRequest, clip: str) -> HttpResponse:
    found = own_clip(request.actor, clip)
    context = {"clip": found, "clip_url": reverse("clip", args=[clip])} | {
        "consents": consents_for_clip(request.actor, found)
    }
    return render(request, "accounts/consents/clip.html", context)


@require_POST
@signed_in
def answer_clip_consent(request: PortalRequest, clip: str, purpose: str) -> HttpResponse:
    _answer(request, purpose, own_clip(request.actor, clip).id)
    return redirect(f"{reverse('clip-consents', args=[clip])}#{purpose}")


@require_GET
@signed_in
def consent_receipt(request: PortalRequest, act: str) -> HttpResponse:
    document = issue_consent_receipt(actor=request.actor, act_id=act)
    return receipt_file(document, f"consent-{act}.json")


def own_clip(actor: Actor, shown_id: str) -> Clip:
    """Nobody consents for somebody else's clip, whoever may look at it. Raises ``Absent``."""
    clip = clip_for(actor, shown_id)
    if clip.party_id != actor.party_id:
        raise Absent
    return clip


def consents_for_clip(actor: Actor, clip: Clip) -> list[ShownConsent]:
    shown_id = shown("clip", clip.id)
    return [
        _shown(
            consent,
            act=consent.for_clip(clip.id),
            is_own=clip.id in consent.clips,
            answer_url=reverse("answer-clip-consent", args=[shown_id, consent.purpose.value]),
        )
        for consent in consents_of(actor.programme, actor.party_id)
    ]


def consents_section(actor: Actor, clip: Clip) -> dict[str, Any] | None:
    """For the clip's own page; None for whoever is not its owner."""
    if clip.party_id != actor.party_id:
        return None
    found = consents_for_clip(actor, clip)
    return {
        "lines": [each for each in found if each.is_asked or each.is_given],
        "url": reverse("clip-consents", args=[shown("clip", clip.id)]),
    }


def _answer(request: PortalRequest, purpose: str, clip_id: UUID | None) -> None:
    deed = DEEDS.get(request.POST.get("answer", ""))
    if purpose not in Purpose.values or deed is None:
        raise Absent
    try:
        act = deed(actor=request.actor, purpose=Purpose(purpose), clip_id=clip_id)
    except TooLate as refusal:
        messages.error(request, refusal.sentence)
        return
    messages.success(request, _("Kept: yes.") if is_yes(act) else _("Kept: no."))


def _shown(
    consent: Consent,
    *,
    act: ConsentAct | None,
    is_own: bool,
    answer_url: str,
    exceptions: list[ShownException] | None = None,
) -> ShownConsent:
    words, effects = consent.version, EFFECTS[consent.purpose]
    is_given = act is not None and is_yes(act)
    has_read_others = act is not None and is_given and words is not None and act.version != words
    return ShownConsent(
        purpose=consent.purpose.value,
        title=str(consent.purpose.label),
        about=effects.about,
        stops=effects.stops,
        stays=effects.stays,
        words=words.words if words else "",
        is_asked=consent.is_asked,
        is_given=is_given,
        is_answered=act is not None,
        is_own=is_own,
        at=act.at if act else None,
        read=act.version.words if act and has_read_others else "",
        answer_url=answer_url,
        exceptions=exceptions or [],
    )


def _exceptions(consent: Consent, clips: dict[UUID, Clip]) -> list[ShownException]:
    return [
        ShownException(
            title=clips[clip_id].prompt,
            url=reverse("clip-consents", args=[shown("clip", clip_id)]),
            is_given=is_yes(act),
            at=act.at,
        )
        for clip_id, act in sorted(consent.clips.items(), key=lambda each: each[1].at)
        if clip_id in clips
    ]


def _clips(actor: Actor, ids: set[UUID]) -> dict[UUID, Clip]:
    return clips_of(actor).in_bulk(list(ids)) if ids else {}


def _act(act: ConsentAct) -> ShownAct:
    return ShownAct(
        title=str(Purpose(act.purpose).label),
        sentence=_("You said yes.") if is_yes(act) else _("You said no."),
        clip=shown("clip", act.clip_id) if act.clip_id else "",
        at=act.at,
        receipt_url=reverse("consent-receipt", args=[shown("consent_act", act.id)]),
    )


urlpatterns = [
    path("consents", consents_page, name="consents"),
    path("consents/<str:purpose>", answer_consent, name="answer-consent"),
    path("consents/acts/<str:act>/receipt", consent_receipt, name="consent-receipt"),
    path("clips/<str:clip>/consents", clip_consents_page, name="clip-consents"),
    path(
        "clips/<str:clip>/consents/<str:purpose>",
        answer_clip_consent,
        name="answer-clip-consent",
    ),
]
