"""The whole way through pages and forms, without a script: prompt, review, appeal, release, pay."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from journeys.forms import Forms, send

from accounts.quotas.queries import discrepancies
from accounts.rates.commands import publish_rate
from accounts.rates.rules import ActKind
from core.ids import shown
from core.money import MICRO
from core.outbox.commands import deliver
from generation.catalogue.commands import offer_still_model
from generation.worker.identity import this_worker
from generation.worker.rendering import render_next
from review.decisions.commands import decide_due
from review.ledger.commands import record_funding_at_the_machine
from review.ledger.queries import ledger_discrepancies
from stage.cast import ADDRESS, Member
from stage.clock import Clock
from stage.review import REASON, open_review

pytestmark = pytest.mark.django_db(transaction=True)


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
    publish_rate(programme_id=programme.id, kind=ActKind.RELEASE, amount_micro=25 * MICRO)
    record_funding_at_the_machine(programme_id=programme.id, amount_micro=100 * MICRO)
    public = Client(headers={"host": ADDRESS})
    assert "25.00" in public.get(f"/programmes/{programme.slug}").text
    artist = tester.client

    clip = a_clip_by(artist)
    sent = send(artist, f"/submissions/new?clip={clip}", "/submissions/new", note="Please look.")
    submission = sent.redirect_chain[-1][0]
    assert "1st of 1" in sent.text

    case = take(reviewer)
    wrong = {"outcome": "declined", "clause": "1", "reason": "No."}
    answer = send(reviewer.client, case, "/verdict", status=422, **wrong)
    # The page comes again with what was typed and what is wrong with it.
    assert "at least 20 characters" in answer.text
    send_verdict(reviewer, case, clock, outcome="declined", clause="1")
    deliver("notices")
    assert "There is a decision about your clip" in artist.get("/").text
    told = artist.get(submission).text
    assert REASON in told
    assert "clause 1" in told
    assert second_reviewer.party_id.hex not in told

    send(artist, submission, "/appeal", text="It is a mask; look at frame 3.")
    assert "Nothing waits" in take_nothing(reviewer)
    case = take(second_reviewer)
    send_verdict(second_reviewer, case, clock, outcome="approved", reversal="fact_wrong")
    assert "You can release it" in artist.get(submission).text

    send(artist, f"/releases/new?clip={clip}", f"/releases/new?clip={clip}", title="A harbour")
    assert "A harbour" in public.get("/showcase").text
    release = re.search(r"/showcase/rel_[0-9a-z]{26}", public.get("/showcase").text)[0]
    assert public.get(release).status_code == 200
    assert "25.00" in artist.get("/earnings").text

    pay_out(tester, finance, manager)
    lines = artist.get("/earnings").text
    assert "SEPA 1" in lines
    assert statement_in(lines) == statement_in(
        finance.client.get(f"/finance/parties/{shown('party', tester.party_id)}").text
    )
    figures = public.get(f"/programmes/{programme.slug}/figures").text
    assert "25.00" in figures

    send(artist, f"/clips/{clip}", "/take-down")
    assert public.get(release).status_code == 404
    assert "A harbour" not in public.get("/showcase").text
    record = artist.get(f"/clips/{clip}").text
    said = ("Put the clip forward", "Declined it.", "Appealed.", "Overturned", "Released it.")
    for sentence in said:
        assert sentence in record
    assert discrepancies() == []
    assert ledger_discrepancies() == []


def a_clip_by(artist: Client) -> str:
    typed = {"prompt": "A harbour", "model": "still", "size": "640x360", "seconds": "1"}
    form = {"tier": "standard", "seed": "7", **typed}
    # Without a script the price is asked for first, and the same form is sent again.
    priced = send(artist, "/clips/new", "/clips/new", status=422, **form)
    fields = next(fields for action, fields in Forms(priced.text).found if action == "/clips/new")
    assert fields["shown_credits"] == "1"
    made = artist.post("/clips/new", {**fields, **form}, follow=True)
    assert render_next(this_worker())
    page = artist.get(made.redirect_chain[-1][0]).text
    found = re.search(r"clp_[0-9a-z]{26}", page)
    assert found
    return found[0]


def take(reviewer: Member) -> str:
    """The address of the case that the desk gave."""
    answer = send(reviewer.client, "/desk", "/desk/next")
    address: str = answer.redirect_chain[-1][0]
    assert "/desk/cases/cas_" in address
    return address


def take_nothing(reviewer: Member) -> str:
    text: str = send(reviewer.client, "/desk", "/desk/next").text
    return text


def send_verdict(reviewer: Member, case: str, clock: Clock, **typed: str) -> None:
    said = {"reason": REASON, "frame_from": "2", "frame_to": "5", **typed}
    pressed = send(reviewer.client, case, "/verdict", **said)
    assert "Take it back" in pressed.text
    clock.advance(seconds=11)
    assert decide_due() == 1


def pay_out(tester: Member, finance: Member, manager: Member) -> None:
    party = shown("party", tester.party_id)
    proposed = send(finance.client, f"/finance/parties/{party}", "/payout")
    payout = proposed.redirect_chain[-1][0]
    send(manager.client, payout, "/approve")
    paid = send(finance.client, payout, "/pay", reference="SEPA 1")
    assert "Paid" in paid.text


def statement_in(page: str) -> str:
    """The words of the table of lines: the very same for the tester and for finance."""
    table = re.search(r'<table class="statement">.*?</table>', page, re.DOTALL)
    assert table
    return " ".join(re.sub(r"<[^>]*>", " ", table[0]).split())
