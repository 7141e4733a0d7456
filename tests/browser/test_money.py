"""The pages of earnings, contributions and finance, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser.test_pages import _plain_words

from accounts.rates.rules import ActKind
from core.ids import shown
from core.money import MICRO
from review.payouts.commands import pay_payout
from stage.cast import Member
from stage.money import (
    ANSWER,
    a_contribution,
    a_funding,
    a_payout,
    a_rate,
    an_earning,
)
from stage.rooms import Visit

LONG = "Donaudampfschifffahrtsgesellschaft" * 3


@pytest.fixture
def rooms(
    tester: Member, second_tester: Member, reviewer: Member, finance: Member, manager: Member
) -> list[tuple[Member, str]]:
    """Everybody's pages after a payout, with one that waits to be approved and one contribution
    that waits for an answer."""
    a_rate(tester.programme.id, 1_234_567_890)
    a_rate(tester.programme.id, 3_700, ActKind.FEEDBACK)
    an_earning(tester, reviewer, title=LONG, words=LONG * 4)
    a_funding(finance, 5_000 * MICRO)
    paid = shown("payout", a_payout(tester, finance, manager).id)
    pay_payout(actor=finance.actor, payout_id=paid, reference=LONG)
    accepted = an_earning(tester, reviewer, kind="feedback", words=ANSWER)
    an_earning(tester, reviewer)
    an_earning(second_tester, reviewer)  # to whom a payout can be proposed
    waits = shown("payout", a_payout(tester, finance).id)
    filed = shown("contribution", a_contribution(tester).id)
    party = shown("party", tester.party_id)
    return [
        (tester, "/earnings"),
        (tester, "/contributions"),
        (tester, "/contributions/new"),
        (tester, f"/contributions/{shown('contribution', accepted.id)}"),
        (reviewer, "/contributions/to-triage"),
        (reviewer, f"/contributions/{filed}"),
        (finance, "/finance"),
        (finance, "/finance/fundings"),
        (finance, f"/finance/parties/{party}"),
        (finance, f"/finance/payouts/{paid}"),
        (finance, f"/finance/payouts/{waits}"),
        (manager, f"/finance/payouts/{waits}"),
    ]


def test_every_page_of_money_is_accessible_and_fits(
    visit: Callable[..., Visit], rooms: list[tuple[Member, str]]
) -> None:
    here = visit()
    found = []
    for number, (member, path) in enumerate(rooms):
        here.sign_in(member)
        found += here.faults_at(path, f"money-{number:02d}")
    assert found == []


def test_no_page_of_money_shows_a_word_that_was_not_translated(
    visit: Callable[..., Visit], rooms: list[tuple[Member, str]]
) -> None:
    here = visit(extra_http_headers={"Accept-Language": "en-XA"})
    found = []
    for member, path in rooms:
        here.sign_in(member)
        found += _plain_words(here, path)
    assert found == []
