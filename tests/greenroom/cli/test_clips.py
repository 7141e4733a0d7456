"""From the order to the file, typed."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image

from core.ids import shown
from generation.catalogue.models import PriceRow
from generation.clips.models import Clip
from generation.clips.rules import Allows
from generation.jobs.models import Job
from generation.jobs.rules import State
from greenroom.cli.outcomes import Exit
from review.policies.commands import publish_policy
from stage.builders import a_clip, a_job, a_model
from stage.review import CLAUSES, open_review

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = "a paper boat crosses a green room"


def a_png() -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(kept, "PNG")
    return kept.getvalue()


def test_an_order_says_its_job_its_price_and_nothing_else(mine):
    a_model()
    said = mine("create", WORDS, "--json")
    assert said.exit == Exit.DONE
    job = said.json
    assert (job["state"], job["prompt"]) == ("queued", WORDS)
    assert Job.objects.get().prompt == WORDS
    assert said.err == ""


def test_what_is_left_out_is_taken_from_the_model(mine):
    model = a_model()
    job = mine("create", WORDS, "--json").json
    first = mine("models", "--json").json["items"][0]
    assert job["model"] == model.slug
    assert job["size"] == first["sizes"][0]
    assert job["seconds"] == 2


def test_every_wish_reaches_the_order(mine):
    model = a_model()
    row = PriceRow.objects.get(model=model, tier="turbo")
    words = ("--model", model.slug, "--size", f"{row.width}x{row.height}", "--tier", row.tier)
    job = mine("create", WORDS, *words, "--seconds", "1", "--seed", "7", "--json").json
    assert (job["seed"], job["tier"]) == (7, row.tier)
    assert job["size"] == f"{row.width}x{row.height}"


def test_of_two_models_one_must_be_named(mine):
    a_model()
    a_model("second")
    said = mine("create", WORDS)
    assert said.exit == Exit.USAGE
    assert "model_missing" in said.err
    assert "second" in said.err
    assert not Job.objects.exists()


def test_a_model_that_is_not_there_is_not_found(mine):
    a_model()
    assert mine("create", WORDS, "--model", "dream").exit == Exit.NOT_FOUND


def test_a_first_picture_is_sent_with_why_it_may_be_used(mine, tmp_path: Path):
    a_model(modes=["text", "image"], most_conditions=1)
    picture = tmp_path / "boat.png"
    picture.write_bytes(a_png())
    without = mine("create", WORDS, "--first", str(picture))
    assert (without.exit, Job.objects.count()) == (Exit.USAGE, 0)
    said = mine("create", WORDS, "--first", str(picture), "--rights", "own", "--json")
    assert said.exit == Exit.DONE, said.err
    (condition,) = said.json["conditions"]
    assert condition["frame"] == 0
    reference = mine("get", condition["reference"], "--json").json
    assert (reference["name"], reference["rights"]) == ("boat.png", "own")


def test_a_picture_that_is_not_there_orders_nothing(mine):
    a_model()
    said = mine("create", WORDS, "--first", "nowhere.png", "--rights", "own")
    assert said.exit == Exit.FILE
    assert not Job.objects.exists()


def test_jobs_are_listed_newest_first_and_by_state(mine, tester):
    done = a_job(tester, state="finished")
    waiting = a_job(tester)
    items = mine("list", "--json").json["items"]
    assert [each["prompt"] for each in items] == [waiting.prompt, done.prompt]
    (only,) = mine("list", "--state", "finished", "--json").json["items"]
    assert only["state"] == "finished"
    lines = mine("list").out.splitlines()
    assert len(lines) == 2
    assert lines[0].split()[1] == "queued"
    assert len(mine("list", "--limit", "1", "--json").json["items"]) == 1


def test_a_job_a_clip_and_a_submission_are_shown_by_their_ids(mine, tester):
    a_clip(tester)
    (job,) = mine("list", "--json").json["items"]
    assert mine("get", job["id"], "--json").json["id"] == job["id"]
    clip = mine("get", job["clip"], "--json").json
    assert clip["job"] == job["id"]
    assert job["clip"] in mine("get", job["clip"]).out
    open_review(tester.programme)
    made = mine("submit", job["id"], "--note", "The face is a mask.", "--json")
    assert made.exit == Exit.DONE, made.err
    assert (made.json["clip"], made.json["note"]) == (job["clip"], "The face is a mask.")
    assert mine("get", made.json["id"]).out.splitlines()[0].split() == ["id", made.json["id"]]
    assert mine("submit", job["clip"]).exit == Exit.REFUSED  # it is there already


def test_what_is_no_id_is_said_before_anybody_is_asked(mine):
    for words in (("get", "boat"), ("cancel", "clp_1"), ("download", "../etc"), ("get", "job_/..")):
        assert mine(*words).exit == Exit.USAGE


def test_a_cancelled_job_is_over(mine, tester):
    a_job(tester)
    (job,) = mine("list", "--json").json["items"]
    said = mine("cancel", job["id"])
    assert (said.exit, said.out.split()[1]) == (Exit.DONE, "cancelled")
    assert Job.objects.get().state == State.CANCELLED


def test_the_file_is_saved_whole_under_the_clips_id(mine, tester, tmp_path: Path):
    clip = a_clip(tester)
    (job,) = mine("list", "--json").json["items"]
    said = mine("download", job["id"], "--json")
    path = Path(said.json["saved_as"])
    assert path.name == f"{job['clip']}.mp4"
    assert hashlib.sha256((tmp_path / path).read_bytes()).hexdigest() == clip.master_sha256
    assert not list(tmp_path.glob("*.part"))
    again = mine("download", job["clip"])
    assert again.exit == Exit.DONE


def test_another_file_of_a_clip_is_saved_by_its_kind(mine, tester, tmp_path: Path):
    clip = a_clip(tester)
    (job,) = mine("list", "--json").json["items"]
    assert mine("download", job["clip"], "--kind", "poster", "-o", "still.webp").exit == Exit.DONE
    kept = clip.renditions.get(kind="poster").sha256
    assert hashlib.sha256((tmp_path / "still.webp").read_bytes()).hexdigest() == kept
    assert mine("download", job["clip"], "--kind", "waveform").exit == Exit.NOT_FOUND


def test_a_file_that_is_something_else_is_never_written_over(mine, tester, tmp_path: Path):
    a_clip(tester)
    (job,) = mine("list", "--json").json["items"]
    (tmp_path / "mine.mp4").write_text("a letter")
    said = mine("download", job["clip"], "-o", "mine.mp4")
    assert said.exit == Exit.FILE
    assert "file_exists" in said.err
    assert (tmp_path / "mine.mp4").read_text() == "a letter"


def test_a_download_goes_on_from_what_came_before(mine, tester, tmp_path: Path):
    clip = a_clip(tester)
    (job,) = mine("list", "--json").json["items"]
    whole = (mine("download", job["clip"], "-o", "whole.mp4"), tmp_path / "whole.mp4")[1]
    content = whole.read_bytes()
    for beginning in (content[:1000], content, b"x" * 1000, content + b"more"):
        (tmp_path / "again.mp4.part").write_bytes(beginning)
        assert mine("download", job["clip"], "-o", "again.mp4").exit == Exit.DONE
        assert (tmp_path / "again.mp4").read_bytes() == content
        assert not (tmp_path / "again.mp4.part").exists()
        (tmp_path / "again.mp4").unlink()
    assert hashlib.sha256(content).hexdigest() == clip.master_sha256


def test_a_job_without_a_clip_has_nothing_to_download(mine, tester):
    a_job(tester)
    (job,) = mine("list", "--json").json["items"]
    assert mine("download", job["id"]).exit == Exit.JOB_FAILED


def test_somebody_elses_clip_is_not_found(mine, second_tester):
    a_clip(second_tester)
    other = f"clp_{'0' * 26}"
    theirs = shown("clip", Clip.objects.get().id)
    assert mine("get", theirs).exit == mine("get", other).exit == Exit.NOT_FOUND
    assert mine("download", theirs).exit == Exit.NOT_FOUND


def test_what_comes_with_approval_is_refused_and_the_rest_is_named(mine, tester, tmp_path: Path):
    open_review(tester.programme)
    publish_policy(
        programme_id=tester.programme.id,
        introduction="Why a clip may be declined.",
        clauses=CLAUSES,
        files_before=Allows.PREVIEW,
    )
    clip = shown("clip", a_clip(tester).id)
    said = mine("download", clip, "--json")
    assert said.exit == Exit.REFUSED
    assert said.json["error"]["code"] == "content_pending_review"
    assert "proxy" in said.err
    assert not list(tmp_path.glob("clp_*"))
    assert mine("download", clip, "--kind", "proxy").exit == Exit.DONE
