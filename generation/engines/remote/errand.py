"""One order at one server: create, wait, fetch, decode, and leave nothing behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from generation.engines.order import Order
from generation.engines.protocol import FailureCode, Frames, Stage, Watch
from generation.engines.remote.answers import RemoteJob
from generation.engines.remote.dialect import State
from generation.engines.remote.line import BREATH_S, NotReached, ServerAway
from generation.engines.remote.note import Note
from generation.engines.remote.server import Server
from generation.engines.remote.talk import Busy, JobGone, Talk

Answered = TypeVar("Answered")

_POLL_S = 1.0
_SHORTEST_POLL_S = 0.2
_NOT_YET_S = 10.0
"""How long a finished job may lack its file: some servers say so before the file is whole."""


class Progress:
    """Where the run is, told again at every breath."""

    def __init__(self, watch: Watch, steps: int) -> None:
        self._watch = watch
        self._steps = steps
        self._done = 0
        self._stage = Stage.PROMPT

    def breathe(self) -> None:
        if self._stage is Stage.PROMPT:
            self.tick(Stage.PROMPT, 0, 1)
        elif self._stage is Stage.DENOISE:
            self.tick(Stage.DENOISE, self._done, self._steps)
        else:
            self.tick(self._stage, 0, 1)

    def tick(self, stage: Stage, step: int, steps: int) -> None:
        self._stage = stage
        self._watch.tick(stage, step, steps)

    def told(self, job: RemoteJob) -> None:
        """The server's share as steps; never backwards, never all before the clip is done."""
        if job.state is State.WAITING:
            return
        self._stage = Stage.DENOISE
        most = self._steps if job.state is State.DONE else self._steps - 1
        self._done = max(self._done, min(int(job.share * self._steps), most))
        if job.state is State.DONE:
            self._done = self._steps

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.breathe()
            _NEVER.wait(min(left, BREATH_S))


_NEVER = threading.Event()
"""Waited on, never set: a sleep that the interpreter can leave."""


class Errand:
    """One order at one server, from create to the file at home."""

    def __init__(self, server: Server, order: Order, watch: Watch, note: Note) -> None:
        self._server = server
        self._order = order
        self._note = note
        self._progress = Progress(watch, order.steps)
        self._talk = Talk(server, self._progress.breathe)
        self._is_away = False

    def fetched(self, film: Path) -> RemoteJob:
        """Raises ``EngineFailure`` and whatever the watch raises."""
        self._progress.breathe()
        try:
            job = self._done(self._known() or self._created())
            self._fetch(job, film)
        except ServerAway as away:
            self._is_away = True
            raise self._talk.failure(FailureCode.REMOTE_AWAY, str(away)) from away
        return job

    def pieces(self, film: Path) -> Frames:
        from generation.engines.remote.film import decoding, opened_film

        order, sizes = self._order, self._server.capabilities.sizes
        generated = sizes.generated(order.width, order.height)
        untagged = self._server.dialect.untagged_is_601
        with opened_film(film, order, generated, untagged_is_601=untagged) as opened:
            if self._server.capabilities.has_sound:
                with decoding():
                    sound = opened.sound()
                if sound is not None:
                    yield sound
            frames = opened.frames()
            for number in range(order.frames):
                self._progress.tick(Stage.DECODE, number, order.frames)
                with decoding():
                    frame = next(frames)
                yield frame
            with decoding():
                next(frames, None)  # says so when there is one too many
        self._progress.tick(Stage.DECODE, order.frames, order.frames)

    def leave(self, *, is_home: bool) -> None:
        """Nothing of ours stays there, unless a later attempt may yet fetch it."""
        if self._is_away and self._note.is_kept and not is_home:
            return
        job_id = self._note.job_id
        self._note.forget()
        if job_id is not None:
            self._talk.quit(job_id)

    def _known(self) -> RemoteJob | None:
        """The job of an earlier attempt, where the server still has it and it has not failed."""
        known = self._note.job_id
        if known is None:
            return None
        with suppress(JobGone):
            job = self._patiently(lambda: self._talk.look(known))
            if job.state is not State.FAILED:
                return job
        self._note.forget()
        return None

    def _created(self) -> RemoteJob:
        self._note.begin()
        end = time.monotonic() + self._server.limits.away_s
        while True:
            try:
                job = self._talk.create(self._order, self._note.token)
            except ServerAway as away:
                wait = _wait_after(away)
                # Without a token a second create might be a second clip, unless it is certain that
                # nothing began.
                again = isinstance(away, Busy | NotReached) or self._server.dialect.takes_token
                if not again or time.monotonic() + wait > end:
                    raise
                self._progress.wait(wait)
            else:
                self._note.remember(job.id)
                return job

    def _done(self, job: RemoteJob) -> RemoteJob:
        end = time.monotonic() + self._server.limits.job_s
        while job.state is not State.DONE:
            self._progress.told(job)
            if job.state is State.FAILED:
                code = FailureCode.REMOTE_REFUSED if job.is_refused else FailureCode.ENGINE_ERROR
                raise self._talk.failure(code, f"its job failed: {job.error}")
            if time.monotonic() > end:
                raise self._talk.failure(FailureCode.ENGINE_STALLED, "its job does not end")
            self._progress.wait(max(_SHORTEST_POLL_S, job.poll_s or _POLL_S))
            job = self._looked(job.id)
        self._progress.told(job)
        self._progress.breathe()
        return job

    def _looked(self, job_id: str) -> RemoteJob:
        try:
            return self._patiently(lambda: self._talk.look(job_id))
        except JobGone as gone:
            # Restarted, most likely: its jobs lived in its memory.
            self._note.forget()
            told = f"it does not know the job any more: {gone}"
            raise self._talk.failure(FailureCode.REMOTE_AWAY, told) from gone

    def _fetch(self, job: RemoteJob, film: Path) -> None:
        end = time.monotonic() + _NOT_YET_S
        while True:
            try:
                self._patiently(lambda: self._talk.fetch(job, film))
                return
            except JobGone as gone:
                if time.monotonic() > end:
                    told = f"it has no video of the finished job: {gone}"
                    raise self._talk.failure(FailureCode.REMOTE_AWAY, told) from gone
            self._progress.wait(_POLL_S)

    def _patiently(self, question: Callable[[], Answered]) -> Answered:
        """Asks again while the server is away, for as long as its limits say."""
        end = time.monotonic() + self._server.limits.away_s
        while True:
            try:
                return question()
            except ServerAway as away:
                wait = _wait_after(away)
                if time.monotonic() + wait > end:
                    raise
            self._progress.wait(wait)


def _wait_after(away: ServerAway) -> float:
    told = away.after_s if isinstance(away, Busy) else None
    return _POLL_S if told is None else max(_SHORTEST_POLL_S, told)
