"""Keeping what is usual, and opening: the deeds that touch every step of a programme at once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.agreements.commands import publish_agreement
from accounts.agreements.queries import agreement_in_force
from accounts.calendars.commands import publish_calendar
from accounts.calendars.queries import calendar_in_force
from accounts.consents.commands import publish_consent
from accounts.consents.queries import consents_in_force
from accounts.consents.rules import Purpose
from accounts.programmes.commands import lock_programme, open_programme
from accounts.programmes.models import Programme
from accounts.programmes.queries import particulars_in_force
from accounts.quotas.commands import grant_budget
from accounts.quotas.models import Budget, Kind
from accounts.rates.commands import publish_rate
from accounts.rates.queries import kinds_begun
from accounts.retention.commands import publish_retention
from accounts.retention.queries import retention_in_force
from core.clock import now
from core.errors import InvalidOrder, TooLate
from greenroom.setup import defaults
from greenroom.setup.queries import Finding, findings
from greenroom.setup.rules import StepCode
from review.policies.commands import publish_charter, publish_policy
from review.policies.queries import charter_in_force, policy_in_force


class ProgrammeNotReady(TooLate):
    """``findings`` says what is wrong; as facts it goes to programs, too."""

    code = "programme_not_ready"

    def __init__(self, found: list[Finding]) -> None:
        super().__init__(
            ngettext(
                "It cannot open yet: %(count)s thing is to be done first.",
                "It cannot open yet: %(count)s things are to be done first.",
                len(found),
            )
            % {"count": len(found)},
            findings=[asdict(finding) for finding in found],
        )
        self.findings = found


def open_when_ready(*, programme_id: UUID, actor: UUID | None = None) -> Programme:
    """Open it if nothing is wrong. Of what is open already nothing is asked.

    Raises ``ProgrammeNotReady``. Publishers wait meanwhile, so that what was found is what counts;
    somebody's role may still end a moment later.
    """
    with transaction.atomic():
        programme = lock_programme(programme_id)
        found = [] if programme.is_open else findings(programme_id, now())
        if found:
            raise ProgrammeNotReady(found)
        return open_programme(programme_id=programme_id, actor=actor)


def keep_defaults(
    *,
    programme_id: UUID,
    steps: Collection[str] | None = None,
    actor: UUID | None = None,
) -> list[str]:
    """Publish the kind default of every step (or of these) that has nothing yet; again is fine.

    Returns the codes of the steps that got something. Raises ``InvalidOrder`` for a step that has
    no default: what nobody can decide for a programme.
    """
    wanted = set(_KEEPERS) if steps is None else set(steps)
    if wanted - set(_KEEPERS):
        raise InvalidOrder(
            "step_without_default",
            _("These steps have no default: %(steps)s.")
            % {"steps": ", ".join(sorted(wanted - set(_KEEPERS)))},
            field="steps",
        )
    with transaction.atomic():
        programme = lock_programme(programme_id)
        kept = {
            code for code, keep in _KEEPERS.items() if code in wanted and keep(programme, actor)
        }
        return [code.value for code in StepCode if code in kept]


def _keep_calendar(programme: Programme, actor: UUID | None) -> bool:
    if calendar_in_force(programme.id):
        return False
    publish_calendar(
        programme_id=programme.id, week=defaults.WEEK, holidays=[], seen=0, actor=actor
    )
    return True


def _keep_agreement(programme: Programme, actor: UUID | None) -> bool:
    if agreement_in_force(programme.id):
        return False
    publish_agreement(
        programme_id=programme.id,
        text=defaults.AGREEMENT_TEXT,
        summary=defaults.AGREEMENT_SUMMARY,
        seen=0,
        actor=actor,
    )
    return True


def _keep_consents(programme: Programme, actor: UUID | None) -> bool:
    decided = consents_in_force(programme.id)
    missing = [purpose for purpose in Purpose if purpose not in decided]
    for purpose in missing:
        publish_consent(
            programme_id=programme.id,
            purpose=purpose,
            is_asked=False,
            words=defaults.CONSENT_WORDS[purpose],
            seen=0,
            actor=actor,
        )
    return bool(missing)


def _keep_clauses(programme: Programme, actor: UUID | None) -> bool:
    if policy_in_force(programme.id):
        return False
    publish_policy(
        programme_id=programme.id,
        introduction=defaults.INTRODUCTION,
        clauses=defaults.CLAUSES,
        seen=0,
        actor=actor,
    )
    return True


def _keep_charter(programme: Programme, actor: UUID | None) -> bool:
    if charter_in_force(programme.id):
        return False
    publish_charter(
        programme_id=programme.id,
        decide_within_hours=defaults.DECIDE_WITHIN_HOURS,
        appeal_within_hours=defaults.APPEAL_WITHIN_HOURS,
        appeal_open_days=defaults.APPEAL_OPEN_DAYS,
        words=defaults.CHARTER,
        seen=0,
        actor=actor,
    )
    return True


def _keep_rates(programme: Programme, actor: UUID | None) -> bool:
    begun = kinds_begun(programme.id, now())
    missing = {
        kind: amount_micro
        for kind, amount_micro in defaults.rates(programme.currency).items()
        if kind not in begun
    }
    for kind, amount_micro in missing.items():
        publish_rate(programme_id=programme.id, kind=kind, amount_micro=amount_micro, actor=actor)
    return bool(missing)


def _keep_credits(programme: Programme, actor: UUID | None) -> bool:
    if Budget.objects.filter(programme=programme, party=None, kind=Kind.CREDITS).exists():
        return False
    particulars = particulars_in_force(programme.id)
    each = particulars.credits_per_tester if particulars else 0
    grant_budget(
        programme_id=programme.id,
        kind=Kind.CREDITS,
        limit=defaults.TESTERS * each,
        actor=actor,
    )
    return True


def _keep_retention(programme: Programme, actor: UUID | None) -> bool:
    if retention_in_force(programme.id):
        return False
    publish_retention(programme_id=programme.id, wish=defaults.RETENTION, seen=0, actor=actor)
    return True


# Rates last: their gate stands behind every other lock that is taken here.
_KEEPERS: dict[StepCode, Callable[[Programme, UUID | None], bool]] = {
    StepCode.CALENDAR: _keep_calendar,
    StepCode.AGREEMENT: _keep_agreement,
    StepCode.CONSENTS: _keep_consents,
    StepCode.CLAUSES: _keep_clauses,
    StepCode.CHARTER: _keep_charter,
    StepCode.CREDITS: _keep_credits,
    StepCode.RETENTION: _keep_retention,
    StepCode.RATES: _keep_rates,
}
HAVE_DEFAULTS = frozenset(_KEEPERS)
