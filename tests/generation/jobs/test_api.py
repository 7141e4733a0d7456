"""Jobs over the native API: ordered once, listed, followed, stopped; and priced beforehand."""

from __future__ import annotations

import pytest

from accounts.credentials.commands import revoke_token
from accounts.credentials.models import Credential
from accounts.programmes.models import Role
from accounts.quotas.models import Kind
from accounts.quotas.queries import discrepancies, quota_of
from core.audit.models import AuditEvent
from core.ids import read_id, shown
from core.outbox.models import OutboxMessage
from generation.engines import registry
from generation.jobs.models import Job
from generation.jobs.rules import State
from generation.threads.models import Thread
from stage.builders import a_job, a_model, claim_of
from stage.cast import a_member, api_of, decline, give_credits

JOBS = "/api/v1/jobs"
QUOTES = "/api/v1/quotes"
ORDER = {
    "prompt": "a paper boat",
    "model": "still",
    "size": "128x96",
    "seconds": 2,
    "seed": 7,
}


@pytest.fixture(autouse=True)
def _catalogue(model):
    """The model ``still`` is offered."""


def left(member):
    return quota_of(
        programme_id=member.programme.id,
        party_id=member.party_id,
        lineage_id=member.actor.lineage_id,
        kind=Kind.CREDITS,
    ).left


def everything(member):
    """All that an order could change."""
    _credentials = member.api, member.actor  # made now, if not before
    counts = [table.objects.count() for table in (Job, Thread, AuditEvent, OutboxMessage)]
    return counts, left(member), discrepancies()


# Ordering ------------------------------------------------------------------------------------


def test_an_order_is_answered_with_the_job_and_where_it_is(tester):
    answer = tester.api.post(JOBS, ORDER)
    assert answer.status_code == 201
    job = answer.json()
    assert answer["Location"] == job["url"] == f"{JOBS}/{job['id']}"
    assert read_id("job", job["id"])
    assert read_id("thread", job["thread"])
    expected = {
        "state": "queued",
        "place": 1,
        "eta_s": None,
        "model": "still",
        "tier": "standard",
        "prompt": "a paper boat",
        "seed": 7,
        "size": "128x96",
        "frames": 16,
        "frame_rate": "8/1",
        "seconds": 2.0,
        "price_credits": 2,
        "charged_credits": None,
        "clip": None,
        "is_stopping": False,
        "failure_code": "",
    }
    assert {name: job[name] for name in expected} == expected
    assert job["queued_at"].endswith("Z")
    assert tester.api.get(answer["Location"]).json() == job


def test_an_order_names_the_token_that_made_it(tester):
    api = api_of(tester.token("clips:create"))
    job = Job.objects.get(id=read_id("job", api.post(JOBS, ORDER).json()["id"]))
    assert job.credential.kind == Credential.Kind.TOKEN


def test_a_length_is_taken_to_the_nearest_frame(tester):
    job = tester.api.post(JOBS, ORDER | {"seconds": 1.99}).json()
    assert (job["frames"], job["seconds"]) == (16, 2.0)


def test_a_seed_is_drawn_where_none_is_named(tester):
    order = {name: value for name, value in ORDER.items() if name != "seed"}
    seeds = {tester.api.post(JOBS, order).json()["seed"] for _ in range(3)}
    assert len(seeds) == 3


def test_a_thread_is_continued(tester):
    first = tester.api.post(JOBS, ORDER).json()
    second = tester.api.post(JOBS, ORDER | {"thread": first["thread"]}).json()
    assert second["thread"] == first["thread"]


REFUSED = [
    ({"model": "sora"}, 422, "model_unknown", "model"),
    ({"size": "4096x4096"}, 422, "size_not_offered", "size"),
    ({"tier": "gold"}, 422, "tier_not_offered", "tier"),
    ({"seconds": 3600}, 422, "length_not_offered", "seconds"),
    ({"seconds": 0}, 422, "length_not_offered", "seconds"),
    ({"seconds": -1}, 422, "length_not_offered", "seconds"),
    ({"seconds": 1e308}, 422, "length_not_offered", "seconds"),
    ({"seconds": 10**400}, 422, "length_not_offered", "seconds"),
    ({"prompt": ""}, 422, "prompt_empty", "prompt"),
    ({"prompt": " \n"}, 422, "prompt_empty", "prompt"),
    ({"prompt": "x" * 10_000}, 422, "prompt_too_long", "prompt"),
    ({"prompt": "bell \x07"}, 422, "prompt_unreadable", "prompt"),
    ({"seed": -1}, 422, "seed_out_of_range", "seed"),
    ({"seed": 2**32}, 422, "seed_out_of_range", "seed"),
    ({"seed": 10**30}, 422, "seed_out_of_range", "seed"),
    ({"seed": 1.5}, 422, "fields_invalid", "seed"),
    ({"seed": True}, 422, "fields_invalid", "seed"),
    ({"prompt": 5}, 422, "fields_invalid", "prompt"),
    ({"steps": 50}, 422, "fields_invalid", "steps"),
    ({"thread": "thr_nonsense"}, 404, "not_found", None),
]


