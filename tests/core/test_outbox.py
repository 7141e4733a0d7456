"""Every listener hears every message, in commit order, exactly once, whatever dies meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from django.db import transaction

from core.audit.commands import record
from core.audit.models import AuditEvent
from core.ids import new_id
from core.outbox import commands
from core.outbox.commands import deliver, say
from core.outbox.models import OutboxCursor, OutboxMessage

transactional = pytest.mark.django_db(transaction=True)
KILLED = Path(__file__).with_name("killed_deliverer.py")


@pytest.fixture
def witness(monkeypatch):
    """Makes listeners that write down, in the database, whom they heard."""

    def made(name: str, *, fails_at: UUID | None = None) -> str:
        turn = count()

        def hear(message: OutboxMessage) -> None:
            record("witness.heard", subject=("event", message.id), listener=name, turn=next(turn))
            if message.id == fails_at:
                raise RuntimeError("the listener is at fault")

        monkeypatch.setitem(commands.LISTENERS, name, hear)
        return name

    return made


def tell(kind: str = "thing.happened") -> UUID:
    """One message, committed; returns its id."""
    with transaction.atomic():
        say(kind, subject=("job", new_id()))
    return newest()


def newest() -> UUID:
    return OutboxMessage.objects.order_by("-xid", "-id").values_list("id", flat=True)[0]


def heard_by(name: str) -> list[UUID]:
    lines = AuditEvent.objects.filter(kind="witness.heard", facts__listener=name)
    return list(lines.order_by("xid", "facts__turn").values_list("subject_id", flat=True))


def deliver_all(name: str) -> int:
    total = 0
    while heard := deliver(name):
        total += heard
    return total


@transactional
def test_messages_are_heard_once_and_in_the_order_they_were_committed(witness):
    told = [tell() for _ in range(7)]
    name = witness("ear")
    assert deliver(name) == 7
    assert deliver(name) == 0
    assert heard_by(name) == told


@transactional
def test_more_than_a_batch_is_heard_over_several_rounds(witness):
    with transaction.atomic():
        for _ in range(commands.BATCH * 2 + 50):
            say("thing.happened", subject=("job", new_id()))
    name = witness("ear")
    assert deliver(name) == commands.BATCH
    assert deliver_all(name) == commands.BATCH + 50
    assert len(set(heard_by(name))) == commands.BATCH * 2 + 50


@transactional
def test_a_change_that_is_undone_says_nothing(witness):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        say("thing.happened", subject=("job", new_id()))
        1 / 0  # noqa: B018
    assert deliver(witness("ear")) == 0


@transactional
def test_several_deliverers_of_one_listener_hear_everything_once_between_them(witness, at_once):
    told = [tell() for _ in range(20)]
    name = witness("ear")
    assert sum(at_once(6, lambda _number: deliver_all(name))) == 20
    assert Counter(heard_by(name)) == Counter(told)


@pytest.mark.slow
@transactional
def test_a_deliverer_killed_between_any_two_lines_neither_loses_nor_doubles(database, witness):
    told = [tell() for _ in range(3)]
    done = subprocess.run(
        [sys.executable, str(KILLED)],
        env=database.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = int(done.stdout)
    assert lines > 20, "the tracer saw too little of the deliverer"
    for number in range(1, lines + 2):
        name = witness(f"witness-{number}")
        deliver_all(name)
        assert Counter(heard_by(name)) == Counter(told), f"killed before line {number}"


def messages_after(last: UUID) -> list[UUID]:
    """How a naive reader would ask: ids above the last it saw."""
    found = OutboxMessage.objects.filter(id__gt=last).order_by("id")
    return list(found.values_list("id", flat=True))


def a_slow_writer(database):
    """A transaction that has written its message and does not commit yet, and that message's id."""
    writer = database.connect()
    (first,) = writer.execute(
        "INSERT INTO core_outboxmessage (id, kind, subject_kind, subject_id, facts)"
        " VALUES (%s, 'thing.happened', 'job', %s, '{}') RETURNING id",
        [new_id(), new_id()],
    ).fetchone()
    return writer, first


@transactional
def test_a_message_of_an_older_transaction_that_commits_later_is_not_missed(database, witness):
    name = witness("ear")
    writer, first = a_slow_writer(database)
    with writer:
        second = tell()
        assert deliver(name) == 0, "went past a transaction that still runs"
        writer.commit()
    assert deliver_all(name) == 2
    assert heard_by(name) == [first, second]


@transactional
def test_control_a_reader_of_greater_ids_does_miss_it(database):
    writer, first = a_slow_writer(database)
    with writer:
        second = tell()
        seen = messages_after(UUID(int=0))
        writer.commit()
    assert seen == [second]
    assert first not in seen + messages_after(seen[-1])


@transactional
def test_a_listener_at_fault_pauses_alone_and_goes_on_where_it_stopped(witness, clock):
    told = [tell() for _ in range(4)]
    broken, sound = witness("broken", fails_at=told[2]), witness("sound")
    assert deliver(broken) == 2
    assert deliver(sound) == 4
    assert heard_by(broken) == told[:2], "what the failing call wrote is undone"
    assert deliver(broken) == 0, "it waits"
    witness("broken")  # mended
    assert deliver(broken) == 0, "still waits: its time has not come"
    clock.advance(seconds=5)
    assert deliver_all(broken) == 2
    assert heard_by(broken) == told
    assert OutboxCursor.objects.get(listener=broken).failures == 0


@transactional
def test_the_pause_of_a_listener_grows_to_ten_minutes_and_no_further(witness, clock):
    name = witness("broken", fails_at=tell())
    clock.stop()
    pauses = []
    for _ in range(14):
        deliver(name)
        cursor = OutboxCursor.objects.get(listener=name)
        pauses.append(cursor.retry_at - clock.now())
        clock.set(cursor.retry_at)
        clock.advance(seconds=1)
    assert pauses == sorted(pauses)
    assert pauses[0].total_seconds() == 1
    assert pauses[-1] == commands.LONGEST_PAUSE


@transactional
def test_the_bell_rings_after_the_commit_and_never_for_what_was_undone(monkeypatch):
    rung = []
    monkeypatch.setattr(commands, "BELLS", [rung.append])
    with transaction.atomic():
        say("thing.happened", subject=("job", new_id()))
        assert rung == []
    assert rung == ["thing.happened"]
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        say("thing.undone", subject=("job", new_id()))
        1 / 0  # noqa: B018
    assert rung == ["thing.happened"]


@transactional
def test_who_listens_hears_which_thing_of_whom_changed(as_application):
    party, subject = new_id(), new_id()
    as_application.execute(f"LISTEN {commands.CHANNEL}")
    with transaction.atomic():
        say("job.queued", subject=("job", subject), party=party)
    (rung,) = as_application.notifies(timeout=60, stop_after=1)
    told = {"party": str(party), "kind": "job", "id": str(subject), "said": "job.queued"}
    assert json.loads(rung.payload) == told
