from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from review.policies.models import CharterVersion, PolicyVersion


@dataclass(frozen=True, slots=True)
class PolicyText:
    """What a policy says, its clauses as one text, so that two versions can be compared."""

    introduction: str
    clauses: str


def said_by_policy(policy: PolicyVersion) -> PolicyText:
    return PolicyText(
        introduction=policy.introduction,
        clauses="\n".join(
            f"{clause.number}. {clause.title}: {clause.words}" for clause in policy.clauses.all()
        ),
    )


def policy_in_force(programme_id: UUID) -> PolicyVersion | None:
    """The newest version of the programme, with its clauses."""
    return (
        PolicyVersion.objects.filter(programme_id=programme_id)
        .prefetch_related("clauses")
        .order_by("-number")
        .first()
    )


def charter_in_force(programme_id: UUID) -> CharterVersion | None:
    """The newest version of the programme."""
    return CharterVersion.objects.filter(programme_id=programme_id).order_by("-number").first()