@pytest.mark.parametrize(("change", "status", "code", "field"), REFUSED)
def test_bad_input_is_refused_with_a_code_and_changes_nothing(change, status, code, field, tester):
    before = everything(tester)
    answer = tester.api.post(JOBS, ORDER | change)
    assert answer.status_code == status
    problem = answer.json()
    assert problem["code"] == code
    if field:
        assert [error["field"] for error in problem["errors"]] == [field]
    assert everything(tester) == before


def test_somebody_elses_thread_is_absent(tester, second_tester):
    theirs = second_tester.api.post(JOBS, ORDER).json()["thread"]
    answer = tester.api.post(JOBS, ORDER | {"thread": theirs})
    absent = tester.api.post(JOBS, ORDER | {"thread": shown("thread", Job.objects.get().id)})
    assert answer.status_code == 404
    assert answer.content == absent.content


def test_over_quota_says_what_was_asked_what_is_left_and_where(tester):
    give_credits(tester, 1)
    before = everything(tester)
    answer = tester.api.post(JOBS, ORDER)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    problem = answer.json()
    assert (problem["code"], problem["asked"], problem["left"], problem["budget"]) == (
        "quota_exceeded",
        2,
        1,
        "your credits",
    )
    assert everything(tester) == before


def test_without_the_agreement_nothing_is_ordered(tester):
    decline(tester)
    answer = tester.api.post(JOBS, ORDER)
    assert (answer.status_code, answer.json()["code"]) == (403, "agreement_required")


def test_only_testers_order(programme):
    other = a_member(programme, Role.REVIEWER, name="critic", credits=50)
    answer = other.api.post(JOBS, ORDER)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


def test_a_model_without_its_engine_is_refused(tester, monkeypatch):
    monkeypatch.setattr(registry, "_is_complete", lambda _package: False)
    a_model("dream", engine="diffusers")
    answer = tester.api.post(JOBS, ORDER | {"model": "dream"})
    assert (answer.status_code, answer.json()["code"]) == (503, "engine_not_installed")
    assert int(answer["Retry-After"]) > 0


# Idempotency ---------------------------------------------------------------------------------


def ordered(api, key, **change):
    return api.post(JOBS, ORDER | change, headers={"idempotency-key": key})


def test_the_same_order_twice_makes_one_job_and_gives_the_first_answer(tester):
    first = ordered(tester.api, "k1")
    claim_of(Job.objects.get())  # its state moves on; the answer does not
    again = ordered(tester.api, "k1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again["Location"] == first["Location"]
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert Job.objects.count() == 1


def test_the_same_key_with_another_order_is_refused(tester):
    ordered(tester.api, "k1")
    answer = ordered(tester.api, "k1", seed=8)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Job.objects.count() == 1


def test_the_order_of_fields_does_not_matter(tester):
    ordered(tester.api, "k1")
    turned = dict(reversed(ORDER.items()))
    answer = tester.api.post(JOBS, turned, headers={"idempotency-key": "k1"})
    assert answer["Idempotent-Replayed"] == "true"


def test_a_key_lives_on_when_the_token_is_replaced(tester):
    first = ordered(api_of(tester.token()), "k1")
    assert ordered(api_of(tester.token()), "k1").json() == first.json()


def test_another_persons_key_is_another_key(tester, second_tester):
    first = ordered(tester.api, "k1").json()
    assert ordered(second_tester.api, "k1").json()["id"] != first["id"]


def test_a_revoked_token_gets_no_answer_again(tester):
    api = api_of(tester.token())
    ordered(api, "k1")
    revoke_token(actor=tester.actor, credential_id=Job.objects.get().credential_id)
    assert ordered(api, "k1").status_code == 401


def test_a_refused_order_may_be_tried_again_with_its_key(tester):
    give_credits(tester, 1)
    assert ordered(tester.api, "k1").status_code == 429
    give_credits(tester, 10)
    answer = ordered(tester.api, "k1")
    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "é"])
def test_a_malformed_key_is_refused(key, tester):
    answer = ordered(tester.api, key)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_invalid")
    assert not Job.objects.exists()


# Listing and reading -------------------------------------------------------------------------


def test_a_list_shows_ones_own_jobs_newest_first(tester, second_tester):
    mine = [shown("job", a_job(tester).id) for _ in range(3)]
    a_job(second_tester)
    page = tester.api.get(JOBS).json()
    assert [job["id"] for job in page["items"]] == mine[::-1]
    assert page["next"] is None


