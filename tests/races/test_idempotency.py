"""The same request, sent again and again at the same moment."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.quotas.models import Reservation
from accounts.quotas.queries import discrepancies
from core.audit.models import AuditEvent
from core.errors import KeyReused
from core.idempotency.commands import AlreadyAnswered, Once
from core.ids import shown
from core.outbox.models import OutboxMessage
from generation.jobs.commands import submit_job
from generation.jobs.models import Job
from stage.builders import a_model, a_wish

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

AT_ONCE = 50


def answer(job: Job) -> tuple[int, Any]:
    return 201, {"id": shown("job", job.id)}


def once(payload: object = "the same") -> Once:
    return Once.of(scope="jobs", key="k-1", payload=payload)


def ids_of(answers: list[Any]) -> set[str]:
    """The job each answer names, first or repeated."""
    return {shown("job", each.id) if isinstance(each, Job) else each.body["id"] for each in answers}


@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.slow)])
def test_fifty_or_a_thousand_duplicates_make_one_job_and_all_hear_of_it(tester, at_once, rounds):
    a_model()
    actor = tester.actor

    def insist(_number: int) -> list[Any]:
        answers: list[Any] = []
        for _ in range(rounds):
            try:
                answers.append(submit_job(actor=actor, wish=a_wish(), once=once(), answer=answer))
            except AlreadyAnswered as repeated:
                answers.append(repeated)
        return answers

    outcomes = at_once(AT_ONCE, insist)
    assert not [each for each in outcomes if isinstance(each, Exception)]
    answers = [each for one in outcomes for each in one]
    assert len(answers) == AT_ONCE * rounds
    job = Job.objects.get()
    assert ids_of(answers) == {shown("job", job.id)}
    assert sum(isinstance(each, Job) for each in answers) == 1
    assert Reservation.objects.count() == 1
    assert AuditEvent.objects.filter(kind="job.submitted").count() == 1
    assert OutboxMessage.objects.filter(kind="job.queued").count() == 1
    assert discrepancies() == []


def test_of_two_payloads_under_one_key_one_wins_and_the_other_is_told(tester, at_once):
    a_model()
    actor = tester.actor

    def one(number: int) -> Any:
        return submit_job(
            actor=actor, wish=a_wish(seed=number % 2), once=once(number % 2), answer=answer
        )

    outcomes = at_once(16, one)
    job = Job.objects.get()
    assert sum(isinstance(each, Job) for each in outcomes) == 1
    assert sum(isinstance(each, AlreadyAnswered) for each in outcomes) == 7
    assert sum(isinstance(each, KeyReused) for each in outcomes) == 8
    assert all(isinstance(each, KeyReused) for each in outcomes[1 - job.seed :: 2])


def test_control_without_a_key_every_request_makes_a_job(tester, at_once):
    a_model()
    actor = tester.actor
    at_once(AT_ONCE, lambda _number: submit_job(actor=actor, wish=a_wish()))
    assert Job.objects.count() == AT_ONCE
