"""The page of references, and the composer that chooses among them; without a script."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from core.ids import shown
from generation.jobs.conditions import WishedCondition
from generation.jobs.models import Job
from generation.references.models import Reference
from stage.builders import a_clip, a_model
from stage.review import a_claim_of, a_submission, open_review


def a_png(colour: str = "teal") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(written, "PNG")
    return written.getvalue()


def send(member: Any, content: bytes | None = None, **fields: Any) -> Any:
    file = SimpleUploadedFile("boat.png", a_png() if content is None else content)
    return member.client.post("/references", {"file": file, "rights": "own", "key": "k1", **fields})


def make(member: Any, **fields: Any) -> Any:
    usual = {
        "prompt": "a paper boat",
        "model": "still",
        "size": "128x96",
        "seconds": "1",
        "tier": "standard",
        "key": "k2",
    }
    return member.client.post("/clips/new", usual | fields)


@pytest.fixture
def pictures(db: None) -> Any:
    return a_model(modes=["text", "image", "first_last"], most_conditions=2)


def test_a_reference_is_sent_seen_and_removed_by_form(tester: Any) -> None:
    empty = tester.client.get("/references").content.decode()
    assert "There are none yet." in empty
    assert 'enctype="multipart/form-data"' in empty
    assert send(tester)["Location"] == "/references"
    assert send(tester)["Location"] == "/references"  # sent twice, kept once
    kept = Reference.objects.get()
    public_id = shown("reference", kept.id)
    page = tester.client.get("/references").content.decode()
    assert f"/references/{public_id}/picture" in page
    assert "I made it, and it is mine to use" in page
    tester.client.post(f"/references/{public_id}/remove")
    assert "There are none yet." in tester.client.get("/references").content.decode()


def test_what_is_wrong_is_said_at_its_field_and_keeps_nothing(tester: Any) -> None:
    page = send(tester, b"%PDF-1.7")
    assert page.status_code == 422
    assert "This is no PNG, JPEG, WebP or MP4" in page.content.decode()
    assert page.context["form"].errors.keys() == {"file"}
    page = send(tester, rights="")
    assert page.context["form"].errors.keys() == {"rights"}
    page = send(tester, rights="licensed")
    assert page.context["form"].errors.keys() == {"rights_words"}
    page = tester.client.post("/references", {"rights": "own", "key": "k"})
    assert "Choose a picture or a short clip." in page.content.decode()
    assert not Reference.objects.exists()


def test_a_photo_from_the_camera_is_a_reference_too(tester: Any) -> None:
    photo = SimpleUploadedFile("image.jpg", a_png())
    answer = tester.client.post("/references", {"photo": photo, "rights": "own", "key": "k"})
    assert answer.status_code == 302
    assert Reference.objects.get().media_type == "image/png"


def test_the_room_is_a_testers(reviewer: Any, stranger: Any, tester: Any) -> None:
    send(tester)
    public_id = shown("reference", Reference.objects.get().id)
    assert reviewer.client.get("/references").status_code == 404
    assert stranger.client.post(f"/references/{public_id}/remove").status_code == 404
    assert public_id not in stranger.client.get("/references").content.decode()


def test_the_composer_offers_pictures_where_a_model_takes_any(tester: Any, model: Any) -> None:
    send(tester)
    assert "Begins with" not in tester.client.get("/clips/new").content.decode()


def test_a_clip_begins_and_ends_with_pictures(tester: Any, pictures: Any) -> None:
    send(tester)
    public_id = shown("reference", Reference.objects.get().id)
    blank = tester.client.get(f"/clips/new?first={public_id}")
    assert blank.context["form"]["first_picture"].value() == public_id
    assert not blank.context["quote"].refusal
    made = make(tester, first_picture=public_id, last_picture=public_id)
    assert made.status_code == 302, made.content.decode()
    job = Job.objects.get()
    assert [one.frame for one in job.conditions.order_by("number")] == [0, 7]
    page = tester.client.get(made["Location"]).content.decode()
    assert page.count(f"/references/{public_id}/picture") == 2
    again = tester.client.get(f"/clips/new?again={shown('job', job.id)}").context["form"]
    assert again["first_picture"].value() == again["last_picture"].value() == public_id


def test_the_quote_says_that_a_model_takes_no_pictures(
    tester: Any, pictures: Any, second_tester: Any
) -> None:
    a_model("words")
    send(tester)
    public_id = shown("reference", Reference.objects.get().id)
    page = make(tester, model="words", first_picture=public_id)
    assert page.status_code == 422
    assert "Words starts from words alone; it takes no pictures." in page.content.decode()
    assert "a paper boat" in page.content.decode()
    others = make(second_tester, first_picture=public_id)
    assert others.context["form"].errors.keys() == {"first_picture"}
    assert not Job.objects.exists()


def test_a_reviewer_reads_by_what_right_and_sees_no_reference(
    tester: Any, reviewer: Any, pictures: Any
) -> None:
    open_review(tester.programme)
    send(tester, rights="licensed", rights_words="By the museum, letter of 3 May")
    public_id = shown("reference", Reference.objects.get().id)
    clip = a_clip(tester, conditions=(WishedCondition(public_id),))
    shown_id = shown("clip", clip.id)
    own = tester.client.get(f"/clips/{shown_id}").content.decode()
    assert f"/references/{public_id}/picture" in own
    a_submission(tester, clip)
    case = a_claim_of(reviewer)
    for address in (f"/clips/{shown_id}", f"/desk/cases/{shown('case', case.id)}"):
        page = reviewer.client.get(address).content.decode()
        assert "By the museum, letter of 3 May" in page
        assert "First frame" in page
        assert public_id not in page
        assert "boat.png" not in page
