"""Tokens over the native API."""

import pytest
from django.test import Client

from accounts.credentials.models import Credential
from accounts.credentials.queries import actor_by_token
from accounts.credentials.rules import TOKEN_SCOPES
from generation.jobs.models import Job
from generation.worker.commands import claim_next_job
from generation.worker.identity import this_worker
from stage.builders import a_job
from stage.cast import ADDRESS, api_of

pytestmark = pytest.mark.django_db

WISH = {"name": "nightly", "reason": "renders", "scopes": ["clips:create"], "days": 7}


@pytest.fixture
def portal(tester, show_again):
    """The portal's own scripts: session cookie, CSRF token, fresh sign-in."""
    show_again(tester.client)
    return tester.client


def post(client, path, body, **headers):
    return client.post(path, body, content_type="application/json", headers=headers)


def test_the_list_has_no_secret_and_pages_by_cursor(tester):
    for number in range(3):
        tester.token(name=f"n{number}")
    first = tester.api.get("/api/v1/tokens?limit=2").json()
    second = tester.api.get(f"/api/v1/tokens?limit=2&cursor={first['next']}").json()
    names = [each["name"] for each in first["items"] + second["items"]]
    assert names == ["rehearsal", "n2", "n1", "n0"]
    assert second["next"] is None
    assert "token" not in first["items"][0]


def test_a_token_is_minted_from_the_portal_and_shown_once(portal, tester):
    answer = post(portal, "/api/v1/tokens", WISH, **{"Idempotency-Key": "k1"})
    again = post(portal, "/api/v1/tokens", WISH, **{"Idempotency-Key": "k1"})
    assert (answer.status_code, again.status_code) == (201, 201)
    assert actor_by_token(answer.json()["token"]).party_id == tester.party_id
    assert again.json() == {**answer.json(), "token": None}
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Credential.objects.filter(kind="token").count() == 1
    assert portal.get(answer.headers["Location"]).json()["id"] == answer.json()["id"]


def test_a_token_may_carry_every_scope_and_none_twice(portal):
    every = post(portal, "/api/v1/tokens", WISH | {"scopes": TOKEN_SCOPES})
    assert every.json()["scopes"] == sorted(TOKEN_SCOPES)
    too_many = post(portal, "/api/v1/tokens", WISH | {"scopes": [*TOKEN_SCOPES, "clips:read"]})
    assert too_many.status_code == 422


def test_without_a_fresh_sign_in_none_is_made(tester):
    answer = post(tester.client, "/api/v1/tokens", WISH)
    assert (answer.status_code, answer.json()["code"]) == (403, "fresh_sign_in_required")


def test_a_token_cannot_mint(tester):
    answer = tester.api.post("/api/v1/tokens", WISH)
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_scope")
    assert Credential.objects.filter(kind="token").count() == 1


def test_a_page_of_somebody_else_cannot_mint(tester, show_again):
    client = Client(headers={"host": ADDRESS}, enforce_csrf_checks=True)
    client.force_login(tester.person)
    session = client.session
    answer = post(client, "/api/v1/tokens", WISH)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert session.session_key


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"days": 0}, "days_out_of_range"),
        ({"days": "7"}, "fields_invalid"),
        ({"scopes": ["tokens:mint"]}, "scopes_invalid"),
        ({"scopes": []}, "fields_invalid"),
        ({"name": " "}, "name_invalid"),
        ({"colour": "green"}, "fields_invalid"),
    ],
)
def test_a_bad_wish_is_named_and_makes_nothing(portal, wish, code):
    answer = post(portal, "/api/v1/tokens", WISH | wish)
    assert answer.status_code == 422
    assert answer.json()["code"] == code
    assert not Credential.objects.filter(kind="token").exists()


