"""A person's archive, past Django: for its owner alone, with ranges."""

from __future__ import annotations

import pytest

from core.ids import new_id, read_id, shown

CONTENT = bytes(range(256)) * 64
TAKES = ("exports:read",)


@pytest.fixture
def owner():
    return new_id()


@pytest.fixture
def bearer(rows, owner):
    return {"Authorization": f"Bearer {rows.add_token(owner, ('exports:read',))}"}


@pytest.fixture
def address(rows, house, owner):
    """Of an archive that lies in the media folder."""
    rendition = rows.add_file(
        house.media_folder,
        owner,
        CONTENT,
        media_type="application/zip",
        filename="greenroom-exp_1.zip",
        cache="private, no-store",
        is_download=True,
    )
    export = new_id()
    rows.archives[export] = rows.renditions.pop(read_id("rendition", rendition))
    return f"/exports/{shown('export', export)}/file"


def test_its_owner_gets_it_whole_to_keep(served, address, bearer):
    answer = served.ask(address, **bearer)
    assert (answer.status, answer.content) == (200, CONTENT)
    assert answer.headers["content-disposition"] == 'attachment; filename="greenroom-exp_1.zip"'
    assert answer.headers["cache-control"] == "private, no-store"


def test_a_download_that_broke_off_goes_on(served, address, bearer):
    answer = served.ask(address, Range="bytes=16000-", **bearer)
    assert (answer.status, answer.content) == (206, CONTENT[16000:])


def test_a_session_opens_it_and_nobody_else_does(served, rows, address, owner):
    cookie = f"greenroom_session={rows.add_session(owner)}"
    assert served.ask(address, Cookie=cookie).content == CONTENT
    absent = f"/exports/{shown('export', new_id())}/file"
    other = {"Authorization": f"Bearer {rows.add_token(scopes=('exports:read',))}"}
    answers = [served.ask(where, **other) for where in (address, absent, "/exports/x/file")]
    assert {(one.status, one.content) for one in answers} == {(404, answers[0].content)}
    assert served.ask(address).status == 401


def test_it_can_only_be_read(served, address, bearer):
    assert served.ask(address, method="POST", **bearer).status == 405
