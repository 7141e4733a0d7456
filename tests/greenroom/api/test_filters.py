"""A filter gives those that it names, and no others."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.clock import now
from core.ids import shown
from generation.jobs.commands import cancel_job
from stage.builders import a_clip, a_job, a_model
from stage.money import a_contribution, a_funding, a_payout, a_rate, an_earning
from stage.review import a_decision, a_submission, open_review

pytestmark = pytest.mark.django_db


def found(api, path, **query):
    answer = api.get(f"/api/v1/{path}", query)
    assert answer.status_code == 200, answer.json()
    return [item.get("id") for item in answer.json()["items"]]


def test_jobs_by_state_model_thread_words_and_time(tester, clock):
    a_model("other")
    first = a_job(tester, state="finished", prompt="A red boat")
    clock.advance(hours=1)
    moment = now()
    second = a_job(tester, prompt="A blue Boat", model="other")
    one, two = shown("job", first.id), shown("job", second.id)
    assert found(tester.api, "jobs") == [two, one]
    assert found(tester.api, "jobs", state="queued") == [two]
    assert found(tester.api, "jobs", is_live="true") == [two]
    assert found(tester.api, "jobs", is_live="false") == [one]
    assert found(tester.api, "jobs", model="other") == [two]
    assert found(tester.api, "jobs", thread=shown("thread", first.thread_id)) == [one]
    assert found(tester.api, "jobs", q="boat") == [two, one]
    assert found(tester.api, "jobs", q="red", model="other") == []
    assert found(tester.api, "jobs", since=moment.isoformat()) == [two]
    assert found(tester.api, "jobs", until=moment.isoformat()) == [one]
    cancel_job(actor=tester.actor, shown_id=two)


def test_clips_and_submissions_by_how_their_review_stands(tester, reviewer, clock):
    open_review(tester.programme)
    plain = a_clip(tester)
    declined = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    waiting = a_submission(tester)
    clips = {
        name: shown("clip", each)
        for name, each in (
            ("none", plain.id),
            ("declined", declined.clip_id),
            ("queued", waiting.clip_id),
        )
    }
    for name, clip in clips.items():
        assert found(tester.api, "clips", review=name) == [clip]
    assert found(tester.api, "clips", thread=shown("thread", plain.thread_id)) == [clips["none"]]
    one, two = (shown("submission", each.id) for each in (declined, waiting))
    assert found(tester.api, "submissions", state="declined") == [one]
    assert found(tester.api, "submissions", clip=clips["queued"]) == [two]
    (case,) = found(reviewer.api, "cases")
    assert found(reviewer.api, "cases", state="claimed") == []
    assert found(reviewer.api, "cases", is_overdue="false", is_yours="false") == [case]
    reviewer.api.post("/api/v1/cases/claim")
    assert found(reviewer.api, "cases", is_yours="true", state="claimed") == [case]
    assert len(found(reviewer.api, "cases/decided")) == 1
    counts = reviewer.api.get("/api/v1/cases/counts").json()
    assert counts == {"waiting": 0, "claimed": 1, "overdue": 0, "mine": 1}
    clock.advance(hours=50)
    assert reviewer.api.get("/api/v1/cases/counts").json()["overdue"] == 1


def test_money_by_kind_party_and_state(tester, second_tester, reviewer, finance):
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    an_earning(second_tester, reviewer)
    a_funding(finance)
    payout = a_payout(tester, finance)
    party = shown("party", tester.party_id)
    api = finance.api
    assert len(found(api, "ledger/transactions", kind="funding")) == 1
    assert len(found(api, "ledger/transactions", until=now().isoformat())) == 0
    assert len(found(api, "ledger/balances", account="owed")) == 2
    assert len(found(api, "ledger/balances", party=party)) == 1
    assert found(api, "payouts", party=party, state="proposed") == [shown("payout", payout.id)]
    assert found(api, "payouts", state="paid") == []
    trial = api.get("/api/v1/ledger/trial-balance").json()["items"]
    assert sum(line["debit_micro"] for line in trial) == sum(line["credit_micro"] for line in trial)
    assert tester.api.get("/api/v1/ledger/trial-balance").status_code == 404


def test_contributions_by_kind_and_state(tester, reviewer):
    a_rate(tester.programme.id)
    accepted, filed = an_earning(tester, reviewer), a_contribution(tester)
    one, two = (shown("contribution", each.id) for each in (accepted, filed))
    assert found(tester.api, "contributions", state="accepted") == [one]
    assert found(tester.api, "contributions", state="filed", kind=filed.kind) == [two]
    tomorrow = (now() + timedelta(days=1)).isoformat()
    assert found(tester.api, "contributions", since=tomorrow) == []


def test_what_a_manager_reads_before_ending_a_membership(tester, manager):
    a_job(tester)
    ahead = manager.api.get(f"/api/v1/people/{shown('party', tester.party_id)}/under-way").json()
    assert (ahead["waiting_jobs"], ahead["running_jobs"], ahead["cases"]) == (1, 0, 0)
    credits_there = manager.api.get("/api/v1/programme/credits").json()
    assert credits_there["reserved"] == 1
    assert credits_there["left"] == credits_there["limit"] - 1
