"""Writing notices and putting them away."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid5

from accounts.credentials.queries import Actor
from accounts.notices.models import Notice
from accounts.notices.queries import audience, notices_of, those_until
from accounts.notices.rules import TOPICS, Topic
from core.clock import now
from core.errors import Absent
from core.outbox.models import OutboxMessage


def write_notices(message: OutboxMessage) -> list[Notice]:
    """One for each who hears of it, none where it is not worth telling.

    Inside the transaction of whoever heard the message. The ids are made of the message's, so that
    nobody is told twice.
    """
    if message.kind not in TOPICS:
        return []
    return Notice.objects.bulk_create(
        Notice(
            id=_id_for(message, party_id),
            party_id=party_id,
            kind=message.kind,
            subject_kind=message.subject_kind,
            subject_id=message.subject_id,
            facts=message.facts,
            at=message.at,
        )
        for party_id in audience(message)
    )


def _id_for(message: OutboxMessage, party_id: UUID) -> UUID:
    message_id: UUID = message.id
    return message_id if message.party_id is not None else uuid5(message_id, str(party_id))


def dismiss_notice(*, actor: Actor, notice_id: UUID) -> Notice:
    """Put a notice away. Doing it twice is fine; somebody else's is absent."""
    mine = Notice.objects.filter(id=notice_id, party_id=actor.party_id)
    mine.filter(read_at=None).update(read_at=now())
    notice = mine.first()
    if notice is None:
        raise Absent
    return notice


def dismiss_notices(
    *, actor: Actor, topic: Topic | None = None, until: datetime | None = None
) -> int:
    """Put all of them away, or those of a topic; none that came after ``until``, which its reader
    has not seen. Returns how many there were."""
    unread = notices_of(actor.party_id, unread=True, topic=topic)
    return those_until(unread, until).update(read_at=now())
