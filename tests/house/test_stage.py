"""The stage keeps what it promises to every other test."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection
from django.test import TransactionTestCase

from accounts.quotas.queries import discrepancies
from core.clock import now
from core.outbox.models import OutboxMessage
from generation.jobs.rules import State
from stage.builders import a_clip, a_job
from stage.network import NetworkBlocked

transactional = pytest.mark.django_db(transaction=True)


def test_the_application_role_owns_nothing_and_can_make_nothing(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user::text, rolsuper, rolcreatedb, rolcreaterole,"
            " (SELECT count(*) FROM pg_class WHERE relowner = r.oid)"
            " FROM pg_roles r WHERE rolname = current_user"
        )
        assert cursor.fetchone() == ("greenroom_app", False, False, False, 0)


def test_a_queued_job_has_its_price_reserved(tester, model):
    job = a_job(tester)
    assert (job.state, job.price_credits) == ("queued", 1)
    assert discrepancies() == []


@pytest.mark.parametrize("state", State.values)
def test_a_job_can_be_had_in_every_state(state, tester):
    job = a_job(tester, state=state)
    assert job.state == state
    assert discrepancies() == []


def test_a_clip_is_there_with_its_files(tester, settings):
    clip = a_clip(tester)
    kept = {each.kind: settings.MEDIA_FOLDER / each.storage_key for each in clip.renditions.all()}
    assert set(kept) == {"master", "poster", "sprite", "index", "proxy"}
    assert all(path.stat().st_size for path in kept.values())


@transactional
@pytest.mark.parametrize("round_", [1, 2])
def test_what_a_test_commits_is_gone_before_the_next(round_, tester):
    a_job(tester)
    assert OutboxMessage.objects.filter(kind="job.queued").count() == 1


@transactional
def test_a_transaction_left_open_is_ended_by_the_reset(database, programme):
    left_open = database.connect()
    left_open.execute("UPDATE accounts_programme SET is_open = false WHERE id = %s", [programme.id])
    database.reset()
    with pytest.raises(psycopg.OperationalError):
        left_open.execute("SELECT 1")


@pytest.mark.parametrize("wish", ["reset_sequences", "serialized_rollback", "fixtures"])
def test_what_only_an_owner_could_do_for_a_test_is_refused(wish, django_db_setup):
    asking = type("Asking", (TransactionTestCase,), {wish: True})
    with pytest.raises(TypeError, match="application role"):
        asking._fixture_setup()


@pytest.mark.django_db
def test_the_clock_is_the_real_one_until_it_is_set(clock):
    assert abs(now() - datetime.now(UTC)) < timedelta(minutes=5)
    clock.set(datetime(2031, 5, 1, tzinfo=UTC))
    clock.advance(days=7)
    assert now() == datetime(2031, 5, 8, tzinfo=UTC)


@pytest.mark.django_db
def test_a_running_clock_moved_ahead_goes_on_running(clock):
    clock.advance(days=30)
    assert now() > datetime.now(UTC) + timedelta(days=29)


def test_the_network_is_out_of_reach():
    import socket

    with pytest.raises(NetworkBlocked):
        socket.create_connection(("192.0.2.1", 80))
    with pytest.raises(NetworkBlocked):
        socket.getaddrinfo("example.org", 80)
