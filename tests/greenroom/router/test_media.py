"""Media, through a real server on a loopback port."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
from pathlib import Path

import pytest

from core.ids import new_id, read_id, shown
from greenroom.router.media import HeldBack
from greenroom.router.options import Options

CONTENT = bytes(range(256)) * 4096  # one mebibyte, every byte known by its place


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


def test_the_owner_gets_the_whole_file(served, clip, bearer):
    answer = served.ask(f"/media/{clip}", **bearer)

    assert answer.status == 200
    assert answer.content == CONTENT
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"] == f'"{hashlib.sha256(CONTENT).hexdigest()}"'
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["content-disposition"] == 'inline; filename="clip.mp4"'


def test_a_session_cookie_opens_too(served, rows, clip, owner):
    cookie = f"greenroom_session={rows.add_session(owner)}"

    assert served.ask(f"/media/{clip}", Cookie=cookie).content == CONTENT


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=1000-600000", 1000, 600_001),
        ("bytes=1048575-", 1_048_575, 1_048_576),
        ("bytes=-17", 1_048_559, 1_048_576),
        ("bytes=500000-99999999", 500_000, 1_048_576),
    ],
)
def test_a_range_is_exactly_that_part(served, clip, bearer, asked, start, end):
    answer = served.ask(f"/media/{clip}", Range=asked, **bearer)

    assert answer.status == 206
    assert answer.content == CONTENT[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/1048576"
    assert answer.headers["content-length"] == str(end - start)


def test_a_range_beyond_the_end_is_416(served, clip, bearer):
    answer = served.ask(f"/media/{clip}", Range="bytes=1048576-", **bearer)

    assert answer.status == 416
    assert answer.headers["content-range"] == "bytes */1048576"
    assert answer.content == b""


def test_several_ranges_are_answered_with_the_whole(served, clip, bearer):
    answer = served.ask(f"/media/{clip}", Range="bytes=0-1,5-6", **bearer)

    assert (answer.status, answer.content) == (200, CONTENT)


def test_a_part_is_only_sent_of_the_file_it_continues(served, clip, bearer):
    etag = served.ask(f"/media/{clip}", method="HEAD", **bearer).headers["etag"]
    same = served.ask(f"/media/{clip}", Range="bytes=0-9", If_Range=etag, **bearer)
    other = served.ask(f"/media/{clip}", Range="bytes=0-9", If_Range='"other"', **bearer)

    assert (same.status, len(same.content)) == (206, 10)
    assert (other.status, len(other.content)) == (200, len(CONTENT))


def test_who_has_the_file_is_told_so(served, clip, bearer):
    etag = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
    answer = served.ask(f"/media/{clip}", If_None_Match=etag, Range="bytes=0-9", **bearer)

    assert (answer.status, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag


def test_head_says_everything_and_sends_nothing(served, clip, bearer):
    answer = served.ask(f"/media/{clip}", method="HEAD", Range="bytes=0-9", **bearer)

    assert (answer.status, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(CONTENT))


@pytest.mark.parametrize(
    ("filename", "shown_as"),
    [
        ("clip.mp4", 'attachment; filename="clip.mp4"'),
        ("Ünïcode.mp4", "attachment; filename*=utf-8''%C3%9Cn%C3%AFcode.mp4"),
        ('a"b\r\nSet-Cookie: x.mp4', 'attachment; filename="a\\"bSet-Cookie: x.mp4"'),
        ("../../etc/passwd", 'attachment; filename="....etcpasswd"'),
    ],
)
def test_a_download_has_a_safe_name(served, rows, house, owner, bearer, filename, shown_as):
    clip = rows.add_file(house.media_folder, owner, b"x", filename=filename)
    answer = served.ask(f"/media/{clip}?download=1", **bearer)

    assert answer.headers["content-disposition"] == shown_as


def test_absent_forbidden_and_malformed_are_the_same_bytes(served, clip, stranger):
    ignored = {"x-request-id", "date"}
    answers = [
        served.ask(path, **stranger)
        for path in (
            f"/media/{clip}",
            f"/media/{shown('rendition', new_id())}",
            "/media/ren_nonsense",
            f"/media/{clip.upper()}",
            f"/media/{clip}/",
            "/media/",
            "/media/..%2f..%2fetc%2fpasswd",
        )
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


def test_an_opening_by_another_is_recorded_once_per_open_and_the_owners_is_not(
    served, rows, clip, bearer, stranger
):
    rendition = read_id("rendition", clip)
    viewer = rows.by_key_id[stranger["Authorization"][13:25]].party_id
    rows.viewers[(rendition, viewer)] = "reviewer"

    assert served.ask(f"/media/{clip}", **stranger).content == CONTENT
    assert served.ask(f"/media/{clip}", Range="bytes=0-9", **stranger).status == 206
    served.ask(f"/media/{clip}", method="HEAD", **stranger)
    served.ask(f"/media/{clip}", Range="bytes=9999999-", **stranger)
    served.ask(f"/media/{clip}", **bearer)

    assert rows.recorded == [(rendition, viewer), (rendition, viewer)]


def test_who_cannot_be_recorded_sees_nothing(served, rows, clip, stranger, monkeypatch):
    rendition = read_id("rendition", clip)
    viewer = rows.by_key_id[stranger["Authorization"][13:25]].party_id
    rows.viewers[(rendition, viewer)] = "reviewer"

    async def away(credential, opening):
        rows.away = True
        rows._ask()

    monkeypatch.setattr(rows, "record", away)
    answer = served.ask(f"/media/{clip}", **stranger)

    assert answer.status == 503
    assert CONTENT[:100] not in answer.content


def test_a_vanished_file_is_gone_and_logged(served, rows, house, clip, bearer, caplog):
    (house.media_folder / rows.renditions[read_id("rendition", clip)][1].storage_path).unlink()
    answer = served.ask(f"/media/{clip}", **bearer)

    assert answer.status == 410
    assert "file is not there" in caplog.text
    assert str(house.media_folder).encode() not in answer.content


@pytest.mark.parametrize("length", [0, 10, len(CONTENT) + 1])
def test_a_file_of_another_size_than_its_row_is_not_served(
    served, rows, house, clip, bearer, caplog, length
):
    path = house.media_folder / rows.renditions[read_id("rendition", clip)][1].storage_path
    os.truncate(path, length)
    answer = served.ask(f"/media/{clip}", **bearer)

    assert answer.status == 500
    assert "wrong size" in caplog.text


@pytest.mark.parametrize("path", ["../outside.mp4", "/etc/passwd", "a/../../outside.mp4"])
def test_a_row_that_points_outside_the_folder_serves_nothing(
    serve, build, rows, owner, bearer, tmp_path, path
):
    (tmp_path / "media").mkdir()
    (tmp_path / "outside.mp4").write_bytes(b"private")
    house = build(tmp_path / "media", rows=rows)
    clip = rows.add_file(tmp_path / "media", owner, b"private", storage_path=path)

    assert serve(house).ask(f"/media/{clip}", **bearer).status == 410


def test_a_link_in_the_folder_is_not_followed(served, rows, house, owner, bearer, tmp_path):
    (house.media_folder / "link.mp4").symlink_to("/etc/hostname")
    clip = rows.add_file(house.media_folder, owner, b"private", storage_path="link.mp4")

    assert served.ask(f"/media/{clip}", **bearer).status == 410


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_media_can_only_be_read(served, clip, bearer, method):
    answer = served.ask(f"/media/{clip}", method=method, **bearer)

    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_the_proxy_is_told_where_the_file_is(serve, build, rows, owner, bearer, tmp_path):
    house = build(tmp_path, rows=rows, options=Options(media_backend="accel"))
    clip = rows.add_file(tmp_path, owner, CONTENT)
    path = rows.renditions[read_id("rendition", clip)][1].storage_path
    answer = serve(house).ask(f"/media/{clip}", Range="bytes=0-9", **bearer)

    assert answer.status == 200
    assert answer.content == b""
    assert answer.headers["x-accel-redirect"] == f"/protected-media/{path}"
    assert answer.headers["content-type"] == "video/mp4"


def _slow_viewer(served, clip, bearer):
    """Asks for a file and reads nothing."""
    viewer = socket.create_connection(("127.0.0.1", served.port), timeout=30)
    lines = [f"GET /media/{clip} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in bearer.items()]
    viewer.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    return viewer


def _resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_slow_viewers_fill_neither_memory_nor_threads(served, rows, house, owner, bearer):
    big = rows.add_file(house.media_folder, owner, os.urandom(24_000_000))
    small = rows.add_file(house.media_folder, owner, b"x" * 1000)
    before = _resident_mb()
    viewers = [_slow_viewer(served, big, bearer) for _ in range(40)]
    try:
        time.sleep(1.0)
        grown = _resident_mb() - before
        assert served.ask(f"/media/{small}", **bearer).status == 200
        assert served.ask("/").status == 200
        # 40 × 24 MB are asked for; a piece each, and what the kernel holds elsewhere, is allowed.
        assert grown < 100
        received = viewers[0].recv(100)
        assert received.startswith(b"HTTP/1.1 200")
    finally:
        for viewer in viewers:
            viewer.close()


def test_a_viewer_who_leaves_ends_the_reading(served, rows, house, owner, bearer, monkeypatch):
    from greenroom.router.senders import Disk

    reads = []
    read = Disk.read

    async def counted(self, handle, length, at):
        reads.append(at)
        return await read(self, handle, length, at)

    monkeypatch.setattr(Disk, "read", counted)
    big = rows.add_file(house.media_folder, owner, bytes(200_000_000))
    _slow_viewer(served, big, bearer).close()
    time.sleep(0.5)
    count = len(reads)
    time.sleep(0.5)

    assert len(reads) == count < 200


def test_a_file_that_shrinks_on_its_way_cuts_the_answer(served, rows, house, owner, bearer, caplog):
    clip = rows.add_file(house.media_folder, owner, bytes(30_000_000))
    path = house.media_folder / rows.renditions[read_id("rendition", clip)][1].storage_path
    viewer = _slow_viewer(served, clip, bearer)
    head = viewer.recv(4096)
    os.truncate(path, 20_000_000)
    total = len(head)
    try:
        while piece := viewer.recv(1_000_000):
            total += len(piece)
    except ConnectionError:
        pass
    viewer.close()

    assert total < 30_000_000
    assert "shrank" in caplog.text


def test_a_revoked_credential_opens_nothing_more(served, rows, clip, bearer):
    assert served.ask(f"/media/{clip}", Range="bytes=0-9", **bearer).status == 206
    rows.revoke_everything()

    assert served.ask(f"/media/{clip}", Range="bytes=10-19", **bearer).status == 401


def test_the_row_decides_the_type_and_the_cache(served, rows, house, owner, bearer):
    clip = rows.add_file(
        house.media_folder, owner, b"x", media_type="image/webp", cache="private, max-age=60"
    )
    answer = served.ask(f"/media/{clip}", **bearer)

    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["cache-control"] == "private, max-age=60"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_owner_reads_why_a_file_is_held_back(served, rows, house, owner, bearer, stranger):
    clip = rows.add_file(house.media_folder, new_id(), CONTENT)
    wanted = read_id("rendition", clip)
    rows.held[wanted, owner] = HeldBack("content_pending_review", "")
    answer = served.ask(f"/media/{clip}", **bearer)
    assert (answer.status, json.loads(answer.content)["code"]) == (403, "content_pending_review")
    rows.held[wanted, owner] = HeldBack("content_rejected", "A face can be recognised.")
    answer = served.ask(f"/media/{clip}", **bearer)
    assert (answer.status, json.loads(answer.content)["code"]) == (403, "content_rejected")
    assert json.loads(answer.content)["detail"].endswith("A face can be recognised.")
    assert served.ask(f"/media/{clip}", **stranger).status == 404
