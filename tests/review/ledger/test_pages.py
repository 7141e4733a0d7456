"""What a tester sees of their money, and what finance sees: the same lines."""

from __future__ import annotations

import re
from typing import Any

import pytest

from accounts.rates.rules import ActKind
from core.ids import new_id, shown
from core.money import MICRO
from review.ledger import pages
from review.ledger.models import LedgerTransaction
from review.ledger.queries import treasury_of
from review.payouts.commands import pay_payout
from review.releases.commands import release_clip
from stage.cast import Member
from stage.money import a_funding, a_payout, a_rate, an_earning
from stage.review import an_approved_clip

pytestmark = pytest.mark.django_db

FUNDING = {"amount": "1000.00", "words": "First instalment", "once": "k1"}


def text(answer: Any) -> str:
    """The page's words, without its tags."""
    plain = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", plain.replace("\N{NO-BREAK SPACE}", " "))


def statement(answer: Any) -> list[str]:
    """The rows of the statement, as words."""
    (table,) = re.findall(
        r'<table class="statement">.*?</table>', answer.content.decode(), re.DOTALL
    )
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)) for row in table.split("<tr>")[2:]]


@pytest.fixture
def paid(tester: Member, reviewer: Member, finance: Member, manager: Member) -> Member:
    """Earned 25.00 twice, of which the first was paid."""
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    a_funding(finance)
    payout = a_payout(tester, finance, manager)
    pay_payout(actor=finance.actor, payout_id=shown("payout", payout.id), reference="SEPA 17")
    an_earning(tester, reviewer)
    return tester


def test_who_earned_nothing_is_told_what_would_stand_here(tester):
    a_rate(tester.programme.id, 25 * MICRO, ActKind.RELEASE)
    answer = tester.client.get("/earnings")
    assert answer.status_code == 200
    words = text(answer)
    assert "Nothing has been earned yet." in words
    assert "Release of a clip 25.00 EUR" in words
    assert "Feedback Nothing is paid." in words


def test_each_line_says_what_it_was_for_its_rate_and_the_balance_after_it(paid):
    answer = paid.client.get("/earnings")
    newest, payout, first = statement(answer)
    assert re.search(r"Bug report .* rate 25\.00.EUR ctb_\w+ 25\.00 25\.00", newest)
    assert re.search(r"Paid out SEPA 17 .* pay_\w+ −25\.00 0\.00", payout)
    assert re.search(r"Bug report .* 25\.00 25\.00", first)


def test_the_sum_shows_its_arithmetic(paid):
    words = text(paid.client.get("/earnings"))
    assert "25.00 EUR owed" in words
    assert "50.00 earned − 25.00 paid = 25.00 owed" in words


def test_a_line_leads_to_what_it_was_for(paid):
    page = paid.client.get("/earnings").content.decode()
    url = re.findall(r'href="(/contributions/ctb_\w+)"', page)[0]
    assert paid.client.get(url).status_code == 200
    assert 'href="/finance/payouts' not in page, "that room is not the tester's"


def test_the_line_of_a_release_leads_to_its_clip_for_who_may_look(
    tester, reviewer, finance, auditor, review_open, clock
):
    a_rate(tester.programme.id, 40 * MICRO, ActKind.RELEASE)
    clip = shown("clip", an_approved_clip(tester, reviewer, clock).id)
    release_clip(
        actor=tester.actor, clip_id=clip, title="A boat", shows_prompt=False, is_listed=True
    )
    (line,) = statement(tester.client.get("/earnings"))
    assert re.search(rf"Release of a clip .* rate 40\.00.EUR {clip} 40\.00 40\.00", line)
    party = f"/finance/parties/{shown('party', tester.party_id)}"
    leads = {
        name: f'href="/clips/{clip}"' in member.client.get(url).content.decode()
        for name, member, url in [
            ("tester", tester, "/earnings"),
            ("auditor", auditor, party),
            ("finance", finance, party),
        ]
    }
    assert leads == {"tester": True, "auditor": True, "finance": False}


def test_finance_sees_exactly_the_lines_that_the_tester_sees(paid, finance, auditor):
    mine = statement(paid.client.get("/earnings"))
    url = f"/finance/parties/{shown('party', paid.party_id)}"
    for member in (finance, auditor):
        answer = member.client.get(url)
        assert statement(answer) == mine
        assert "50.00 earned − 25.00 paid = 25.00 owed" in text(answer)


