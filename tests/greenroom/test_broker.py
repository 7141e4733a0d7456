"""The filesystem broker: whole messages or none, in order, and a worker that nothing stops."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Exchange, Producer, Queue
from kombu.exceptions import ChannelError, OperationalError
from kombu.transport import filesystem

from greenroom import broker
from greenroom.broker import Transport, broker_url, transport_options

MESSAGES = 20_000
PRODUCERS = CONSUMERS = 4

# Producers and consumers in processes of their own.
CROWD = """
import json, os, sys, time
from queue import Empty
from kombu import Connection, Exchange, Producer, Queue
import greenroom.broker

role, number, url, options, count, out, stop = sys.argv[1:]
queue = Queue("work", Exchange("work", type="direct"), routing_key="work", durable=True)
connection = Connection(url, transport_options=json.loads(options))
channel = connection.channel()
queue(channel).declare()
if role == "produce":
    producer = Producer(channel)
    for n in range(int(count)):
        producer.publish({"n": f"{number}-{n}"}, exchange=queue.exchange, routing_key="work")
else:
    with open(out, "a", buffering=1) as seen:
        while True:
            over = os.path.exists(stop)
            message = channel.basic_get("work", no_ack=True)
            if message is not None:
                seen.write(message.decode()["n"] + "\\n")
            elif over:
                break
            else:
                time.sleep(0.0005)
