"""The figures of a programme in words, each with how it is counted."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.money import shown_money
from review.policies.models import CharterVersion
from review.transparency.queries import Figures, MoneyFigure

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


@dataclass(frozen=True, slots=True)
class ShownFigure:
    label: str
    value: str
    how: str


@dataclass(frozen=True, slots=True)
class FigureGroup:
    title: str
    figures: list[ShownFigure]


def shown_figures(found: Figures) -> list[FigureGroup]:
    return [
        FigureGroup(_("Clips put forward"), _of_clips(found)),
        FigureGroup(_("Time"), _of_time(found)),
        FigureGroup(_("Appeals"), _of_appeals(found)),
        FigureGroup(_("Shown to the public"), _of_releases(found)),
        FigureGroup(_("Money"), _of_money(found)),
    ]


def charter_sentences(charter: CharterVersion) -> list[str]:
    """What the charter promises, in plain words."""
    return [
        _("A clip is decided within %(time)s of being put forward.")
        % {"time": hours_words(charter.decide_within_hours)},
        _("An appeal is decided within %(time)s, by somebody who had no part in it before.")
        % {"time": hours_words(charter.appeal_within_hours)},
        ngettext(
            "A decision can be appealed for %(days)s day.",
            "A decision can be appealed for %(days)s days.",
            charter.appeal_open_days,
        )
        % {"days": charter.appeal_open_days},
        _("Hours are counted round the clock, nights and holidays too."),
        _("That a clip criticises the programme is no ground to decline it."),
        _(
            "Silence is counted: a case past its time goes to the head of the desk, its owner"
            " hears of it, and it stands in the figures as late."
        ),
    ]


def hours_words(hours: int) -> str:
    if hours % 24 == 0 and hours >= 48:
        return ngettext("%(n)s day", "%(n)s days", hours // 24) % {"n": hours // 24}
    return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}


def duration_words(seconds: float | None) -> str:
    """The two largest units that say something."""
    if seconds is None:
        return _("nothing was decided yet")
    whole = round(seconds)
    if whole < MINUTE_S:
        return _("%(s)s s") % {"s": whole}
    if whole < HOUR_S:
        return _("%(m)s min %(s)s s") % {"m": whole // MINUTE_S, "s": whole % MINUTE_S}
    if whole < DAY_S:
        return _("%(h)s h %(m)s min") % {
            "h": whole // HOUR_S,
            "m": whole % HOUR_S // MINUTE_S,
        }
    return _("%(d)s d %(h)s h") % {"d": whole // DAY_S, "h": whole % DAY_S // HOUR_S}


def _of_clips(found: Figures) -> list[ShownFigure]:
    return [
        ShownFigure(
            _("Put forward"),
            str(found.submitted),
            _("Submissions that were sealed. The five figures below add up to this one."),
        ),
        ShownFigure(
            _("Approved"), str(found.approved), _("The last word is a yes, on an appeal too.")
        ),
        ShownFigure(
            _("Declined"),
            str(found.declined),
            _("The last word is a no, and no appeal waits. By clause below."),
        ),
        ShownFigure(
            _("Changes requested"),
            str(found.changes_requested),
            _("The last word asks for changes, and no appeal waits. A new version counts anew."),
        ),
        ShownFigure(
            _("Withdrawn"),
            str(found.withdrawn),
            _("Taken back by their owners before anything was decided."),
        ),
        ShownFigure(
            _("Waiting now"), str(found.waiting), _("A case about it is open, appeals among them.")
        ),
    ]


def _of_time(found: Figures) -> list[ShownFigure]:
    return [
        ShownFigure(
            _("Overdue now"),
            str(found.overdue),
            _("Open cases past the time their charter promised."),
        ),
        ShownFigure(
            _("Decided late"),
            _("%(late)s of %(all)s") % {"late": found.decided_late, "all": found.decided},
            _("Decisions made after the promised time, of all decisions, appeals among them."),
        ),
        ShownFigure(
            _("Median time to a decision"),
            duration_words(found.median_decision_s),
            _("From the opening of a case to its first decision: half took longer, half less."),
        ),
        ShownFigure(
            _("Median time to an appeal's decision"),
            duration_words(found.median_appeal_s),
            _("The same, from filing an appeal to its decision."),
        ),
    ]


def _of_appeals(found: Figures) -> list[ShownFigure]:
    return [
        ShownFigure(
            _("Filed"), str(found.appeals_filed), _("Appeals against a no, or against changes.")
        ),
        ShownFigure(
            _("Upheld"), str(found.appeals_upheld), _("The second judge came to a no as well.")
        ),
        ShownFigure(
            _("Overturned"), str(found.appeals_overturned), _("The second judge said yes.")
        ),
        ShownFigure(
            _("Decided by an independent person"),
            _("%(independent)s of %(all)s")
            % {"independent": found.appeals_independent, "all": found.appeals_decided},
            _(
                "Decided appeals whose judge neither owns the clip, nor took part in it, nor"
                " decided on it before. Counted from who decided, not assumed."
            ),
        ),
    ]


def _of_releases(found: Figures) -> list[ShownFigure]:
    return [
        ShownFigure(
            _("On the showcase now"),
            str(found.released_listed),
            _("Approved clips that their owners show to everybody."),
        ),
        ShownFigure(
            _("By link only now"),
            str(found.released_by_link),
            _("Approved clips that their owners show to whoever has a link."),
        ),
    ]


def _of_money(found: Figures) -> list[ShownFigure]:
    return [figure for each in found.money for figure in _of_currency(each)]


def _of_currency(money: MoneyFigure) -> list[ShownFigure]:
    return [
        ShownFigure(
            _("Earned"),
            shown_money(money.earned),
            _("What the ledger says was ever owed to testers for what they did."),
        ),
        ShownFigure(_("Paid"), shown_money(money.paid), _("Payouts that were made.")),
        ShownFigure(
            _("Owed now"), shown_money(money.owed), _("Earned, less paid. It does not lapse.")
        ),
    ]
