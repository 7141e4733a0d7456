"""What notices are about, for the things of the upper floors: whose they are and what their owner
calls them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from accounts.conversations.models import Conversation
from accounts.notices.queries import Subject, finder
from generation.clips.models import Clip
from generation.jobs.models import Job
from generation.references.models import Reference
from review.contributions.models import Contribution
from review.credits.models import CreditLine
from review.ledger.models import Act
from review.payouts.models import Payout
from review.releases.models import Release
from review.submissions.models import Case, Submission

Found = dict[UUID, Subject]


@finder("job")
def jobs(ids: Collection[UUID]) -> Found:
    rows = Job.objects.filter(id__in=ids)
    return _named(rows.values_list("id", "programme_id", "prompt", "party_id"))


@finder("clip")
def clips(ids: Collection[UUID]) -> Found:
    rows = Clip.objects.filter(id__in=ids)
    return _named(rows.values_list("id", "programme_id", "prompt", "party_id"))


@finder("reference")
def references(ids: Collection[UUID]) -> Found:
    rows = Reference.objects.filter(id__in=ids)
    return _named(rows.values_list("id", "programme_id", "name", "party_id"))


@finder("submission")
def submissions(ids: Collection[UUID]) -> Found:
    rows = Submission.objects.filter(id__in=ids)
    return _named(rows.values_list("id", "programme_id", "clip__prompt", "owner_id"))


@finder("contribution")
def contributions(ids: Collection[UUID]) -> Found:
    rows = Contribution.objects.filter(id__in=ids)
    return _named(rows.values_list("id", "programme_id", "title", "party_id"))


@finder("case")
def cases(ids: Collection[UUID]) -> Found:
    return _placed(Case.objects.filter(id__in=ids).values_list("id", "programme_id"))


@finder("credit_line")
def credit_lines(ids: Collection[UUID]) -> Found:
    rows = CreditLine.objects.filter(id__in=ids)
    return _placed(rows.values_list("id", "clip__programme_id"))


@finder("release")
def releases(ids: Collection[UUID]) -> Found:
    return _placed(Release.objects.filter(id__in=ids).values_list("id", "programme_id"))


@finder("act")
def acts(ids: Collection[UUID]) -> Found:
    return _placed(Act.objects.filter(id__in=ids).values_list("id", "programme_id"))


@finder("payout")
def payouts(ids: Collection[UUID]) -> Found:
    return _placed(Payout.objects.filter(id__in=ids).values_list("id", "programme_id"))


@finder("conversation")
def conversations(ids: Collection[UUID]) -> Found:
    return _placed(Conversation.objects.filter(id__in=ids).values_list("id", "programme_id"))


def _named(rows: Collection[tuple[UUID, UUID, str, UUID]]) -> Found:
    return {
        one: Subject(programme_id, name=name, owner_id=owner_id)
        for one, programme_id, name, owner_id in rows
    }


def _placed(rows: Collection[tuple[UUID, UUID]]) -> Found:
    return {one: Subject(programme_id) for one, programme_id in rows}
