"""What is released is anybody's to open, for exactly as long as it is released."""

from __future__ import annotations

import json
import logging

import pytest

from core.ids import new_id, shown
from greenroom.logs import JsonLines
from review.releases.rules import SECRET_SIGNS, digest_of

CONTENT = bytes(range(256)) * 256
SECRET = "aB3" * 14 + "x"
OTHER = "Zy9" * 14 + "x"


@pytest.fixture
def owner():
    return new_id()


@pytest.fixture
def bearer(rows, owner):
    return {"Authorization": f"Bearer {rows.add_token(owner)}"}


@pytest.fixture
def clip(rows, house, owner):
    return rows.add_file(house.media_folder, owner, CONTENT)


@pytest.fixture
def stranger(rows):
    return {"Authorization": f"Bearer {rows.add_token()}"}


def test_a_released_file_is_everybodys(served, rows, clip, stranger):
    rows.release(clip, None)
    visitors = [
        {},
        stranger,
        {"Authorization": f"Bearer {rows.add_token(scopes=('quota:read',))}"},
        {"Authorization": "Bearer nonsense"},
        {"Cookie": "greenroom_session=signed-out-long-ago"},
    ]
    answers = [served.ask(f"/media/{clip}", **visitor) for visitor in visitors]

    assert [answer.status for answer in answers] == [200] * len(visitors)
    assert {answer.content for answer in answers} == {CONTENT}
    assert {answer.headers["cache-control"] for answer in answers} == {"private, no-cache"}


def test_a_file_by_link_only_is_not_on_the_showcase(served, rows, clip, stranger):
    rows.release(clip, digest_of(SECRET))

    assert served.ask(f"/media/{clip}").status == 401
    assert served.ask(f"/media/{clip}", **stranger).status == 404
    assert served.ask(f"/shared/{SECRET}/{clip}").content == CONTENT


def test_what_is_not_released_is_refused_as_ever(served, rows, clip, stranger):
    absent = f"/media/{shown('rendition', new_id())}"
    unscoped = {"Authorization": f"Bearer {rows.add_token(scopes=('quota:read',))}"}

    assert served.ask(f"/media/{clip}").status == served.ask(absent).status == 401
    assert served.ask(f"/media/{clip}", **unscoped).status == 403
    hidden, none = served.ask(f"/media/{clip}", **stranger), served.ask(absent, **stranger)
    assert (hidden.status, hidden.content) == (none.status, none.content)
    assert none.status == 404


def test_every_dead_link_looks_alike(served, rows, clip, bearer):
    rows.release(clip, digest_of(SECRET))
    other = rows.add_file(served.house.media_folder, new_id(), b"another's")
    ignored = {"x-request-id", "date"}
    answers = [
        served.ask(path, **headers)
        for path in (
            f"/shared/{OTHER}/{clip}",
            f"/shared/{SECRET}/{other}",
            f"/shared/{SECRET}/ren_nonsense",
            f"/shared/short/{clip}",
            f"/shared/{SECRET}x/{clip}",
            f"/shared/{SECRET}/{shown('rendition', new_id())}",
        )
        for headers in ({}, bearer)
    ]

    first, *others = [
        (
            answer.status,
            answer.content,
            {name: value for name, value in answer.headers.items() if name not in ignored},
        )
        for answer in answers
    ]
    assert first[0] == 404
    assert all(other == first for other in others)


@pytest.mark.parametrize("way", ["media", "link"])
def test_it_ends_with_the_next_request(served, rows, clip, way):
    rendition = rows.release(clip, None, digest_of(SECRET))
    path = f"/media/{clip}" if way == "media" else f"/shared/{SECRET}/{clip}"
    etag = served.ask(path).headers["etag"]
    rows.released[rendition] = set()

    for headers in ({}, {"Range": "bytes=0-9"}, {"If_None_Match": etag}):
        answer = served.ask(path, **headers)
        assert answer.status == (401 if way == "media" else 404)
        assert CONTENT[:10] not in answer.content


@pytest.mark.parametrize("way", ["media", "link"])
def test_ranges_conditions_and_head_are_as_for_an_owner(served, rows, clip, bearer, way):
    rows.release(clip, None, digest_of(SECRET))
    path = f"/media/{clip}" if way == "media" else f"/shared/{SECRET}/{clip}"
    etag = served.ask(f"/media/{clip}", **bearer).headers["etag"]
    part = served.ask(path, Range="bytes=10-19")

    assert (part.status, part.content) == (206, CONTENT[10:20])
    assert served.ask(path, If_None_Match=etag).status == 304
    assert served.ask(path, Range=f"bytes={len(CONTENT)}-").status == 416
    head = served.ask(path, method="HEAD")
    assert (head.status, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(CONTENT))
    assert served.ask(path, method="POST").status == 405


def test_the_public_is_recorded_with_the_way_it_came(served, rows, clip, stranger):
    rendition = rows.release(clip, None, digest_of(SECRET))
    served.ask(f"/media/{clip}")
    served.ask(f"/media/{clip}", **stranger)
    served.ask(f"/shared/{SECRET}/{clip}", Range="bytes=0-9")
    served.ask(f"/media/{clip}", method="HEAD")

    assert rows.recorded_public == [(rendition, None)] * 2 + [(rendition, digest_of(SECRET))]
    assert rows.recorded == []


def test_an_owner_is_not_the_public_and_staff_keep_their_own_way(
    served, rows, clip, owner, bearer, stranger
):
    rendition = rows.release(clip, None, digest_of(SECRET))
    viewer = rows.by_key_id[stranger["Authorization"][13:25]].party_id
    rows.viewers[(rendition, viewer)] = "reviewer"
    served.ask(f"/media/{clip}", **bearer)
    served.ask(f"/shared/{SECRET}/{clip}", **bearer)
    served.ask(f"/media/{clip}", **stranger)

    assert rows.recorded_public == []
    assert rows.recorded == [(rendition, viewer)]


def test_what_cannot_be_recorded_is_not_seen(served, rows, clip, monkeypatch):
    rows.release(clip, None)

    async def away(opening, link):
        rows.away = True
        rows._ask()

    monkeypatch.setattr(rows, "record_public", away)
    answer = served.ask(f"/media/{clip}")

    assert answer.status == 503
    assert CONTENT[:100] not in answer.content


def test_what_cannot_be_a_secret_costs_no_query(asks, house, rows):
    for secret in ("x", "a" * (SECRET_SIGNS - 1), "a" * (SECRET_SIGNS + 1), "ä" * SECRET_SIGNS):
        assert asks(house.router, f"/shared/{secret}/ren_{'0' * 26}").status == 404
    assert rows.asked == 0


def test_the_page_of_a_link_is_djangos(asks, house):
    assert f"PATH_INFO=/shared/{SECRET}".encode() in asks(house.router, f"/shared/{SECRET}").content


@pytest.mark.parametrize("rest", ["", f"/ren_{'0' * 26}", "/", "/a/b"])
def test_the_secret_of_a_link_reaches_no_log_line(asks, house, caplog, rest):
    caplog.set_level(logging.DEBUG)
    asks(house.router, f"/shared/{SECRET}{rest}")

    assert SECRET not in "".join(JsonLines().format(record) for record in caplog.records)
    (line,) = [record for record in caplog.records if record.name == "greenroom.access"]
    assert json.loads(JsonLines().format(line))["path"] == f"/shared/…{rest}"
