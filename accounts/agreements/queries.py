from __future__ import annotations

from datetime import datetime
from uuid import UUID

from accounts.agreements.models import Acceptance, AgreementVersion


def agreement_in_force(programme_id: UUID) -> AgreementVersion | None:
    """The newest published version of the programme."""
    return AgreementVersion.objects.filter(programme_id=programme_id).order_by("-number").first()


def last_act(version_id: UUID, party_id: UUID) -> Acceptance | None:
    return (
        Acceptance.objects.filter(version_id=version_id, party_id=party_id)
        .order_by("-at", "-id")
        .first()
    )


def acceptance_of(programme_id: UUID, party_id: UUID) -> Acceptance | None:
    """The acceptance that counts: the last act on the version in force, if it is a yes."""
    version = agreement_in_force(programme_id)
    act = last_act(version.id, party_id) if version else None
    return act if act and act.act == Acceptance.Act.ACCEPTED else None


def acceptance_before(programme_id: UUID, party_id: UUID, at: datetime) -> Acceptance | None:
    """The last yes to any version of the programme's agreement up to this moment.

    What was done then rests on it, whatever was published or answered since.
    """
    return (
        Acceptance.objects.filter(
            version__programme_id=programme_id,
            party_id=party_id,
            act=Acceptance.Act.ACCEPTED,
            at__lte=at,
        )
        .order_by("-at", "-id")
        .first()
    )
