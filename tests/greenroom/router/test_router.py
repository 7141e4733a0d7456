"""What every request passes: Host, id, headers, access line."""

from __future__ import annotations

import json
import logging

import pytest

from greenroom.headers import CONTENT_SECURITY_POLICY, security_headers
from greenroom.router.options import Options

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "base-uri 'none'; frame-ancestors 'none'"
)
RAW = ["/health/live", "/health/ready", "/media/ren_x", "/events"]


def _lines(caplog):
    return [record for record in caplog.records if record.name == "greenroom.access"]


def test_the_policy_is_the_settled_one():
    assert CONTENT_SECURITY_POLICY == POLICY


@pytest.mark.parametrize("path", RAW)
def test_every_raw_answer_carries_the_security_headers(asks, house, path):
    headers = asks(house.router, path).headers

    for name, value in security_headers("demo"):
        assert headers[name.lower()] == value


def test_only_production_promises_https(asks, build, tmp_path):
    production = build(tmp_path, options=Options(mode="production"))
    demo = build(tmp_path)

    assert "strict-transport-security" in asks(production.router, "/health/live").headers
    assert "strict-transport-security" not in asks(demo.router, "/health/live").headers


@pytest.mark.parametrize("path", [*RAW, "/", "/api/v1/jobs"])
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "a b", "[::1"])
def test_a_foreign_host_is_refused_everywhere(asks, house, path, host):
    answer = asks(house.router, path, headers={"Host": host})

    assert answer.status == 400
    assert json.loads(answer.content)["code"] == "bad_host"


def test_two_hosts_are_refused(asks, house):
    answer = asks(house.router, "/", headers=[("Host", "localhost"), ("Host", "localhost")])

    assert answer.status == 400


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1", "[::1]:8000"])
def test_our_own_hosts_are_served(asks, house, host):
    assert asks(house.router, "/health/live", headers={"Host": host}).status == 200


def test_every_answer_has_an_id_that_django_knows_too(asks, house):
    raw = asks(house.router, "/health/live").headers["x-request-id"]
    django = asks(house.router, "/", headers={"X-Request-ID": "forged", "X_Request_ID": "forged"})

    assert len(raw) == 32
    assert f"HTTP_X_REQUEST_ID={django.headers['x-request-id']}".encode() in django.content
    assert raw < django.headers["x-request-id"] or raw[:12] == django.headers["x-request-id"][:12]


def test_the_access_line_names_the_credential_and_no_secret(asks, house, rows, caplog):
    caplog.set_level(logging.INFO)
    token = rows.add_token()
    bearer = {"Authorization": f"Bearer {token}"}
    asks(house.router, "/media/ren_x", query=b"download=1&note=private", headers=bearer)

    (line,) = _lines(caplog)
    assert (line.method, line.path, line.status) == ("GET", "/media/ren_x", 404)
    assert line.credential == token[6:18]
    assert line.ms >= 0
    written = json.dumps(vars(line), default=str)
    assert token not in written
    assert "private" not in written


def test_the_access_line_of_django_names_the_credential_it_found(asks, build, tmp_path, caplog):
    from greenroom.router import note_credential

    def wsgi(environ, start_response):
        note_credential(environ, "abcdefghijkl")
        start_response("204 No Content", [])
        return [b""]

    caplog.set_level(logging.INFO)
    asks(build(tmp_path, wsgi=wsgi).router, "/account/password/reset/key/" + "x" * 40 + "/")

    (line,) = _lines(caplog)
    assert line.credential == "abcdefghijkl"
    assert line.path == "/account/password/reset/key/…/"


def test_noting_a_credential_outside_the_router_does_nothing():
    from greenroom.router import note_credential

    note_credential({}, "abcdefghijkl")


def test_an_error_in_django_says_nothing_of_its_cause(asks, house, caplog):
    answer = asks(house.router, "/boom")

    assert answer.status == 500
    assert b"secret detail" not in answer.content
    assert answer.headers["content-security-policy"] == POLICY
    assert "a secret detail" in caplog.text


@pytest.mark.parametrize("path", ["/events", "/media/ren_x"])
def test_an_absent_database_is_not_an_error_of_ours(asks, house, rows, path):
    cookie = {"Cookie": f"greenroom_session={rows.add_session()}"}
    rows.away = True

    answer = asks(house.router, path, headers=cookie)

    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("path", ["/events", "/media/ren_x", "/", "/health/live"])
@pytest.mark.parametrize(
    "query",
    [b"token=x", b"access_token=x", b"a=1&api_key=x", b"q=grm_t_abc", b"q=grm%5Ft%5Fabc", b"TOKEN"],
)
def test_a_credential_in_an_address_is_refused(asks, house, rows, path, query):
    answer = asks(house.router, path, query=query)

    assert answer.status == 400
    assert json.loads(answer.content)["code"] == "credential_in_url"
    assert rows.asked == 0


def test_a_query_that_is_no_text_is_refused(asks, house):
    assert asks(house.router, "/", query=b"q=\xff").status == 400


def test_web_sockets_are_turned_away(house):
    import asyncio

    sent = []

    async def run():
        async def receive(): ...

        async def send(message):
            sent.append(message)

        await house.router({"type": "websocket"}, receive, send)

    asyncio.run(run())
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_a_start_that_fails_is_told_to_the_server(house, monkeypatch):
    import asyncio

    sent = []

    def broken():
        raise RuntimeError("no media folder")

    house.router._lifespan = broken

    async def run():
        async def receive():
            return {"type": "lifespan.startup"}

        async def send(message):
            sent.append(message)

        await house.router({"type": "lifespan"}, receive, send)

    asyncio.run(run())
    assert sent[0]["type"] == "lifespan.startup.failed"