def test_a_long_statement_is_turned_page_by_page_and_its_balances_go_on(
    tester, reviewer, monkeypatch
):
    monkeypatch.setattr(pages, "LINES_ON_A_PAGE", 2)
    a_rate(tester.programme.id, 1 * MICRO)
    for _number in range(5):
        an_earning(tester, reviewer)
    balances, url = [], "/earnings"
    while url:
        answer = tester.client.get(url)
        balances += [row.split()[-1] for row in statement(answer)]
        more = re.search(r'href="(\?cursor=[^"]+)"', answer.content.decode())
        url = f"/earnings{more[1]}" if more else ""
    assert balances == ["5.00", "4.00", "3.00", "2.00", "1.00"]


def test_nobody_sees_somebody_elses_earnings(paid, second_tester, stranger):
    for member in (second_tester, stranger):
        assert "Nothing has been earned yet." in text(member.client.get("/earnings"))


def test_finance_sets_money_aside_once_however_often_it_is_pressed(finance):
    answer = finance.client.post("/finance/fundings", FUNDING)
    again = finance.client.post("/finance/fundings", FUNDING)
    assert (answer.status_code, answer["Location"]) == (302, "/finance")
    assert again.status_code == 302
    assert treasury_of(finance.programme.id).amount_micro == 1_000 * MICRO
    assert "First instalment" in text(finance.client.get("/finance/fundings"))


@pytest.mark.parametrize("amount", ["", "much", "-5", "1,000", "0", "0.001", "0.0000001"])
def test_an_amount_that_cannot_be_comes_back_with_the_form(finance, amount):
    answer = finance.client.post("/finance/fundings", FUNDING | {"amount": amount})
    assert answer.status_code == 422
    assert 'class="wrong"' in answer.content.decode()
    assert "First instalment" in answer.content.decode()
    assert not LedgerTransaction.objects.exists()


def test_a_funding_is_taken_back_with_a_reason(finance):
    funding = shown("transaction", a_funding(finance).id)
    url = f"/finance/transactions/{funding}/reverse"
    refused = finance.client.post(url, {"words": ""})
    assert refused.status_code == 422
    assert finance.client.post(url, {"words": "Twice"}).status_code == 302
    assert treasury_of(finance.programme.id).amount_micro == 0
    words = text(finance.client.get("/finance/fundings"))
    assert "Taken back: Twice" in words
    again = finance.client.post(url, {"words": "Twice"})
    assert again.status_code == 409
    assert "reversed already" in text(again)


@pytest.mark.parametrize("who", ["manager", "auditor"])
def test_who_only_reads_sees_no_form(finance, request, who):
    a_funding(finance)
    member = request.getfixturevalue(who)
    page = member.client.get("/finance/fundings").content.decode()
    assert "1,000.00" in page
    assert 'name="amount"' not in page
    assert "Take it back" not in page
    assert member.client.post("/finance/fundings", FUNDING).status_code == 404


@pytest.mark.parametrize("who", ["tester", "reviewer", "stranger"])
def test_the_rooms_of_finance_are_not_there_for_others(finance, request, who):
    member = request.getfixturevalue(who)
    funding = shown("transaction", a_funding(finance).id)
    assert member.client.get("/finance/fundings").status_code == 404
    assert member.client.post("/finance/fundings", FUNDING).status_code == 404
    reverse = f"/finance/transactions/{funding}/reverse"
    assert member.client.post(reverse, {"words": "Mine"}).status_code == 404
    assert treasury_of(finance.programme.id).amount_micro == 1_000 * MICRO


def test_who_is_not_signed_in_is_asked_to(client, db):
    for url in ("/earnings", "/finance/fundings"):
        answer = client.get(url, headers={"host": "localhost:8000"})
        assert answer.status_code == 302
        assert answer["Location"].startswith("/account/login/")


def test_an_unknown_transaction_is_absent(finance):
    for wrong in (shown("transaction", new_id()), "txn_nothing"):
        url = f"/finance/transactions/{wrong}/reverse"
        assert finance.client.post(url, {"words": "What"}).status_code == 404
