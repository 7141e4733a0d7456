"""A clip is put forward in the moment in which its files go: one of the two, never both."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from core.clock import now
from core.ids import shown
from generation.clips.commands import FilesRemoved, announce_removal
from generation.clips.models import Removal
from review.credits.rules import DisplayForm
from review.submissions.commands import submit_clip
from review.submissions.models import Case
from stage.builders import a_clip
from stage.review import open_review
from stage.together import wait_until

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

GUARD = "SELECT pg_get_functiondef('clip_one_at_a_time'::regproc)"
NO_GUARD = (
    "CREATE OR REPLACE FUNCTION clip_one_at_a_time(wanted uuid) RETURNS void LANGUAGE sql"
    " AS $$ SELECT NULL::void $$"
)


@pytest.fixture
def clip(programme, tester):
    open_review(programme)
    found = a_clip(tester)
    announce_removal(clip=found, why=Removal.Why.ERASURE, due_at=now())
    assert tester.actor
    return found


def put_forward_while_the_files_go(database, tester, clip) -> str:
    """The removal is written and not committed when the owner puts the clip forward."""

    def put_forward() -> str:
        try:
            submit_clip(
                actor=tester.actor,
                clip_id=shown("clip", clip.id),
                display_form=DisplayForm.NONE,
            )
        except FilesRemoved:
            return "refused"
        finally:
            connection.close()
        return "sealed"

    with database.connect() as remover, ThreadPoolExecutor(1) as pool:
        remover.execute("SELECT clip_one_at_a_time(%s)", [clip.id])
        remover.execute("UPDATE generation_removal SET done_at = core_now()")
        owner = pool.submit(put_forward)
        wait_until(lambda: owner.done() or database.waiting())
        remover.commit()
        return owner.result()


def test_what_goes_first_goes_alone(database, tester, clip):
    assert put_forward_while_the_files_go(database, tester, clip) == "refused"
    assert Removal.objects.get().done_at is not None
    assert not Case.objects.exists()


def test_without_the_guard_a_clip_without_files_is_judged(database, tester, clip):
    (guard,) = database.superuser.execute(GUARD).fetchone()
    database.superuser.execute(NO_GUARD)
    try:
        assert put_forward_while_the_files_go(database, tester, clip) == "sealed"
    finally:
        database.superuser.execute(guard)
    assert Removal.objects.get().done_at is not None
    assert Case.objects.get().closed_at is None
