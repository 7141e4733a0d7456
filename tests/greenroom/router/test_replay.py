"""What happened, on live streams: in order, each once, and again after a lost connection."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace

import pytest

from accounts.webhooks.events import TABLE
from core.ids import new_id, shown
from greenroom.router import database
from greenroom.router import hub as hub_module
from greenroom.router.authentication import Credential
from greenroom.router.hub import Hub
from greenroom.router.replay import (
    REPLAYED_AT_MOST,
    Position,
    before,
    read_position,
)


def _read(content: bytes):
    """(event, id, data) of each block."""
    found = []
    for block in content.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "data" in lines:
            found.append((lines["event"], lines.get("id"), json.loads(lines["data"])))
    return found


def _taken(stream):
    return _read(stream.take(asyncio.get_running_loop().time()))


def _note(party, **changed):
    return json.dumps({"party": str(party), "kind": "case", "id": str(new_id()), **changed})


@pytest.fixture
def party():
    return new_id()


@pytest.fixture
def new_hub(rows, monkeypatch):
    monkeypatch.setattr(hub_module, "LOOK_EVERY_S", 0.01)

    async def is_still_live(_credential):
        return True

    return lambda: Hub(rows, is_still_live)


@pytest.fixture
def credential(rows, party):
    def make(*scopes, **changed):
        token = rows.add_token(party, scopes or ("clips:read", "submissions:read"))
        return Credential(replace(rows.by_key_id[token[6:18]], **changed))

    return make


async def _told(hub, stream, party, how_many):
    """The news that come until there are so many, or for a while."""
    found = []
    hub.hear(_note(party, said="case.decided"))
    for _ in range(200):
        found += [one for one in _taken(stream) if one[0] not in {"job", "snapshot"}]
        if len(found) >= how_many:
            break
        await asyncio.sleep(0.01)
    return found


# Places ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("xid", [0, 7, 2**40, 2**63 - 1])
def test_a_place_is_read_as_it_was_written(xid):
    place = Position(xid, new_id())
    assert read_position(str(place)) == place
    assert before(xid) < place < before(xid + 1)


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "1-", "-1", "1-2", "0x1-00000000000000000000000000", "01-" + "0" * 26),
        *("9223372036854775808-" + "0" * 26, "1-" + "z" * 26, "1-" + "0" * 27, " 1-" + "0" * 26),
    ],
)
def test_what_no_stream_gave_is_no_place(text):
    assert read_position(text) is None


# One stream --------------------------------------------------------------------------------------


def test_what_happens_is_told_with_its_id_and_as_a_webhook_would(rows, new_hub, party, credential):
    async def story():
        hub = new_hub()
        stream = await hub.join(credential())
        (start,) = _taken(stream)
        one = rows.add_happening(party, "case.decided", facts={"outcome": "declined", "round": 1})
        return start, one, await _told(hub, stream, party, 1)

    start, one, (told,) = asyncio.run(story())
    assert start[0] == "snapshot"
    assert read_position(start[1]) < one.position
    assert told == (
        "review.declined",
        str(one.position),
        {
            "id": shown("event", one.message_id),
            "object": "event",
            "type": "review.declined",
            "created_at": int(one.at.timestamp()),
            "data": {"id": shown("submission", one.subject_id), "round": 1},
        },
    )


def test_whoever_comes_back_hears_what_they_missed_and_nothing_twice(
    rows, new_hub, party, credential
):
    async def story():
        hub = new_hub()
        first = await hub.join(credential())
        heard = rows.add_happening(party)
        (told,) = await _told(hub, first, party, 1)
        hub.leave(first)
        missed = [rows.add_happening(party) for _ in range(3)]
        back = await hub.join(credential(), read_position(told[1]))
        again = _taken(back)
        later = rows.add_happening(party)
        return heard, missed, again, later, await _told(hub, back, party, 1)

    heard, missed, again, later, news = asyncio.run(story())
    assert [one[1] for one in again[:-1]] == [str(one.position) for one in missed]
    assert str(heard.position) not in [one[1] for one in again]
    assert again[-1][0] == "snapshot"
    assert [one[1] for one in news] == [str(later.position)]


def test_a_stream_that_was_dropped_after_its_snapshot_goes_on_from_there(
    rows, new_hub, party, credential
):
    async def story():
        hub = new_hub()
        rows.add_happening(party)
        ((_, place, _),) = _taken(await hub.join(credential()))
        missed = rows.add_happening(party)
        return missed, _taken(await hub.join(credential(), read_position(place)))

    missed, (told, snapshot) = asyncio.run(story())
    assert told[1] == str(missed.position)
    assert snapshot[0] == "snapshot"


def test_ids_only_grow_on_a_stream(rows, new_hub, party, credential):
    async def story():
        hub = new_hub()
        stream = await hub.join(credential())
        ids = [one[1] for one in _taken(stream)]
        for _ in range(5):
            rows.add_happening(party)
            await hub.refresh()
            await asyncio.sleep(0.03)
            ids += [one[1] for one in _taken(stream)]
        return [read_position(each) for each in ids if each]

    places = asyncio.run(story())
    assert len(places) > 6
    assert places == sorted(places)


def test_what_is_committed_but_not_in_order_yet_waits(rows, new_hub, party, credential):
    """A lower transaction still runs: its row comes first, however late it commits."""

    async def story():
        hub = new_hub()
        rows.watermark = 5
        stream = await hub.join(credential())
        _taken(stream)
        late = rows.add_happening(party, xid=7)
        rows.watermark = 5
        hub.hear(_note(party, said="job.finished"))
        await asyncio.sleep(0.1)
        meanwhile = _taken(stream)
        early = rows.add_happening(party, xid=6)
        rows.watermark = 8  # nobody says so: the look goes on by itself
        told = []
        for _ in range(200):
            await asyncio.sleep(0.01)
            told += _taken(stream)
            if len(told) == 2:
                break
        return meanwhile, early, late, told

    meanwhile, early, late, told = asyncio.run(story())
    assert meanwhile == []
    assert [one[1] for one in told] == [str(early.position), str(late.position)]


def test_whoever_missed_too_much_is_told_so_and_begins_anew(rows, new_hub, party, credential):
    async def story():
        hub = new_hub()
        ((_, place, _),) = _taken(await hub.join(credential()))
        for _ in range(REPLAYED_AT_MOST + 1):
            rows.add_happening(party)
        back = await hub.join(credential(), read_position(place))
        first = _taken(back)
        one = rows.add_happening(party)
        return place, first, one, await _told(hub, back, party, 1)

    place, (missed, snapshot), one, (told,) = asyncio.run(story())
    assert missed == ("missed", None, {"after": place})
    assert snapshot[0] == "snapshot"
    assert told[1] == str(one.position)


def test_a_place_of_another_house_is_answered_like_one_too_old(rows, new_hub, party, credential):
    async def story():
        hub = new_hub()
        return _taken(await hub.join(credential(), before(rows.watermark + 1000)))

    assert [one[0] for one in asyncio.run(story())] == ["missed", "snapshot"]


def test_each_kind_of_news_asks_its_own_scope_and_programme(rows, new_hub, party, credential):
    here, elsewhere = new_id(), new_id()

    async def story():
        hub = new_hub()
        stream = await hub.join(credential("clips:read", programme_id=here))
        _taken(stream)
        own = rows.add_happening(party, programme_id=here)
        rows.add_happening(party, programme_id=elsewhere)
        rows.add_happening(party, "submission.sealed", programme_id=here)
        rows.add_happening(party, "case.claimed", programme_id=here)
        of_none = rows.add_happening(party)
        return own, of_none, await _told(hub, stream, party, 2)

    own, of_none, told = asyncio.run(story())
    assert [one[1] for one in told] == [str(own.position), str(of_none.position)]


def test_every_kind_that_webhooks_tell_has_a_name_on_streams(rows, party):
    for one in TABLE:
        happened = rows.add_happening(party, one.kind, facts={**one.example, **one.where})
        assert happened.type == one


# A server ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["nonsense", "1-2", "99999999999999999999-" + "0" * 26])
def test_an_id_that_is_none_of_ours_is_refused(served, rows, party, text):
    cookie = f"greenroom_session={rows.add_session(party)}"
    answer = served.ask("/events", **{"Cookie": cookie, "Last-Event-ID": text})
    assert answer.status == 400
    assert json.loads(answer.content)["code"] == "event_id_invalid"


def test_the_programme_of_every_thing_is_asked_for():
    """Without one it would be told to a token of any programme."""
    asked = set(re.findall(r"WHEN '(\w+)'", database._HAPPENED))
    assert asked == {each.thing for each in TABLE}
