"""Made, followed, listed, deleted."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import openai
from desk import SMALL, WAITS, Desk, check, done, refused


@check
async def a_video_is_made_from_words_alone(desk: Desk) -> None:
    began = int(time.time()) - 60
    video = await done(desk.client.videos.create(prompt="a harbour", **WAITS))
    assert video.id.startswith("video_")
    assert (video.object, video.status, video.progress) == ("video", "queued", 0)
    assert (video.model, video.prompt) == ("later", "a harbour")
    assert (video.seconds, video.size) == ("1", "640x360")
    assert isinstance(video.created_at, int)
    assert video.created_at > began
    for empty in ("completed_at", "error", "remixed_from_video_id"):
        assert getattr(video, empty) is None, empty


@check
async def what_is_ours_survives_as_further_attributes(desk: Desk) -> None:
    video = await done(
        desk.client.videos.create(
            prompt="a harbour", **WAITS, extra_body={"seed": 7, "tier": "standard"}
        )
    )
    assert video.job.startswith("job_")
    assert video.recipe["seed"] == 7
    assert video.recipe["tier"] == "standard"
    assert video.price_credits == 1
    assert video.queue["place"] >= 1


@check
async def structured_extensions_travel_in_one_field(desk: Desk) -> None:
    extensions = json.dumps({"seed": 11, "tier": "standard"})
    video = await done(
        desk.client.videos.create(
            prompt="a harbour", **WAITS, extra_body={"extensions": extensions}
        )
    )
    assert video.recipe["seed"] == 11


@check
async def model_seconds_and_size_may_be_left_out(desk: Desk) -> None:
    video = await done(desk.client.videos.create(prompt="whatever is usual"))
    assert video.status == "queued"
    assert video.model
    assert float(video.seconds) > 0
    assert "x" in video.size


@check
async def create_and_poll_returns_what_is_ready(desk: Desk) -> None:
    video = await desk.finished()
    assert (video.status, video.progress, video.error) == ("completed", 100, None)
    assert video.completed_at >= video.created_at
    assert video.clip.startswith("clp_")
    assert video.charged_credits == video.price_credits


@check
async def polling_waits_as_long_as_it_is_told(desk: Desk) -> None:
    """The SDK obeys the header of the first answer; nothing else tells it how long to wait."""
    video = await done(desk.client.videos.create(prompt="polled", **WAITS))
    raw = await done(desk.client.videos.with_raw_response.retrieve(video.id))
    told = int(raw.headers["openai-poll-after-ms"])
    assert 1_000 <= told <= 15_000
    harmed = desk.a_client(is_harmed=True, default_headers=(line := desk.fault("none")))
    cancel = threading.Thread(target=desk.cancel_after_the_first_look, args=[video, line])
    cancel.start()
    polled = await done(harmed.videos.poll(video.id))
    cancel.join()
    assert (polled.status, polled.error.code) == ("failed", "cancelled")
    first, second, *_rest = desk.passed(line)
    assert first["headers"]["x-stainless-poll-helper"] == "true"
    assert (second["at"] - first["at"]) * 1000 >= told


@check
async def a_poll_interval_of_ones_own_counts(desk: Desk) -> None:
    wish = {**SMALL, "prompt": "polled often", "poll_interval_ms": 50}
    video = await done(desk.client.videos.create_and_poll(**wish))
    assert video.status == "completed"


@check
async def a_video_is_read_as_it_was_made(desk: Desk) -> None:
    made = await done(desk.client.videos.create(prompt="read again", **WAITS))
    read = await done(desk.client.videos.retrieve(made.id))
    assert (read.id, read.prompt, read.seconds) == (made.id, made.prompt, made.seconds)
    assert read.created_at == made.created_at


@check
async def a_failed_video_is_an_answer_with_its_error(desk: Desk) -> None:
    video = await done(desk.client.videos.retrieve(desk.world.failed))
    assert video.status == "failed"
    assert (video.error.code, bool(video.error.message)) == ("engine_error", True)
    polled = await done(desk.client.videos.poll(video.id))
    assert polled.status == "failed"


@check
async def a_list_goes_on_by_itself(desk: Desk) -> None:
    made = [
        (await done(desk.client.videos.create(prompt=f"listed {number}", **WAITS))).id
        for number in range(5)
    ]
    newest = [each.id for each in await desk.all_of(desk.client.videos.list(limit=2))]
    assert newest[:5] == made[::-1]
    assert len(newest) == len(set(newest))
    oldest = await desk.all_of(desk.client.videos.list(limit=3, order="asc"))
    assert [each.id for each in oldest] == newest[::-1]
    page = await done(desk.client.videos.list(limit=2, after=made[2]))
    assert [each.id for each in page.data] == [made[1], made[0]]
    assert page.has_more is True


@check
async def a_deleted_video_is_gone(desk: Desk) -> None:
    video = await done(
        desk.client.videos.create_and_poll(**SMALL, prompt="to go", poll_interval_ms=50)
    )
    gone = await done(desk.client.videos.delete(video.id))
    assert (gone.id, gone.object, gone.deleted) == (video.id, "video.deleted", True)
    with refused(openai.NotFoundError):
        await done(desk.client.videos.retrieve(video.id))
    with refused(openai.NotFoundError):
        await done(desk.client.videos.delete(video.id))
    assert video.id not in [each.id for each in await desk.all_of(desk.client.videos.list())]


@check
async def a_waiting_video_is_stopped_by_deleting_it(desk: Desk) -> dict[str, Any]:
    video = await done(desk.client.videos.create(prompt="not after all", **WAITS))
    assert (await done(desk.client.videos.delete(video.id))).deleted
    return {"cancelled": video.job}