def test_revoking_over_the_api_ends_a_token(tester):
    text = tester.token()
    (item,) = [i for i in tester.api.get("/api/v1/tokens").json()["items"] if i["key_id"] in text]
    answer = tester.api.post(f"{item['url']}/revoke")
    assert (answer.status_code, answer.json()["state"]) == (200, "revoked")
    assert api_of(text).get("/api/v1/tokens").status_code == 401
    assert tester.api.post(f"{item['url']}/revoke").json()["state"] == "revoked"


def test_a_token_may_revoke_itself(tester):
    client = api_of(tester.token("tokens:read", "tokens:revoke"))
    (item,) = client.get("/api/v1/tokens").json()["items"]
    assert client.post(f"{item['url']}/revoke").status_code == 200
    assert client.get("/api/v1/tokens").status_code == 401


def test_scopes_are_asked_for_each_method(tester):
    assert api_of(tester.token("clips:read")).get("/api/v1/tokens").status_code == 403
    reader = api_of(tester.token("tokens:read"))
    (item, _other) = reader.get("/api/v1/tokens").json()["items"]
    assert reader.post(f"{item['url']}/revoke").json()["code"] == "wrong_scope"


def test_somebody_elses_token_looks_like_an_absent_one(tester, stranger):
    stranger.token()
    (theirs, _own) = stranger.api.get("/api/v1/tokens").json()["items"]
    for path in (theirs["url"], f"{theirs['url']}/revoke"):
        method = tester.api.post if path.endswith("revoke") else tester.api.get
        answer = method(path)
        absent = method(path.replace(theirs["id"], "crd_" + "0" * 26))
        assert answer.status_code == absent.status_code == 404
        assert answer.content == absent.content


def test_the_list_costs_the_same_for_one_and_for_many(
    tester, django_assert_num_queries, django_assert_max_num_queries
):
    tester.api.get("/api/v1/tokens")
    with django_assert_max_num_queries(4) as few:
        tester.api.get("/api/v1/tokens")
    asked = len(few)
    for _number in range(8):
        tester.token()
    with django_assert_num_queries(asked):
        tester.api.get("/api/v1/tokens")


# Sign-ins ------------------------------------------------------------------------------------

SESSIONS = "/api/v1/sessions"


def test_sign_ins_are_listed_newest_first_and_the_asking_one_is_marked(tester, sign_in):
    _before, here = sign_in(tester.email), sign_in(tester.email)
    items = here.get(SESSIONS).json()["items"]
    assert [each["is_current"] for each in items] == [True, False]
    assert not any(each["is_current"] for each in tester.api.get(SESSIONS).json()["items"])
    first = tester.api.get(SESSIONS, {"limit": 1}).json()
    second = tester.api.get(SESSIONS, {"limit": 1, "cursor": first["next"]}).json()
    assert [each["id"] for each in first["items"] + second["items"]] == [
        each["id"] for each in items
    ]


def test_signing_out_everywhere_ends_every_sign_in_and_no_token(tester, second_tester, sign_in):
    here, there, other = (
        sign_in(each) for each in (tester.email, tester.email, second_tester.email)
    )
    answer = here.post(f"{SESSIONS}/revoke")
    assert (answer.status_code, answer.json()) == (200, {"revoked": 2})
    assert {each.get(SESSIONS).status_code for each in (here, there)} == {401}
    assert other.get(SESSIONS).status_code == 200
    assert tester.api.get(SESSIONS).json()["items"] == []


def test_a_token_too_signs_its_owner_out_and_what_they_had_queued_is_held(tester):
    job = a_job(tester)
    assert tester.api.post(f"{SESSIONS}/revoke").json() == {"revoked": 1}
    assert claim_next_job(lanes=[job.lane], worker=this_worker()) is None
    assert Job.objects.get(id=job.id).state == "held"
    assert tester.api.post(f"{SESSIONS}/revoke").json() == {"revoked": 0}


def test_listing_sign_ins_and_ending_them_are_two_scopes(tester):
    reader = api_of(tester.token("tokens:read"))
    assert reader.get(SESSIONS).status_code == 200
    assert reader.post(f"{SESSIONS}/revoke").json()["code"] == "wrong_scope"
