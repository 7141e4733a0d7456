"""Every kind of error."""

from __future__ import annotations

from typing import Any

import openai
from desk import CLIP, SMALL, WAITS, Desk, check, done, refused


@check
async def a_wrong_key_is_an_authentication_error(desk: Desk) -> None:
    for key in ("sk-nobody", desk.world.revoked):
        with refused(openai.AuthenticationError, type="authentication_error") as found:
            await done(desk.a_client(key).videos.list())
        assert found.error.request_id
        assert found.error.body["message"]


@check
async def a_key_without_the_scope_is_a_permission_error(desk: Desk) -> None:
    reader = desk.a_client(desk.world.reader)
    await done(reader.videos.list())
    with refused(openai.PermissionDeniedError, type="permission_error") as found:
        await done(reader.videos.create(prompt="no", **WAITS))
    assert found.error.code


@check
async def what_is_not_there_and_what_is_not_yours_are_not_found(desk: Desk) -> None:
    said = []
    for video in ("video_" + "0" * 26, "video_nobody", desk.world.strangers):
        with refused(openai.NotFoundError, type="invalid_request_error") as found:
            await done(desk.client.videos.retrieve(video))
        said.append(found.error.body)
    assert said[0] == said[1] == said[2]


BAD: list[tuple[dict[str, Any], str | None]] = [
    ({**SMALL, "model": "sora-2", "prompt": "?"}, "model"),
    ({**SMALL, "size": "641x360", "prompt": "?"}, "size"),
    ({**SMALL, "size": "large", "prompt": "?"}, "size"),
    ({**SMALL, "seconds": "a while", "prompt": "?"}, "seconds"),
    ({**SMALL, "seconds": "4000", "prompt": "?"}, "seconds"),
    ({**SMALL, "prompt": "?", "extra_body": {"seed": "seven"}}, "seed"),
    ({**SMALL, "prompt": "?", "extra_body": {"tier": "best"}}, "tier"),
    ({**SMALL, "prompt": "?", "extra_body": {"extensions": "{"}}, "extensions"),
    ({**SMALL, "prompt": "?" * 100_000}, "prompt"),
]


@check
async def whatever_is_wrong_with_it_is_a_bad_request(desk: Desk) -> None:
    for wish, field in BAD:
        with refused(openai.BadRequestError, type="invalid_request_error", param=field) as found:
            await done(desk.client.videos.create(**wish))
        assert found.error.code
        assert found.error.body["message"]
    with refused(openai.BadRequestError, param="limit"):
        await done(desk.client.videos.list(limit=0))


@check
async def a_budget_that_is_used_up_is_a_rate_limit_and_not_tried_again(desk: Desk) -> None:
    poor = desk.a_client(desk.world.poor, is_harmed=True)
    line = desk.fault("none")
    with refused(openai.RateLimitError, type="rate_limit_error") as found:
        await done(poor.videos.create(prompt="dear", **CLIP, extra_headers=line))
    assert found.error.response.headers["x-should-retry"] == "false"
    assert int(found.error.response.headers["retry-after"]) > 0
    assert len(desk.passed(line)) == 1


@check
async def a_house_that_is_not_ready_is_a_server_error(desk: Desk) -> None:
    client = desk.a_client(max_retries=0)
    with refused(openai.InternalServerError, type="server_error") as found:
        await done(client.videos.create(prompt="?", **{**SMALL, "model": "absent"}))
    assert found.error.status_code == 503
    assert found.error.request_id


@check
async def a_fault_of_the_server_is_a_server_error(desk: Desk) -> None:
    harmed = desk.a_client(is_harmed=True, max_retries=0)
    with refused(openai.InternalServerError):
        await done(harmed.videos.list(extra_headers=desk.fault("refuse")))


@check
async def a_line_that_breaks_is_a_connection_error(desk: Desk) -> None:
    harmed = desk.a_client(is_harmed=True, max_retries=0)
    with refused(openai.APIConnectionError):
        await done(harmed.videos.list(extra_headers=desk.fault("lose")))
    nobody = desk.sdk(base_url="http://127.0.0.1:9/v1", api_key="x", max_retries=0)
    with refused(openai.APIConnectionError):
        await done(nobody.videos.list())


@check
async def an_answer_that_takes_too_long_is_a_timeout(desk: Desk) -> None:
    harmed = desk.a_client(is_harmed=True, max_retries=0, timeout=0.5)
    with refused(openai.APITimeoutError):
        await done(harmed.videos.list(extra_headers=desk.fault("hold")))


@check
async def every_answer_has_the_id_of_its_request(desk: Desk) -> None:
    video = await done(desk.client.videos.create(prompt="named", **WAITS))
    assert video._request_id
    raw = await done(desk.client.videos.with_raw_response.list())
    assert raw.headers["x-request-id"]
    with refused(openai.NotFoundError) as found:
        await done(desk.client.videos.retrieve("video_nobody"))
    assert found.error.request_id == found.error.response.headers["x-request-id"]
