"""Videos that begin with a picture or with another video."""

from __future__ import annotations

import base64
from pathlib import Path

import openai
from desk import WAITS, Desk, check, done, refused, since
from openai import omit


@check
async def a_video_begins_with_a_picture_that_is_sent_along(desk: Desk) -> None:
    video = await done(
        desk.client.videos.create(prompt="from a picture", input_reference=desk.picture, **WAITS)
    )
    (condition,) = video.recipe["conditions"]
    assert condition["frame"] == 0
    again = await done(
        desk.client.videos.create(
            prompt="from bytes",
            input_reference=("boat.png", desk.picture.read_bytes(), "image/png"),
            **WAITS,
        )
    )
    assert again.recipe["conditions"][0]["reference"] == condition["reference"]


@check
async def a_video_begins_with_a_file_that_was_sent_before(desk: Desk) -> None:
    file = await done(desk.client.files.create(file=desk.picture, purpose="vision"))
    body = {"input_reference": {"file_id": file.id}}
    video = await done(desk.client.videos.create(prompt="from a file", **WAITS, extra_body=body))
    assert len(video.recipe["conditions"]) == 1
    read = await done(desk.client.videos.retrieve(video.id))
    assert read.recipe["conditions"] == video.recipe["conditions"]


@check
async def a_video_begins_with_a_picture_that_is_written_out(desk: Desk) -> None:
    content = base64.b64encode(desk.picture.read_bytes()).decode()
    body = {"input_reference": {"image_url": f"data:image/png;base64,{content}"}}
    video = await done(desk.client.videos.create(prompt="from data", **WAITS, extra_body=body))
    assert len(video.recipe["conditions"]) == 1


@check
async def nothing_is_fetched_from_an_address(desk: Desk) -> None:
    body = {"input_reference": {"image_url": "http://127.0.0.1:9/boat.png"}}
    with refused(openai.BadRequestError):
        await done(desk.client.videos.create(prompt="fetch", **WAITS, extra_body=body))


@check
async def a_remix_has_another_prompt_and_the_same_recipe(desk: Desk) -> None:
    source = await desk.finished()
    remix = await done(desk.client.videos.remix(source.id, prompt="the same at noon"))
    assert remix.remixed_from_video_id == source.id
    assert remix.prompt == "the same at noon"
    assert (remix.model, remix.size, remix.seconds) == (source.model, source.size, source.seconds)
    assert remix.recipe["seed"] == source.recipe["seed"]
    read = await done(desk.client.videos.retrieve(remix.id))
    assert read.remixed_from_video_id == source.id


@since(3)
async def an_edit_is_refused_where_no_model_can(desk: Desk) -> None:
    source = await desk.finished()
    for video, body in (
        (omit, {"video": {"id": source.id}}),
        (("clip.mp4", Path(desk.world.clip).read_bytes(), "video/mp4"), None),
    ):
        with refused(openai.BadRequestError, code="unsupported_by_model"):
            await done(desk.client.videos.edit(prompt="in blue", video=video, extra_body=body))


@since(3)
async def an_extension_says_the_length_of_the_whole(desk: Desk) -> None:
    source = await desk.finished()
    longer = await done(
        desk.client.videos.extend(
            prompt="and on it goes",
            seconds="4",
            video=omit,
            extra_body={"video": {"id": source.id}},
        )
    )
    assert longer.status in {"queued", "in_progress"}
    assert float(longer.seconds) > 4
    assert (longer.model, longer.size) == (source.model, source.size)
    ready = await done(desk.client.videos.poll(longer.id, poll_interval_ms=200))
    assert (ready.status, ready.seconds) == ("completed", longer.seconds)
    content = await done(desk.client.videos.download_content(ready.id))
    assert content.content[4:8] == b"ftyp"


@since(3)
async def a_character_is_refused_where_no_model_can(desk: Desk) -> None:
    file = ("clip.mp4", Path(desk.world.clip).read_bytes(), "video/mp4")
    with refused(openai.BadRequestError, code="unsupported_by_model"):
        await done(desk.client.videos.create_character(name="Ada", video=file))
    with refused(openai.BadRequestError, code="unsupported_by_model"):
        await done(desk.client.videos.get_character("char_nobody"))
