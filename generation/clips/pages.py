"""What this floor shows of clips: cards, the pieces of a clip's page, and why staff look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.credentials.doors import PortalRequest, signed_in
from core.api import page_of
from core.ids import shown
from generation.clips.commands import say_why
from generation.clips.models import Clip
from generation.clips.queries import allows_of, clip_to_view, removal_of, seen_by
from generation.clips.rules import Allows, Why, opens
from generation.clips.words import (
    FILES,
    duration_text,
    file_words,
    generated_note,
    held_back_sentence,
    made_sentences,
    player_files,
    removal_words,
    role_words,
    why_words,
)
from generation.jobs.words import goes_on_from, pictures_of, style_lines


@dataclass(frozen=True, slots=True)
class Card:
    url: str
    poster_url: str
    sprite_url: str
    sprite_tiles: int
    sprite_columns: int
    title: str
    duration_text: str
    state_words: str
    made_at: datetime
    width: int
    height: int
    goes_at: datetime | None
    is_removed: bool


def shown_cards(
    clips: QuerySet[Clip],
    *,
    cursor: str | None,
    most: int,
    states: Callable[[list[UUID]], dict[UUID, str]],
) -> tuple[list[Card], str | None]:
    """One page of clips, and the cursor of the next.

    ``states`` gives the sentence of each of these clips: floors above this one know it.
    """
    page = page_of(clips, {"limit": most, "cursor": cursor}, by=("-made_at", "-id"))
    sentences = states([clip.id for clip in page.rows])
    return [_card(clip, sentences[clip.id]) for clip in page.rows], page.next


def clip_pieces(request: PortalRequest, clip: Clip) -> dict[str, Any]:
    """What this floor says of a clip, for the page that joins it with what others know."""
    is_mine = clip.party_id == request.actor.party_id
    allows = allows_of(clip) if is_mine else Allows.CLIP
    job = shown("job", clip.job_id)
    return {
        "clip": _shown(clip, is_mine=is_mine, allows=allows),
        "held_back": held_back_sentence(allows),
        "removed": _removed(clip),
        "pictures": pictures_of(clip.job, is_mine=is_mine),
        "renditions": _files(clip, allows),
        "seen_by": [
            {"at": look.at, "role_words": role_words(look.role), "why_words": why_words(look.why)}
            for look in seen_by(clip)
        ],
        "again_url": f"{reverse('new-clip')}?again={job}" if is_mine else None,
        "continue_url": f"{reverse('new-clip')}?continue={job}" if is_mine else None,
        "goes_on_from": goes_on_from(clip.job, is_mine=is_mine),
        "extend_url": f"{reverse('new-clip')}?extend={job}"
        if is_mine and clip.renditions.all()
        else None,
        "is_mine": is_mine,
    }


@signed_in
@require_http_methods(["GET", "POST"])
def ask(request: PortalRequest, clip: str) -> HttpResponse:
    """Staff say why before they open somebody else's clip; the owner will read it."""
    clip_to_view(request.actor, clip)
    why = request.POST.get("why", "")
    if request.method == "POST" and why in Why.values:
        say_why(actor=request.actor, shown_id=clip, why=why)
        return redirect("clip", clip)
    context = {
        "reasons": Why.choices,
        "why": why,
        "error": _("Choose a reason.") if request.method == "POST" else "",
    }
    return render(
        request,
        "generation/clips/ask.html",
        context,
        status=422 if context["error"] else 200,
    )


def _card(clip: Clip, state_words: str) -> Card:
    removal = removal_of(clip)
    files = {one.kind: one for one in clip.renditions.all()}
    sprite = files.get("sprite")
    return Card(
        url=reverse("clip", args=[shown("clip", clip.id)]),
        poster_url=_media(files.get("poster")),
        sprite_url=_media(sprite),
        sprite_tiles=len(sprite.recipe.get("tiles", [])) if sprite else 0,
        sprite_columns=int(sprite.recipe.get("columns", 0)) if sprite else 0,
        title=clip.prompt,
        duration_text=duration_text(clip.frames, clip.rate_num, clip.rate_den),
        state_words=state_words,
        made_at=clip.made_at,
        width=clip.width,
        height=clip.height,
        goes_at=removal.due_at if removal and removal.done_at is None else None,
        is_removed=removal is not None and removal.done_at is not None,
    )


def _removed(clip: Clip) -> dict[str, Any] | None:
    removal = removal_of(clip)
    if removal is None or removal.done_at is None:
        return None
    return {"at": removal.done_at, "why_words": removal_words(removal.why)}


def _shown(clip: Clip, *, is_mine: bool, allows: Allows) -> dict[str, Any]:
    files = player_files(
        clip, "/media", plays_light=not is_mine, offers_both=not is_mine, allows=allows
    )
    return {
        "public_id": shown("clip", clip.id),
        "prompt": clip.prompt,
        # Whoever only has a look begins with the light copy; the master is a press away.
        **files,
        "frames": clip.frames,
        "rate_num": clip.rate_num,
        "rate_den": clip.rate_den,
        "width": clip.width,
        "height": clip.height,
        "generated_note": generated_note(clip),
        "made_sentences": made_sentences(clip),
        "seed": clip.seed,
        "steps": clip.job.steps,
        "tier": clip.job.tier,
        "model_name": clip.job.model.name,
        "model_revision": clip.job.model.revision,
        "shows_noise": clip.job.model.shows_noise,
        "made_at": clip.made_at,
        "master_sha256": clip.master_sha256,
        "recipe": _recipe(clip),
    }


def _recipe(clip: Clip) -> list[tuple[str, str]]:
    engine = clip.recipe.get("engine", {})
    libraries = engine.get("libraries", {})
    lines = [
        *style_lines(clip.job),
        (_("Version in its thread"), str(clip.version)),
        (_("Engine"), str(engine.get("engine", ""))),
        (_("Device"), str(engine.get("device", ""))),
        (_("Libraries"), ", ".join(f"{name} {value}" for name, value in libraries.items())),
    ]
    return [(label, value) for label, value in lines if value]


def _files(clip: Clip, allows: Allows) -> list[dict[str, Any]]:
    order = list(FILES)
    return [
        {
            "kind_words": file_words(one.kind),
            "bytes": one.bytes,
            "sha256": one.sha256,
            "url": f"{_media(one)}?download=1" if opens(one.kind, allows) else None,
        }
        for one in sorted(clip.renditions.all(), key=lambda one: order.index(one.kind))
    ]


def _media(rendition: Any) -> str:
    return f"/media/{shown('rendition', rendition.id)}" if rendition else ""


urlpatterns = [
    path("clips/<str:clip>/why", ask, name="ask-clip"),
]
