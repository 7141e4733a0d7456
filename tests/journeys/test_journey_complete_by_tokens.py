"""The whole way with tokens alone: a clip, its review, its appeal, its release, its pay."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.quotas.queries import discrepancies
from accounts.rates.commands import publish_rate
from accounts.rates.rules import ActKind
from core.ids import shown
from core.money import MICRO
from generation.catalogue.commands import offer_still_model
from generation.worker.identity import this_worker
from generation.worker.rendering import render_next
from review.decisions.commands import decide_due
from review.ledger.queries import ledger_discrepancies
from stage.cast import Member, api_of
from stage.clock import Clock
from stage.review import REASON, open_review

pytestmark = pytest.mark.django_db(transaction=True)

RATE_MICRO = 25_123_456


def get(api: APIClient, path: str) -> Any:
    answer = api.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def post(api: APIClient, path: str, body: Any = None, *, status: int = 200) -> Any:
    answer = api.post(f"/api/v1/{path}", body or {})
    assert answer.status_code == status, (path, answer.status_code, answer.content)
    return answer.json()


def test_from_a_prompt_to_a_payout(
    tester: Member,
    reviewer: Member,
    second_reviewer: Member,
    finance: Member,
    manager: Member,
    clock: Clock,
) -> None:
    offer_still_model()
    programme = tester.programme
    open_review(programme)
    publish_rate(programme_id=programme.id, kind=ActKind.RELEASE, amount_micro=RATE_MICRO)
    artist = api_of(
        tester.token(
            *("clips:create", "clips:read", "submissions:create", "submissions:read"),
            *("releases:create", "releases:read", "earnings:read", "programme:read"),
        )
    )
    desk = [
        api_of(each.token("cases:read", "cases:decide")) for each in (reviewer, second_reviewer)
    ]

    clip = a_clip_by(artist)
    mine = post(artist, "submissions", {"clip": clip, "display_form": "none"}, status=201)
    assert (mine["state"], mine["place"]) == ("queued", 1)

    decide(desk[0], clock, outcome="declined", clause=1, reason=REASON, frames=[[2, 5]])
    told = get(artist, f"submissions/{mine['id']}")
    assert told["state"] == "declined"
    assert told["decision"]["clause"]["number"] == 1
    assert told["decision"]["reason"] == REASON
    refused = artist.post("/api/v1/releases", {"clip": clip, "title": "A harbour"})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_approved")

    post(artist, f"submissions/{mine['id']}/appeal", {"text": "It is a mask."}, status=201)
    assert post(desk[0], "cases/claim")["case"] is None, "nobody judges twice in a chain"
    decide(desk[1], clock, outcome="approved", reversal="fact_wrong")
    assert get(artist, f"submissions/{mine['id']}")["state"] == "approved"

    release = post(artist, "releases", {"clip": clip, "title": "A harbour"}, status=201)
    assert get(artist, "earnings")["owed_micro"] == RATE_MICRO

    pay_out(tester, finance, manager)
    after = get(artist, "earnings")
    assert (after["owed_micro"], after["paid_micro"]) == (3_456, 25_120_000)
    assert sum(line["amount_micro"] for line in get(artist, "earnings/lines")["items"]) == 3_456

    figures = get(artist, "programme/figures")
    assert (figures["submitted"], figures["approved"], figures["released_listed"]) == (1, 1, 1)
    post(artist, f"releases/{release['id']}/take-down")
    assert get(artist, "programme/figures")["released_listed"] == 0
    assert discrepancies() == []
    assert ledger_discrepancies() == []


def a_clip_by(artist: APIClient) -> str:
    order = {"prompt": "A harbour", "model": "still", "size": "640x360", "seconds": 1, "seed": 7}
    job = post(artist, "jobs", order, status=201)
    assert render_next(this_worker())
    clip: str = get(artist, f"jobs/{job['id']}")["clip"]
    return clip


def decide(desk: APIClient, clock: Clock, **verdict: Any) -> None:
    case = post(desk, "cases/claim")["case"]
    wish = {"lease_number": case["lease"]["number"], **verdict}
    post(desk, f"cases/{case['id']}/verdict", wish)
    clock.advance(seconds=11)
    assert decide_due() == 1


def pay_out(tester: Member, finance: Member, manager: Member) -> None:
    """Funded and proposed by finance, approved by somebody else, paid, each by a token."""
    scopes = ("ledger:read", "ledger:fund", "payouts:propose", "payouts:pay", "payouts:approve")
    money, lead = api_of(finance.token(*scopes)), api_of(manager.token("payouts:approve"))
    post(money, "ledger/funding", {"amount_micro": 100 * MICRO}, status=201)
    payout = post(money, "payouts", {"party": shown("party", tester.party_id)}, status=201)
    yes = {"instruction_sha256": payout["instruction_sha256"]}
    assert money.post(f"/api/v1/payouts/{payout['id']}/approve", yes).status_code == 403
    post(lead, f"payouts/{payout['id']}/approve", yes)
    paid = post(money, f"payouts/{payout['id']}/pay", {"reference": "SEPA 1"})
    assert (paid["state"], paid["amount_micro"]) == ("paid", 25_120_000)
