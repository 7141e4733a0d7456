"""The operator's door to rates and the ledger."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.quotas.commands import raise_budget
from accounts.quotas.models import Kind as BudgetKind
from accounts.rates.models import Rate
from core.ids import shown
from core.money import MICRO
from review.ledger.models import LedgerTransaction
from review.ledger.queries import treasury_of

pytestmark = pytest.mark.django_db


def said(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def publish(**options: Any) -> str:
    usual = {"programme": "studio", "kind": "release", "amount": "25.00"}
    flags = [f"--{name}={value}" for name, value in (usual | options).items()]
    return said("rate", "publish", *flags)


def test_a_rate_is_published_and_listed(programme):
    line = publish(words="As agreed")
    rate = Rate.objects.get()
    assert rate.amount_micro == 25 * MICRO
    assert line.startswith(f"studio {shown('rate', rate.id)} release 25 EUR from ")
    assert line.strip().endswith("(As agreed)")
    assert said("rate", "list", "--programme=studio") == said("rate", "list") == line


def test_a_rate_may_begin_later_and_be_smaller_than_a_cent(programme):
    publish(**{"from": "2199-05-01T00:00:00+02:00", "amount": "0.0037", "kind": "feedback"})
    rate = Rate.objects.get()
    assert rate.amount_micro == 3_700
    assert rate.applies_from.isoformat() == "2199-04-30T22:00:00+00:00"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"programme": "nowhere"}, "no programme"),
        ({"amount": "much"}, "figures"),
        ({"amount": "-1"}, "figures"),
        ({"from": "2001-01-01T00:00:00Z"}, "now or later"),
        ({"from": "2199-05-01T00:00:00"}, "zone"),
        ({"from": "2199-13-01T00:00:00Z"}, "zone"),
        ({"from": "soon"}, "zone"),
        ({"kind": "dancing"}, "invalid choice"),
    ],
)
def test_a_rate_that_cannot_be_is_refused_in_a_sentence(programme, options, words):
    with pytest.raises(CommandError, match=words):
        publish(**options)
    assert not Rate.objects.exists()


def test_the_operator_sets_money_aside(programme):
    line = said("ledger", "fund", "--programme=studio", "--amount=1000.00")
    funding = LedgerTransaction.objects.get()
    assert line == f"{shown('transaction', funding.id)} 1000 EUR set aside\n"
    assert treasury_of(programme.id).amount_micro == 1_000 * MICRO


@pytest.mark.parametrize(
    "flags",
    [
        ["--programme=nowhere", "--amount=1"],
        ["--programme=studio", "--amount=one"],
        ["--programme=studio", "--amount=0.001"],
        ["--programme=studio", "--amount=0"],
    ],
)
def test_a_funding_that_cannot_be_is_refused(programme, flags):
    with pytest.raises(CommandError):
        said("ledger", "fund", *flags)
    assert not LedgerTransaction.objects.exists()


def test_the_proof_is_silent_while_everything_adds_up(programme):
    said("ledger", "fund", "--programme=studio", "--amount=1000.00")
    assert said("ledger", "prove") == ""


def test_the_proof_fails_and_says_where(programme):
    raise_budget(programme_id=programme.id, kind=BudgetKind.MONEY, by=7)
    out = StringIO()
    with pytest.raises(CommandError, match="1 sums"):
        call_command("ledger", "prove", stdout=out)
    assert out.getvalue() == (
        f"{shown('programme', programme.id)}: the money budget is what was set aside,"
        " but 7 stands where 0 should\n"
    )
