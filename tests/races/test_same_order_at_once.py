"""Impatient clients: the same order, many times at once."""

from __future__ import annotations

import pytest

from accounts.quotas.queries import discrepancies
from generation.jobs.models import Job
from stage.builders import a_model
from stage.cast import api_of

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ORDER = {"prompt": "a paper boat", "model": "still", "size": "128x96", "seconds": 1, "seed": 7}
CLIENTS = 16


def orders(tester, at_once, headers):
    a_model()
    token = tester.token()

    def order(_number):
        return api_of(token).post("/api/v1/jobs", ORDER, headers=headers)

    return at_once(CLIENTS, order)


def test_one_key_makes_one_job_and_sixteen_equal_answers(tester, at_once):
    answers = orders(tester, at_once, {"idempotency-key": "once"})
    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert sum("Idempotent-Replayed" not in answer for answer in answers) == 1
    assert Job.objects.count() == 1
    assert discrepancies() == []


def test_control_without_a_key_each_order_is_one_more_job(tester, at_once):
    answers = orders(tester, at_once, {})
    assert {answer.status_code for answer in answers} == {201}
    assert Job.objects.count() == CLIENTS
