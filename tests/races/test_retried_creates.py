"""An SDK whose answer is late sends an order again, while its first try is still on its way."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from PIL import Image

from accounts.quotas.queries import discrepancies
from core.ids import shown
from generation.jobs.models import Job, JobRequest
from generation.references.models import Reference
from greenroom.openai import commands
from stage.builders import a_job, a_model
from stage.cast import api_of
from stage.together import wait_until

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

VIDEOS = "/v1/videos"
ORDER = {"prompt": "a paper boat", "model": "still", "size": "128x96", "seconds": "1", "seed": "7"}
TRIES = 8


def a_picture() -> SimpleUploadedFile:
    written = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(written, "PNG")
    return SimpleUploadedFile("boat.png", written.getvalue())


class InFlight:
    """Holds back whoever has made a job, before the commit, until they may go on."""

    def __init__(self, monkeypatch: Any) -> None:
        self._submit = commands.submit_job
        self.made = threading.Semaphore(0)
        self.go_on = threading.Event()
        monkeypatch.setattr(commands, "submit_job", self._held)

    def _held(self, **asked: Any) -> Job:
        job = self._submit(**asked)
        self.made.release()
        assert self.go_on.wait(60)
        return job


def a_first_and_its_retry(tester: Any, database: Any, monkeypatch: Any) -> list[str]:
    """The retry is sent when the first has made its job and not committed; their ids."""
    a_model()
    token, answers = tester.token(), {}
    flight = InFlight(monkeypatch)

    def send(tried: int) -> None:
        try:
            headers = {"x-stainless-retry-count": str(tried)}
            answers[tried] = api_of(token).post(VIDEOS, ORDER, headers=headers).json()["id"]
        finally:
            connection.close()

    first = threading.Thread(target=send, args=[0], daemon=True)
    first.start()
    assert flight.made.acquire(timeout=60)
    retry = threading.Thread(target=send, args=[1], daemon=True)
    retry.start()
    wait_until(database.waiting)
    flight.go_on.set()
    for thread in (first, retry):
        thread.join(60)
    return [answers[0], answers[1]]


def test_a_retry_waits_for_the_first_try_and_finds_its_job(tester, database, monkeypatch):
    first, again = a_first_and_its_retry(tester, database, monkeypatch)
    assert first == again
    assert Job.objects.count() == 1
    assert discrepancies() == []


def test_control_without_the_guard_it_renders_twice(tester, database, monkeypatch):
    monkeypatch.setattr(commands, "hold_fingerprint", lambda _fingerprint: None)
    first, again = a_first_and_its_retry(tester, database, monkeypatch)
    assert first != again
    assert Job.objects.count() == 2


def test_tries_at_once_make_one_job_when_the_first_of_them_is_among_them(tester, at_once):
    a_model()
    token = tester.token()

    def send(number: int) -> Any:
        headers = {"x-stainless-retry-count": str(min(number, 1))}
        return api_of(token).post(VIDEOS, ORDER, headers=headers)

    answers = at_once(TRIES, send)
    assert {answer.status_code for answer in answers} == {200}
    # The first try may come last, and is then an order of its own: two at most, never eight.
    retried = {answer.json()["id"] for answer in answers[1:]}
    assert len(retried) <= 2
    assert Job.objects.count() <= 2
    assert JobRequest.objects.count() == Job.objects.count()
    assert discrepancies() == []


def test_retries_alone_make_one_job(tester, at_once):
    a_model()
    token = tester.token()

    def send(number: int) -> Any:
        headers = {"x-stainless-retry-count": str(number + 1)}
        return api_of(token).post(VIDEOS, ORDER, headers=headers)

    answers = at_once(TRIES, send)
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Job.objects.count() == 1


def test_retries_of_a_remix_make_one_job(tester, at_once):
    source = a_job(tester)
    token = tester.token()
    address = f"{VIDEOS}/video_{shown('job', source.id)[4:]}/remix"

    def send(number: int) -> Any:
        headers = {"x-stainless-retry-count": str(number + 1)}
        return api_of(token).post(address, {"prompt": "a tin boat"}, headers=headers)

    answers = at_once(TRIES, send)
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Job.objects.filter(remix_of=source).count() == 1


def test_retries_with_a_picture_keep_it_once(tester, at_once):
    a_model("pictured", modes=["text", "image"], most_conditions=1)
    token = tester.token()

    def send(number: int) -> Any:
        body = {**ORDER, "model": "pictured", "input_reference": a_picture()}
        headers = {"x-stainless-retry-count": str(number + 1)}
        return api_of(token).post(VIDEOS, body, format="multipart", headers=headers)

    answers = at_once(4, send)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (Job.objects.count(), Reference.objects.count()) == (1, 1)


def test_one_key_makes_one_job_and_one_picture(tester, at_once):
    a_model("pictured", modes=["text", "image"], most_conditions=1)
    token = tester.token()

    def send(_number: int) -> Any:
        body = {**ORDER, "model": "pictured", "input_reference": a_picture()}
        headers = {"idempotency-key": "once"}
        return api_of(token).post(VIDEOS, body, format="multipart", headers=headers)

    answers = at_once(4, send)
    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert (Job.objects.count(), Reference.objects.count()) == (1, 1)
