"""The composer: what was shown is what is charged, or it is shown again."""

from __future__ import annotations

import pytest

from accounts.programmes.commands import close_programme
from generation.jobs.models import Job

FORM = {
    "prompt": "a paper boat",
    "model": "still",
    "size": "128x96",
    "seconds": "2",
    "tier": "standard",
    "key": "a-key",
}


@pytest.mark.parametrize("shown", ["1", "²", "9" * 5000, "-2", "two"])
def test_another_price_than_the_one_shown_orders_nothing(tester, model, shown):
    answer = tester.client.post("/clips/new", {**FORM, "shown_credits": shown})

    assert answer.status_code == 422
    assert "The price is 2 credits now" in answer.text
    assert not Job.objects.exists()


@pytest.mark.parametrize("shown", ["2", ""])
def test_the_price_shown_is_the_price_charged(tester, model, shown):
    answer = tester.client.post("/clips/new", {**FORM, "shown_credits": shown})

    assert answer.status_code == 302
    assert Job.objects.get().price_credits == 2


def test_where_nothing_can_be_made_there_is_no_button_but_the_reason(tester, model):
    button = '<button class="button full tall" type="submit">Make this clip'
    assert button in tester.client.get("/clips/new").text
    tester.client.get("/agreement")
    tester.client.post("/agreement/decline", {"version": "1"})
    page = tester.client.get("/clips/new").text
    assert button not in page
    assert "New clips wait for your yes" in page
    tester.client.post("/agreement/accept", {"version": "1"})
    assert button in tester.client.get("/clips/new").text
    close_programme(programme_id=tester.programme.id)
    page = tester.client.get("/clips/new").text
    assert button not in page
    assert "The programme is closed at the moment." in page.partition('<aside class="panel"')[0]
    assert "Nothing can be made until then." in page
