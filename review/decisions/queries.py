from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from core.clock import CoreNow
from review.decisions.models import Decision, Verdict
from review.decisions.rules import Outcome


def decision_for_clip(clip_id: UUID) -> Decision | None:
    """The last word on a clip: the appeal's where there was one, else the first."""
    return _decisions().filter(chain_id=clip_id).order_by("-round", "-decided_at").first()


def approval_of(clip_id: UUID) -> Decision | None:
    """The decision that lets a clip be released, of whichever round."""
    return _decisions().filter(chain_id=clip_id, outcome=Outcome.APPROVED).first()


def decisions_of_chains(clip_ids: Iterable[UUID]) -> QuerySet[Decision]:
    return _decisions().filter(chain_id__in=list(clip_ids)).order_by("chain_id", "round")


def verdicts_due() -> QuerySet[Verdict]:
    """Verdicts whose ten seconds are over, the oldest first."""
    return Verdict.objects.filter(effective_at__lte=CoreNow()).order_by("effective_at")


def _decisions() -> QuerySet[Decision]:
    return Decision.objects.select_related("clause", "policy").prefetch_related("evidence")
