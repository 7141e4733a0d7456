"""Every refusal at /v1 has the four that SDKs read: message, type, param, code."""

from __future__ import annotations

import json

import pytest

from core.ids import new_id
from generation.jobs.models import Job
from greenroom.openai.ids import VIDEO, id_here
from stage.builders import a_clip, a_job
from stage.cast import ADDRESS, JsonClient, api_of, decline, give_credits
from stage.review import a_submission, open_review

VIDEOS = "/v1/videos"
ORDER = {"prompt": "a paper boat", "model": "still", "size": "128x96", "seconds": "1"}
INVALID, DENIED = "invalid_request_error", "permission_error"


def error_of(answer):
    error = answer.json()["error"]
    assert {"message", "type", "param", "code"} <= set(error)
    assert error["message"]
    return error


WRONG = [
    ({"prompt": ""}, "prompt_empty", "prompt"),
    ({"prompt": "x" * 10_000}, "prompt_too_long", "prompt"),
    ({"prompt": 5}, "wrong_type", "prompt"),
    ({"model": "sora-2"}, "model_unknown", "model"),
    ({"size": "4096x4096"}, "size_not_offered", "size"),
    ({"size": "large"}, "wrong_type", "size"),
    ({"seconds": "3600"}, "length_not_offered", "seconds"),
    ({"seconds": "four"}, "wrong_type", "seconds"),
    ({"seconds": "0"}, "length_not_offered", "seconds"),
    ({"seconds": -1}, "length_not_offered", "seconds"),
    ({"seconds": True}, "wrong_type", "seconds"),
    ({"tier": "gold"}, "tier_not_offered", "tier"),
    ({"seed": "x"}, "wrong_type", "seed"),
    ({"seed": 2**40}, "seed_out_of_range", "seed"),
    ({"styles": [{"style": "none"}]}, "styles_not_offered", "styles"),
    ({"styles": "none"}, "wrong_type", "styles"),
    ({"steps": 50}, "field_unknown", "steps"),
    ({"extensions": {"steps": 50}}, "field_unknown", "steps"),
    ({"extensions": "{"}, "extensions_unreadable", "extensions"),
    ({"extensions": [1]}, "extensions_unreadable", "extensions"),
    ({"extensions": {"prompt": "twice"}}, "field_repeated", "prompt"),
    ({"input_reference": "boat.png"}, "wrong_type", "input_reference"),
    ({"input_reference": {"file_id": "a", "image_url": "b"}}, "wrong_type", "input_reference"),
    ({"input_reference": {"image_url": "data:image/png;base64,%"}}, "image_url_unreadable",
     "input_reference"),
    ({"input_reference": {"image_url": "data:image/png;base64,é"}}, "image_url_unreadable",
     "input_reference"),
    ({"input_reference": {"file_id": "file_x"}}, "pictures_not_offered", "input_reference"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "code", "param"), WRONG)
def test_what_is_wrong_is_400_with_its_field_and_changes_nothing(change, code, param, tester):
    answer = tester.api.post(VIDEOS, ORDER | change)
    error = error_of(answer)
    assert (answer.status_code, error["type"]) == (400, INVALID)
    assert (error["code"], error["param"]) == (code, param)
    assert Job.objects.count() == 0


def test_a_missing_prompt_is_named(tester):
    error = error_of(tester.api.post(VIDEOS, {"model": "still"}))
    assert (error["code"], error["param"]) == ("field_missing", "prompt")


def test_what_an_sdk_says_to_itself_is_no_unknown_field(tester):
    assert tester.api.post(VIDEOS, ORDER | {"poll_interval_ms": 500}).status_code == 200


FORMS = [
    ([("styles[][style]", "a"), ("styles[][style]", "b"), ("styles[][weight]", "1")],
     "form_field_ambiguous", "styles"),
    ([("seed", "1"), ("seed", "2")], "field_repeated", "seed"),
    ([("seed", "1"), ("seed[a]", "2")], "field_repeated", "seed"),
    ([("seed[", "1")], "form_field_unreadable", "seed["),
    ([("a[b][c][d][e][f][g]", "1")], "form_field_unreadable", "a[b][c][d][e][f][g]"),
    ([("meta[a]", "1")], "field_unknown", "meta"),
    ([("tags[]", "1"), ("tags[]", "2")], "field_unknown", "tags"),
]  # fmt: skip


def a_form(pairs):
    lines = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in pairs
    ]
    return "".join([*lines, "--x--\r\n"])


@pytest.mark.parametrize(("pairs", "code", "param"), FORMS)
def test_a_form_that_can_be_read_in_two_ways_is_not_guessed(pairs, code, param, tester):
    body = a_form([*ORDER.items(), *pairs])
    answer = tester.api.post(VIDEOS, body, content_type="multipart/form-data; boundary=x")
    error = error_of(answer)
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param)


UNREADABLE = [
    ("{", "application/json", 400, "body_unreadable"),
    ("[]", "application/json", 400, "body_unreadable"),
    ("prompt=x", "application/x-www-form-urlencoded", 415, "media_type_unsupported"),
    ("x", "multipart/form-data", 400, "body_unreadable"),
    (a_form([(f"a{number}", "1") for number in range(1_200)]),
     "multipart/form-data; boundary=x", 400, "body_unreadable"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "status", "code"), UNREADABLE)
def test_a_body_that_cannot_be_read_says_so(body, kind, status, code, tester):
    answer = tester.api.post(VIDEOS, body, content_type=kind)
    error = error_of(answer)
    assert (answer.status_code, error["code"], error["type"]) == (status, code, INVALID)


