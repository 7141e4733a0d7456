"""A clip is extended in the moment in which its files go: one of the two, never both."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from core.clock import now
from core.errors import InvalidOrder
from core.ids import shown
from generation.clips.commands import announce_removal
from generation.clips.models import Removal
from generation.jobs.commands import submit_job
from generation.jobs.models import Job
from stage.builders import a_clip, a_model, a_wish
from stage.together import wait_until

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

GUARD = "SELECT pg_get_functiondef('clip_one_at_a_time'::regproc)"
NO_GUARD = (
    "CREATE OR REPLACE FUNCTION clip_one_at_a_time(wanted uuid) RETURNS void LANGUAGE sql"
    " AS $$ SELECT NULL::void $$"
)


@pytest.fixture
def clip(tester):
    a_model(modes=["text", "image"], most_conditions=1)
    found = a_clip(tester)
    announce_removal(clip=found, why=Removal.Why.OWNER, due_at=now())
    assert tester.actor
    return found


def extend_while_the_files_go(database, tester, clip) -> str:
    """The removal is written and not committed when the owner extends the clip."""

    def extend() -> str:
        try:
            submit_job(actor=tester.actor, wish=a_wish(extends=shown("clip", clip.id)))
        except InvalidOrder as refusal:
            return refusal.code
        finally:
            connection.close()
        return "ordered"

    with database.connect() as remover, ThreadPoolExecutor(1) as pool:
        remover.execute("SELECT clip_one_at_a_time(%s)", [clip.id])
        remover.execute("UPDATE generation_removal SET done_at = core_now()")
        owner = pool.submit(extend)
        wait_until(lambda: owner.done() or database.waiting())
        remover.commit()
        return owner.result()


def test_what_goes_first_goes_alone(database, tester, clip):
    assert extend_while_the_files_go(database, tester, clip) == "extended_clip_removed"
    assert Removal.objects.get().done_at is not None
    assert Job.objects.count() == 1


def test_without_the_guard_a_job_extends_a_clip_without_files(database, tester, clip):
    (guard,) = database.superuser.execute(GUARD).fetchone()
    database.superuser.execute(NO_GUARD)
    try:
        assert extend_while_the_files_go(database, tester, clip) == "ordered"
    finally:
        database.superuser.execute(guard)
    assert Removal.objects.get().done_at is not None
    assert Job.objects.filter(extends=clip).exists()
