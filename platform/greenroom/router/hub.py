"""Fan-out of live events: who is listening, what changed for them, and who may still listen.

One notification in the database is one look at one job, at most twice a second, however many
streams show it. A stream holds the newest state of each job, not a history: a reader that is slow
for a moment misses steps, never the outcome. What happened (``replay``) it is told in full.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from core.ids import shown
from greenroom.router.authentication import Credential
from greenroom.router.problems import Unavailable
from greenroom.router.replay import (
    REPLAYED_AT_MOST,
    Happening,
    News,
    Position,
    written,
)

log = logging.getLogger(__name__)

STREAMS_PER_CREDENTIAL = 6
JOBS_PER_STREAM = 1000
WAITING_AT_MOST = JOBS_PER_STREAM + 2 * REPLAYED_AT_MOST
LOOK_EVERY_S = 0.5
LOOK_AGAIN_S = 2.0
CONFIRM_EVERY_S = 4.0
CONFIRMED_FOR_S = 10.0
UNCONFIRMED_AT_MOST_S = 60.0
_SNAPSHOT = UUID(int=0)
_MISSED = UUID(int=1)


class TooManyStreams(Exception):
    pass


@dataclass(frozen=True)
class JobNow:
    """One row of `live_job` or `live_jobs`."""

    job_id: UUID
    party_id: UUID
    programme_id: UUID
    state: str
    stage: str
    steps_done: int
    steps: int
    place: int | None
    eta_s: int | None
    clip_id: UUID | None

    def event(self) -> bytes:
        return written(
            "job",
            {
                "id": shown("job", self.job_id),
                "state": self.state,
                "stage": self.stage,
                "step": self.steps_done,
                "steps": self.steps,
                "place": self.place,
                "eta_s": self.eta_s,
                "clip": shown("clip", self.clip_id) if self.clip_id else None,
            },
        )


class Jobs(Protocol):
    async def live_jobs(self, party_id: UUID) -> list[JobNow]: ...

    async def live_job(self, job_id: UUID) -> JobNow | None: ...

    async def news(self, party_id: UUID, after: Position | None, *, most: int) -> News: ...


class Stream:
    """One reader: the newest state of each job, and every happening, that it has not taken yet."""

    def __init__(self, credential: Credential, now: float) -> None:
        self.credential = credential
        self.confirmed_at = now
        self.position: Position | None = None
        self.closed = ""
        self.wake = asyncio.Event()
        self._waiting: dict[UUID, bytes] = {}

    def shows(self, job: JobNow | Happening) -> bool:
        """A token hears of its own programme only; a session has none and hears of all."""
        return self.credential.programme_id in (None, job.programme_id)

    def tell(self, one: Happening) -> None:
        """Each once, in order, and only what the credential might read itself."""
        if self.position is not None and one.position <= self.position:
            return
        self.position = one.position
        is_here = one.programme_id is None or self.shows(one)
        if is_here and (told := one.type) is not None and self.credential.carries(told.scope):
            self.push(one.message_id, one.event(told))

    def push(self, key: UUID, event: bytes) -> None:
        if self.closed:
            return
        self._waiting.pop(key, None)  # to the end: what changed last is said last
        self._waiting[key] = event
        if len(self._waiting) > WAITING_AT_MOST:
            self.close("slow")
        self.wake.set()

    def take(self, now: float) -> bytes:
        """What is to be sent. Nothing leaves on a credential that was not confirmed just now."""
        if self.closed or now - self.confirmed_at > CONFIRMED_FOR_S:
            return b""
        events = b"".join(self._waiting.values())
        self._waiting.clear()
        return events

    def confirm(self, now: float) -> None:
        self.confirmed_at = now
        self.wake.set()

    def close(self, why: str) -> None:
        self.closed = self.closed or why
        self._waiting.clear()
        self.wake.set()


@dataclass
class Room:
    """The streams of one party. The lock keeps answers in the order of their questions."""

    party_id: UUID
    streams: list[Stream] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    looked_at: dict[UUID, float] = field(default_factory=dict)
    due: set[UUID] = field(default_factory=set)
    position: Position | None = None
    read_at: float = 0.0
    is_news_due: bool = False


class Hub:
    def __init__(self, jobs: Jobs, is_still_live: Callable[[Credential], Awaitable[bool]]) -> None:
        self._jobs = jobs
        self._is_still_live = is_still_live
        self._rooms: dict[UUID, Room] = {}
        self._running: set[asyncio.Task[None]] = set()

    def streams(self) -> Iterable[Stream]:
        return [stream for room in self._rooms.values() for stream in room.streams]

    async def join(self, credential: Credential, after: Position | None = None) -> Stream:
        """A stream that begins with what happened after a position, where one is given, and then
        with the present state of its jobs. Raises TooManyStreams."""
        room = self._rooms.get(credential.party_id) or Room(credential.party_id)
        if sum(s.credential.id == credential.id for s in room.streams) >= STREAMS_PER_CREDENTIAL:
            raise TooManyStreams
        self._rooms[credential.party_id] = room
        stream = Stream(credential, _now())
        room.streams.append(stream)  # before the look: what changes meanwhile is not lost
        try:
            await self._catch_up(room, stream, after)
            await self._show_all(room, [stream])
        except BaseException:
            self.leave(stream)
            raise
        return stream

    def leave(self, stream: Stream) -> None:
        stream.close("left")
        room = self._rooms.get(stream.credential.party_id)
        if room is None:
            return
        room.streams = [other for other in room.streams if other is not stream]
        if not room.streams:
            del self._rooms[room.party_id]

    def hear(self, payload: str) -> None:
        """One notification, `{"party": …, "kind": "job", "id": …}`: it says only where to look.

        With `said`, the outbox has a new row for the party.
        """
        try:
            said = json.loads(payload)
            if said["party"] is None:
                return
            party, thing = UUID(said["party"]), UUID(said["id"])
            kind, is_news = said["kind"], "said" in said
        except (ValueError, KeyError, TypeError, AttributeError):
            log.warning("a notification that nobody understands")
            return
        room = self._rooms.get(party)
        if room is None:
            return
        if kind == "job":
            self._look_soon(room, thing, not_before=room.looked_at.get(thing, 0.0) + LOOK_EVERY_S)
        if is_news:
            self._read_soon(room, not_before=room.read_at + LOOK_EVERY_S)

    async def refresh(self) -> None:
        """Notifications may have been missed: everybody gets the present state again."""
        for room in list(self._rooms.values()):
            await self._show_all(room, room.streams)
            self._read_soon(room, not_before=0.0)

    async def keep_confirming(self) -> None:
        """Until cancelled: asks for each credential with an open stream whether it still counts."""
        while True:
            await asyncio.sleep(CONFIRM_EVERY_S)
            by_credential: dict[UUID, list[Stream]] = {}
            for stream in self.streams():
                by_credential.setdefault(stream.credential.id, []).append(stream)
            for streams in by_credential.values():
                await self._confirm(streams)

    async def _confirm(self, streams: list[Stream]) -> None:
        asked_at = _now()
        try:
            is_live = await self._is_still_live(streams[0].credential)
        except Unavailable:  # nothing is sent meanwhile, but the readers are held for a while
            for stream in streams:
                if asked_at - stream.confirmed_at > UNCONFIRMED_AT_MOST_S:
                    stream.close("unconfirmed")
            return
        for stream in streams:
            if is_live:
                stream.confirm(asked_at)
            else:
                stream.close("ended")

    def _look_soon(self, room: Room, job: UUID, *, not_before: float) -> None:
        if job in room.due:
            return
        room.due.add(job)
        delay = max(0.0, not_before - _now())
        asyncio.get_running_loop().call_later(delay, self._start_look, room, job)

    def _start_look(self, room: Room, job: UUID) -> None:
        self._start(self._look(room, job))

    def _read_soon(self, room: Room, *, not_before: float) -> None:
        if room.is_news_due:
            return
        room.is_news_due = True
        delay = max(0.0, not_before - _now())
        asyncio.get_running_loop().call_later(delay, lambda: self._start(self._read(room)))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _read(self, room: Room) -> None:
        """What happened since the room was told last, to all of its streams."""
        async with room.lock:
            room.is_news_due = False  # before the question: what is said from here on asks again
            if not room.streams:
                return
            room.read_at = _now()
            try:
                news = await self._jobs.news(room.party_id, room.position, most=REPLAYED_AT_MOST)
            except Unavailable:
                self._read_soon(room, not_before=_now() + LOOK_AGAIN_S)
                return
            self._tell(room.streams, news)
            room.position = news.until
            if news.is_cut:
                self._read_soon(room, not_before=0.0)
            elif news.is_held_back:
                self._read_soon(room, not_before=_now() + LOOK_EVERY_S)

    async def _catch_up(self, room: Room, stream: Stream, after: Position | None) -> None:
        """Replay; whoever missed too much, or comes from elsewhere, is told to begin anew."""
        async with room.lock:
            present = await self._jobs.news(room.party_id, None, most=0)
            if room.position is None:
                room.position = present.until
            if present.is_held_back:
                self._read_soon(room, not_before=_now() + LOOK_EVERY_S)
            stream.position = present.until
            if after is None:
                return
            if after <= present.until:
                news = await self._jobs.news(room.party_id, after, most=REPLAYED_AT_MOST)
                if not news.is_cut:
                    stream.position = after
                    self._tell([stream], news)
                    return
            stream.push(_MISSED, written("missed", {"after": str(after)}))

    def _tell(self, streams: Iterable[Stream], news: News) -> None:
        for stream in streams:
            for one in news.happenings:
                stream.tell(one)
            if stream.position is None or stream.position < news.until:
                stream.position = news.until

    async def _look(self, room: Room, job: UUID) -> None:
        async with room.lock:
            room.due.discard(job)  # before the question: what happens from here on asks again
            if not room.streams:
                return
            _note(room.looked_at, job)
            try:
                found = await self._jobs.live_job(job)
            except Unavailable:
                self._look_soon(room, job, not_before=_now() + LOOK_AGAIN_S)
                return
            # The row decides whose it is, not the notification.
            if found is not None and found.party_id == room.party_id:
                event = found.event()
                for stream in room.streams:
                    if stream.shows(found):
                        stream.push(job, event)

    async def _show_all(self, room: Room, streams: Iterable[Stream]) -> None:
        async with room.lock:
            jobs = (await self._jobs.live_jobs(room.party_id))[: JOBS_PER_STREAM - 1]
            events = [(job, job.event()) for job in jobs]
            for stream in streams:
                ids = []
                for job, event in events:
                    if stream.shows(job):
                        stream.push(job.job_id, event)
                        ids.append(shown("job", job.job_id))
                # Whatever a page shows as live and is not named here has ended meanwhile.
                stream.push(_SNAPSHOT, written("snapshot", {"jobs": ids}, stream.position))


def _note(looked_at: dict[UUID, float], job: UUID) -> None:
    now = _now()
    if len(looked_at) > JOBS_PER_STREAM:
        for old in [key for key, at in looked_at.items() if now - at > LOOK_EVERY_S]:
            del looked_at[old]
    looked_at[job] = now


def _now() -> float:
    return asyncio.get_running_loop().time()
