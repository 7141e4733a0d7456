"""Who is behind a raw request."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest


def _status(asks, house, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return asks(house.router, "/media/ren_x", headers=named).status


def _without_id(answer):
    said = json.loads(answer.content)
    del said["request_id"]
    return said


def test_a_token_and_a_session_both_count(asks, house, rows):
    assert _status(asks, house, Authorization=f"Bearer {rows.add_token()}") == 404
    assert _status(asks, house, Authorization=f"bearer {rows.add_token()}") == 404
    assert _status(asks, house, Cookie=f"other=1; greenroom_session={rows.add_session()}") == 404


def test_one_query_authenticates(asks, house, rows):
    _status(asks, house, Authorization=f"Bearer {rows.add_token()}")

    assert rows.asked == 1  # the malformed rendition id costs none


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer grm_t_abc", "Basic dXNlcjpwYXNz", "grm_t_abc", "Bearer " + "x" * 9000],
)
def test_a_token_that_cannot_be_one_is_refused_without_a_query(asks, house, rows, header):
    assert _status(asks, house, Authorization=header) == 401
    assert rows.asked == 0


def test_a_mistyped_token_is_refused_without_a_query(asks, house, rows):
    token = rows.add_token()
    mistyped = token[:-8] + ("a" if token[-8] != "a" else "b") + token[-7:]

    assert _status(asks, house, Authorization=f"Bearer {mistyped}") == 401
    assert rows.asked == 0


def test_a_right_key_with_another_secret_is_refused(asks, house, rows):
    mine, others = rows.add_token(), rows.add_token()
    rows.by_key_id[mine[6:18]] = replace(
        rows.by_key_id[mine[6:18]], digest=rows.by_key_id[others[6:18]].digest
    )

    assert _status(asks, house, Authorization=f"Bearer {mine}") == 401


def test_unknown_and_ended_credentials_look_alike(asks, house, rows):
    token, cookie = rows.add_token(), rows.add_session()
    rows.revoke_everything()
    ended = asks(house.router, "/media/ren_x", headers={"Authorization": f"Bearer {token}"})
    rows.by_key_id.clear()
    unknown = asks(house.router, "/media/ren_x", headers={"Authorization": f"Bearer {token}"})

    assert ended.status == unknown.status == 401
    assert _without_id(ended) == _without_id(unknown)
    assert ended.headers["www-authenticate"] == 'Bearer realm="greenroom"'
    assert _status(asks, house, Cookie=f"greenroom_session={cookie}") == 401


def test_a_bad_header_is_not_forgiven_for_a_good_cookie(asks, house, rows):
    cookie = f"greenroom_session={rows.add_session()}"

    assert _status(asks, house, Cookie=cookie, Authorization="Bearer nonsense") == 401


def test_two_authorization_headers_are_refused(asks, house, rows):
    bearer = ("Authorization", f"Bearer {rows.add_token()}")

    assert asks(house.router, "/media/ren_x", headers=[bearer, bearer]).status == 401


@pytest.mark.parametrize("path", ["/media/ren_x", "/events"])
def test_a_token_without_the_scope_is_forbidden(asks, house, rows, path):
    bearer = {"Authorization": f"Bearer {rows.add_token(scopes=('quota:read',))}"}

    assert asks(house.router, path, headers=bearer).status == 403


@pytest.mark.parametrize("path", ["/media/ren_x", "/events"])
def test_nobody_is_asked_to_sign_in(asks, house, path):
    assert asks(house.router, path).status == 401
