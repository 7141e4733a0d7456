"""Finance's room: each button where the person and the state allow it, with what it does."""

from __future__ import annotations

import re
from typing import Any

import pytest

from accounts.programmes.models import Role
from core.ids import new_id, shown
from core.money import MICRO
from review.payouts.models import Payout
from review.payouts.rules import State
from stage.cast import Member, a_member
from stage.money import a_funding, a_payout, a_rate, an_earning

pytestmark = pytest.mark.django_db

APPROVE, PAY, CANCEL = "Approve this instruction", "Record as paid", "Cancel this payout"


@pytest.fixture
def owed(tester: Member, reviewer: Member, finance: Member) -> Member:
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    a_funding(finance)
    return tester


def page_of(payout: Payout) -> str:
    return f"/finance/payouts/{shown('payout', payout.id)}"


def party_of(member: Member) -> str:
    return f"/finance/parties/{shown('party', member.party_id)}"


def text(answer: Any) -> str:
    plain = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", plain.replace("\N{NO-BREAK SPACE}", " "))


def buttons(answer: Any) -> set[str]:
    return {each for each in (APPROVE, PAY, CANCEL) if each in answer.content.decode()}


def test_finance_sees_what_is_owed_to_whom_and_what_is_there(owed, finance):
    words = text(finance.client.get("/finance"))
    assert "tester@studio.example" in words
    assert shown("party", owed.party_id) in words
    assert "1,000.00 EUR set aside" in words
    assert "Owed to people 0.00 25.00 −25.00" in words
    assert "Together 1,025.00 1,025.00 0.00" in words
    assert "Propose payout" in words


def test_where_nothing_is_owed_the_room_says_so(finance):
    assert "Nothing is owed to anybody." in text(finance.client.get("/finance"))


def test_a_payout_goes_its_way_through_the_pages(owed, finance, manager):
    answer = finance.client.post(f"{party_of(owed)}/payout", {"once": "k1"})
    payout = Payout.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, page_of(payout))
    again = finance.client.post(f"{party_of(owed)}/payout", {"once": "k1"})
    assert again["Location"] == page_of(payout)
    assert page_of(payout) in finance.client.get("/finance").content.decode()

    digest = {"instruction_sha256": payout.instruction_sha256}
    assert payout.instruction_sha256 in manager.client.get(page_of(payout)).content.decode()
    assert manager.client.post(f"{page_of(payout)}/approve", digest).status_code == 302
    paid = finance.client.post(f"{page_of(payout)}/pay", {"reference": "SEPA 17"})
    assert paid.status_code == 302

    words = text(finance.client.get(page_of(payout)))
    assert "Paid." in words
    assert "SEPA 17" in words
    record = words.partition("Who did what")[2]
    assert re.search(
        r"You: Proposed it\..*manager@studio\.example: Approved.*You: Recorded it as paid\.", record
    )
    assert buttons(finance.client.get(page_of(payout))) == set()
    assert page_of(payout) not in finance.client.get("/finance").content.decode()


def test_buttons_stand_only_where_state_and_person_allow(owed, finance, manager, auditor):
    second = a_member(owed.programme, Role.FINANCE, name="second finance")
    payout = a_payout(owed, finance)
    seen = {
        name: buttons(member.client.get(page_of(payout)))
        for name, member in [("proposer", finance), ("second", second), ("manager", manager)]
    }
    assert seen == {"proposer": {CANCEL}, "second": {APPROVE, CANCEL}, "manager": {APPROVE}}
    assert "You proposed it." in text(finance.client.get(page_of(payout)))
    digest = {"instruction_sha256": payout.instruction_sha256}
    manager.client.post(f"{page_of(payout)}/approve", digest)
    assert buttons(finance.client.get(page_of(payout))) == {PAY, CANCEL}
    assert buttons(manager.client.get(page_of(payout))) == set()
    assert buttons(auditor.client.get(page_of(payout))) == set()


def test_beside_each_button_stands_what_it_does(owed, finance, manager):
    payout = a_payout(owed, finance)
    assert "paying exactly 25.00 EUR" in text(manager.client.get(page_of(payout)))
    manager.client.post(
        f"{page_of(payout)}/approve", {"instruction_sha256": payout.instruction_sha256}
    )
    words = text(finance.client.get(page_of(payout)))
    assert "Press when 25.00 EUR has left the bank" in words
    assert "975.00 EUR is left in the treasury" in words
    assert "Nothing is posted, and what is owed stays owed." in words


