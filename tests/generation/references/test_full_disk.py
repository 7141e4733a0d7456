"""A disk that is full while somebody sends a reference: said clearly, and nothing half is left."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.quotas.queries import discrepancies
from core.audit.models import AuditEvent
from generation.jobs.models import Job
from generation.references.models import Reference, ReferenceStill
from generation.references.queries import kept_by
from stage.builders import a_model
from stage.cast import client_of
from stage.disk import full_disk

REFERENCES = "/api/v1/references"
SENTENCE = "There is no room left on this house's disk."


def a_photo(side: int = 160) -> bytes:
    """A few kilobytes; as the PNG that engines get it is many times that."""
    noise = np.random.default_rng(7).integers(0, 256, (side, side, 3), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(noise).save(written, "JPEG", quality=10)
    return written.getvalue()


def a_film() -> bytes:
    noise = np.random.default_rng(7).integers(0, 256, (8, 96, 128, 3), dtype=np.uint8)
    written = io.BytesIO()
    with av.open(written, "w", format="mp4") as container:
        stream: Any = container.add_stream("h264", rate=8, options={"crf": "50"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for frame in noise:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return written.getvalue()


def send(member: Any, content: bytes, key: str = "photo-1") -> Any:
    body = {"file": SimpleUploadedFile("photo.jpg", content), "rights": "own"}
    return member.api.post(REFERENCES, body, format="multipart", headers={"idempotency-key": key})


def left() -> set[str]:
    """All files and folders of references, and what an upload puts aside."""
    kept = (Path(settings.MEDIA_FOLDER) / "references").rglob("*")
    return {*map(str, kept), *map(str, Path(tempfile.gettempdir()).glob("*.upload*"))}


@pytest.mark.parametrize("where", ["the original", "its picture"])
def test_a_full_disk_is_a_refusal_by_api_that_leaves_nothing(tester: Any, where: str) -> None:
    content = a_photo()
    room = len(content) - 1 if where == "the original" else len(content) + 1
    before = left()
    with full_disk(room):
        answer = send(tester, content)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (507, "storage_full")
    assert answer["Content-Type"] == "application/problem+json"
    assert problem["detail"].startswith(SENTENCE)
    assert left() == before
    assert not Reference.objects.exists()
    assert not AuditEvent.objects.filter(kind="reference.added").exists()
    assert kept_by(tester.programme.id, tester.party_id) == (0, 0)
    # The same key is as good as new.
    assert send(tester, content).status_code == 201


def test_by_form_the_page_says_it_and_keeps_what_was_said(tester: Any) -> None:
    content = a_photo()
    form = {"rights": "licensed", "rights_words": "By the museum", "key": "k1"}
    before = left()
    with full_disk(len(content) - 1):
        page = tester.client.post(
            "/references", {**form, "file": SimpleUploadedFile("photo.jpg", content)}
        )
    assert page.status_code == 507
    assert SENTENCE in page.content.decode().replace("&#x27;", "'")
    assert "By the museum" in page.content.decode()
    assert left() == before
    assert not Reference.objects.exists()


@pytest.mark.parametrize("door", ["/references", REFERENCES])
def test_no_room_even_to_put_the_upload_aside(tester: Any, door: str) -> None:
    """Beyond two and a half megabytes Django writes a file of its own before any view is asked."""
    large = a_photo() + b"\0" * 3_000_000
    file = {"file": SimpleUploadedFile("photo.jpg", large), "rights": "own", "key": "k1"}
    before = left()
    with full_disk(1_000_000):
        if door == REFERENCES:
            del file["key"]
            answer = tester.api.post(door, file, format="multipart")
        else:
            answer = client_of(tester.person, raise_request_exception=False).post(door, file)
    assert answer.status_code == 507
    said = answer.content.decode().replace("&#x27;", "'")
    assert SENTENCE in said
    assert "storage_full" in said
    assert left() == before
    assert not Reference.objects.exists()


def test_an_order_whose_picture_has_no_room_reserves_nothing(tester: Any) -> None:
    a_model(modes=["text", "image"], most_conditions=1)
    content = a_film()
    sent = send(tester, content).json()
    wish = {
        "prompt": "a paper boat",
        "model": "still",
        "size": "128x96",
        "seconds": 1,
        "conditions": [{"reference": sent["id"], "moment": 0.5}],
    }
    before = left()
    with full_disk(1_000):
        answer = tester.api.post("/api/v1/jobs", wish)
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert not Job.objects.exists()
    assert ReferenceStill.objects.count() == 2
    assert left() == before
    assert discrepancies() == []
    assert tester.api.post("/api/v1/jobs", wish).status_code == 201
