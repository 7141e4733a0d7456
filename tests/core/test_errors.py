"""A refusal is a value: a kind, a code, a sentence; one table knows what it means in HTTP."""

from __future__ import annotations

import json

import pytest

from core import errors
from core.errors import HTTP_STATUS, TITLES, Kind, QuotaExceeded, Refusal


def every_refusal() -> list[type[Refusal]]:
    found, waiting = [], [Refusal]
    while waiting:
        each = waiting.pop()
        found.append(each)
        waiting += each.__subclasses__()
    return [each for each in found if each.__module__.split(".")[0] != "tests"]


def test_every_kind_has_a_status_and_a_title():
    assert set(HTTP_STATUS) == set(TITLES) == set(Kind)
    assert all(400 <= status < 600 for status in HTTP_STATUS.values())


@pytest.mark.parametrize("refusal", every_refusal(), ids=lambda each: each.__name__)
def test_every_refusal_has_a_kind_of_the_table_and_a_code(refusal):
    assert refusal.kind in Kind
    assert refusal.code.replace("_", "").isalpha()


def test_a_refusal_of_quota_says_what_was_asked_what_is_left_and_where():
    refused = QuotaExceeded(asked=7, left=3, budget="your credits", budget_kind="credits")
    assert refused.http_status == 429
    assert all(part in refused.sentence for part in ("7", "3", "your credits"))
    assert json.loads(json.dumps(refused.facts)) == {
        "asked": 7,
        "left": 3,
        "budget": "your credits",
        "budget_kind": "credits",
    }


def test_absent_and_not_yours_are_the_same_value():
    one, other = errors.Absent(), errors.Absent()
    assert (one.sentence, one.facts, one.code) == (other.sentence, other.facts, other.code)
    assert one.facts == {}
