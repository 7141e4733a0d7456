"""What would go and what would stay, told before anybody presses and kept afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.agreements.models import Acceptance
from accounts.erasures.queries import parties_erased
from accounts.programmes.models import Membership
from accounts.retention.queries import retention_in_force
from core.ids import shown
from generation.clips.models import Clip, Removal
from greenroom.erasures.rules import Kept, Releases, books_until
from greenroom.exports.of_money import programmes_owing
from review.ledger.queries import owed_to
from review.payouts.models import Payout
from review.payouts.rules import OPEN
from review.releases.models import Release

USUAL_YEARS = 10


def kept_of(party_id: UUID, releases: Releases, moment: datetime) -> list[dict[str, Any]]:
    """Ids, kinds, amounts and dates: nothing that says who it was. ``until`` null: no end is set,
    and what stays names nobody."""
    kept: list[dict[str, Any]] = [
        {
            "what": Kept.BOOKS.value,
            "programme": shown("programme", programme_id),
            "until": _until(programme_id, moment),
            "owed_micro": owed.left.amount_micro,
            "currency": owed.left.currency,
        }
        for programme_id in programmes_owing(party_id)
        for owed in [owed_to(party_id, programme_id)]
    ]
    kept += [
        {
            "what": Kept.AGREEMENTS.value,
            "programme": shown("programme", programme_id),
            "until": _until(programme_id, moment),
        }
        for programme_id in _programmes_agreed(party_id)
    ]
    kept += [{"what": what.value, "until": None} for what in (Kept.WORK, Kept.AUDIT)]
    shown_still = live_releases(party_id).count() if releases is Releases.NAMELESS else 0
    if shown_still:
        kept.append({"what": Kept.RELEASES.value, "count": shown_still, "until": None})
    return kept


def open_payouts_to(party_id: UUID) -> QuerySet[Payout]:
    """Proposed or approved, in any programme: whoever pays must still know whom."""
    return Payout.objects.filter(party_id=party_id, state__in=OPEN)


def live_releases(party_id: UUID) -> QuerySet[Release]:
    return Release.objects.filter(owner_id=party_id, ended_at=None)


def clips_to_remove(party_ids: Any = None) -> QuerySet[Clip]:
    """Clips of whoever was erased whose files nobody sees to yet, but for those still shown.

    ``party_ids`` None: of everybody erased, for what came into being in the same moment.
    """
    owners = parties_erased() if party_ids is None else party_ids
    standing = Removal.objects.filter(clip=OuterRef("pk"), stopped_at=None)
    of_erasure = standing.filter(Q(why=Removal.Why.ERASURE) | Q(done_at__isnull=False))
    shown_still = Release.objects.filter(clip=OuterRef("pk"), ended_at=None)
    return Clip.objects.filter(
        ~Exists(of_erasure), ~Exists(shown_still), party_id__in=owners
    ).order_by("id")


def programmes_joined(party_id: UUID) -> list[UUID]:
    """Every programme this party is a member of, in the order in which they are locked."""
    mine = Membership.objects.filter(party_id=party_id, ended_at=None)
    return list(mine.order_by("programme_id").values_list("programme_id", flat=True))


def _programmes_agreed(party_id: UUID) -> list[UUID]:
    answered = Acceptance.objects.filter(party_id=party_id).order_by("version__programme_id")
    return list(answered.values_list("version__programme_id", flat=True).distinct())


def _until(programme_id: UUID, moment: datetime) -> str:
    terms = retention_in_force(programme_id)
    return books_until(moment, terms.books_years if terms else USUAL_YEARS).isoformat()
