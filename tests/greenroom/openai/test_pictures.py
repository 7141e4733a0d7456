"""Pictures that come with an order at /v1: as a file, a data: address or an id; and files alone."""

from __future__ import annotations

import base64
import io

import av
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from generation.jobs.models import Job, JobCondition
from generation.references.models import Reference
from greenroom.openai.ids import FILE, id_here
from stage.builders import a_model, a_reference

VIDEOS, FILES = "/v1/videos", "/v1/files"
ORDER = {"prompt": "a paper boat", "model": "pictured", "size": "128x96", "seconds": "1"}


@pytest.fixture(autouse=True)
def _pictured(_catalogue):
    a_model(
        "pictured",
        modes=["text", "image", "first_last", "keyframes"],
        most_conditions=4,
        takes_strength=True,
    )


def a_png(colour="teal"):
    written = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(written, "PNG")
    return written.getvalue()


def a_film():
    written = io.BytesIO()
    with av.open(written, "w", format="mp4") as container:
        stream = container.add_stream("h264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(8):
            plain = np.full((48, 64, 3), 255 * number // 7, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(plain, format="rgb24")))
        container.mux(stream.encode(None))
    return written.getvalue()


def a_file(content=None, name="boat.png"):
    return SimpleUploadedFile(name, a_png() if content is None else content)


def sent(api, address=VIDEOS, headers=None, **asked):
    return api.post(address, {**ORDER, **asked}, format="multipart", headers=headers)


def error_of(answer):
    return answer.json()["error"]


def test_a_file_becomes_a_reference_of_ones_own_and_the_first_frame(tester):
    answer = sent(tester.api, input_reference=a_file())
    assert answer.status_code == 200, answer.content
    reference = Reference.objects.get()
    assert (reference.rights, reference.name) == ("own", "boat.png")
    (condition,) = answer.json()["recipe"]["conditions"]
    assert condition == {
        "reference": id_here(FILE, reference.id),
        "frame": 0,
        "reference_frame": 0,
        "strength": 1.0,
    }


def test_whoever_says_so_uses_what_is_anothers(tester):
    missing = sent(tester.api, input_reference=a_file(), rights="licensed")
    assert (missing.status_code, error_of(missing)["code"]) == (400, "rights_unsaid")
    words = {"rights": "licensed", "rights_words": "The museum, letter of 3 May"}
    assert sent(tester.api, input_reference=a_file(), **words).status_code == 200
    assert Reference.objects.get().rights == "licensed"


def test_a_data_address_is_a_picture_and_any_other_is_not_fetched(tester):
    address = "data:image/png;base64," + base64.b64encode(a_png()).decode()
    body = {**ORDER, "input_reference": {"image_url": address}}
    assert tester.api.post(VIDEOS, body).status_code == 200
    in_a_form = sent(tester.api, **{"input_reference[image_url]": address})
    assert in_a_form.status_code == 200, in_a_form.content
    assert Reference.objects.count() == 1
    for bad in ("https://example.com/boat.png", "http://localhost/boat.png", "file:///etc/passwd"):
        answer = tester.api.post(VIDEOS, {**ORDER, "input_reference": {"image_url": bad}})
        assert (answer.status_code, error_of(answer)["code"]) == (400, "image_url_not_fetched")
        assert error_of(answer)["param"] == "input_reference"


def test_a_file_that_is_here_is_named_by_its_id(tester):
    sent_file = tester.api.post(FILES, {"file": a_file(), "purpose": "vision"}, format="multipart")
    assert sent_file.status_code == 200, sent_file.content
    name = sent_file.json()["id"]
    for answer in (
        tester.api.post(VIDEOS, {**ORDER, "input_reference": {"file_id": name}}),
        sent(tester.api, **{"input_reference[file_id]": name}),
    ):
        assert answer.status_code == 200, answer.content
        assert answer.json()["recipe"]["conditions"][0]["reference"] == name
    assert Reference.objects.count() == 1


def test_somebody_elses_file_is_unknown(tester, second_tester):
    theirs = id_here(FILE, a_reference(second_tester).id)
    answer = tester.api.post(VIDEOS, {**ORDER, "input_reference": {"file_id": theirs}})
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (400, "reference_unknown")
    assert error["param"] == "input_reference"


REFUSED = [
    (b"", "reference_empty"),
    (b"no picture", "reference_type_unknown"),
    (a_png()[:60], "reference_damaged"),
]


@pytest.mark.parametrize(("content", "code"), REFUSED)
def test_what_is_no_picture_is_refused_and_nothing_is_kept(content, code, tester):
    answer = sent(tester.api, input_reference=a_file(content))
    error = error_of(answer)
    assert (answer.status_code, error["code"], error["param"]) == (400, code, "input_reference")
    assert (Job.objects.count(), Reference.objects.count()) == (0, 0)


def test_a_model_that_takes_no_pictures_leaves_none_behind(tester):
    answer = sent(tester.api, model="still", input_reference=a_file())
    error = error_of(answer)
    assert (error["code"], error["param"]) == ("pictures_not_offered", "input_reference")
    assert (Job.objects.count(), Reference.objects.count()) == (0, 0)


@pytest.mark.parametrize("headers", [{"x-stainless-retry-count": "1"}, {"idempotency-key": "once"}])
def test_an_order_that_comes_again_keeps_its_picture_once(headers, tester):
    first = sent(tester.api, input_reference=a_file(), headers=headers)
    again = sent(tester.api, input_reference=a_file(name="other.png"), headers=headers)
    assert first.json()["id"] == again.json()["id"]
    assert again["Idempotent-Replayed"] == "true"
    assert (Job.objects.count(), Reference.objects.count()) == (1, 1)
    other = sent(tester.api, input_reference=a_file(a_png("red")), headers=headers)
    assert other.status_code == (400 if "idempotency-key" in headers else 200)


def test_a_form_says_pictures_and_styles_in_brackets(tester):
    one, two = (
        tester.api.post(FILES, {"file": a_file(a_png(colour))}, format="multipart").json()["id"]
        for colour in ("red", "blue")
    )
    conditions = {
        "conditions[][reference]": [one, two],
        "conditions[][frame]": ["0", "7"],
        "conditions[][strength]": ["1", "0.5"],
    }
    answer = sent(tester.api, **conditions)
    assert answer.status_code == 200, answer.content
    found = JobCondition.objects.order_by("number").values_list("frame", "strength")
    assert list(found) == [(0, 1.0), (7, 0.5)]


def test_an_upload_is_gone_on_from_its_last_frame(tester):
    answer = sent(tester.api, f"{VIDEOS}/extensions", video=a_file(a_film(), "sea.mp4"))
    assert answer.status_code == 200, answer.content
    video = answer.json()
    assert video["seconds"] == "1"
    (condition,) = video["recipe"]["conditions"]
    assert (condition["frame"], condition["reference_frame"]) == (0, 7)
    still = sent(tester.api, f"{VIDEOS}/extensions", model="still", video=a_file(a_film()))
    assert (still.status_code, error_of(still)["param"]) == (400, "video")


# Files ----------------------------------------------------------------------------------------


def test_a_file_is_listed_read_and_deleted(tester, stranger):
    ids = [
        tester.api.post(FILES, {"file": a_file(a_png(colour))}, format="multipart").json()["id"]
        for colour in ("red", "green", "blue")
    ]
    first = tester.api.get(FILES, {"limit": 2}).json()
    assert [one["id"] for one in first["data"]] == ids[:0:-1]
    rest = tester.api.get(FILES, {"after": first["last_id"]}).json()
    assert ([one["id"] for one in rest["data"]], rest["has_more"]) == (ids[:1], False)
    file = tester.api.get(f"{FILES}/{ids[0]}").json()
    assert (file["object"], file["status"], file["purpose"]) == ("file", "processed", "vision")
    gone = tester.api.delete(f"{FILES}/{ids[0]}")
    assert gone.json() == {"id": ids[0], "object": "file", "deleted": True}
    assert tester.api.get(f"{FILES}/{ids[0]}").status_code == 404
    assert tester.api.delete(f"{FILES}/{ids[0]}").status_code == 404
    assert tester.api.delete(f"{FILES}/{ids[2]}").status_code == 200
    after_it = tester.api.get(FILES, {"after": ids[2]}).json()["data"]
    assert [one["id"] for one in after_it] == [ids[1]]
    assert stranger.api.get(FILES, {"after": ids[2]}).status_code == 400


def test_a_file_is_the_reference_of_the_native_api(tester, stranger):
    made = tester.api.post(FILES, {"file": a_file()}, format="multipart").json()
    assert tester.api.get(f"/api/v1/references/{made['reference']}").status_code == 200
    assert stranger.api.get(f"{FILES}/{made['id']}").status_code == 404


@pytest.mark.parametrize("headers", [{"x-stainless-retry-count": "1"}, {"idempotency-key": "once"}])
def test_a_file_that_comes_again_is_kept_once(headers, tester):
    def send_file():
        return tester.api.post(FILES, {"file": a_file()}, format="multipart", headers=headers)

    first, again = send_file(), send_file()
    assert first.status_code == 200, first.content
    assert first.json()["id"] == again.json()["id"]
    assert Reference.objects.count() == 1