def test_pages_stay_true_while_jobs_arrive(tester):
    mine = [shown("job", a_job(tester).id) for _ in range(5)]
    seen, cursor = [], None
    while True:
        page = tester.api.get(JOBS, {"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [job["id"] for job in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
        a_job(tester)
    assert seen == mine[::-1]


def test_a_list_is_filtered_by_state(tester):
    held = shown("job", a_job(tester, state="held").id)
    queued = shown("job", a_job(tester).id)
    found = {
        state: [job["id"] for job in tester.api.get(JOBS, {"state": state}).json()["items"]]
        for state in State.values
    }
    assert found == {state: [] for state in State.values} | {
        "held": [held],
        "queued": [queued],
    }


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": "0"}, "out_of_range"),
        ({"limit": "101"}, "out_of_range"),
        ({"limit": "many"}, "wrong_type"),
        ({"state": "sleeping"}, "choice_unknown"),
        ({"page": "2"}, "field_unknown"),
        ({"cursor": "made-up"}, "cursor_invalid"),
        ({"cursor": "\u0000"}, "wrong_type"),
    ],
)
def test_a_bad_query_is_refused(query, code, tester):
    answer = tester.api.get(JOBS, query)
    assert answer.status_code == 422
    assert [error["code"] for error in answer.json()["errors"]] == [code]


@pytest.mark.parametrize("state", State.values)
def test_a_job_can_be_read_in_every_state(state, tester):
    job = a_job(tester, state=state)
    body = tester.api.get(f"{JOBS}/{shown('job', job.id)}").json()
    assert body["state"] == state
    assert body["charged_credits"] == {"finished": 1, "failed": 0, "cancelled": 0}.get(state)
    assert (body["clip"] is not None) == (state == "finished")
    assert (body["held_until"] is not None) == (state == "held")
    assert bool(body["failure_code"]) == (state == "failed")
    assert (body["finished_at"] is not None) == (state in {"finished", "failed", "cancelled"})


# Cancelling and resuming ---------------------------------------------------------------------


def act(api, job, deed):
    return api.post(f"{JOBS}/{shown('job', job.id)}/{deed}")


def test_a_waiting_job_is_cancelled_and_everything_comes_back(tester):
    before = left(tester)
    job = a_job(tester)
    answer = act(tester.api, job, "cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert answer.json()["charged_credits"] == 0
    assert left(tester) == before
    assert act(tester.api, job, "cancel").json()["state"] == "cancelled"


def test_a_rendering_job_is_asked_to_stop(tester):
    job = a_job(tester)
    claim_of(job)
    body = act(tester.api, job, "cancel").json()
    assert (body["state"], body["is_stopping"]) == ("running", True)


def test_a_job_that_is_over_cannot_be_cancelled(tester):
    answer = act(tester.api, a_job(tester, state="finished"), "cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "state_changed")


def test_a_held_job_goes_on_by_its_owners_word_from_the_portal(tester):
    job = a_job(tester, state="held")
    answer = act(tester.api, job, "resume")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    answer = act(tester.client, job, "resume")
    assert (answer.status_code, answer.json()["state"]) == (200, "queued")
    assert act(tester.client, job, "resume").status_code == 409


# Quotes --------------------------------------------------------------------------------------


def test_the_price_shown_is_the_price_charged(tester):
    for seconds in (0.125, 1, 1.01, 2.5, 10):
        wish = {"model": "still", "size": "256x144", "seconds": seconds}
        quoted = tester.api.post(QUOTES, wish).json()
        before = left(tester)
        job = tester.api.post(JOBS, ORDER | wish).json()
        assert quoted["price_credits"] == job["price_credits"] == before - left(tester)
        assert quoted["frames"] == job["frames"]


def test_a_quote_orders_nothing_and_says_whether_it_would_fit(tester):
    give_credits(tester, 3)
    before = everything(tester)
    answer = tester.api.post(QUOTES, {"model": "still", "size": "256x144", "seconds": 1})
    assert answer.status_code == 200
    assert answer.json() == {
        "model": "still",
        "revision": "1",
        "size": "256x144",
        "tier": "standard",
        "steps": 4,
        "frames": 8,
        "frame_rate": "8/1",
        "seconds": 1.0,
        "extends": None,
        "total_frames": 8,
        "total_seconds": 1.0,
        "price_credits": 4,
        "quota": {"limit": 3, "reserved": 0, "spent": 0, "left": 3},
        "is_within_quota": False,
        "warnings": [],
    }
    assert everything(tester) == before


def test_a_quote_refuses_what_an_order_would(tester):
    answer = tester.api.post(QUOTES, {"model": "sora", "size": "256x144", "seconds": 1})
    assert (answer.status_code, answer.json()["code"]) == (422, "model_unknown")
