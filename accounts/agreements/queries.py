from __future__ import annotations

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
