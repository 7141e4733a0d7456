"""References over the native API, and clips that show them."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.retention.models import RetentionVersion
from core.audit.models import AuditEvent
from core.clock import now
from core.ids import new_id, read_id, shown
from core.outbox.models import OutboxMessage
from generation.engines.order import Mode
from generation.jobs.commands import cancel_job
from generation.jobs.conditions import WishedCondition
from generation.jobs.models import Job
from generation.media.decoding import frames_of
from generation.references import rules
from generation.references.commands import clear_references, remove_idle_references
from generation.references.models import Reference
from generation.worker.rendering import order_of
from greenroom.erasures.commands import ask_erasure
from greenroom.offboarding.commands import offboard_member
from greenroom.offboarding.rules import Why
from stage.builders import a_clip, a_model

REFERENCES = "/api/v1/references"


def a_png(width: int = 64, height: int = 48, colour: str = "teal") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(written, "PNG")
    return written.getvalue()


def a_film() -> bytes:
    """A second of eight frames that grow brighter."""
    written = io.BytesIO()
    with av.open(written, "w", format="mp4") as container:
        stream: Any = container.add_stream("h264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(8):
            plain = np.full((48, 64, 3), 255 * number // 7, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(plain, format="rgb24")))
        container.mux(stream.encode(None))
    return written.getvalue()


def send(member: Any, content: bytes | None = None, name: str = "boat.png", **fields: Any) -> Any:
    content = a_png() if content is None else content
    body = {"file": SimpleUploadedFile(name, content), "rights": "own", **fields}
    return member.api.post(REFERENCES, body, format="multipart")


@pytest.fixture
def pictures(db: None) -> Any:
    """A model of the ``still`` engine that says it takes pictures."""
    return a_model(
        modes=["text", "image", "first_last", "keyframes"], most_conditions=4, takes_strength=True
    )


def order(**wanted: Any) -> dict[str, Any]:
    return {
        "prompt": "a paper boat",
        "model": "still",
        "size": "128x96",
        "seconds": 1,
        "seed": 7,
        **wanted,
    }


def test_a_picture_that_was_sent_is_a_condition_of_a_job(tester: Any, pictures: Any) -> None:
    sent = send(tester)
    assert sent.status_code == 201, sent.content
    reference = sent.json()
    assert tester.api.get(sent["Location"]).json() == reference
    answer = tester.api.post(
        "/api/v1/jobs", order(conditions=[{"reference": reference["id"], "at": "first"}])
    )
    assert answer.status_code == 201, answer.content
    job = Job.objects.get(id=read_id("job", answer.json()["id"]))
    rendered = order_of(job)
    assert rendered.mode is Mode.IMAGE
    condition = rendered.conditions[0]
    assert (condition.frame, condition.strength) == (0, 1.0)
    assert condition.sha256 == reference["stills"][0]["sha256"]
    with Image.open(condition.path) as used:
        assert used.size == (64, 48)


def kept_folders() -> set[str]:
    return {one.name for one in (Path(settings.MEDIA_FOLDER) / "references").glob("*")}


def pictured(tester: Any, *conditions: dict[str, Any], **wanted: Any) -> Any:
    return tester.api.post("/api/v1/jobs", order(conditions=list(conditions), **wanted))


def codes(answer: Any) -> set[str]:
    return {error["code"] for error in answer.json()["errors"]}


def test_a_reference_says_what_it_is_and_by_what_right(tester: Any) -> None:
    answer = send(
        tester,
        name="C:\\pictures\\..\\boat.png",
        rights="licensed",
        rights_words="By the museum, letter of 3 May",
    )
    said = answer.json()
    assert answer.status_code == 201
    expected = {
        "name": "boat.png",
        "shape": "image",
        "media_type": "image/png",
        "rights": "licensed",
        "rights_words": "By the museum, letter of 3 May",
        "frames": 1,
        "frame_rate": None,
        "seconds": None,
        "bytes": len(a_png()),
    }
    assert {name: said[name] for name in expected} == expected
    kept = Reference.objects.get()
    assert (Path(settings.MEDIA_FOLDER) / kept.storage_key).read_bytes() == a_png()
    assert AuditEvent.objects.filter(kind="reference.added", subject_id=kept.id).exists()


def test_the_same_key_keeps_one_and_another_file_is_refused(tester: Any) -> None:
    def again(content: bytes) -> Any:
        body = {"file": SimpleUploadedFile("boat.png", content), "rights": "own"}
        return tester.api.post(
            REFERENCES, body, format="multipart", headers={"idempotency-key": "boat-1"}
        )

    before = kept_folders()
    first, second = again(a_png()), again(a_png())
    assert second.json() == first.json()
    assert second["Idempotent-Replayed"] == "true"
    assert again(a_png(colour="red")).json()["code"] == "idempotency_key_reused"
    kept = Reference.objects.get()
    assert kept_folders() - before == {str(kept.id)}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"rights": ""}, "rights_missing"),
        ({"rights": "because"}, "rights_unknown"),
        ({"rights": "licensed"}, "rights_unsaid"),
        ({"rights": "own", "rights_words": "x" * 501}, "rights_unreadable"),
        ({"content": b""}, "reference_empty"),
        ({"content": b"%PDF-1.7"}, "reference_type_unknown"),
        ({"content": b"\x89PNG\r\n\x1a\n"}, "reference_damaged"),
    ],
)
def test_what_is_refused_keeps_nothing(tester: Any, fields: dict[str, Any], code: str) -> None:
    before = kept_folders()
    answer = send(tester, **fields)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not Reference.objects.exists()
    assert kept_folders() == before


def test_a_file_of_a_byte_too_many_is_too_large(tester: Any) -> None:
    answer = send(tester, b"\x89PNG\r\n\x1a\n".ljust(20 * 2**20 + 1, b"\0"))
    assert (answer.status_code, answer.json()["code"]) == (413, "reference_too_large")


def test_json_is_no_file(tester: Any) -> None:
    assert tester.api.post(REFERENCES, {"rights": "own"}).status_code == 415


def test_a_tester_keeps_so_many_and_no_more(tester: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(rules, "MOST_REFERENCES", 1)
    assert send(tester).status_code == 201
    answer = send(tester, a_png(colour="red"))
    assert (answer.status_code, answer.json()["code"]) == (429, "references_full")
    monkeypatch.setattr(rules, "MOST_REFERENCES", 5)
    monkeypatch.setattr(rules, "MOST_BYTES", len(a_png()) + 1)
    assert send(tester, a_png(colour="red")).json()["code"] == "references_full"


def test_nobody_else_sees_uses_or_removes_it(
    tester: Any, second_tester: Any, reviewer: Any, stranger: Any, pictures: Any
) -> None:
    reference = send(tester).json()
    absent = second_tester.api.get(f"{REFERENCES}/{shown('reference', new_id())}")
    for other in (second_tester, reviewer, stranger):
        answer = other.api.get(reference["url"])
        assert answer.status_code == 404
        assert answer.content == absent.content
        assert other.api.post(f"{reference['url']}/remove").status_code == 404
        assert other.api.get(REFERENCES).json()["items"] == []
    answer = pictured(second_tester, {"reference": reference["id"]})
    assert (answer.status_code, codes(answer)) == (422, {"reference_unknown"})
    assert send(reviewer).json()["code"] == "not_allowed"


def test_pictures_stand_where_they_were_wished(tester: Any, pictures: Any) -> None:
    first, last = send(tester).json()["id"], send(tester, a_png(colour="red")).json()["id"]
    answer = pictured(
        tester,
        {"reference": last, "at": "last", "strength": 0.5},
        {"reference": first, "at": "first"},
        {"reference": first, "seconds": 0.5},
        {"reference": last, "frame": 6},
    )
    assert answer.status_code == 201, answer.content
    said = [
        (one["reference"], one["frame"], one["strength"]) for one in answer.json()["conditions"]
    ]
    assert said == [(first, 0, 1.0), (first, 4, 1.0), (last, 6, 1.0), (last, 7, 0.5)]
    job = Job.objects.get(id=read_id("job", answer.json()["id"]))
    assert [one.frame for one in order_of(job).conditions] == [0, 4, 6, 7]
    assert tester.api.get(answer.json()["url"]).json()["conditions"] == answer.json()["conditions"]


@pytest.mark.parametrize(
    ("conditions", "code"),
    [
        ([{"at": "first"}, {"frame": 0}], "condition_frame_taken"),
        ([{"frame": 8}], "condition_frame_out_of_range"),
        ([{"frame": -1}], "condition_frame_out_of_range"),
        ([{"frame": 10**12}], "condition_frame_out_of_range"),
        ([{"seconds": 1.01}], "condition_frame_out_of_range"),
        ([{"at": "first", "strength": 0}], "strength_out_of_range"),
        ([{"at": "first", "strength": 1.5}], "strength_out_of_range"),
        ([{"at": "first", "moment": 1}], "reference_too_short"),
        ([{"frame": number} for number in range(5)], "too_many_conditions"),
        ([{"reference": "ref_nonsense"}], "reference_unknown"),
    ],
)
def test_what_no_model_can_show(
    tester: Any, pictures: Any, conditions: list[dict[str, Any]], code: str
) -> None:
    mine = send(tester).json()["id"]
    wished = [{"reference": mine, **one} for one in conditions]
    answer = pictured(tester, *wished)
    assert (answer.status_code, codes(answer)) == (422, {code})
    quoted = tester.api.post(
        "/api/v1/quotes", {"model": "still", "size": "128x96", "seconds": 1, "conditions": wished}
    )
    assert codes(quoted) == {code}
    assert not Job.objects.exists()


def test_a_model_of_words_alone_takes_no_picture(tester: Any, model: Any) -> None:
    answer = pictured(tester, {"reference": send(tester).json()["id"]})
    assert codes(answer) == {"pictures_not_offered"}


def test_a_model_is_asked_for_what_it_offers(tester: Any) -> None:
    a_model(modes=["text", "image"], most_conditions=2)
    mine = send(tester).json()["id"]
    assert codes(pictured(tester, {"reference": mine, "at": "last"})) == {"mode_not_offered"}
    assert pictured(tester, {"reference": mine, "at": "first"}).status_code == 201


def test_a_strength_that_a_model_would_ignore_is_refused(tester: Any) -> None:
    a_model(modes=["text", "image"], most_conditions=2)
    mine = send(tester).json()["id"]
    weak = {"reference": mine, "strength": 0.5}
    answer = pictured(tester, weak)
    assert (answer.status_code, codes(answer)) == (422, {"strength_not_offered"})
    assert "Still holds a picture as firmly as it can" in answer.json()["detail"]
    quoted = tester.api.post(
        "/api/v1/quotes", {"model": "still", "size": "128x96", "seconds": 1, "conditions": [weak]}
    )
    assert codes(quoted) == {"strength_not_offered"}
    assert not Job.objects.exists()
    assert pictured(tester, {"reference": mine, "strength": 1}).status_code == 201


def test_a_short_clip_gives_the_frame_of_the_moment(tester: Any, pictures: Any) -> None:
    reference = send(tester, a_film(), "boat.mp4").json()
    assert (reference["shape"], reference["frames"], reference["seconds"]) == ("clip", 8, 1.0)
    assert [still["frame"] for still in reference["stills"]] == [0, 7]
    answer = pictured(tester, {"reference": reference["id"], "moment": 0.5})
    (condition,) = answer.json()["conditions"]
    assert condition["reference_frame"] == 4
    job = Job.objects.get(id=read_id("job", answer.json()["id"]))
    with Image.open(order_of(job).conditions[0].path) as used:
        assert 120 < used.resize((1, 1)).getpixel((0, 0))[0] < 170  # type: ignore[index]
    again = pictured(tester, {"reference": reference["id"], "moment": 0.5})
    assert again.json()["conditions"] == [condition]


def test_a_removed_reference_goes_when_no_job_needs_it(tester: Any, pictures: Any) -> None:
    reference = send(tester).json()
    job = pictured(tester, {"reference": reference["id"]}).json()
    kept = Reference.objects.get()
    place = Path(settings.MEDIA_FOLDER) / kept.storage_key
    assert tester.api.post(f"{reference['url']}/remove").status_code == 200
    assert tester.api.get(reference["url"]).status_code == 404
    assert codes(pictured(tester, {"reference": reference["id"]})) == {"reference_unknown"}
    assert clear_references() == 0
    assert place.is_file()
    tester.api.post(f"{job['url']}/cancel")
    assert clear_references() == 1
    assert not place.parent.exists()
    kept.refresh_from_db()
    assert kept.cleared_at == kept.removed_at


def test_what_a_programme_keeps_no_longer_goes_after_a_warning(
    tester: Any, pictures: Any, clock: Any
) -> None:
    RetentionVersion.objects.create(
        programme=tester.programme, number=1, draft_days=30, published_at=now()
    )
    used, idle = send(tester).json(), send(tester, a_png(colour="red")).json()
    clock.advance(days=20)
    job = pictured(tester, {"reference": used["id"]}).json()
    cancel_job(actor=tester.actor, shown_id=job["id"])
    clock.advance(days=15)
    assert remove_idle_references() == 1
    gone = Reference.objects.exclude(removed_at=None).get()
    assert shown("reference", gone.id) == idle["id"]
    assert gone.due_at == now() + timedelta(days=14)
    assert OutboxMessage.objects.filter(kind="reference.expired", subject_id=gone.id).exists()
    assert clear_references() == 0
    clock.advance(days=14)
    assert clear_references() == 1


def test_who_leaves_can_take_them_along_for_a_month(tester: Any, clock: Any) -> None:
    send(tester)
    offboard_member(programme_id=tester.programme.id, party_id=tester.party_id, reason=Why.OWN_WISH)
    kept = Reference.objects.get()
    assert kept.removed_why == "left"
    assert clear_references() == 0
    clock.advance(days=30)
    assert clear_references() == 1


def test_an_erasure_takes_them_at_once_and_their_names(tester: Any) -> None:
    send(tester)
    place = Path(settings.MEDIA_FOLDER) / Reference.objects.get().storage_key
    ask_erasure(party_id=tester.party_id, address=tester.email)
    clear_references()
    kept = Reference.objects.get()
    assert (kept.name, kept.removed_why) == ("", "erasure")
    assert kept.cleared_at is not None
    assert not place.exists()


def test_a_clip_says_what_it_shows_and_its_recipe_names_it_by_hash(
    tester: Any, pictures: Any
) -> None:
    reference = send(tester).json()
    clip = a_clip(tester, conditions=(WishedCondition(reference["id"]),))
    assert clip.recipe["conditions"] == [
        {
            "frame": 0,
            "strength": 1.0,
            "reference_sha256": reference["sha256"],
            "reference_frame": 0,
            "picture_sha256": reference["stills"][0]["sha256"],
        }
    ]
    whole = tester.api.get(f"/api/v1/clips/{shown('clip', clip.id)}").json()
    assert whole["pictures"] == [
        {
            "frame": 0,
            "strength": 1.0,
            "picture_sha256": reference["stills"][0]["sha256"],
            "rights": "own",
            "rights_words": "",
        }
    ]
    first = next(
        frames_of(Path(settings.MEDIA_FOLDER) / clip.renditions.get(kind="master").storage_key)
    )
    # All of it but the bars of the frame's number.
    assert abs(first[:60].reshape(-1, 3).astype(int) - (0, 128, 128)).mean() < 6
