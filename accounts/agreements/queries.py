from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.agreements.models import Acceptance, AgreementVersion, AgreementView
from accounts.agreements.rules import Answer, governs
from accounts.credentials.queries import Actor
from core.clock import CoreNow
from core.errors import Absent
from core.ids import read_id


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands to a programme's agreement.

    ``act`` is their last word on the version in force, ``governing`` the acceptance that new work
    rests on, ``accepted`` the last version they ever said yes to: what they know. ``is_overdue``
    is said of the version in force, ``is_lapsed`` of a yes that a day for an answer has ended.
    """

    version: AgreementVersion
    act: Acceptance | None
    governing: Acceptance | None
    accepted: AgreementVersion | None
    is_overdue: bool
    is_lapsed: bool

    @property
    def waits(self) -> bool:
        """A newer version than theirs is in force, and they have not said yes or no to it."""
        return self.act is None and self.accepted is not None


def agreement_in_force(programme_id: UUID) -> AgreementVersion | None:
    """The newest published version of the programme."""
    return AgreementVersion.objects.filter(programme_id=programme_id).order_by("-number").first()


def versions_of(programme_id: UUID) -> list[AgreementVersion]:
    """All of them, the newest first."""
    return list(AgreementVersion.objects.filter(programme_id=programme_id).order_by("-number"))


def version_for(actor: Actor, number: int) -> AgreementVersion:
    """A version of the actor's programme. Raises ``Absent`` where there is none of this number."""
    version = AgreementVersion.objects.filter(
        programme_id=actor.programme, number=min(number, 2**31 - 1)
    ).first()
    if version is None:
        raise Absent
    return version


def last_act(version_id: UUID, party_id: UUID) -> Acceptance | None:
    return (
        Acceptance.objects.filter(version_id=version_id, party_id=party_id)
        .order_by("-at", "-id")
        .first()
    )


def governing_acceptance(programme_id: UUID, party_id: UUID) -> Acceptance | None:
    """The acceptance that new work rests on; None where there is none (``rules.governs``)."""
    found = _in_force(programme_id)
    act = _newest_answer(programme_id, party_id) if found else None
    return act if found and _governs(found[1], act) else None


def agreement_standing(programme_id: UUID, party_id: UUID) -> Standing | None:
    """None for a programme without an agreement."""
    found = _in_force(programme_id)
    if found is None:
        return None
    in_force, overdue = found
    act = _newest_answer(programme_id, party_id)
    is_on_this = act is not None and act.version_id == in_force.id
    yes = (
        _answers(programme_id, party_id)
        .filter(act=Acceptance.Act.ACCEPTED)
        .order_by("-version__number")
        .first()
    )
    does_govern = _governs(overdue, act)
    is_yes = act is not None and act.act == Acceptance.Act.ACCEPTED
    return Standing(
        version=in_force,
        act=act if is_on_this else None,
        governing=act if does_govern else None,
        accepted=yes.version if yes else None,
        is_overdue=overdue == in_force.number,
        is_lapsed=is_yes and not does_govern,
    )


def acceptance_before(programme_id: UUID, party_id: UUID, at: datetime) -> Acceptance | None:
    """The last yes to any version of the programme's agreement up to this moment.

    What was done then rests on it, whatever was published or answered since.
    """
    return (
        _answers(programme_id, party_id)
        .filter(act=Acceptance.Act.ACCEPTED, at__lte=at)
        .order_by("-at", "-id")
        .first()
    )


def acts_of(actor: Actor) -> list[Acceptance]:
    """Everything the actor ever said to the agreement of this programme, the newest first."""
    return list(_answers(actor.programme, actor.party_id).order_by("-at", "-id"))


def act_for(actor: Actor, shown_id: str) -> Acceptance:
    """One of the actor's own. Raises ``Absent`` for everybody else's."""
    acceptance_id = read_id("acceptance", shown_id)
    mine = _answers(actor.programme, actor.party_id)
    act = mine.filter(id=acceptance_id).first() if acceptance_id else None
    if act is None:
        raise Absent
    return act


def viewed_at(version_id: UUID, party_id: UUID) -> datetime | None:
    """When they first had it on their screen."""
    view = AgreementView.objects.filter(version_id=version_id, party_id=party_id).first()
    return view.at if view else None


def _in_force(programme_id: UUID) -> tuple[AgreementVersion, int] | None:
    """With the newest version whose day for an answer has passed by the database's clock, or 0."""
    versions = AgreementVersion.objects.filter(programme_id=programme_id)
    overdue = versions.filter(answer_by__lte=CoreNow()).order_by("-number").values("number")[:1]
    newest = versions.annotate(overdue=Coalesce(Subquery(overdue), 0)).order_by("-number").first()
    return (newest, newest.overdue) if newest else None


def _answers(programme_id: UUID, party_id: UUID) -> QuerySet[Acceptance]:
    return Acceptance.objects.filter(
        version__programme_id=programme_id, party_id=party_id
    ).select_related("version")


def _newest_answer(programme_id: UUID, party_id: UUID) -> Acceptance | None:
    """Their last word on the newest version they said anything about."""
    return _answers(programme_id, party_id).order_by("-version__number", "-at", "-id").first()


def _governs(overdue: int, act: Acceptance | None) -> bool:
    answer = Answer(act.version.number, act.act == Acceptance.Act.ACCEPTED) if act else None
    return governs(overdue=overdue, answer=answer)
