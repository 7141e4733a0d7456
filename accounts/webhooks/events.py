"""The public catalogue: what a webhook may be told of, and how each event is made from a committed
message of the outbox.

Data and pure functions. The facts of an event are those of its message, chosen by name: what is not
in this table leaves the house with no event.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.credentials.rules import Scope
from core.ids import shown
from core.outbox.models import OutboxMessage

Facts = Mapping[str, Any]
Fact = Callable[[Facts], Any]

TEST_SUBJECT = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
EXAMPLE_MOMENT = 1_780_000_000


def _plain(name: str) -> Fact:
    return lambda facts: facts.get(name)


def _always(value: Any) -> Fact:
    return lambda _facts: value


def _id(thing: str, name: str) -> Fact:
    def read(facts: Facts) -> str | None:
        found = facts.get(name)
        return shown(thing, UUID(found)) if found else None

    return read


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """``kind`` of the outbox, where its facts hold what ``where`` asks, is this event about a
    ``thing``. ``scope`` is what a credential needs to see the thing itself. ``facts`` are the
    further members of ``data``; those that the message leaves out are left out there, too.
    ``example`` are facts as messages carry them.
    """

    type: str
    kind: str
    thing: str
    scope: Scope
    words: Promise
    where: Facts = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)
    example: Facts = field(default_factory=dict)

    def fits(self, message: OutboxMessage) -> bool:
        return message.kind == self.kind and all(
            message.facts.get(name) == value for name, value in self.where.items()
        )


_CLIP = {"clip": _id("clip", "clip")}
_ROUND = {"round": _plain("round")}
_MONEY = {"amount_micro": _plain("amount_micro"), "currency": _plain("currency")}
_EXAMPLE_CLIP = {"clip": str(TEST_SUBJECT)}
_EXAMPLE_MONEY = {"amount_micro": 12_500_000, "currency": "EUR"}


def _video(**other: Any) -> EventType:
    return EventType(thing="job", scope=Scope.CLIPS_READ, **other)


def _review(**other: Any) -> EventType:
    return EventType(thing="submission", scope=Scope.SUBMISSIONS_READ, **other)


def _decided(*, type: str, outcome: str, words: Promise) -> EventType:  # noqa: A002
    return _review(
        type=type,
        kind="case.decided",
        words=words,
        where={"outcome": outcome},
        facts=_ROUND,
        example={"outcome": outcome, "round": 1},
    )


def _cancelled(kind: str) -> EventType:
    return _video(
        type="video.failed",
        kind=kind,
        words=_("A clip will not be made: it failed, was cancelled, or was held for too long."),
        facts={"code": _always("cancelled"), "charged_credits": _plain("charged")},
        example={"charged": 0},
    )


# In the order in which things happen. One type may stand for several kinds; the first of them
# gives the example.
TABLE: tuple[EventType, ...] = (
    _video(
        type="video.completed",
        kind="job.finished",
        words=_("A clip is ready. Whether it may be shown is for the review to say."),
        facts={**_CLIP, "charged_credits": _plain("charged")},
        example={**_EXAMPLE_CLIP, "charged": 40},
    ),
    _video(
        type="video.failed",
        kind="job.failed",
        words=_("A clip will not be made: it failed, was cancelled, or was held for too long."),
        facts={"code": _plain("code"), "charged_credits": _plain("charged")},
        example={"code": "engine_error", "charged": 0},
    ),
    _cancelled("job.cancelled"),
    _cancelled("job.lapsed"),
    _video(
        type="video.held",
        kind="job.held",
        words=_(
            "A job is held, since its credential was revoked: it waits seven days for your word."
        ),
    ),
    _video(
        type="video.resumed",
        kind="job.resumed",
        words=_("You vouched for a held job, and it waits to be made again."),
    ),
    _review(
        type="review.submitted",
        kind="submission.sealed",
        words=_("A clip was put forward for review."),
        facts={**_CLIP, "due_at": _plain("due_at")},
        example={**_EXAMPLE_CLIP, "due_at": "2026-06-01T12:00:00+00:00"},
    ),
    _decided(
        type="review.approved",
        outcome="approved",
        words=_("A clip was approved: you may release it."),
    ),
    _decided(
        type="review.declined",
        outcome="declined",
        words=_("A clip was declined; the decision says why."),
    ),
    _decided(
        type="review.changes_requested",
        outcome="changes_requested",
        words=_("Changes are asked for; the decision says what would make it right."),
    ),
    _review(
        type="review.appealed",
        kind="appeal.filed",
        words=_("You appealed: somebody else decides again."),
        facts={"due_at": _plain("due_at")},
        example={"due_at": "2026-06-03T12:00:00+00:00"},
    ),
    _review(
        type="review.overdue",
        kind="case.overdue",
        words=_("A review is late, and stands at the head of the desk now."),
    ),
    _review(
        type="review.withdrawn",
        kind="submission.withdrawn",
        words=_("You took a clip back before there was a decision."),
        facts=_ROUND,
        example={"round": 1},
    ),
    EventType(
        type="release.published",
        kind="release.published",
        thing="release",
        scope=Scope.RELEASES_READ,
        words=_("You released a clip: it is shown."),
        facts=_CLIP,
        example=_EXAMPLE_CLIP,
    ),
    EventType(
        type="release.taken_down",
        kind="release.taken_down",
        thing="release",
        scope=Scope.RELEASES_READ,
        words=_("A release was taken down: it is shown no more."),
        facts=_CLIP,
        example=_EXAMPLE_CLIP,
    ),
    EventType(
        type="earning.posted",
        kind="act.recorded",
        thing="act",
        scope=Scope.EARNINGS_READ,
        words=_("You earned what a rate says, and are owed it."),
        facts={"act": _plain("act"), **_MONEY},
        example={"act": "release", **_EXAMPLE_MONEY},
    ),
    *(
        EventType(
            type=f"payout.{state}",
            kind=f"payout.{state}",
            thing="payout",
            scope=Scope.EARNINGS_READ,
            words=words,
            facts=_MONEY,
            example=_EXAMPLE_MONEY,
        )
        for state, words in (
            ("proposed", _("Somebody of finance proposed to pay you.")),
            ("approved", _("A second person approved a payout to you.")),
            ("paid", _("You were paid: the money left.")),
            ("cancelled", _("A payout to you ended before it was paid; everything stays owed.")),
        )
    ),
    EventType(
        type="contribution.accepted",
        kind="contribution.accepted",
        thing="contribution",
        scope=Scope.CONTRIBUTIONS_READ,
        words=_("Something you filed was of use, and its rate is owed."),
    ),
    EventType(
        type="contribution.declined",
        kind="contribution.declined",
        thing="contribution",
        scope=Scope.CONTRIBUTIONS_READ,
        words=_("Something you filed was declined, and you hear why."),
    ),
    EventType(
        type="clip.removal_announced",
        kind="removal.announced",
        thing="clip",
        scope=Scope.CLIPS_READ,
        words=_("The files of a clip are about to go: keep them before that."),
        facts={"due_at": _plain("due_at")},
        example={"due_at": "2026-06-30T12:00:00+00:00"},
    ),
    EventType(
        type="clip.removed",
        kind="removal.done",
        thing="clip",
        scope=Scope.CLIPS_READ,
        words=_("The files of a clip are gone; the record stays."),
    ),
    EventType(
        type="token.minted",
        kind="token.minted",
        thing="credential",
        scope=Scope.TOKENS_READ,
        words=_("A token of yours was made."),
    ),
    EventType(
        type="token.revoked",
        kind="credential.revoked",
        thing="credential",
        scope=Scope.TOKENS_READ,
        words=_("A token of yours was revoked: what it had queued or running is held."),
    ),
)

_BY_TYPE: dict[str, EventType] = {}
for _each in TABLE:
    _BY_TYPE.setdefault(_each.type, _each)

TYPES: list[str] = list(_BY_TYPE)


def event_type(type_: str) -> EventType:
    """The first of this name. Raises ``KeyError`` for what is not in the catalogue."""
    return _BY_TYPE[type_]


def event_of(message: OutboxMessage) -> EventType | None:
    """What the message is to the world outside; None for what no webhook is told of."""
    return next((each for each in TABLE if each.fits(message)), None)


def data_of(event: EventType, subject_id: UUID, facts: Facts) -> dict[str, Any]:
    """``id`` is the thing's own; of a video, the id by which ``/v1`` knows it."""
    own = shown(event.thing, subject_id)
    found: dict[str, Any] = {"id": own}
    if event.thing == "job":
        found = {"id": f"video_{own.partition('_')[2]}", "job": own}
    further = {name: fact(facts) for name, fact in event.facts.items()}
    return found | {name: value for name, value in further.items() if value is not None}


def body_of(event_id: str, type_: str, created_at: int, data: Facts) -> dict[str, Any]:
    return {
        "id": event_id,
        "object": "event",
        "type": type_,
        "created_at": created_at,
        "data": dict(data),
    }


def written(body: Facts) -> str:
    """The bytes that are signed and sent: once for all attempts."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def example_of(type_: str) -> dict[str, Any]:
    """A whole body as one would arrive, for documents and for tests of an endpoint."""
    event = event_type(type_)
    data = data_of(event, TEST_SUBJECT, event.example)
    return body_of(shown("event", TEST_SUBJECT), type_, EXAMPLE_MOMENT, data)


@dataclass(frozen=True, slots=True)
class Described:
    type: str
    words: Promise
    scope: Scope
    kinds: tuple[str, ...]
    thing: str
    example: dict[str, Any]


def described() -> list[Described]:
    """The whole catalogue, for documents: one entry for each type."""
    return [
        Described(
            type=type_,
            words=event_type(type_).words,
            scope=event_type(type_).scope,
            kinds=tuple(each.kind for each in TABLE if each.type == type_),
            thing=event_type(type_).thing,
            example=example_of(type_),
        )
        for type_ in TYPES
    ]
