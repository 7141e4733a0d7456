"""References at once: the last place is one reference's, and what goes is shown by no new job."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection

from core.errors import InvalidOrder
from core.ids import new_id, shown
from generation.jobs.commands import submit_job
from generation.jobs.conditions import WishedCondition
from generation.jobs.models import Job
from generation.references.models import Reference, ReferenceStill
from generation.references.rules import MOST_REFERENCES
from stage.builders import a_model, a_reference, a_wish
from stage.cast import Member
from stage.database import Database
from stage.together import wait_until

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ANOTHER = (
    "INSERT INTO generation_reference SELECT n.* FROM"
    " (SELECT * FROM generation_reference LIMIT 1) r,"
    " jsonb_populate_record(NULL::generation_reference, to_jsonb(r) || jsonb_build_object("
    "'id', %(id)s::text, 'storage_key', %(id)s::text, 'made_at', core_now())) n"
)
NOT_ALONE = (
    "CREATE OR REPLACE FUNCTION references_one_at_a_time(party uuid) RETURNS void LANGUAGE sql"
    " AS $$ SELECT NULL::void $$"
)
ALONE = "SELECT pg_get_functiondef('references_one_at_a_time'::regproc)"
LAW = "SELECT pg_get_functiondef('generation_condition_law'::regproc)"


def meanwhile(database: Database, first: Callable[[Any], None], second: Callable[[], Any]) -> Any:
    """``first`` is written and not committed when ``second`` begins; what became of that."""

    def apart() -> Any:
        try:
            return second()
        except (InvalidOrder, IntegrityError) as refused:
            return refused
        finally:
            connection.close()

    with database.connect() as other, ThreadPoolExecutor(1) as pool:
        first(other)
        answer: Future[Any] = pool.submit(apart)
        wait_until(lambda: answer.done() or database.waiting())
        other.commit()
        return answer.result(60)


def the_last_place_twice(database: Database, tester: Member) -> Any:
    for _ in range(MOST_REFERENCES - 1):
        a_reference(tester)
    return meanwhile(
        database,
        lambda other: other.execute(ANOTHER, {"id": str(new_id())}),
        lambda: a_reference(tester),
    )


def test_the_last_place_is_taken_once(database: Database, tester: Member) -> None:
    answer = the_last_place_twice(database, tester)
    assert "a_tester_keeps_so_much" in str(answer.__cause__.diag.constraint_name)
    assert Reference.objects.count() == MOST_REFERENCES


def test_without_the_guard_it_is_taken_twice(database: Database, tester: Member) -> None:
    (law,) = database.superuser.execute(ALONE).fetchone()
    database.superuser.execute(NOT_ALONE)
    try:
        the_last_place_twice(database, tester)
    finally:
        database.superuser.execute(law)
    assert Reference.objects.count() == MOST_REFERENCES + 1


def shown_while_it_goes(database: Database, tester: Member) -> Any:
    a_model(modes=["text", "image"], most_conditions=1)
    reference = a_reference(tester)
    ReferenceStill.objects.create(
        reference=reference,
        frame=0,
        sha256="ef" * 32,
        bytes=10,
        width=64,
        height=48,
        storage_key=f"references/{reference.id}/0.png",
    )
    assert tester.actor
    removed = (
        "UPDATE generation_reference SET removed_at = core_now(), due_at = core_now(),"
        " removed_why = 'owner'"
    )
    wish = a_wish(conditions=(WishedCondition(shown("reference", reference.id)),))
    return meanwhile(
        database,
        lambda other: other.execute(removed),
        lambda: submit_job(actor=tester.actor, wish=wish),
    )


def test_what_is_removed_meanwhile_is_shown_by_no_job(database: Database, tester: Member) -> None:
    answer = shown_while_it_goes(database, tester)
    assert isinstance(answer, InvalidOrder)
    assert answer.code == "reference_unknown"
    assert not Job.objects.exists()


def test_without_the_lock_a_job_shows_what_is_gone(database: Database, tester: Member) -> None:
    (law,) = database.superuser.execute(LAW).fetchone()
    database.superuser.execute(law.replace("FOR SHARE", ""))
    try:
        assert isinstance(shown_while_it_goes(database, tester), Job)
    finally:
        database.superuser.execute(law)
    assert Job.objects.get().conditions.get().reference.removed_at is not None
