"""Everything that is in force in a programme, read once: what its set-up is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.agreements.models import AgreementVersion
from accounts.agreements.queries import agreement_in_force
from accounts.calendars.models import CalendarVersion
from accounts.calendars.queries import calendar_in_force
from accounts.consents.models import ConsentVersion
from accounts.consents.queries import consents_in_force
from accounts.consents.rules import Purpose
from accounts.programmes.models import Particulars, Role
from accounts.programmes.queries import particulars_in_force, parties_with_role
from accounts.quotas.models import Kind
from accounts.quotas.queries import Left, programme_budget
from accounts.rates.queries import RateLine, rate_card
from accounts.rates.rules import ActKind
from accounts.retention.models import RetentionVersion
from accounts.retention.queries import retention_in_force
from core.money import Money
from generation.catalogue.models import AllowedModels, VideoModel
from generation.catalogue.queries import allowed_models_in_force, models_allowed
from greenroom.setup.rules import People
from review.ledger.queries import unspoken_for
from review.policies.models import CharterVersion, PolicyVersion
from review.policies.queries import charter_in_force, policy_in_force


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that is in force, read once."""

    moment: datetime
    particulars: Particulars | None
    calendar: CalendarVersion | None
    agreement: AgreementVersion | None
    consents: dict[Purpose, ConsentVersion]
    policy: PolicyVersion | None
    charter: CharterVersion | None
    rates: list[RateLine]
    credits: Left
    allowed: AllowedModels | None
    models: list[VideoModel]
    retention: RetentionVersion | None
    money: Money
    people: People

    @property
    def is_paid(self) -> bool:
        return any(line.in_force and line.in_force.amount_micro > 0 for line in self.rates)

    @property
    def money_lasts_days(self) -> int | None:
        """If all that is expected were released; None where nothing would be spent."""
        assert self.particulars is not None
        rates = {line.kind: line.in_force.amount_micro for line in self.rates if line.in_force}
        a_day = rates.get(ActKind.RELEASE, 0) * self.particulars.submissions_per_day
        return max(0, self.money.amount_micro) // a_day if a_day else None


def standing_of(programme_id: UUID, moment: datetime) -> Standing:
    return Standing(
        moment=moment,
        particulars=particulars_in_force(programme_id),
        calendar=calendar_in_force(programme_id),
        agreement=agreement_in_force(programme_id),
        consents=consents_in_force(programme_id),
        policy=policy_in_force(programme_id),
        charter=charter_in_force(programme_id),
        rates=rate_card(programme_id, moment),
        credits=programme_budget(programme_id, Kind.CREDITS),
        allowed=allowed_models_in_force(programme_id),
        models=list(models_allowed(programme_id)),
        retention=retention_in_force(programme_id),
        money=unspoken_for(programme_id),
        people=People(
            testers=frozenset(parties_with_role(programme_id, Role.TESTER)),
            reviewers=frozenset(parties_with_role(programme_id, Role.REVIEWER)),
            finance=frozenset(parties_with_role(programme_id, Role.FINANCE)),
            managers=frozenset(parties_with_role(programme_id, Role.MANAGER)),
        ),
    )
