"""A release as pages show it: cards, the public page, and its owner's side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.rates.words import shown_rate
from core.ids import shown
from generation.clips.words import duration_text, generated_note, player_files
from review.credits.words import ShownCredit, shown_credits
from review.releases.models import Release, ShareLink


@dataclass(frozen=True, slots=True)
class ShownRelease:
    """What the public may know of a release. ``prompt`` is empty where its owner keeps it."""

    public_id: str
    title: str
    prompt: str
    credits: list[ShownCredit]
    programme_name: str
    programme_slug: str
    model_name: str
    model_revision: str
    shows_noise: bool
    policy_number: int
    released_at: datetime
    made_at: datetime


@dataclass(frozen=True, slots=True)
class ShownLink:
    """``state`` is ``live`` or says why it opens nothing: ``revoked``, ``taken_down``."""

    public_id: str
    name: str
    state: str
    made_at: datetime
    revoked_at: datetime | None


def shown_release(release: Release) -> ShownRelease:
    clip = release.clip
    return ShownRelease(
        public_id=shown("release", release.id),
        title=release.title,
        prompt=clip.prompt if release.shows_prompt else "",
        credits=shown_credits(clip.credit_lines.all()),
        programme_name=release.programme.name,
        programme_slug=release.programme.slug,
        model_name=clip.job.model.name,
        model_revision=clip.job.model.revision,
        shows_noise=clip.job.model.shows_noise,
        policy_number=release.decision.policy.number,
        released_at=release.released_at,
        made_at=clip.made_at,
    )


def named_credits(lines: list[ShownCredit]) -> list[ShownCredit]:
    """Who is named, each with what they did: a name alone would read as the maker's."""
    return [line for line in lines if line.is_named]


def shown_player(release: Release, place: str) -> dict[str, Any]:
    """What ``generation/clips/_player.html`` shows as ``clip``, its files below ``place``.

    The title stands in for the prompt, which the public reads only where its owner wants it.
    """
    clip = release.clip
    files = {one.kind: one for one in clip.renditions.all()}
    return {
        "prompt": release.title,
        **player_files(clip, place),
        "sprite_tiles": len(files["sprite"].recipe.get("tiles", [])) if "sprite" in files else 0,
        "sprite_columns": int(files["sprite"].recipe.get("columns", 0)) if "sprite" in files else 0,
        "frames": clip.frames,
        "rate_num": clip.rate_num,
        "rate_den": clip.rate_den,
        "width": clip.width,
        "height": clip.height,
        "generated_note": generated_note(clip),
        "duration_text": duration_text(clip.frames, clip.rate_num, clip.rate_den),
    }


def shown_link(link: ShareLink, release: Release) -> ShownLink:
    if link.revoked_at is not None:
        state = "revoked"
    else:
        state = "taken_down" if release.ended_at is not None else "live"
    return ShownLink(
        public_id=shown("share_link", link.id),
        name=link.name,
        state=state,
        made_at=link.made_at,
        revoked_at=link.revoked_at,
    )


def earning_sentence(rate: Any, *, has_earned: bool) -> str:
    """What a release would earn now."""
    if has_earned:
        return _("Nothing more is earned: this clip's release was paid for already.")
    now_paid = shown_rate(rate)
    if not now_paid.is_paid:
        return _("Nothing is earned: this programme pays no rate for a release at present.")
    return _("You earn %(amount)s: the rate in force, owed to you at once.") % {
        "amount": now_paid.amount
    }