"""


def _start(role: str, number: int, url: str, options: str, count: int, folder: Path):
    arguments = [role, str(number), url, options, str(count), str(folder / f"seen-{number}")]
    return subprocess.Popen(
        [sys.executable, "-c", CROWD, *arguments, str(folder / "stop")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stderr=subprocess.PIPE,
        text=True,
    )


def _crowd(url: str, options: str, folder: Path, each: int) -> tuple[list[str], Counter[str]]:
    """Runs producers and consumers to the end; what went wrong in them, and what was received."""
    consumers = [_start("consume", n, url, options, 0, folder) for n in range(CONSUMERS)]
    producers = [_start("produce", n, url, options, each, folder) for n in range(PRODUCERS)]
    complaints = [process.communicate(timeout=240)[1] for process in producers]
    (folder / "stop").touch()
    complaints += [process.communicate(timeout=240)[1] for process in consumers]
    seen: Counter[str] = Counter()
    for file in folder.glob("seen-*"):
        seen.update(file.read_text().split())
    return [text for text in complaints if "Error" in text], seen


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "broker"


@pytest.fixture
def connection(folder: Path):
    with Connection(broker_url(folder), transport_options=transport_options()) as made:
        yield made


def _queue(name: str = "house") -> Queue:
    return Queue(name, Exchange(name, type="direct"), routing_key=name)


def _send(connection: Connection, body: Any, queue: str = "house", **options: Any) -> None:
    with connection.channel() as channel:
        Producer(channel).publish(
            body,
            exchange=_queue(queue).exchange,
            routing_key=queue,
            declare=[_queue(queue)(channel)],
            serializer="json",
            **options,
        )


def _ring(connection: Connection, task: str = "house.pump", **headers: Any) -> None:
    """What Celery publishes for a task without arguments."""
    company = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    _send(
        connection,
        [[], {}, company],
        headers={"task": task, "id": os.urandom(8).hex(), "eta": None, "group": None, **headers},
    )


def _received(connection: Connection, queue: str = "house") -> list[Any]:
    with connection.channel() as channel:
        found = []
        while (message := channel.basic_get(queue, no_ack=True)) is not None:
            found.append(message.decode())
        return found


def _waiting(folder: Path, queue: str = "house") -> list[Path]:
    return sorted((folder / "queues" / f"q.{queue}").glob("*.msg"))


@pytest.mark.slow
def test_many_producers_and_consumers_lose_double_and_damage_nothing(tmp_path, folder):
    options = json.dumps({"pending_limit": 10 * MESSAGES})
    complaints, seen = _crowd(broker_url(folder), options, tmp_path, MESSAGES // PRODUCERS)

    assert complaints == []
    assert len(seen) == MESSAGES
    assert set(seen.values()) == {1}
    assert list((folder / "damaged").iterdir()) == []
    assert list((folder / "writing").iterdir()) == []
    assert list((folder / "claimed").iterdir()) == []


def _look_while_it_is_written(monkeypatch, module, connection) -> list[Any]:
    """Publishes one message; a consumer looks at the moment when its content is being made."""
    seen: list[Any] = []
    dumps = module.dumps

    def interrupted(payload: Any) -> str:
        with connection.channel() as consumer:
            try:
                message = consumer.basic_get("house", no_ack=True)
                seen.append(message and message.decode())
            except ValueError as error:
                seen.append(error)
        return dumps(payload)

    with connection.channel() as channel:
        _queue()(channel).declare()
        monkeypatch.setattr(module, "dumps", interrupted)
        Producer(channel).publish({"n": 1}, exchange="house", routing_key="house")
        monkeypatch.undo()
        message = channel.basic_get("house", no_ack=True)
        seen.append(message and message.decode())
    return seen


def test_a_consumer_never_sees_half_a_message(connection, monkeypatch):
    assert _look_while_it_is_written(monkeypatch, broker, connection) == [None, {"n": 1}]


def test_the_stock_transport_breaks_its_consumer_and_loses_the_message(tmp_path, monkeypatch):
    """The control: the same moment, without our transport."""
    for name in ("data", "control", "processed"):
        (tmp_path / name).mkdir()
    options = {
        "data_folder_in": str(tmp_path / "data"),
        "data_folder_out": str(tmp_path / "data"),
        "control_folder": str(tmp_path / "control"),
        "processed_folder": str(tmp_path / "processed"),
        "store_processed": True,
    }
    with Connection("filesystem://", transport_options=options) as connection:
        broken, after = _look_while_it_is_written(monkeypatch, filesystem, connection)

    assert isinstance(broken, json.JSONDecodeError)
    assert after is None


def test_messages_come_out_in_the_order_they_went_in(connection, folder):
    for n in range(120):
        _send(connection, {"n": n})

    assert [body["n"] for body in _received(connection)] == list(range(120))
    assert _waiting(folder) == []


def test_names_sort_by_time_across_a_reboot(connection, folder):
    _send(connection, {"n": 2})
    (young,) = _waiting(folder)
    stamp = young.name.partition("-")[0]

    assert len(stamp) == 20
    assert abs(int(stamp) - time.time_ns()) < 60 * 10**9


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"body": "half of a mess',
        b"\xff\xfe\x00",
        b"[]",
        b"{}",
        b'{"properties": {}}',
        b'{"body": "x", "properties": {"delivery_tag": "1", "body_encoding": "base64"}}',
        b'{"body": "e30=", "headers": [1], "properties": {"delivery_tag": "1"}}',
    ],
)
def test_a_damaged_message_is_set_aside_and_the_next_one_is_served(
    connection, folder, content, caplog
):
    _send(connection, {"n": 1})
    _send(connection, {"n": 2})
    first, _second = _waiting(folder)
    first.write_bytes(content)

    assert [body["n"] for body in _received(connection)] == [2]
    assert [file.name for file in (folder / "damaged").iterdir()] == [first.name]
    assert "damaged message" in caplog.text


def test_a_damaged_exchange_table_is_set_aside_and_made_anew(connection, folder):
    _send(connection, {"n": 1})
    (folder / "exchanges" / "house.exchange").write_bytes(b"")

    Transport.states.clear()  # as in another process
    with Connection(broker_url(folder)) as second, second.channel() as channel:
        _queue()(channel).declare()
        assert channel.get_table("house") == [("house", "", "house")]


def test_identical_doorbells_wait_once(connection, folder):
    for _ in range(50):
        _ring(connection)
        _ring(connection, "house.sweep")

    assert len(_waiting(folder)) == 2
    assert len(_received(connection)) == 2
    _ring(connection)
    assert len(_waiting(folder)) == 1  # taken, so the next ring is heard again


@pytest.mark.parametrize(
    "headers", [{"eta": "2026-01-01T00:00:00"}, {"group": "g"}, {"expires": 5}]
)
def test_a_task_that_says_more_than_ring_is_never_merged(connection, folder, headers):
    for _ in range(3):
        _ring(connection, **headers)

    assert len(_waiting(folder)) == 3


def test_a_task_with_arguments_is_never_merged(connection, folder):
    for _ in range(3):
        _send(connection, [[1], {}, {}], headers={"task": "house.pump"})

    assert len(_waiting(folder)) == 3


def test_a_queue_that_nobody_reads_refuses_at_its_limit(folder):
    options = {**transport_options(), "pending_limit": 10}
    with Connection(broker_url(folder), transport_options=options) as connection:
        for n in range(10):
            _send(connection, {"n": n})
        with pytest.raises((ChannelError, OperationalError)):
            for n in range(10):
                _send(connection, {"n": n})

    assert len(_waiting(folder)) == 10


def test_old_talk_makes_room_for_new_talk(folder):
    options = {**transport_options(), "pending_limit": 10}
    name = "celery@dead.celery.pidbox"
    with Connection(broker_url(folder), transport_options=options) as connection:
        with connection.channel() as channel:
            _queue(name)(channel).declare()
            for n in range(40):
                Producer(channel).publish({"n": n}, exchange=name, routing_key=name)
        bodies = [body["n"] for body in _received(connection, name)]

    assert len(bodies) < 40
    assert bodies[-1] == 39


def test_reply_queues_of_the_dead_are_cleared_away(connection, folder):
    orphan = "0f0f.reply.celery.pidbox"
    with connection.channel() as channel:
        exchange = Exchange("reply.celery.pidbox", type="direct")
        Queue(orphan, exchange, routing_key="0f0f")(channel).declare()
        home = folder / "queues" / f"q.{orphan}"
        (home / "left.msg").write_text("{}")
        os.utime(home, (0, 0))
        Queue("1e1e.reply.celery.pidbox", exchange, routing_key="1e1e")(channel).declare()

        assert not home.exists()
        assert [entry.queue for entry in channel.get_table(exchange.name)] == [
            "1e1e.reply.celery.pidbox"
        ]


def test_a_deleted_queue_leaves_no_folder(connection, folder):
    _send(connection, {"n": 1}, "gone")
    with connection.channel() as channel:
        queue = _queue("gone")(channel)
        queue.queue_bind()
        queue.delete()

    assert not (folder / "queues" / "q.gone").exists()


def test_nobody_else_can_read_or_plant_a_message(connection, folder):
    old = os.umask(0)
    try:
        _send(connection, {"n": 1})
    finally:
        os.umask(old)

    loose = [
        path
        for path in (folder, *folder.rglob("*"))
        if path.is_dir() and stat.S_IMODE(path.stat().st_mode) != 0o700
    ]
    assert loose == []


def test_a_queue_name_cannot_leave_the_folder(connection, folder):
    _send(connection, {"n": 1}, "../../escape")

    assert not (folder.parent / "escape").exists()
    assert [body["n"] for body in _received(connection, "../../escape")] == [1]


def test_what_a_killed_process_left_is_cleared_at_the_next_start(connection, folder):
    _send(connection, {"n": 1})
    for name in ("writing", "claimed"):
        (folder / name / "old").touch()
        os.utime(folder / name / "old", (0, 0))
        (folder / name / "young").touch()

    with Connection(broker_url(folder)) as again:
        again.connect()

    for name in ("writing", "claimed"):
        assert [file.name for file in (folder / name).iterdir()] == ["young"]


def test_a_full_disk_is_told_to_the_publisher_and_leaves_nothing(connection, folder, monkeypatch):
    _send(connection, {"n": 1})

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises((ChannelError, OperationalError)):
        _send(connection, {"n": 2})

    assert list((folder / "writing").iterdir()) == []
    assert len(_waiting(folder)) == 1


def test_a_relative_folder_is_refused():
    with pytest.raises(ValueError, match="absolute"):
        Connection("doorbell://localhost/var/broker").connect()


@pytest.mark.slow
def test_celery_runs_on_it(tmp_path, folder):
    """A real worker takes a ring that a real application published, and merged ones run once."""
    program = f"""
