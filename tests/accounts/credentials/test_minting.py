"""Tokens are made by a person who has just shown who they are, and shown once."""

import logging
import re

import pytest
from django.conf import settings
from django.db import connection

from accounts.credentials.commands import mint_token
from accounts.credentials.models import Credential
from accounts.credentials.queries import actor_by_token
from accounts.credentials.rules import SCOPE_ROLES, Scope
from accounts.credentials.words import SCOPE_GROUPS
from core.errors import InvalidOrder, NotAllowed
from core.idempotency.commands import Once
from core.outbox.models import OutboxMessage

pytestmark = pytest.mark.django_db

TOKEN = re.compile(r"grm_t_[0-9A-Za-z]{61}")
WISH = {"name": "nightly", "reason": "renders", "scopes": ["clips:create"], "days": "30"}


def form_key(page):
    found = re.search(r'name="once" value="([^"]+)"', page.content.decode())
    assert found
    return found.group(1)


def mint(client, **wish):
    page = client.get("/tokens/new")
    return client.post("/tokens/new", {**WISH, "once": form_key(page), **wish})


@pytest.fixture
def client(tester, show_again):
    show_again(tester.client)
    return tester.client


def test_being_signed_in_is_not_enough(tester):
    answer = tester.client.get("/tokens/new")
    assert answer.status_code == 302
    assert answer.url == "/account/reauthenticate/?next=%2Ftokens%2Fnew"


def test_a_form_sent_too_late_makes_nothing_and_is_not_kept_in_the_session(tester):
    answer = tester.client.post("/tokens/new", {**WISH, "once": "a" * 32})
    assert answer.status_code == 302
    assert answer.url.startswith("/account/reauthenticate/")
    assert not Credential.objects.filter(kind="token").exists()
    assert "account_reauthentication_state" not in tester.client.session


def test_a_wrong_password_is_no_fresh_sign_in(tester):
    tester.client.post("/account/reauthenticate/", {"password": "wrong"})
    assert tester.client.get("/tokens/new").status_code == 302


def test_signing_in_again_leads_back_to_the_form(tester):
    page = "/account/reauthenticate/?next=/tokens/new"
    answer = tester.client.post(page, {"password": tester.password, "next": "/tokens/new"})
    assert answer.url == "/tokens/new"


def test_a_minted_token_works_and_says_how_its_owner_was_known(client, tester):
    answer = mint(client)
    assert answer.status_code == 201
    (text,) = set(TOKEN.findall(answer.content.decode()))
    actor = actor_by_token(text)
    assert actor.party_id == tester.party_id
    assert actor.scopes == {"clips:create"}
    assert Credential.objects.get(id=actor.credential_id).minted_auth_method == "password"


def test_the_page_with_the_secret_is_kept_by_no_cache(client):
    assert "no-store" in mint(client).headers["Cache-Control"]


def test_loading_the_page_again_makes_no_second_token(client):
    key = form_key(client.get("/tokens/new"))
    first = client.post("/tokens/new", {**WISH, "once": key})
    again = client.post("/tokens/new", {**WISH, "once": key}, follow=True)
    assert TOKEN.search(first.content.decode())
    assert not TOKEN.search(again.content.decode())
    assert "already" in again.content.decode()
    assert Credential.objects.filter(kind="token").count() == 1


def test_a_used_form_with_other_wishes_makes_nothing_either(client):
    key = form_key(client.get("/tokens/new"))
    client.post("/tokens/new", {**WISH, "once": key})
    answer = client.post("/tokens/new", {**WISH, "once": key, "name": "other"})
    assert answer.status_code == 302
    assert Credential.objects.filter(kind="token").count() == 1


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"days": "91"}, 422),
        ({"days": "0"}, 422),
        ({"days": "many"}, 422),
        ({"scopes": []}, 422),
        ({"scopes": ["tokens:mint"]}, 422),
        ({"name": "n" * 81}, 422),
        ({"reason": "   "}, 422),
    ],
)
def test_a_bad_wish_makes_nothing_and_keeps_what_was_typed(client, wish, status):
    answer = mint(client, **wish)
    assert answer.status_code == status
    assert not Credential.objects.filter(kind="token").exists()
    assert 'aria-invalid="true"' in answer.content.decode()


def test_the_eleventh_token_is_refused(client, tester):
    for _number in range(10):
        tester.token()
    answer = mint(client)
    assert answer.status_code == 422
    assert "10" in answer.content.decode()


