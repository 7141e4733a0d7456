"""The same request twice does the deed once and answers twice."""

from __future__ import annotations

import threading

import pytest
from django.db import transaction

from core.audit.commands import record
from core.audit.models import AuditEvent
from core.errors import InvalidOrder, KeyReused
from core.idempotency.commands import AlreadyAnswered, Once, forget_old_answers
from core.idempotency.models import KeptAnswer
from core.ids import new_id
from stage.together import wait_until

transactional = pytest.mark.django_db(transaction=True)


class Refused(Exception):
    pass


def once(payload: object = None, *, key: str = "k-1", scope: str = "jobs") -> Once:
    return Once.of(scope=scope, key=key, payload=payload)


def do(mine: Once, *, fails: bool = False) -> int:
    with transaction.atomic():
        mine.begin()
        record("deed.done", subject=("job", new_id()))
        if fails:
            raise Refused
        mine.keep(201, {"id": 1})
    return 201


def deeds() -> int:
    return AuditEvent.objects.filter(kind="deed.done").count()


def test_a_repetition_gets_the_first_answer_and_does_nothing(db):
    do(once({"a": 1, "b": 2}))
    with pytest.raises(AlreadyAnswered) as again:
        do(once({"b": 2, "a": 1}))
    assert (again.value.status, again.value.body) == (201, {"id": 1})
    assert deeds() == 1


def test_another_payload_under_the_same_key_is_refused_and_does_nothing(db):
    do(once({"a": 1}))
    with pytest.raises(KeyReused):
        do(once({"a": 2}))
    assert deeds() == 1


def test_the_same_key_in_another_scope_is_another_key(db):
    do(once(scope="jobs"))
    do(once(scope="tokens"))
    assert deeds() == 2


def test_a_refused_attempt_keeps_nothing_and_may_be_tried_again(db):
    with pytest.raises(Refused):
        do(once({"a": 1}), fails=True)
    assert not KeptAnswer.objects.exists()
    do(once({"a": 2}))
    assert deeds() == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "ключ", "x" * 256, "tab\t", "line\n"])
def test_a_key_that_could_not_travel_in_a_header_is_refused(key):
    with pytest.raises(InvalidOrder) as refused:
        once(key=key)
    assert refused.value.code == "idempotency_key_invalid"


@transactional
def test_of_many_at_the_same_moment_one_does_the_deed_and_all_have_its_answer(at_once):
    answers = at_once(16, lambda _number: do(once({"a": 1})))
    assert answers.count(201) == 1
    others = [answer for answer in answers if answer != 201]
    assert all(isinstance(answer, AlreadyAnswered) for answer in others)
    assert all((answer.status, answer.body) == (201, {"id": 1}) for answer in others)
    assert deeds() == 1


@transactional
def test_who_waited_for_a_refused_attempt_does_the_deed(at_once, database):
    begun = threading.Event()

    def one(number: int) -> int | None:
        if number == 0:
            with pytest.raises(Refused), transaction.atomic():
                once().begin()
                begun.set()
                wait_until(database.waiting)
                raise Refused
            return None
        begun.wait(60)
        return do(once())

    assert at_once(2, one) == [None, 201]
    assert deeds() == 1


def test_answers_are_forgotten_after_their_time_and_not_before(db, clock):
    clock.stop()
    do(once(key="old"))
    clock.advance(days=20)
    do(once(key="young"))
    clock.advance(days=11)
    assert forget_old_answers() == 1
    assert [kept.key for kept in KeptAnswer.objects.all()] == ["young"]
