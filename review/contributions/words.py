"""Contributions as pages show them: states are sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.rates.words import ShownRate, shown_rate
from core.ids import shown
from core.money import Money, shown_money
from review.contributions.models import Contribution
from review.contributions.rules import DeclineReason, Kind, State


@dataclass(frozen=True, slots=True)
class ShownContribution:
    """``tone`` is the class of a sentence of state; ``pay`` what it earns, as a sentence."""

    public_id: str
    url: str
    title: str
    words: str
    kind_words: Any
    state: str
    tone: str
    sentence: str
    pay: str
    answer: str
    clip_id: str
    clip_prompt: str
    frames: str
    filed_at: datetime
    answered_at: datetime | None
    rate: ShownRate


def shown_contribution(contribution: Contribution) -> ShownContribution:
    public_id = shown("contribution", contribution.id)
    clip = contribution.clip
    return ShownContribution(
        public_id=public_id,
        url=reverse("contribution", args=[public_id]),
        title=contribution.title,
        words=contribution.words,
        kind_words=Kind(contribution.kind).label,
        state=contribution.state,
        tone={State.FILED: "wait", State.ACCEPTED: "good"}.get(State(contribution.state), "stop"),
        sentence=_sentence(contribution),
        pay=_pay(contribution),
        answer=contribution.answer,
        clip_id=shown("clip", clip.id) if clip else "",
        clip_prompt=clip.prompt if clip else "",
        frames=_frames(contribution),
        filed_at=contribution.filed_at,
        answered_at=contribution.triaged_at,
        rate=shown_rate(contribution.rate),
    )


def record_sentence(kind: str, facts: dict[str, Any]) -> str:
    """One line of a contribution's record."""
    if kind == "contribution.declined":
        return _("Declined it: %(reason)s.") % {"reason": _reason(str(facts.get("reason", "")))}
    return {
        "contribution.filed": _("Filed it."),
        "contribution.accepted": _("Accepted it."),
    }.get(kind, kind)


def _sentence(contribution: Contribution) -> str:
    match State(contribution.state):
        case State.FILED:
            return _("Waits for an answer.")
        case State.ACCEPTED:
            return _("Accepted.")
        case State.DECLINED:
            return _("Declined: %(reason)s.") % {"reason": _reason(contribution.decline_reason)}


def _pay(contribution: Contribution) -> str:
    rate = contribution.rate
    if rate is None or rate.amount_micro == 0:
        return _("Nothing was paid for this kind when it was filed.")
    money = {"money": shown_money(Money(rate.amount_micro, rate.currency))}
    match State(contribution.state):
        case State.FILED:
            return _("%(money)s if it is accepted, the rate of the day it was filed.") % money
        case State.ACCEPTED:
            return _("%(money)s was earned with it.") % money
        case State.DECLINED:
            return _("Nothing was earned with it.")


def _reason(reason: str) -> str:
    return str(DeclineReason(reason).label) if reason in DeclineReason.values else reason


def _frames(contribution: Contribution) -> str:
    first, last = contribution.frame_from, contribution.frame_to
    if first is None:
        return ""
    return str(first) if first == last else f"{first}\N{EN DASH}{last}"
