"""Tries that are repeated: nothing is made twice."""

from __future__ import annotations

import json
import uuid
from typing import Any

import openai
from desk import WAITS, Desk, check, done, refused


async def tried_again(
    desk: Desk, kind: str, *, times: int = 1, prompt: str = "", **wanted: Any
) -> dict[str, Any]:
    """A video by a request whose first tries are harmed, and how many jobs it may have made."""
    prompt = f"{prompt or kind} {uuid.uuid4().hex}"
    line = desk.fault(kind, times)
    harmed = desk.a_client(is_harmed=True)
    raw = await done(
        harmed.videos.with_raw_response.create(prompt=prompt, **WAITS, extra_headers=line, **wanted)
    )
    video = raw.parse()
    assert raw.retries_taken == times
    assert len(desk.passed(line)) == times + 1
    assert (video.prompt, video.status) == (prompt, "queued")
    assert (await done(desk.client.videos.retrieve(video.id))).id == video.id
    return {"prompt": prompt, "job": video.job}


@check
async def an_order_that_never_arrived_is_made_by_the_next_try(desk: Desk) -> dict[str, Any]:
    return await tried_again(desk, "refuse", times=2)


@check
async def an_order_whose_answer_was_lost_is_not_made_twice(desk: Desk) -> dict[str, Any]:
    return await tried_again(desk, "lose", times=2)


@check
async def an_order_whose_answer_became_an_error_is_not_made_twice(desk: Desk) -> dict[str, Any]:
    return await tried_again(desk, "spoil", times=2)


@check
async def an_order_whose_answer_was_cut_off_is_not_made_twice(desk: Desk) -> dict[str, Any]:
    return await tried_again(desk, "cut")


@check
async def an_order_with_a_file_is_not_made_twice(desk: Desk) -> dict[str, Any]:
    return await tried_again(desk, "lose", input_reference=desk.picture)


@check
async def an_order_with_extensions_is_not_made_twice(desk: Desk) -> dict[str, Any]:
    extensions = json.dumps({"tier": "standard"})
    return await tried_again(desk, "lose", extra_body={"extensions": extensions})


@check
async def a_remix_whose_answer_was_lost_is_not_made_twice(desk: Desk) -> dict[str, Any]:
    source = await desk.finished()
    prompt = f"remixed {uuid.uuid4().hex}"
    harmed = desk.a_client(is_harmed=True)
    line = desk.fault("lose")
    remix = await done(harmed.videos.remix(source.id, prompt=prompt, extra_headers=line))
    assert len(desk.passed(line)) == 2
    assert remix.remixed_from_video_id == source.id
    return {"prompt": prompt, "job": remix.job}


@check
async def a_key_of_ones_own_keeps_an_order_single(desk: Desk) -> dict[str, Any]:
    prompt = f"keyed {uuid.uuid4().hex}"
    named = {"Idempotency-Key": uuid.uuid4().hex}
    videos = [
        await done(desk.client.videos.create(prompt=prompt, **WAITS, extra_headers=named))
        for _time in range(2)
    ]
    assert videos[0].id == videos[1].id
    with refused(openai.BadRequestError):
        await done(desk.client.videos.create(prompt="another", **WAITS, extra_headers=named))
    return {"prompt": prompt, "job": videos[0].job}


@check
async def the_same_order_twice_is_two_videos(desk: Desk) -> dict[str, Any]:
    prompt = f"twice {uuid.uuid4().hex}"
    one = await done(desk.client.videos.create(prompt=prompt, **WAITS))
    other = await done(desk.client.videos.create(prompt=prompt, **WAITS))
    assert one.id != other.id
    return {"prompt": prompt, "jobs": 2}


@check
async def a_deletion_whose_answer_was_lost_ends_well(desk: Desk) -> None:
    """The second try finds nothing any more, and the SDK says so: it is gone either way."""
    video = await done(desk.client.videos.create(prompt="lost deletion", **WAITS))
    harmed = desk.a_client(is_harmed=True)
    try:
        gone = await done(harmed.videos.delete(video.id, extra_headers=desk.fault("lose")))
        assert gone.deleted
    except openai.NotFoundError:
        pass
    with refused(openai.NotFoundError):
        await done(desk.client.videos.retrieve(video.id))
