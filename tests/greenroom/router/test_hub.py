"""The fan-out: who hears what, how often, and for how long."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace

import pytest

from core.ids import new_id, shown
from greenroom.router import hub as hub_module
from greenroom.router.authentication import Credential
from greenroom.router.hub import Hub, Stream, TooManyStreams
from greenroom.router.problems import Unavailable


def _credential(rows, party):
    token = rows.add_token(party)
    return Credential(rows.by_key_id[token[6:18]])


def _note(job, **changed):
    said = {"party": str(job.party_id), "kind": "job", "id": str(job.job_id), **changed}
    return json.dumps(said)


def _events(content: bytes):
    """(event, data) pairs."""
    found = []
    for block in content.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "data" in lines:
            found.append((lines.get("event"), json.loads(lines["data"])))
    return found


def _taken(stream: Stream):
    return _events(stream.take(asyncio.get_running_loop().time()))


@pytest.fixture
def party():
    return new_id()


@pytest.fixture
def live():
    return {"answer": True}


@pytest.fixture
def new_hub(rows, live):
    async def is_still_live(_credential):
        if isinstance(live["answer"], Exception):
            raise live["answer"]
        return live["answer"]

    return lambda: Hub(rows, is_still_live)


def test_a_stream_begins_with_the_present(rows, new_hub, party):
    queued = rows.add_job(party)
    clip = new_id()
    running = rows.add_job(
        party, state="running", stage="steps", steps_done=7, place=None, eta_s=4, clip_id=clip
    )
    rows.add_job(party, state="finished")
    rows.add_job(new_id())

    async def story():
        stream = await new_hub().join(_credential(rows, party))
        return _taken(stream)

    first, second, last = asyncio.run(story())
    assert first[1]["id"] == shown("job", queued.job_id)
    assert second == (
        "job",
        {
            "id": shown("job", running.job_id),
            "state": "running",
            "stage": "steps",
            "step": 7,
            "steps": 20,
            "place": None,
            "eta_s": 4,
            "clip": shown("clip", clip),
        },
    )
    ids = [shown("job", queued.job_id), shown("job", running.job_id)]
    assert last == ("snapshot", {"jobs": ids})


def test_a_change_reaches_every_stream_of_its_party_and_nobody_else(rows, new_hub, party):
    job = rows.add_job(party)

    async def story():
        hub = new_hub()
        mine = [await hub.join(_credential(rows, party)) for _ in range(3)]
        others = await hub.join(_credential(rows, new_id()))
        for stream in (*mine, others):
            _taken(stream)
        rows.jobs[job.job_id] = replace(job, state="finished")
        hub.hear(_note(job))
        await asyncio.sleep(0.05)
        return [_taken(stream) for stream in mine], _taken(others)

    heard, others = asyncio.run(story())
    assert [events[0][1]["state"] for events in heard] == ["finished"] * 3
    assert others == []
    assert len(rows.looks) == 1


def test_a_notification_cannot_send_a_job_to_another_party(rows, new_hub, party):
    theirs = rows.add_job(new_id())

    async def story():
        hub = new_hub()
        stream = await hub.join(_credential(rows, party))
        _taken(stream)
        hub.hear(_note(theirs, party=str(party)))
        await asyncio.sleep(0.05)
        return _taken(stream)

    assert asyncio.run(story()) == []


def test_a_job_that_changes_fast_is_looked_at_twice_a_second_at_most(rows, new_hub, party):
    job = rows.add_job(party, state="running")

    async def story():
        hub = new_hub()
        stream = await hub.join(_credential(rows, party))
        began = time.monotonic()
        step = 0
        while time.monotonic() - began < 1.3:
            step += 1
            rows.jobs[job.job_id] = replace(job, steps_done=step)
            hub.hear(_note(job))
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.6)
        return step, _taken(stream)

    last, events = asyncio.run(story())
    assert 3 <= len(rows.looks) <= 5
    assert events[-1][1]["step"] == last  # the last state is never lost


def test_a_slow_reader_holds_one_state_per_job(rows, new_hub, party):
    jobs = [rows.add_job(party) for _ in range(5)]

    async def story():
        hub = new_hub()
        stream = await hub.join(_credential(rows, party))
        for step in range(300):
            for job in jobs:
                stream.push(job.job_id, replace(job, steps_done=step).event())
        return _taken(stream)

    events = asyncio.run(story())
    assert len(events) == 6
    assert {data["step"] for name, data in events if name == "job"} == {299}


def test_a_reader_with_too_much_waiting_is_dropped(rows, new_hub, party):
    async def story():
        stream = await new_hub().join(_credential(rows, party))
        for _ in range(hub_module.WAITING_AT_MOST + 1):
            stream.push(new_id(), b"x")
        return stream.closed

    assert asyncio.run(story()) == "slow"


def test_nobody_listening_means_no_look(rows, new_hub, party):
    job = rows.add_job(party)

    async def story():
        hub = new_hub()
        hub.hear(_note(job))
        stream = await hub.join(_credential(rows, party))
        hub.leave(stream)
        hub.hear(_note(job))
        await asyncio.sleep(0.05)
        return list(hub.streams())

    assert asyncio.run(story()) == []
    assert rows.looks == []


@pytest.mark.parametrize(
    "payload",
    ["", "null", "[]", "{}", '{"kind": "job", "party": "x", "id": "y"}', '{"kind": "job"}', "\x00"],
)
def test_a_notification_that_nobody_understands_is_ignored(new_hub, payload, caplog):
    async def story():
        new_hub().hear(payload)

    asyncio.run(story())
    assert "nobody understands" in caplog.text


def test_news_of_other_things_is_none_of_its_business(new_hub, caplog):
    async def story():
        new_hub().hear('{"kind": "token", "party": null, "id": "x"}')
        new_hub().hear('{"kind": "job", "party": null, "id": "x"}')

    asyncio.run(story())
    assert caplog.text == ""


def test_six_streams_of_one_credential_and_no_more(rows, new_hub, party):
    async def story():
        hub = new_hub()
        mine = _credential(rows, party)
        streams = [await hub.join(mine) for _ in range(6)]
        with pytest.raises(TooManyStreams):
            await hub.join(mine)
        await hub.join(_credential(rows, party))  # another credential of the same person
        hub.leave(streams[0])
        await hub.join(mine)

    asyncio.run(story())


def test_a_failed_start_gives_its_place_back(rows, new_hub, party):
    async def story():
        hub = new_hub()
        rows.away = True
        for _ in range(10):
            with pytest.raises(Unavailable):
                await hub.join(_credential(rows, party))
        return list(hub.streams())

    assert asyncio.run(story()) == []


def test_after_an_absence_everybody_gets_the_present_again(rows, new_hub, party):
    job = rows.add_job(party)

    async def story():
        hub = new_hub()
        streams = [await hub.join(_credential(rows, party)) for _ in range(2)]
        for stream in streams:
            _taken(stream)
        rows.jobs[job.job_id] = replace(job, state="finished")
        await hub.refresh()
        return [_taken(stream) for stream in streams]

    assert asyncio.run(story()) == [[("snapshot", {"jobs": []})]] * 2


def test_a_look_that_failed_is_tried_again(rows, new_hub, party, monkeypatch):
    monkeypatch.setattr(hub_module, "LOOK_AGAIN_S", 0.05)
    job = rows.add_job(party)

    async def story():
        hub = new_hub()
        stream = await hub.join(_credential(rows, party))
        _taken(stream)
        rows.away = True
        hub.hear(_note(job))
        await asyncio.sleep(0.1)
        rows.away = False
        await asyncio.sleep(0.2)
        return _taken(stream)

    assert [data["id"] for _, data in asyncio.run(story())] == [shown("job", job.job_id)]


def test_a_stream_ends_when_its_credential_does(rows, new_hub, live, party, monkeypatch):
    monkeypatch.setattr(hub_module, "CONFIRM_EVERY_S", 0.05)

    async def story():
        hub = new_hub()
        stream = await hub.join(_credential(rows, party))
        confirming = asyncio.create_task(hub.keep_confirming())
        await asyncio.sleep(0.2)
        assert not stream.closed
        live["answer"] = False
        await asyncio.sleep(0.2)
        confirming.cancel()
        return stream.closed

    assert asyncio.run(story()) == "ended"


def test_nothing_is_sent_on_a_credential_that_was_not_confirmed(
    rows, new_hub, live, party, monkeypatch
):
    monkeypatch.setattr(hub_module, "CONFIRM_EVERY_S", 0.05)
    monkeypatch.setattr(hub_module, "CONFIRMED_FOR_S", 0.2)
    live["answer"] = Unavailable()

    async def story():
        hub = new_hub()
        stream = await hub.join(_credential(rows, party))
        confirming = asyncio.create_task(hub.keep_confirming())
        await asyncio.sleep(0.4)
        held_back = _taken(stream)
        assert not stream.closed
        live["answer"] = True
        await asyncio.sleep(0.2)
        confirming.cancel()
        return held_back, _taken(stream)

    held_back, sent = asyncio.run(story())
    assert held_back == []
    assert [name for name, _ in sent] == ["snapshot"]


def test_a_credential_that_cannot_be_confirmed_for_long_ends(
    rows, new_hub, live, party, monkeypatch
):
    monkeypatch.setattr(hub_module, "CONFIRM_EVERY_S", 0.05)
    monkeypatch.setattr(hub_module, "UNCONFIRMED_AT_MOST_S", 0.2)
    live["answer"] = Unavailable()

    async def story():
        hub = new_hub()
        stream = await hub.join(_credential(rows, party))
        confirming = asyncio.create_task(hub.keep_confirming())
        await asyncio.sleep(0.5)
        confirming.cancel()
        return stream.closed

    assert asyncio.run(story()) == "unconfirmed"


def test_many_streams_of_one_credential_are_confirmed_by_one_question(rows, party, monkeypatch):
    monkeypatch.setattr(hub_module, "CONFIRM_EVERY_S", 0.1)
    asked = []

    async def is_still_live(credential):
        asked.append(credential.id)
        return True

    async def story():
        hub = Hub(rows, is_still_live)
        credential = _credential(rows, party)
        for _ in range(6):
            await hub.join(credential)
        confirming = asyncio.create_task(hub.keep_confirming())
        await asyncio.sleep(0.15)
        confirming.cancel()

    asyncio.run(story())
    assert len(asked) == 1
