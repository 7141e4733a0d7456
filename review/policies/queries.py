from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from generation.clips.rules import Allows
from review.policies.models import CharterVersion, PolicyVersion


@dataclass(frozen=True, slots=True)
class PolicyText:
    """What a policy says, its clauses as one text, so that two versions can be compared."""

    introduction: str
    clauses: str
    files_before: str


def said_by_policy(policy: PolicyVersion) -> PolicyText:
    return PolicyText(
        introduction=policy.introduction,
        clauses="\n".join(
            f"{clause.number}. {clause.title}: {clause.words}" for clause in policy.clauses.all()
        ),
        files_before=policy.files_before,
    )


def policy_in_force(programme_id: UUID) -> PolicyVersion | None:
    """The newest version of the programme, with its clauses."""
    return (
        PolicyVersion.objects.filter(programme_id=programme_id)
        .prefetch_related("clauses")
        .order_by("-number")
        .first()
    )


def files_before_in(programme_id: UUID) -> Allows:
    """Which files an owner gets before approval, by the version in force; all without one."""
    policy = PolicyVersion.objects.filter(programme_id=programme_id).order_by("-number").first()
    return Allows(policy.files_before) if policy else Allows.CLIP


def charter_in_force(programme_id: UUID) -> CharterVersion | None:
    """The newest version of the programme."""
    return CharterVersion.objects.filter(programme_id=programme_id).order_by("-number").first()
