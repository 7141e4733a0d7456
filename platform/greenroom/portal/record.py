"""A clip's life in one list: what every floor wrote down about it, in words, by role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.credentials.queries import Actor
from core.audit.models import AuditEvent
from core.audit.queries import events_of_all
from generation.clips.models import Clip
from generation.clips.words import record_sentence as sentence_of_clips
from generation.clips.words import role_words
from review.decisions.words import RECORD

OUTCOMES: dict[tuple[int, str], Callable[[], str]] = {
    (1, "approved"): lambda: _("Approved it."),
    (1, "declined"): lambda: _("Declined it."),
    (1, "changes_requested"): lambda: _("Asked for changes."),
    (2, "approved"): lambda: _("Overturned the first decision: approved."),
    (2, "declined"): lambda: _("Upheld the first decision."),
}

SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    **RECORD,
    "case.decided": lambda facts: OUTCOMES[facts["round"], facts["outcome"]](),
    "release.published": lambda _facts: _("Released it."),
    "release.taken_down": lambda _facts: _("Took the release down."),
    "share_link.made": lambda _facts: _("Made a share link."),
    "share_link.revoked": lambda _facts: _("Revoked a share link."),
    "credit.proposed": lambda _facts: _("Named somebody."),
    "credit.accepted": lambda _facts: _("Said yes to a credit."),
    "credit.declined": lambda _facts: _("Said no to a credit."),
    "credit.form_chosen": lambda _facts: _("Chose how a credit is shown."),
    "act.recorded": lambda _facts: _("Its release earned the rate in force."),
}
# A verdict is nobody's business before it takes effect, and a decision says what it was.
UNSPOKEN = frozenset({"verdict.pressed", "verdict.taken_back"})
BY_REVIEWERS = frozenset({"case.claimed", "case.read", "case.returned", "case.decided"})


def record_of(clip: Clip, actor: Actor) -> list[dict[str, Any]]:
    """Entries as ``portal/_record.html`` shows them. One query for what belongs together, one for
    what happened to it."""
    return [
        {
            "at": event.at,
            "role": _who(event, clip, actor),
            "sentence": _sentence(event.kind, event.facts),
        }
        for event in events_of_all(_subjects(clip))
        if event.kind not in UNSPOKEN
    ]


def _sentence(kind: str, facts: dict[str, Any]) -> str:
    words = SENTENCES.get(kind)
    return words(facts) if words else sentence_of_clips(kind, facts)


def _who(event: AuditEvent, clip: Clip, actor: Actor) -> str:
    if event.actor_party_id is None:
        return _("Greenroom")
    if event.actor_party_id == actor.party_id:
        return _("You")
    if event.actor_party_id == clip.party_id:
        return _("The maker")
    if event.kind == "viewing.begun":
        return role_words(event.facts["role"])
    if event.kind in BY_REVIEWERS:
        return _("A reviewer")
    return _("Somebody named") if event.kind.startswith("credit.") else _("Staff")


def _subjects(clip: Clip) -> list[UUID]:
    """The clip, its job, and by relation everything that was made of it above."""
    rows = Clip.objects.filter(id=clip.id)
    relations = ("submissions", "cases", "releases", "releases__links", "credit_lines")
    found = [
        rows.filter(**{f"{name}__isnull": False}).values_list(f"{name}__id") for name in relations
    ]
    acts = clip.party.acts.filter(subject_id=clip.id).values_list("id")
    return [clip.id, clip.job_id, *(row[0] for row in found[0].union(*found[1:], acts))]