def test_nobody_is_401_and_is_told_how_to_come_back(db):
    for api in (api_of(None), api_of("grm_t_nonsense")):
        answer = api.get(VIDEOS)
        assert (answer.status_code, error_of(answer)["type"]) == (401, "authentication_error")
        assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_cookie_is_nobody_here(tester):
    assert tester.client.get(VIDEOS).status_code == 401
    assert tester.client.post(VIDEOS, ORDER).status_code == 401


def test_a_token_without_the_scope_is_403(tester):
    answer = api_of(tester.token("clips:read")).post(VIDEOS, ORDER)
    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == (403, DENIED, "wrong_scope")


def test_without_the_agreement_nothing_is_made(tester):
    decline(tester)
    answer = tester.api.post(VIDEOS, ORDER)
    assert (answer.status_code, error_of(answer)["code"]) == (403, "agreement_required")


def test_a_quota_that_is_used_up_is_not_asked_again_by_sdks(tester):
    give_credits(tester, 1)
    answer = tester.api.post(VIDEOS, ORDER | {"seconds": "2"})
    error = error_of(answer)
    assert (answer.status_code, error["type"]) == (429, "rate_limit_error")
    assert (error["code"], error["asked"], error["left"]) == ("quota_exceeded", 2, 1)
    assert answer["x-should-retry"] == "false"
    assert int(answer["Retry-After"]) > 0


NOWHERE = ["/v1", "/v1/", "/v1/nothing", "/v1/videos/", "/v1/chat/completions", "/v1/videos/a/b/c"]


@pytest.mark.parametrize("address", NOWHERE)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
def test_what_nobody_serves_is_404_in_this_form(address, method, tester):
    answer = getattr(tester.api, method)(address)
    assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "address"),
    [("put", VIDEOS), ("patch", f"{VIDEOS}/x"), ("post", "/v1/models"), ("options", VIDEOS)],
)
def test_a_method_that_an_address_has_not_is_405_in_this_form(method, address, tester):
    answer = getattr(tester.api, method)(address)
    assert (answer.status_code, error_of(answer)["code"]) == (405, "method_not_allowed")
    assert answer["Allow"]


def test_absent_and_somebody_elses_are_the_same_bytes(tester, second_tester, stranger):
    theirs = id_here(VIDEO, a_job(tester).id)
    for path in ("", "/remix", "/cancel"):
        for api in (second_tester.api, stranger.api):
            ask = api.post if path else api.get
            answers = [
                ask(f"{VIDEOS}/{each}{path}", {"prompt": "x"} if path else None)
                for each in (theirs, id_here(VIDEO, new_id()), "video_x", "job_x", "x")
            ]
            assert {one.status_code for one in answers} == {404}
            assert len({one.content for one in answers}) == 1


def test_a_state_that_forbids_is_no_409(tester):
    finished = id_here(VIDEO, a_job(tester, state="failed").id)
    answer = tester.api.post(f"{VIDEOS}/{finished}/cancel")
    error = error_of(answer)
    assert (answer.status_code, error["code"], error["type"]) == (400, "state_changed", INVALID)


def test_a_clip_under_review_is_not_deleted(tester):
    open_review(tester.programme)
    clip = a_submission(tester).clip
    answer = tester.api.delete(f"{VIDEOS}/{id_here(VIDEO, clip.job_id)}")
    assert (answer.status_code, error_of(answer)["code"]) == (400, "shown_or_judged")
    assert tester.api.get(f"{VIDEOS}/{id_here(VIDEO, clip.job_id)}").status_code == 200


def test_an_extension_names_its_video(tester):
    asked = {"prompt": "more", "seconds": "1"}
    unknown = {**asked, "video": {"id": "video_x"}}
    error = error_of(tester.api.post(f"{VIDEOS}/extensions", unknown))
    assert (error["code"], error["param"]) == ("video_unknown", "video")
    waiting = {**asked, "video": {"id": id_here(VIDEO, a_job(tester).id)}}
    error = error_of(tester.api.post(f"{VIDEOS}/extensions", waiting))
    assert (error["code"], error["param"]) == ("video_not_ready", "video")


def test_what_no_model_here_can_do_is_said(tester):
    video = {"id": id_here(VIDEO, a_clip(tester).job_id)}
    answers = [
        tester.api.post(f"{VIDEOS}/edits", {"prompt": "red", "video": video}),
        tester.api.post(f"{VIDEOS}/characters", {"name": "Ada", "video": video}),
        tester.api.get(f"{VIDEOS}/characters/char_1"),
    ]
    for answer in answers:
        assert (answer.status_code, error_of(answer)["code"]) == (400, "unsupported_by_model")


def test_a_page_of_no_list_is_refused(tester):
    for query, code, param in (
        ({"after": "video_x"}, "cursor_invalid", "after"),
        ({"limit": 0}, "out_of_range", "limit"),
        ({"limit": 101}, "out_of_range", "limit"),
        ({"order": "up"}, "choice_unknown", "order"),
        ({"page": 2}, "field_unknown", "page"),
    ):
        error = error_of(tester.api.get(VIDEOS, query))
        assert (error["code"], error["param"]) == (code, param)


def test_a_fault_of_ours_says_nothing_of_itself(tester, monkeypatch):
    def broken(*_args, **_named):
        raise RuntimeError("a secret")

    monkeypatch.setattr("greenroom.openai.videos.delete_video", broken)
    client = JsonClient(headers={"host": ADDRESS}, raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tester.token()}")
    answer = client.delete(f"{VIDEOS}/x")
    error = error_of(answer)
    assert (answer.status_code, error["type"]) == (500, "server_error")
    assert error["code"] == "internal_error"
    assert "secret" not in json.dumps(answer.json())


def test_a_name_that_no_column_holds_is_the_name_of_nothing(tester):
    answer = tester.api.get("/v1/models/still%00")
    assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found")
