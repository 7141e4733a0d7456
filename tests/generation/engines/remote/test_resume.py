"""A later attempt goes on where an earlier one left off, and pays once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest

from generation.engines.protocol import EngineFailure, FailureCode, Stage, Stopped


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "kept" / "of-this-job"


def hang_up(handler):
    handler.close_connection = True


def away_for_one_attempt(server, engine, order, watching, kept):
    server.faults["look"] = [hang_up]
    server.stays = {"look"}
    with pytest.raises(EngineFailure) as failed:
        list(engine.render(order, watching(), kept=kept))
    assert failed.value.code is FailureCode.REMOTE_AWAY
    server.faults, server.stays = {}, set()


def test_a_job_that_is_still_there_is_fetched_and_not_ordered_twice(
    loaded, order_of, watching, kept
):
    server, engine, folder = loaded("sglang")
    order = order_of(checkpoint=folder)
    away_for_one_attempt(server, engine, order, watching, kept)
    assert list(server.jobs) == ["video-1"], "a server that is only away keeps the job"
    assert len(list(engine.render(order, watching(), kept=kept))) == 9
    assert len(server.did("POST")) == 1
    assert server.jobs == {}
    assert not list(kept.iterdir()), "and of the note nothing is left"


def test_a_job_that_is_gone_is_ordered_anew(loaded, order_of, watching, kept):
    server, engine, folder = loaded("sglang")
    order = order_of(checkpoint=folder)
    away_for_one_attempt(server, engine, order, watching, kept)
    server.forget_all()
    assert len(list(engine.render(order, watching(), kept=kept))) == 9
    assert len(server.did("POST")) == 2


def test_a_job_that_failed_meanwhile_is_ordered_anew(loaded, order_of, watching, kept):
    server, engine, folder = loaded("vllm-omni")
    order = order_of(checkpoint=folder)
    away_for_one_attempt(server, engine, order, watching, kept)
    server.jobs["video-1"].update(status="failed", error={"code": 500, "message": "x"}, polls=99)
    server.fails_with = {"code": 500, "message": "x"}

    def recovers(handler):
        handler.server.fails_with = None
        handler._look()

    server.faults["look"] = [lambda handler: handler._look(), recovers]
    assert len(list(engine.render(order, watching(), kept=kept))) == 9
    assert len(server.did("POST")) == 2


def test_the_note_of_another_order_is_not_believed(loaded, order_of, watching, kept):
    server, engine, folder = loaded("sglang")
    away_for_one_attempt(server, engine, order_of(checkpoint=folder), watching, kept)
    list(engine.render(order_of(checkpoint=folder, seed=8), watching(), kept=kept))
    assert [each.fields["seed"] for each in server.did("POST")] == [7, 8]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"id": "../x"}', '{"order": 1, "id": 5}', "\x00" * 100]
)
def test_a_damaged_note_is_no_note(text, loaded, order_of, watching, kept):
    kept.mkdir(parents=True)
    (kept / "remote.json").write_text(text)
    server, engine, folder = loaded("sglang")
    assert len(list(engine.render(order_of(checkpoint=folder), watching(), kept=kept))) == 9
    assert len(server.did("POST")) == 1


def test_a_note_with_an_evil_id_asks_for_nothing_else(loaded, order_of, watching, kept):
    server, engine, folder = loaded("sglang")
    order = order_of(checkpoint=folder)
    away_for_one_attempt(server, engine, order, watching, kept)
    note = json.loads((kept / "remote.json").read_text())
    (kept / "remote.json").write_text(json.dumps(note | {"id": "../../admin"}))
    list(engine.render(order, watching(), kept=kept))
    assert not [each for each in server.said if "admin" in each.path]


def test_a_create_whose_answer_was_lost_is_not_paid_twice(loaded, order_of, watching, kept):
    """Where the dialect knows a token: within one attempt, and across two."""
    server, engine, folder = loaded("greenroom", limits={"connect_s": 2, "away_s": 0.3})

    def lost(handler):
        handler.wfile.write = lambda _data: 0  # the job is made, the answer never leaves
        handler._create(server.said[-1])
        handler.close_connection = True

    server.faults["create"] = [lost]
    order = order_of(checkpoint=folder)
    assert len(list(engine.render(order, watching(), kept=kept))) == 9
    assert len(server.tokens) == 1
    assert len({each.headers["idempotency-key"] for each in server.did("POST")}) == 1

    server.faults["create"], server.stays = [lost], {"create"}
    with pytest.raises(EngineFailure):
        list(engine.render(order, watching(), kept=kept))
    server.faults, server.stays = {}, set()
    assert len(list(engine.render(order, watching(), kept=kept))) == 9
    assert len(server.tokens) == 2


def test_a_create_whose_answer_was_lost_is_not_repeated_without_a_token(loaded, order_of, watching):
    server, engine, folder = loaded("sglang")
    server.faults["create"] = [hang_up]
    with pytest.raises(EngineFailure):
        list(engine.render(order_of(checkpoint=folder), watching()))
    assert len(server.did("POST")) == 1


def test_two_jobs_with_the_same_order_are_two_clips(loaded, order_of, watching, tmp_path):
    server, engine, folder = loaded("greenroom")
    order = order_of(checkpoint=folder)
    for name in ("one", "two"):
        list(engine.render(order, watching(), kept=tmp_path / name))
    assert len(server.tokens) == 2


def test_a_cancelled_job_leaves_no_note(loaded, order_of, watching, kept):
    server, engine, folder = loaded("sglang")
    with pytest.raises(Stopped):
        list(
            engine.render(
                order_of(checkpoint=folder), watching(stop_at=(Stage.DENOISE, 1)), kept=kept
            )
        )
    assert server.jobs == {}
    assert not list(kept.iterdir())


def test_a_clip_that_was_garbage_is_not_fetched_again(loaded, order_of, watching, kept, film_of):
    server, engine, folder = loaded("sglang")
    order = order_of(checkpoint=folder)
    good, server.film = server.film, film_of(order, frames=8)
    with pytest.raises(EngineFailure) as failed:
        list(engine.render(order, watching(), kept=kept))
    assert failed.value.code is FailureCode.REMOTE_GARBAGE
    server.film = good
    assert len(list(engine.render(order, watching(), kept=kept))) == 9
    assert len(server.did("POST")) == 2


RENDERS = """
import json, sys
from pathlib import Path
from generation.engines.order import order_from
from generation.engines.protocol import Watch
from generation.engines.remote.engine import RemoteEngine

class Quiet(Watch):
    def tick(self, stage, step, steps):
        pass

order = order_from(json.loads(sys.argv[1]))
engine = RemoteEngine()
engine.load(order.checkpoint)
list(engine.render(order, Quiet(), kept=Path(sys.argv[2])))
"""


@pytest.mark.slow
def test_a_worker_that_was_killed_while_it_waited_costs_no_second_clip(
    loaded, order_of, watching, kept
):
    server, engine, folder = loaded("sglang")
    order = order_of(checkpoint=folder)
    server.polls_needed = 10**6
    is_polling = threading.Event()

    def polled(handler):
        is_polling.set()
        handler._look()

    server.faults["look"], server.stays = [polled], {"look"}
    worker = subprocess.Popen([sys.executable, "-c", RENDERS, json.dumps(order.as_dict()), kept])
    assert is_polling.wait(30)
    worker.kill()
    worker.wait()
    assert list(server.jobs) == ["video-1"]
    server.faults, server.stays, server.polls_needed = {}, set(), 0
    assert len(list(engine.render(order, watching(), kept=kept))) == 9
    assert len(server.did("POST")) == 1
