"""The composer: what was shown is what is charged, or it is shown again."""

from __future__ import annotations

import pytest

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
