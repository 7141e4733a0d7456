"""Notices are written by the outbox's deliverer: a clip that is ready is told exactly once."""

from __future__ import annotations

from uuid import UUID

from accounts.credentials.queries import Actor
from accounts.notices.models import Notice
from core.clock import now
from core.errors import Absent
from core.outbox.commands import listener
from core.outbox.models import OutboxMessage

WORTH_TELLING = frozenset(
    {
        "job.finished",
        "job.failed",
        "job.held",
        "job.lapsed",
        "token.minted",
        "credential.revoked",
        "credit.proposed",
        "case.decided",
        "case.overdue",
        "case.escalated",
        "case.unstaffed",
        "contribution.accepted",
        "contribution.declined",
        "payout.paid",
    }
)


@listener("notices")
def write_notice(message: OutboxMessage) -> None:
    if message.kind not in WORTH_TELLING or message.party_id is None:
        return
    Notice.objects.create(
        id=message.id,
        party_id=message.party_id,
        kind=message.kind,
        subject_kind=message.subject_kind,
        subject_id=message.subject_id,
        facts=message.facts,
        at=message.at,
    )


def dismiss_notice(*, actor: Actor, notice_id: UUID) -> Notice:
    """Put a notice away. Doing it twice is fine; somebody else's is absent."""
    mine = Notice.objects.filter(id=notice_id, party_id=actor.party_id)
    mine.filter(read_at=None).update(read_at=now())
    notice = mine.first()
    if notice is None:
        raise Absent
    return notice
