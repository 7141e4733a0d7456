"""Decisions in sentences. Who decided stands there by role, never by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from core.audit.models import AuditEvent
from generation.clips.words import role_words
from review.decisions.models import Decision, Verdict
from review.decisions.rules import Outcome, Reversal
from review.policies.models import Clause
from review.submissions.words import day_words


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a decision points: frames (both ends counted in) or a stretch of the prompt."""

    frames: tuple[int, int] | None = None
    prompt: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class ShownDecision:
    """A decision, or a verdict that was only pressed, as a page shows it in full."""

    sentence: str
    outcome: str
    clause: Clause | None
    where: str
    reason: str
    remedy: str
    reversal: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a record."""

    at: datetime
    role: str
    sentence: str


def spots_of_decision(decision: Decision) -> list[Spot]:
    """Frames first, each in its order."""
    found = [
        Spot(frames=(one.frame_from, one.frame_to or one.frame_from))
        if one.frame_from is not None
        else Spot(prompt=(one.prompt_from or 0, one.prompt_to or 0))
        for one in decision.evidence.all()
    ]
    return _in_order(found)


def spots_of_verdict(verdict: Verdict) -> list[Spot]:
    return _in_order(
        [
            Spot(**{kind: (start, end) for kind, (start, end) in piece.items()})
            for piece in verdict.evidence
        ]
    )


def spot_words(spot: Spot, prompt: str) -> str:
    if spot.frames is not None:
        start, end = spot.frames
        if start == end:
            return _("frame %(frame)s") % {"frame": start}
        return _("frames %(first)s–%(last)s") % {"first": start, "last": end}
    start, end = spot.prompt or (0, 0)
    return _("the words “%(words)s” of the prompt") % {"words": prompt[start:end]}


def where_words(spots: Iterable[Spot], prompt: str) -> str:
    return ", ".join(spot_words(spot, prompt) for spot in spots)


def shown_decision(decision: Decision, prompt: str) -> ShownDecision:
    return _shown(decision, decision.round, where_words(spots_of_decision(decision), prompt))


def shown_verdict(verdict: Verdict, round_: int, prompt: str) -> ShownDecision:
    return _shown(verdict, round_, where_words(spots_of_verdict(verdict), prompt))


def appeal_words(closes_at: datetime, moment: datetime) -> str:
    """Whether a decision can still be appealed."""
    day = {"day": day_words(closes_at, moment)}
    if closes_at >= moment:
        return _("You can appeal until %(day)s.") % day
    return _("It could be appealed until %(day)s.") % day


def who_words(party_id: UUID | None, *, owner_id: UUID, reader_id: UUID) -> str:
    """Who did something in a review, for this reader."""
    if party_id is None:
        return _("Greenroom")
    if party_id == reader_id:
        return _("You")
    return _("The maker") if party_id == owner_id else _("A reviewer")


def record_of(
    events: Iterable[AuditEvent],
    decisions: dict[int, ShownDecision],
    *,
    owner_id: UUID,
    reader_id: UUID,
) -> list[Entry]:
    """The events of a submission and its cases in one column, the newest at the end.

    ``decisions`` by round. What a reviewer only pressed is in no record: it may be taken back.
    """
    told = []
    for event in sorted(events, key=lambda one: (one.at, one.xid)):
        sentence = _record_sentence(event, decisions)
        if sentence:
            who = _who(event, owner_id, reader_id)
            told.append(Entry(at=event.at, role=who, sentence=sentence))
    return told


# The record of a clip's whole life says the same, decisions in a word.
RECORD: dict[str, Callable[[dict[str, Any]], str]] = {
    "submission.sealed": lambda _facts: _("Put the clip forward; it was sealed as it is."),
    "submission.withdrawn": lambda facts: (
        _("Withdrew the appeal.") if facts.get("round") == 2 else _("Withdrew it.")
    ),
    "appeal.filed": lambda _facts: _("Appealed. Somebody who did not decide before judges it."),
    "case.claimed": lambda _facts: _("Took it to look at it."),
    "case.read": lambda _facts: _("Read what was written here, after it was closed."),
    "case.returned": lambda facts: (
        _("Nobody went on with it, so it went back to its place in the queue.")
        if facts.get("why") in {"lease_ended", "may_not_judge"}
        else _("Handed it back; it went to its place in the queue.")
    ),
    "case.escalated": lambda facts: (
        _("Its time was over, so it went to the head of the queue.")
        if facts.get("why") == "overdue"
        else _("It was handed back three times, so it went to the head of the queue.")
    ),
}


def _who(event: AuditEvent, owner_id: UUID, reader_id: UUID) -> str:
    role = event.facts.get("role")
    if role and event.actor_party_id != reader_id:
        return role_words(role)
    return who_words(event.actor_party_id, owner_id=owner_id, reader_id=reader_id)


def _record_sentence(event: AuditEvent, decisions: dict[int, ShownDecision]) -> str:
    if event.kind == "case.decided":
        shown = decisions.get(event.facts.get("round", 1))
        return shown.sentence if shown else ""
    words = RECORD.get(event.kind)
    return words(event.facts) if words else ""


def _shown(made: Decision | Verdict, round_: int, where: str) -> ShownDecision:
    reversal = str(Reversal(made.reversal).label) if made.reversal else ""
    return ShownDecision(
        sentence=_sentence(Outcome(made.outcome), round_, made.clause, where, reversal),
        outcome=made.outcome,
        clause=made.clause,
        where=where,
        reason=made.reason,
        remedy=made.remedy,
        reversal=reversal,
    )


def _sentence(
    outcome: Outcome, round_: int, clause: Clause | None, where: str, reversal: str
) -> str:
    if outcome is Outcome.APPROVED or clause is None:
        if round_ == 1:
            return _("Approved.")
        return _("Overturned on appeal, and approved. %(why)s.") % {"why": reversal}
    facts = {"number": clause.number, "where": where, "title": clause.title.rstrip(". ")}
    if outcome is Outcome.CHANGES_REQUESTED:
        return _("Changes asked for under clause %(number)s, %(where)s: %(title)s.") % facts
    if round_ == 1:
        return _("Declined under clause %(number)s, %(where)s: %(title)s.") % facts
    return _("Upheld on appeal: declined under clause %(number)s, %(where)s: %(title)s.") % facts


def _in_order(spots: list[Spot]) -> list[Spot]:
    return sorted(spots, key=lambda one: (one.frames is None, one.frames or one.prompt))
