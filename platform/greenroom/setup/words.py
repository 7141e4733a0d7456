"""The steps of the set-up in words: what each is called, and how it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.consents.rules import Purpose
from accounts.rates.words import KIND_WORDS
from accounts.retention.words import unlimited_words
from core.money import Money, shown_money
from greenroom.setup.rules import StepCode
from greenroom.setup.standing import Standing

# Whether something stands there, the number of the version in force, and a sentence.
Stands = tuple[bool, int | None, str]

TITLES = {
    StepCode.PARTICULARS: gettext_lazy("What it says about itself"),
    StepCode.CALENDAR: gettext_lazy("Working hours and holidays"),
    StepCode.AGREEMENT: gettext_lazy("Agreement"),
    StepCode.CONSENTS: gettext_lazy("Four consents"),
    StepCode.CLAUSES: gettext_lazy("Clauses"),
    StepCode.CHARTER: gettext_lazy("Charter: how fast it decides"),
    StepCode.RATES: gettext_lazy("Rate card"),
    StepCode.CREDITS: gettext_lazy("Credits"),
    StepCode.MODELS: gettext_lazy("Video models"),
    StepCode.RETENTION: gettext_lazy("How long files are kept"),
    StepCode.MONEY: gettext_lazy("Money set aside"),
    StepCode.PEOPLE: gettext_lazy("People"),
}


def _of_particulars(standing: Standing) -> Stands:
    version = standing.particulars
    if version is None:
        return False, None, _("Nothing is published yet.")
    days = " – ".join(
        formats.date_format(day) for day in (version.opens_on, version.closes_on) if day
    )
    return True, version.number, " · ".join(filter(None, [version.name, version.time_zone, days]))


def _of_calendar(standing: Standing) -> Stands:
    version = standing.calendar
    if version is None:
        return False, None, _("Nothing is published yet.")
    worked = sum(bool(day) for day in version.week)
    sentence = ngettext("%(days)s day a week", "%(days)s days a week", worked) % {"days": worked}
    off = len(version.holidays)
    holidays = ngettext("%(off)s holiday", "%(off)s holidays", off) % {"off": off}
    return True, version.number, f"{sentence} · {holidays}"


def _of_version(version: Any) -> Stands:
    if version is None:
        return False, None, _("Nothing is published yet.")
    return True, version.number, _("Version %(number)s is in force.") % {"number": version.number}


def _of_consents(standing: Standing) -> Stands:
    asked = [
        str(purpose.label)
        for purpose in Purpose
        if purpose in standing.consents and standing.consents[purpose].is_asked
    ]
    if not standing.consents:
        return False, None, _("Nothing is published yet.")
    if not asked:
        return True, None, _("None is asked for.")
    return True, None, _("Asked for: %(purposes)s.") % {"purposes": ", ".join(asked)}


def _of_charter(standing: Standing) -> Stands:
    version = standing.charter
    if version is None:
        return False, None, _("Nothing is published yet.")
    sentence = ngettext(
        "Decided within %(decide)s hour, appeals within %(appeal)s.",
        "Decided within %(decide)s hours, appeals within %(appeal)s.",
        version.decide_within_hours,
    ) % {"decide": version.decide_within_hours, "appeal": version.appeal_within_hours}
    return True, version.number, sentence


def _of_rates(standing: Standing) -> Stands:
    published = [line for line in standing.rates if line.in_force]
    if not published:
        return False, None, _("Nothing is published yet.")
    paid = [
        f"{KIND_WORDS[line.kind]}: {shown_money(Money(rate.amount_micro, rate.currency))}"
        for line in published
        if (rate := line.in_force) and rate.amount_micro > 0
    ]
    return True, None, " · ".join(paid) or _("Nothing is paid.")


def _of_credits(standing: Standing) -> Stands:
    budget = standing.credits
    if not budget.limit:
        return False, None, _("None are granted yet.")
    each = standing.particulars.credits_per_tester if standing.particulars else 0
    sentence = _("%(left)s of %(limit)s left; a new tester gets %(each)s.") % {
        "left": formats.number_format(budget.left, force_grouping=True),
        "limit": formats.number_format(budget.limit, force_grouping=True),
        "each": formats.number_format(each, force_grouping=True),
    }
    return True, None, sentence


def _of_models(standing: Standing) -> Stands:
    if standing.allowed is None:
        return False, None, _("Every model that is offered here.")
    names = ", ".join(dict.fromkeys(model.name for model in standing.models))
    return True, standing.allowed.number, names or _("None of them is offered any more.")


def _of_retention(standing: Standing) -> Stands:
    version = standing.retention
    if version is None:
        return False, None, _("Nothing is published yet.")
    kept = [
        _("drafts: %(days)s") % {"days": days_words(version.draft_days)},
        _("not released: %(days)s") % {"days": days_words(version.unreleased_days)},
        _("released: %(days)s") % {"days": days_words(version.released_days)},
    ]
    return True, version.number, " · ".join(kept)


def days_words(days: int | None) -> str:
    if days is None:
        return unlimited_words()
    return ngettext("%(days)s day", "%(days)s days", days) % {"days": days}


def _of_money(standing: Standing) -> Stands:
    if not standing.is_paid and standing.money.amount_micro <= 0:
        return False, None, _("Nothing is paid, so none is needed.")
    lasts = standing.money_lasts_days if standing.particulars else None
    sentence = _("%(amount)s set aside and not yet promised.") % {
        "amount": shown_money(standing.money)
    }
    if lasts is not None:
        sentence += " " + ngettext(
            "If everything expected were released, it would last %(days)s day.",
            "If everything expected were released, it would last %(days)s days.",
            lasts,
        ) % {"days": lasts}
    return standing.money.amount_micro > 0, None, sentence


def _of_people(standing: Standing) -> Stands:
    people = standing.people
    counts = [
        ngettext("%(n)s tester", "%(n)s testers", len(people.testers)) % {"n": len(people.testers)},
        ngettext("%(n)s reviewer", "%(n)s reviewers", len(people.reviewers))
        % {"n": len(people.reviewers)},
        ngettext("%(n)s programme manager", "%(n)s programme managers", len(people.managers))
        % {"n": len(people.managers)},
        ngettext("%(n)s of finance", "%(n)s of finance", len(people.finance))
        % {"n": len(people.finance)},
    ]
    stands = bool(people.testers or people.reviewers or people.managers or people.finance)
    return stands, None, " · ".join(counts)


STANDS: dict[StepCode, Callable[[Standing], Stands]] = {
    StepCode.PARTICULARS: _of_particulars,
    StepCode.CALENDAR: _of_calendar,
    StepCode.AGREEMENT: lambda standing: _of_version(standing.agreement),
    StepCode.CONSENTS: _of_consents,
    StepCode.CLAUSES: lambda standing: _of_version(standing.policy),
    StepCode.CHARTER: _of_charter,
    StepCode.RATES: _of_rates,
    StepCode.CREDITS: _of_credits,
    StepCode.MODELS: _of_models,
    StepCode.RETENTION: _of_retention,
    StepCode.MONEY: _of_money,
    StepCode.PEOPLE: _of_people,
}