def test_without_enough_money_there_is_a_sentence_in_place_of_the_button(
    tester, reviewer, finance, manager
):
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    a_funding(finance, 10 * MICRO)
    payout = a_payout(tester, finance, manager)
    answer = finance.client.get(page_of(payout))
    assert buttons(answer) == {CANCEL}
    assert "10.00 EUR is set aside, which is less." in text(answer)
    refused = finance.client.post(f"{page_of(payout)}/pay", {"reference": "SEPA 1"})
    assert refused.status_code == 429
    assert "This needs 25.00 EUR, and 10.00 EUR is set aside." in text(refused)


def test_an_approval_of_another_instruction_is_refused(owed, finance, manager):
    payout = a_payout(owed, finance)
    answer = manager.client.post(f"{page_of(payout)}/approve", {"instruction_sha256": "0" * 64})
    assert answer.status_code == 409
    assert "not the instruction" in text(answer)
    assert Payout.objects.get().state == State.PROPOSED


def test_a_payment_without_a_reference_comes_back_with_the_form(owed, finance, manager):
    payout = a_payout(owed, finance, manager)
    for reference in ("", "x" * 141):
        answer = finance.client.post(f"{page_of(payout)}/pay", {"reference": reference})
        assert answer.status_code == 422
        assert 'class="wrong"' in answer.content.decode()


def test_whoever_comes_second_is_told_how_it_stands(owed, finance, manager):
    payout = a_payout(owed, finance, manager)
    finance.client.post(f"{page_of(payout)}/cancel")
    late = finance.client.post(f"{page_of(payout)}/pay", {"reference": "SEPA 1"})
    assert late.status_code == 409
    assert "This payout was cancelled." in text(late)


def test_a_second_payout_to_the_same_party_is_refused_in_words(owed, finance):
    a_payout(owed, finance)
    answer = finance.client.post(f"{party_of(owed)}/payout", {"once": "k2"})
    assert answer.status_code == 409
    assert "waits already" in text(answer)


def test_while_a_payout_waits_none_is_offered_and_the_page_leads_to_it(owed, finance):
    assert "Proposes to pay 25.00 EUR; 0.00 EUR stays owed." in text(
        finance.client.get(party_of(owed))
    )
    payout = a_payout(owed, finance)
    for url in ("/finance", party_of(owed)):
        page = finance.client.get(url).content.decode()
        assert page_of(payout) in page
        assert f"{party_of(owed)}/payout" not in page, "no form is left"


def test_what_is_less_than_a_cent_is_not_offered(tester, reviewer, finance):
    a_rate(tester.programme.id, 9_999)
    an_earning(tester, reviewer)
    for url in ("/finance", party_of(tester)):
        assert f"{party_of(tester)}/payout" not in finance.client.get(url).content.decode()


def test_nobody_proposes_for_themselves(programme, reviewer):
    both = a_member(programme, Role.TESTER, Role.FINANCE, name="both")
    a_rate(programme.id)
    an_earning(both, reviewer)
    page = both.client.get(party_of(both))
    assert "This is your own money" in text(page)
    assert "Propose payout" not in text(page)
    assert both.client.post(f"{party_of(both)}/payout", {"once": "k"}).status_code == 403


def test_somebody_erased_is_still_owed_and_shown_by_their_party(owed, finance):
    owed.person.delete()
    words = text(finance.client.get("/finance"))
    assert shown("party", owed.party_id) in words
    assert "tester@studio.example" not in words
    assert finance.client.get(party_of(owed)).status_code == 200


@pytest.mark.parametrize("who", ["tester", "reviewer", "stranger"])
def test_finances_room_is_not_there_for_others(owed, finance, request, who):
    member = request.getfixturevalue(who)
    payout = a_payout(owed, finance)
    for url in ("/finance", party_of(owed), page_of(payout)):
        assert member.client.get(url).status_code == 404
    for url in (f"{party_of(owed)}/payout", *(f"{page_of(payout)}/{m}" for m in ("pay", "cancel"))):
        assert member.client.post(url, {"once": "k", "reference": "x"}).status_code == 404
    assert Payout.objects.get().state == State.PROPOSED


def test_another_programmes_finance_finds_nothing_here(owed, finance, stranger):
    theirs = a_member(stranger.programme, Role.FINANCE, name="their finance")
    payout = a_payout(owed, finance)
    urls = [party_of(owed), page_of(payout), f"/finance/payouts/{shown('payout', new_id())}"]
    for url in [*urls, "/finance/parties/par_nothing", "/finance/payouts/pay_nothing"]:
        assert theirs.client.get(url).status_code == 404
    assert theirs.client.post(f"{page_of(payout)}/cancel").status_code == 404
    assert theirs.client.post(f"{party_of(owed)}/payout", {"once": "k"}).status_code == 404
