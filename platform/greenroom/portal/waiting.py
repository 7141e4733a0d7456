"""What waits for somebody who works in a programme and makes no clips there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.conversations.queries import conversations_waiting, may_answer
from accounts.credentials.queries import Actor
from accounts.programmes.models import Programme, Role
from accounts.programmes.rules import ADMINISTRATOR
from greenroom.setup.queries import findings
from review.contributions.queries import contributions_to_triage
from review.desk.queries import desk_counts
from review.payouts.queries import open_payouts

MANAGING = frozenset({Role.MANAGER, ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class Waiting:
    """One sentence and where it leads. ``is_urgent``: somebody else waits for it already."""

    sentence: str
    url: str
    words: str
    is_urgent: bool = False


def is_staff(actor: Actor) -> bool:
    """Whether somebody has work here other than making clips."""
    return bool(actor.roles) and Role.TESTER not in actor.roles


def waiting_for(actor: Actor, programme: Programme, moment: datetime) -> list[Waiting]:
    """In the order of one's roles; empty where nothing waits."""
    found: list[Waiting] = []
    if actor.roles & MANAGING:
        found += _set_up(programme, moment)
    if may_answer(actor):
        found += _conversations(actor)
    if actor.roles & {Role.REVIEWER, Role.MANAGER, Role.AUDITOR}:
        found += _desk(actor)
    if actor.roles & {Role.REVIEWER, Role.MANAGER}:
        found += _triage(actor)
    if actor.roles & {Role.FINANCE, Role.MANAGER}:
        found += _payouts(actor)
    return found


def _set_up(programme: Programme, moment: datetime) -> Iterator[Waiting]:
    url, words = reverse("setup"), _("Open the set-up")
    wrong = len(findings(programme.id, moment))
    if wrong:
        yield Waiting(
            ngettext(
                "The set-up has %(count)s thing that is missing or cannot be kept.",
                "The set-up has %(count)s things that are missing or cannot be kept.",
                wrong,
            )
            % {"count": wrong},
            url,
            words,
            is_urgent=programme.is_open,
        )
    elif not programme.is_open:
        yield Waiting(_("Everything is set up. The programme can be opened."), url, words)


def _conversations(actor: Actor) -> Iterator[Waiting]:
    count = conversations_waiting(actor).count()
    if count:
        yield Waiting(
            ngettext(
                "%(count)s conversation waits for an answer.",
                "%(count)s conversations wait for an answer.",
                count,
            )
            % {"count": count},
            f"{reverse('conversations')}?show=waiting",
            _("Answer conversations"),
            is_urgent=True,
        )


def _desk(actor: Actor) -> Iterator[Waiting]:
    counts = desk_counts(actor)
    if not counts.waiting and not counts.mine:
        return
    sentence = ngettext(
        "%(count)s case waits at the desk.", "%(count)s cases wait at the desk.", counts.waiting
    ) % {"count": counts.waiting}
    if counts.mine:
        sentence += " " + ngettext(
            "%(count)s is in your hands.", "%(count)s are in your hands.", counts.mine
        ) % {"count": counts.mine}
    if counts.overdue:
        sentence += " " + ngettext("%(count)s is late.", "%(count)s are late.", counts.overdue) % {
            "count": counts.overdue
        }
    yield Waiting(sentence, reverse("desk"), _("Go to the desk"), is_urgent=bool(counts.overdue))


def _triage(actor: Actor) -> Iterator[Waiting]:
    count = contributions_to_triage(actor).count()
    if count:
        yield Waiting(
            ngettext(
                "%(count)s contribution waits for an answer.",
                "%(count)s contributions wait for an answer.",
                count,
            )
            % {"count": count},
            reverse("to-triage"),
            _("Answer contributions"),
        )


def _payouts(actor: Actor) -> Iterator[Waiting]:
    count = open_payouts(actor).count()
    if count:
        yield Waiting(
            ngettext(
                "%(count)s payout waits for a second person or to be paid.",
                "%(count)s payouts wait for a second person or to be paid.",
                count,
            )
            % {"count": count},
            reverse("finance"),
            _("Go to finance"),
        )