def test_the_secret_is_nowhere_but_on_the_one_page(client, tester, caplog):
    caplog.set_level(logging.DEBUG)
    (text,) = set(TOKEN.findall(mint(client).content.decode()))
    secret = text[18:61]
    client.get("/tokens")
    actor_by_token(text)
    assert secret not in caplog.text
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} AS t")
            assert secret not in (cursor.fetchone()[0] or ""), table
    assert secret not in str(dict(client.session.items()))
    assert OutboxMessage.objects.filter(kind="token.minted", party_id=tester.party_id).exists()


def test_a_dump_without_the_pepper_confirms_no_token(client):
    (text,) = set(TOKEN.findall(mint(client).content.decode()))
    kept = bytes(Credential.objects.get(kind="token").digest)
    from accounts.credentials.rules import digest, read_token

    assert digest(read_token(text), "") != kept
    assert digest(read_token(text), settings.PEPPERS()["1"]) == kept


def test_a_token_cannot_make_tokens(tester):
    with pytest.raises(NotAllowed):
        mint_token(
            actor=tester.token_actor(),
            name="n",
            reason="r",
            scopes=["clips:read"],
            days=1,
            auth_method="password",
            once=Once.of(scope="s", key="k", payload=None),
            answer=lambda _made: (201, None),
        )


def test_unknown_scopes_are_refused_by_the_command_too(tester):
    with pytest.raises(InvalidOrder):
        mint_token(
            actor=tester.actor,
            name="n",
            reason="r",
            scopes=["everything:do"],
            days=1,
            auth_method="password",
            once=Once.of(scope="s", key="k", payload=None),
            answer=lambda _made: (201, None),
        )


def test_revoking_needs_no_second_look_and_ends_it_at_once(tester):
    text = tester.token()
    answer = tester.client.post(f"/tokens/{text[6:18]}/revoke", follow=True)
    assert "is revoked" in answer.content.decode()
    assert actor_by_token(text) is None


def test_somebody_elses_token_is_absent(tester, second_tester):
    text = second_tester.token()
    answer = tester.client.post(f"/tokens/{text[6:18]}/revoke")
    made_up = tester.client.post("/tokens/000000000000/revoke")
    no_key = tester.client.post("/tokens/%00/revoke")
    assert answer.status_code == made_up.status_code == no_key.status_code == 404
    assert actor_by_token(text) is not None


def test_the_list_shows_ones_own_tokens_without_secrets(tester, second_tester):
    mine, theirs = tester.token(name="mine"), second_tester.token(name="theirs")
    page = tester.client.get("/tokens").content.decode()
    assert mine[6:18] in page
    assert mine not in page
    assert theirs[6:18] not in page


def test_the_list_costs_the_same_for_one_token_and_for_ten(
    tester, django_assert_num_queries, django_assert_max_num_queries
):
    tester.token()
    tester.client.get("/tokens")
    with django_assert_max_num_queries(12) as few:
        tester.client.get("/tokens")
    asked = len(few)
    for _number in range(9):
        tester.token()
    with django_assert_num_queries(asked):
        tester.client.get("/tokens")


# What the form offers -------------------------------------------------------------------------


def offered(member, show_again):
    show_again(member.client)
    page = member.client.get("/tokens/new").content.decode()
    return re.findall(r'name="scopes" value="([^"]+)"', page)


@pytest.mark.parametrize(
    ("role", "more"),
    [
        ("tester", set()),
        ("reviewer", {"cases:read", "cases:decide", "contributions:triage"}),
        (
            "finance",
            {"ledger:read", "ledger:fund", "payouts:propose", "payouts:approve", "payouts:pay"},
        ),
        (
            "manager",
            {
                "cases:read",
                "contributions:triage",
                "ledger:read",
                "payouts:approve",
                "programme:write",
                "people:read",
                "people:write",
                "announcements:send",
                "devices:read",
                "devices:write",
            },
        ),
        ("auditor", {"cases:read", "ledger:read", "people:read"}),
    ],
)
def test_the_form_offers_what_means_something_with_ones_roles(role, more, request, show_again):
    scopes = offered(request.getfixturevalue(role), show_again)
    assert len(scopes) == len(set(scopes))
    assert set(scopes) == {scope for scope in Scope if scope not in SCOPE_ROLES} | more


def test_a_scope_of_another_role_is_not_taken_from_the_form(client):
    assert mint(client, scopes=["ledger:fund"]).status_code == 422
    assert not Credential.objects.filter(kind="token").exists()


def test_every_scope_stands_in_one_group_of_the_form():
    grouped = [scope for _title, scopes in SCOPE_GROUPS for scope in scopes]
    assert sorted(grouped) == sorted(Scope)


def test_a_token_of_every_scope_is_told_in_a_few_words(tester):
    tester.token()
    page = tester.client.get("/tokens").content.decode()
    assert "Everything that a token may do" in page
    assert "Put clips forward" not in page
