"""The same order sent again, as SDKs do when an answer is lost, renders once."""

from __future__ import annotations

import pytest

from accounts.quotas.queries import discrepancies
from core.ids import shown
from generation.jobs.models import Job, JobRequest
from greenroom.openai.ids import VIDEO, id_here
from stage.builders import a_clip, a_job, a_model
from stage.cast import api_of

VIDEOS = "/v1/videos"
ORDER = {"prompt": "a paper boat", "model": "still", "size": "128x96", "seconds": "1"}


def send(api, address=VIDEOS, *, tried=0, key=None, body=ORDER, **options):
    headers = {"x-stainless-retry-count": str(tried)}
    if key is not None:
        headers["idempotency-key"] = key
    return api.post(address, body, headers=headers, **options)


def test_a_retry_is_answered_with_the_job_that_was_made(tester):
    first, again = send(tester.api), send(tester.api, tried=1)
    assert again.json()["id"] == first.json()["id"]
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert Job.objects.count() == 1
    assert discrepancies() == []


def test_a_retry_whose_first_try_never_came_makes_the_job(tester):
    assert send(tester.api, tried=2).status_code == 200
    assert Job.objects.count() == 1


def test_first_tries_are_orders_of_their_own(tester):
    assert send(tester.api).json()["id"] != send(tester.api).json()["id"]


def test_a_retry_knows_the_order_by_its_fields_and_not_by_how_they_are_written(tester):
    first = send(tester.api).json()
    as_number = send(tester.api, tried=1, body={**ORDER, "seconds": 1})
    as_a_form = send(tester.api, tried=2, format="multipart")
    assert as_number.json()["id"] == as_a_form.json()["id"] == first["id"]


@pytest.mark.parametrize("change", [{"prompt": "another"}, {"seed": 1}, {"seconds": "2"}])
def test_a_retry_of_another_order_is_another_job(change, tester):
    first = send(tester.api).json()
    assert send(tester.api, tried=1, body=ORDER | change).json()["id"] != first["id"]


def test_a_retry_of_somebody_else_is_theirs(tester, second_tester):
    first = send(tester.api).json()
    assert send(second_tester.api, tried=1).json()["id"] != first["id"]


def test_another_token_of_the_same_tester_may_retry(tester):
    first = send(tester.api).json()
    assert send(api_of(tester.token()), tried=1).json()["id"] == first["id"]


def test_after_ten_minutes_it_is_a_new_order(tester, clock):
    first = send(tester.api).json()
    clock.advance(minutes=9, seconds=59)
    assert send(tester.api, tried=1).json()["id"] == first["id"]
    clock.advance(seconds=2)
    assert send(tester.api, tried=1).json()["id"] != first["id"]


def test_a_refused_order_is_asked_anew(tester):
    wrong = {**ORDER, "size": "8x8"}
    assert send(tester.api, body=wrong).status_code == 400
    assert send(tester.api, body=wrong, tried=1).status_code == 400
    assert JobRequest.objects.count() == 0


@pytest.mark.parametrize("count", ["-1", "x", "", "1e3", "9" * 400])
def test_a_count_that_is_none_is_a_first_try(count, tester):
    send(tester.api)
    headers = {"x-stainless-retry-count": count}
    assert tester.api.post(VIDEOS, ORDER, headers=headers).status_code == 200
    assert Job.objects.count() == 2


def test_a_key_answers_what_was_answered_first(tester):
    first, again = send(tester.api, key="one"), send(tester.api, key="one", tried=1)
    assert again.json() == first.json()
    other = send(tester.api, key="one", body={**ORDER, "prompt": "another"})
    assert (other.status_code, other.json()["error"]["code"]) == (400, "idempotency_key_reused")
    assert send(tester.api, key="two").json()["id"] != first.json()["id"]
    assert Job.objects.count() == 2


def test_a_remix_that_comes_again_is_one(tester):
    source = f"{VIDEOS}/{id_here(VIDEO, a_job(tester).id)}/remix"
    body = {"prompt": "a tin boat"}
    first = send(tester.api, source, body=body)
    assert send(tester.api, source, body=body, tried=1).json()["id"] == first.json()["id"]
    other = f"{VIDEOS}/{first.json()['id']}/remix"
    assert send(tester.api, other, body=body, tried=1).json()["id"] != first.json()["id"]


def test_an_extension_that_comes_again_is_one(tester):
    model = a_model("pictured", modes=["text", "image"], most_conditions=1)
    clip = a_clip(tester)
    body = {
        "prompt": "more",
        "seconds": "1",
        "model": model.slug,
        "video": {"id": id_here(VIDEO, clip.job_id)},
    }
    first = send(tester.api, f"{VIDEOS}/extensions", body=body)
    assert first.status_code == 200, first.content
    video = first.json()
    assert video["extended_from_video_id"] == id_here(VIDEO, clip.job_id)
    # Eight frames and eight, of which both show one.
    assert (video["seconds"], video["price_credits"]) == ("1.875", 1)
    again = send(tester.api, f"{VIDEOS}/extensions", body=body, tried=1)
    assert again.json()["id"] == video["id"]
    job = Job.objects.get(extends=clip)
    assert shown("job", job.id) == video["job"]


def test_what_was_deleted_is_found_by_no_retry(tester):
    first = send(tester.api).json()
    assert tester.api.delete(f"{VIDEOS}/{first['id']}").status_code == 200
    assert send(tester.api, tried=1).json()["id"] != first["id"]


def test_a_deletion_that_comes_again_is_told_that_it_is_done(tester, second_tester):
    video = f"{VIDEOS}/{send(tester.api).json()['id']}"
    again = {"x-stainless-retry-count": "1"}
    first = tester.api.delete(video)
    assert tester.api.delete(video, headers=again).json() == first.json()
    assert tester.api.delete(video).status_code == 404
    assert second_tester.api.delete(video, headers=again).status_code == 404
    assert tester.api.delete(f"{VIDEOS}/video_x", headers=again).status_code == 404
