"""How somebody wants to hear of what, and which mail waits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from accounts.notices.models import Notice
from accounts.notices.rules import TOPICS, Topic
from accounts.people.models import PersonalDetail
from accounts.post.models import Mail, PostPreference
from accounts.post.rules import (
    ALWAYS_MAILED,
    DIGEST_LOOKS_BACK,
    USUAL,
    MailKind,
    State,
    Way,
    digest_of,
)
from accounts.programmes.models import Membership


@dataclass(frozen=True, slots=True)
class Choice:
    topic: Topic
    way: Way
    is_fixed: bool


def ways_for(topic: Topic, party_ids: Collection[UUID]) -> dict[UUID, Way]:
    """How each of them hears of this topic."""
    if topic in ALWAYS_MAILED:
        return dict.fromkeys(party_ids, Way.MAIL)
    chosen = PostPreference.objects.filter(topic=topic, party_id__in=party_ids)
    ways = {party_id: Way(way) for party_id, way in chosen.values_list("party_id", "way")}
    return dict.fromkeys(party_ids, USUAL[topic]) | ways


def choices_of(party_id: UUID) -> list[Choice]:
    """One for each topic, in their order."""
    chosen = dict(PostPreference.objects.filter(party_id=party_id).values_list("topic", "way"))
    return [
        Choice(topic, Way.MAIL, is_fixed=True)
        if topic in ALWAYS_MAILED
        else Choice(topic, Way(chosen.get(topic, USUAL[topic])), is_fixed=False)
        for topic in Topic
    ]


def detail_to_write_to(party_id: UUID) -> PersonalDetail | None:
    """With its person. None where nobody is there any more, or their account is closed."""
    return (
        PersonalDetail.objects.select_related("person")
        .filter(person__party_id=party_id, person__is_active=True)
        .first()
    )


def mail_in_state(state: State) -> QuerySet[Mail]:
    return Mail.objects.filter(state=state).order_by("made_at", "id")


def digests_due(moment: datetime) -> list[tuple[UUID, date, list[UUID]]]:
    """Reader, day and notices of each digest that is due and not written yet.

    A digest of a day holds what was told before eight that morning in its reader's zone, is not
    read, and went out with no other mail.
    """
    unread = (
        Notice.objects.filter(read_at=None, mail=None, at__gt=moment - DIGEST_LOOKS_BACK)
        .filter(party__person__is_active=True, party__person__detail__mail_bounced_at=None)
        .order_by("party_id", "at", "id")
        .values_list("party_id", "id", "kind", "at")
    )
    by_party = {party_id: list(rows) for party_id, rows in groupby(unread, key=lambda row: row[0])}
    if not by_party:
        return []
    chosen = _chosen_ways(by_party)
    days = {party_id: digest_of(moment, zone) for party_id, zone in _zones(by_party).items()}
    written = _digests_written(by_party, moment)
    due = []
    for party_id, rows in by_party.items():
        day = days[party_id]
        if day is None or (party_id, day[0]) in written:
            continue
        mine = [
            notice_id
            for _party, notice_id, kind, at in rows
            if at < day[1] and _way(chosen.get(party_id, {}), TOPICS[kind]) is Way.DIGEST
        ]
        if mine:
            due.append((party_id, day[0], mine))
    return due


def _way(chosen: Mapping[str, str], topic: Topic) -> Way:
    return Way.MAIL if topic in ALWAYS_MAILED else Way(chosen.get(topic, USUAL[topic]))


def _chosen_ways(party_ids: Collection[UUID]) -> dict[UUID, dict[str, str]]:
    found: dict[UUID, dict[str, str]] = {}
    rows = PostPreference.objects.filter(party_id__in=party_ids)
    for party_id, topic, way in rows.values_list("party_id", "topic", "way"):
        found.setdefault(party_id, {})[topic] = way
    return found


def _zones(party_ids: Collection[UUID]) -> dict[UUID, str]:
    """The reader's own, else that of the first programme they came into, else the house's."""
    own = PersonalDetail.objects.filter(person__party_id__in=party_ids).exclude(time_zone="")
    first = (
        Membership.objects.filter(party_id__in=party_ids, ended_at=None)
        .order_by("party_id", "joined_at", "id")
        .distinct("party_id")
    )
    return (
        dict.fromkeys(party_ids, settings.TIME_ZONE)
        | dict(first.values_list("party_id", "programme__time_zone"))
        | dict(own.values_list("person__party_id", "time_zone"))
    )


def _digests_written(party_ids: Collection[UUID], moment: datetime) -> set[tuple[UUID, date]]:
    # No zone is further than a day from any other.
    recent = Mail.objects.filter(
        kind=MailKind.DIGEST,
        party_id__in=party_ids,
        digest_day__gte=moment.date() - timedelta(days=1),
    )
    rows = recent.values_list("party_id", "digest_day")
    return {(party_id, day) for party_id, day in rows if party_id and day}


def mail_bounced_at(party_id: UUID) -> datetime | None:
    detail = PersonalDetail.objects.filter(person__party_id=party_id)
    return detail.values_list("mail_bounced_at", flat=True).first()
