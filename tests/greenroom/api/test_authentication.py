"""Who gets in: a token, else the portal's session; one query, and nothing is forgiven."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client

from accounts.credentials.commands import revoke_token
from accounts.credentials.models import Credential
from accounts.credentials.rules import new_token, read_token
from core.clock import CoreNow
from stage.cast import ADDRESS, api_of, client_of

JOBS = "/api/v1/jobs"


def row_of(token):
    return Credential.objects.get(key_id=read_token(token).key_id)


def test_a_token_opens_what_it_carries(tester):
    assert api_of(tester.token("clips:read")).get(JOBS).status_code == 200


def test_authentication_is_one_query(tester):
    token = tester.token("quota:read")
    api = api_of(token)
    api.get(JOBS)
    statements = []
    with connection.execute_wrapper(
        lambda execute, sql, *rest: statements.append(sql) or execute(sql, *rest)
    ):
        assert api.get(JOBS).status_code == 403
    assert len(statements) == 1
    name = statements[0].split()[1]
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE name = %s", [name])
        (prepared,) = cursor.fetchone()
    assert "credential_by_key" in prepared


def test_every_token_that_does_not_count_gets_the_same_answer(tester, clock):
    good = tester.token()
    revoked = tester.token()
    revoke_token(actor=tester.actor, credential_id=row_of(revoked).id)
    wrong_secret = good[:-10] + ("a" if good[-10] != "a" else "b") + good[-9:]
    _parts, made_up = new_token("t")
    answers = [
        api_of(token).get(JOBS) for token in (revoked, wrong_secret, made_up, "grm_t_", "x", " ")
    ]
    clock.advance(days=31)
    answers.append(api_of(good).get(JOBS))
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(scheme, tester, anybody):
    anybody.credentials(HTTP_AUTHORIZATION=f"{scheme} {tester.token()}")
    assert anybody.get(JOBS).status_code == 200


@pytest.mark.parametrize("scheme", ["Basic", "Token", ""])
def test_another_scheme_is_nobody(scheme, tester, anybody):
    anybody.credentials(HTTP_AUTHORIZATION=f"{scheme} {tester.token()}")
    assert anybody.get(JOBS).status_code == 401


def test_a_bad_header_is_not_saved_by_a_good_session(tester):
    answer = tester.client.get(JOBS, headers={"authorization": "Bearer grm_t_nonsense"})
    assert answer.status_code == 401


@pytest.mark.parametrize("name", ["token", "q", "cursor"])
def test_a_token_in_an_address_is_refused_even_with_a_good_header(name, tester):
    answer = tester.api.get(JOBS, {name: tester.token()})
    assert answer.status_code == 400
    assert answer.json()["code"] == "credential_in_url"
    assert "grm_" not in answer.content.decode()


def test_a_token_of_somebody_who_left_opens_nothing(tester):
    tester.api.get(JOBS)
    tester.programme.memberships.filter(party=tester.party).update(ended_at=CoreNow())
    assert tester.api.get(JOBS).status_code == 401


def test_last_use_is_kept_once_and_not_with_every_request(tester):
    api = api_of(token := tester.token())
    api.get(JOBS)
    first = row_of(token).last_used_at
    assert first is not None
    api.get(JOBS)
    assert row_of(token).last_used_at == first


def test_the_portals_session_opens_the_same_doors(tester):
    assert tester.client.get(JOBS).status_code == 200


def test_a_session_needs_the_csrf_token_to_change_something(tester):
    client: Client = client_of(tester.person, enforce_csrf_checks=True)
    body = {"model": "still", "size": "128x96", "seconds": 1}
    answer = client.post("/api/v1/quotes", body, content_type="application/json")
    assert answer.status_code == 403
    assert answer.json()["code"] == "csrf_failed"

    client.get("/settings")  # sets the cookie
    token = client.cookies["csrftoken"].value
    answer = client.post(
        "/api/v1/quotes",
        body,
        content_type="application/json",
        headers={"x-csrftoken": token, "host": ADDRESS},
    )
    assert answer.status_code != 403


def test_a_token_needs_no_csrf_token(tester, model):
    body = {"model": "still", "size": "128x96", "seconds": 1}
    assert tester.api.post("/api/v1/quotes", body).status_code == 200