from celery import Celery
from greenroom.broker import broker_url, transport_options
from pathlib import Path
app = Celery("t", broker=broker_url(Path({str(folder)!r})))
app.conf.update(broker_transport_options=transport_options(), task_ignore_result=True,
                worker_hijack_root_logger=False)
@app.task
def pump():
    with open({str(tmp_path / "ran")!r}, "a") as file:
        file.write("x")
"""
    (tmp_path / "bell.py").write_text(program)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}
    for name in ("DJANGO_SETTINGS_MODULE", "CELERY_BROKER_URL"):
        env.pop(name, None)  # the broker alone, without our applications
    run = [sys.executable, "-m", "celery", "-A", "bell", "worker", "-P", "solo", "-n", "bell@here"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING"]
    ring = "import bell; [bell.pump.delay() for _ in range(20)]"
    subprocess.run([sys.executable, "-c", ring], env=env, check=True, timeout=60)
    worker = subprocess.Popen([*run, *quiet], env=env, cwd=tmp_path)
    try:
        until = time.monotonic() + 60
        while not (tmp_path / "ran").exists() and time.monotonic() < until:
            time.sleep(0.1)
        ask = [sys.executable, "-m", "celery", "-A", "bell", "inspect", "ping", "-t", "60"]
        answered = subprocess.run(
            [*ask, "-d", "bell@here"],
            check=False,
            env=env,
            cwd=tmp_path,
            capture_output=True,
            timeout=90,
        )
    finally:
        worker.terminate()
        worker.wait(timeout=60)

    assert (tmp_path / "ran").read_text() == "x"
    assert b"pong" in answered.stdout
