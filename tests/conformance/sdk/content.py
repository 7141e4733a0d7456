"""What is downloaded, and what is withheld."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openai
from desk import WAITS, Desk, check, done, refused


async def content_of(desk: Desk, **wanted: Any) -> Any:
    video = await desk.finished()
    return await done(desk.client.videos.download_content(video.id, **wanted))


@check
async def the_video_is_downloaded(desk: Desk) -> None:
    answer = await content_of(desk)
    content = answer.content
    assert content[4:8] == b"ftyp"
    assert len(content) == int(answer.response.headers["content-length"])
    assert answer.response.headers["content-type"] == "video/mp4"
    assert content == (await content_of(desk, variant="video")).content


@check
async def its_thumbnail_is_downloaded(desk: Desk) -> None:
    answer = await content_of(desk, variant="thumbnail")
    assert answer.content[:4] == b"RIFF"
    assert answer.response.headers["content-type"] == "image/webp"


@check
async def its_sprite_sheet_is_downloaded(desk: Desk) -> None:
    answer = await content_of(desk, variant="spritesheet")
    assert answer.content[:4] == b"RIFF"
    assert answer.content != (await content_of(desk, variant="thumbnail")).content


@check
async def the_video_is_written_to_a_file(desk: Desk) -> None:
    answer = await content_of(desk)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        answer.write_to_file(path)
        assert path.read_bytes() == answer.content


@check
async def the_video_is_streamed(desk: Desk) -> None:
    video = await desk.finished()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        streaming = desk.client.videos.with_streaming_response.download_content(video.id)
        async with desk.streamed(streaming) as answer:
            await done(answer.stream_to_file(path))
        assert path.read_bytes() == (await content_of(desk)).content


@check
async def a_part_of_the_video_is_downloaded(desk: Desk) -> None:
    whole = (await content_of(desk)).content
    answer = await content_of(desk, extra_headers={"Range": "bytes=100-199"})
    assert answer.response.status_code == 206
    assert answer.response.headers["content-range"] == f"bytes 100-199/{len(whole)}"
    assert answer.content == whole[100:200]


@check
async def a_download_that_was_cut_off_goes_on_where_it_was(desk: Desk) -> None:
    whole = (await content_of(desk)).content
    harmed = desk.a_client(is_harmed=True, max_retries=0)
    video = await desk.finished()
    with refused(openai.APIConnectionError):
        await done(harmed.videos.download_content(video.id, extra_headers=desk.fault("cut")))
    half = len(whole) // 2
    rest = await content_of(desk, extra_headers={"Range": f"bytes={half}-"})
    assert whole[:half] + rest.content == whole


@check
async def what_is_not_made_yet_has_no_content(desk: Desk) -> None:
    video = await done(desk.client.videos.create(prompt="not yet", **WAITS))
    with refused(openai.NotFoundError, code="video_not_ready"):
        await done(desk.client.videos.download_content(video.id))
    with refused(openai.NotFoundError):
        await done(desk.client.videos.download_content(desk.world.failed))


@check
async def a_variant_that_there_is_not_is_a_bad_request(desk: Desk) -> None:
    with refused(openai.BadRequestError, param="variant"):
        await content_of(desk, variant="hologram")


@check
async def what_awaits_its_review_is_withheld_where_the_programme_says_so(desk: Desk) -> None:
    strict = desk.a_client(desk.world.strict["token"])
    video = await done(strict.videos.retrieve(desk.world.strict["pending"]))
    assert video.status == "completed"
    assert video.review["state"] == "pending"
    with refused(openai.PermissionDeniedError, code="content_pending_review"):
        await done(strict.videos.download_content(video.id))


@check
async def what_was_declined_is_withheld_with_its_reason(desk: Desk) -> None:
    strict = desk.a_client(desk.world.strict["token"])
    video = await done(strict.videos.retrieve(desk.world.strict["declined"]))
    assert (video.status, video.review["state"]) == ("completed", "rejected")
    assert video.review["reason"] == desk.world.strict["reason"]
    with refused(openai.PermissionDeniedError, code="content_rejected") as found:
        await done(strict.videos.download_content(video.id))
    assert desk.world.strict["reason"] in str(found.error)
