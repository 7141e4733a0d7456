"""What we say to a video server and how we read its answers, in its dialect."""

from __future__ import annotations

import re
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, NoReturn
from urllib.parse import urljoin, urlsplit

from generation.engines.order import Order
from generation.engines.protocol import EngineFailure, FailureCode
from generation.engines.remote.answers import (
    RemoteJob,
    Unreadable,
    job_of,
    object_of,
    seconds_of,
    sentence_of,
)
from generation.engines.remote.asking import create_body
from generation.engines.remote.line import USUAL_PORTS, Pause, ServerAway
from generation.engines.remote.server import Server
from generation.engines.remote.wire import Answer, AnswerGarbled, Patience, Request, ask

LARGEST_ANSWER = 1 << 20
_MOST_REDIRECTS = 3
_QUIT_S = 2.0
_TARGET = re.compile(r"[!-~]{1,2000}")
_BUSY = (408, 425, 429, 503)
"""Not now: asking again is harmless, since nothing was begun."""


class JobGone(Exception):
    """The server does not know this job (any longer)."""


class Busy(ServerAway):
    """It answers that it has no room now; ``after_s`` where it said when to come again."""

    def __init__(self, told: str, after_s: float | None) -> None:
        super().__init__(told)
        self.after_s = after_s


class Talk:
    """With one server, for one job. All methods raise ``EngineFailure``, most ``ServerAway``, and
    whatever ``pause`` raises."""

    def __init__(self, server: Server, pause: Pause) -> None:
        self._server = server
        self._pause = pause
        self._key = server.key()

    def greet(self) -> dict[str, Any]:
        """Facts about a server that is well: its answer to the health question, its models."""
        health = self._asked(Request(method="GET", target=self._server.dialect.health))
        self._check_answer(health)
        models = self._models()
        wanted = {self._server.model, *(t.model for t in self._server.tiers.values() if t.model)}
        if models and self._server.dialect.has_names and not wanted <= set(models):
            self._refuse(f"it has the models {models[:10]}, not {sorted(wanted)}")
        return {"models": models[:10], "software": health.headers.get("server", "")[:100]}

    def create(self, order: Order, token: str) -> RemoteJob:
        headers, body = create_body(self._server, order)
        if self._server.dialect.takes_token:
            headers = (*headers, ("Idempotency-Key", token))
        target = f"{self._server.dialect.base}/videos"
        answer = self._asked(Request(method="POST", target=target, headers=headers, body=body))
        self._check_answer(answer)
        return self._job(answer)

    def look(self, job_id: str) -> RemoteJob:
        """Raises ``JobGone`` beside the others."""
        answer = self._asked(Request(method="GET", target=self._target(job_id)))
        if self._server.dialect.failed_as_error and answer.status >= HTTPStatus.BAD_REQUEST:
            plain = object_of(answer.body)
            if plain is not None and plain.get("id") == job_id:
                return self._job(answer)
        if answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            raise JobGone(sentence_of(answer.body))
        self._check_answer(answer)
        job = self._job(answer)
        if job.id != job_id:
            self._garbage(f"asked for {job_id}, told of {job.id}")
        return job

    def fetch(self, job: RemoteJob, path: Path) -> None:
        """The video, whole, into this file. ``JobGone`` where the server has none (yet)."""
        limits = self._server.limits
        target = self._content_target(job)
        for _number in range(_MOST_REDIRECTS + 1):
            with path.open("wb") as opened:
                answer = self._asked(
                    Request(method="GET", target=target, headers=(("Accept", "video/mp4, */*"),)),
                    whole_s=limits.download_s,
                    most_bytes=limits.download_bytes,
                    file=opened,
                )
            if answer.is_fine:
                return
            if answer.status in (404, 409, 425):
                raise JobGone(sentence_of(answer.body))
            self._check_answer(answer, redirects=True)
            target = self._same_place(answer.headers.get("location", ""), target)
        self._refuse("it sends us round in circles")

    def quit(self, job_id: str) -> None:
        """Tells the server to stop, or to throw away, this job; whether it listens or not."""
        deadline = time.monotonic() + _QUIT_S
        hurry = Patience(connect_s=1.0, silence_s=_QUIT_S, whole_s=_QUIT_S)
        while time.monotonic() < deadline:
            try:
                answer = ask(
                    self._server.address,
                    self._signed(Request(method="DELETE", target=self._target(job_id))),
                    patience=hurry,
                    pause=_no_pause,
                    most_bytes=LARGEST_ANSWER,
                )
            except (ServerAway, AnswerGarbled):
                return
            if answer.status != HTTPStatus.CONFLICT:  # vLLM-Omni: the stopping is under way
                return
            time.sleep(0.2)

    def _models(self) -> list[str]:
        answer = self._asked(Request(method="GET", target=f"{self._server.dialect.base}/models"))
        plain = object_of(answer.body) if answer.is_fine else None
        listed = plain.get("data") if plain is not None else None
        found = listed if isinstance(listed, list) else []
        names = [each.get("id") for each in found if isinstance(each, dict)]
        return [name for name in names if isinstance(name, str)]

    def _target(self, job_id: str) -> str:
        return f"{self._server.dialect.base}/videos/{job_id}"

    def _content_target(self, job: RemoteJob) -> str:
        """Its own address for the content where the job has one, absolute or relative."""
        usual = f"{self._target(job.id)}/content"
        told = job.url
        return usual if told is None else self._same_place(told, usual)

    def _same_place(self, told: str, base: str) -> str:
        """A target on the same server. Another host might be anything, and would get our word."""
        ours = self._server.address
        origin = f"{ours.scheme}://{ours.shown}"
        whole = urlsplit(urljoin(f"{origin}{ours.prefix}{base}", told))
        try:
            port = whole.port or USUAL_PORTS.get(whole.scheme)
        except ValueError:
            port = None
        if (whole.scheme, whole.hostname, port) != (ours.scheme, ours.host.lower(), ours.port):
            self._refuse(f"it sends us elsewhere for the video: {whole.scheme}://{whole.netloc}")
        path = whole.path.removeprefix(ours.prefix) or "/"
        target = f"{path}?{whole.query}" if whole.query else path
        if not _TARGET.fullmatch(target):
            self._garbage("its address of the video is none")
        return target

    def _asked(
        self,
        request: Request,
        *,
        whole_s: float | None = None,
        most_bytes: int = LARGEST_ANSWER,
        file: BinaryIO | None = None,
    ) -> Answer:
        limits = self._server.limits
        try:
            return ask(
                self._server.address,
                self._signed(request),
                patience=Patience(
                    connect_s=limits.connect_s,
                    silence_s=limits.silence_s,
                    whole_s=limits.answer_s if whole_s is None else whole_s,
                ),
                pause=self._pause,
                most_bytes=most_bytes,
                file=file,
            )
        except AnswerGarbled as garbled:
            raise self.failure(FailureCode.REMOTE_GARBAGE, str(garbled)) from garbled

    def _signed(self, request: Request) -> Request:
        if self._key is None:
            return request
        headers = (*request.headers, ("Authorization", f"Bearer {self._key}"))
        return Request(
            method=request.method, target=request.target, headers=headers, body=request.body
        )

    def _check_answer(self, answer: Answer, *, redirects: bool = False) -> None:
        if answer.is_fine:
            return
        told = f"HTTP {answer.status}: {sentence_of(answer.body)}"
        if answer.status in _BUSY:
            raise Busy(told, seconds_of(answer.headers.get("retry-after")))
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ServerAway(told)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            self._refuse(told)
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES and not redirects:
            self._refuse(f"{told} it sends us elsewhere: {answer.headers.get('location', '')}")
        if answer.status < HTTPStatus.MULTIPLE_CHOICES:
            self._garbage(told)

    def _job(self, answer: Answer) -> RemoteJob:
        try:
            return job_of(answer)
        except Unreadable as error:
            raise self.failure(FailureCode.REMOTE_GARBAGE, str(error)) from error

    def _refuse(self, told: str) -> NoReturn:
        raise self.failure(FailureCode.REMOTE_REFUSED, told)

    def _garbage(self, told: str) -> NoReturn:
        raise self.failure(FailureCode.REMOTE_GARBAGE, told)

    def failure(self, code: FailureCode, told: str) -> EngineFailure:
        """With the server's name; a server that repeats our key does not bring it into the log."""
        hidden = told.replace(self._key, "…") if self._key else told
        return EngineFailure(code, f"{self._server.address.shown}: {hidden}"[:2000])


def _no_pause() -> None:
    """Nobody is asked any more whether to go on."""
