"""A program gets a token when the person whose machine it is says yes, and in no other way."""

import logging
import re
from datetime import timedelta

import pytest
from django.db import connection

from accounts.credentials.commands import revoke_sessions
from accounts.credentials.models import Credential
from accounts.credentials.queries import actor_by_token
from accounts.credentials.rules import TOKEN_SCOPES
from accounts.device_logins.commands import (
    begin_device_login,
    forget_old_device_logins,
    open_device_login,
)
from accounts.device_logins.models import DeviceLogin, DeviceLoginTry
from accounts.device_logins.rules import (
    GRANT_TYPE,
    USER_CODE_ALPHABET,
    new_user_code,
    read_user_code,
    shown_user_code,
)
from accounts.people.models import Person
from accounts.programmes.commands import add_member
from accounts.programmes.models import Role
from accounts.tasks import tidy
from core.audit.models import AuditEvent
from core.errors import NotAllowed
from core.ids import shown
from stage.cast import PASSWORD

pytestmark = pytest.mark.django_db

ASKED = {
    "client_id": "greenroom-cli",
    "client_name": "greenroom on workbench",
    "scope": "clips:create clips:read quota:read",
    "days": 30,
}
BEGIN, TOKEN = "/api/v1/device-login", "/api/v1/device-login/token"
FORM = "application/x-www-form-urlencoded"


def begin(browser, **other):
    answer = browser.post(BEGIN, {**ASKED, **other}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def poll(browser, code, **other):
    fields = {"grant_type": GRANT_TYPE, "device_code": code, "client_id": "greenroom-cli"}
    return browser.post(TOKEN, {**fields, **other}, content_type="application/json")


def type_code(member, code):
    return member.client.post("/device", {"code": code})


def yes(member, page, show_again, **other):
    show_again(member.client)
    wish = {"programme": member.programme.slug, "scopes": ["clips:read"], "days": 7, **other}
    return member.client.post(page, wish)


@pytest.fixture
def asked(browser):
    return begin(browser)


@pytest.fixture
def page(tester, asked):
    return type_code(tester, asked["user_code"]).url


# The journey ----------------------------------------------------------------------------------


def test_a_program_gets_the_token_that_its_person_allowed(browser, tester, show_again):
    asked = begin(browser)
    assert poll(browser, asked["device_code"]).json()["error"] == "authorization_pending"
    opened = tester.client.get(asked["verification_uri_complete"].partition("8000")[2])
    assert asked["user_code"] in opened.content.decode()
    page = type_code(tester, asked["user_code"]).url
    assert tester.client.get(page).url.startswith("/account/reauthenticate/")
    show_again(tester.client)
    shown_page = tester.client.get(page).content.decode()
    assert "greenroom on workbench" in shown_page
    assert "127.0.0.1" in shown_page
    assert "the same address as this browser" in shown_page
    assert "Only go on if you started this yourself" in shown_page
    answer = yes(tester, page, show_again)
    assert "go back to it" in tester.client.get(answer.url).content.decode()
    given = poll(browser, asked["device_code"]).json()
    actor = actor_by_token(given["access_token"])
    assert (actor.party_id, actor.programme_id) == (tester.party_id, tester.programme.id)
    assert actor.scopes == {"clips:read"}
    token = Credential.objects.get(id=actor.credential_id)
    assert token.expires_at - token.minted_at == timedelta(days=7)
    assert (token.name, token.minted_auth_method) == ("greenroom on workbench", "password")
    assert given["token_type"] == "Bearer"
    assert given["scope"] == "clips:read"
    assert given["expires_in"] == 7 * 86400
    kinds = set(AuditEvent.objects.values_list("kind", flat=True))
    assert {"device_login.allowed", "token.minted"} <= kinds


def test_the_secret_is_handed_out_once(browser, tester, asked, page, show_again):
    yes(tester, page, show_again)
    assert "access_token" in poll(browser, asked["device_code"]).json()
    again = poll(browser, asked["device_code"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert Credential.objects.filter(kind="token").count() == 1


def test_neither_code_nor_secret_is_kept_anywhere(browser, tester, asked, page, show_again, caplog):
    caplog.set_level(logging.DEBUG)
    yes(tester, page, show_again)
    secret = poll(browser, asked["device_code"]).json()["access_token"]
    words = {asked["device_code"], secret[18:61], asked["user_code"].replace("-", "")}
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} AS t")
            kept = cursor.fetchone()[0] or ""
        assert not any(word in kept for word in words), table
    assert not any(word in caplog.text for word in words)


def test_no_token_is_made_before_the_program_asks_for_it(tester, page, show_again):
    yes(tester, page, show_again)
    assert not Credential.objects.filter(kind="token").exists()


def test_forms_are_taken_as_well_as_json(browser, tester, show_again):
    asked = browser.post(BEGIN, "client_id=tool&scope=&unknown=1", content_type=FORM).json()
    page = type_code(tester, asked["user_code"]).url
    yes(tester, page, show_again)
    body = f"grant_type={GRANT_TYPE}&device_code={asked['device_code']}&client_id=tool"
    assert "access_token" in browser.post(TOKEN, body, content_type=FORM).json()


# No -------------------------------------------------------------------------------------------


def test_a_no_is_told_to_the_program_and_needs_no_second_look(browser, tester, asked, page):
    answer = tester.client.post(f"{page}/deny")
    assert "It stays out" in tester.client.get(answer.url).content.decode()
    refused = poll(browser, asked["device_code"])
    assert (refused.status_code, refused.json()["error"]) == (400, "access_denied")
    assert not Credential.objects.filter(kind="token").exists()


def test_a_yes_without_showing_again_who_one_is_allows_nothing(browser, tester, asked, page):
    answer = tester.client.post(page, {"programme": "studio", "scopes": ["clips:read"], "days": 7})
    assert answer.url.startswith("/account/reauthenticate/")
    assert poll(browser, asked["device_code"]).json()["error"] == "authorization_pending"


def test_after_ten_minutes_neither_code_counts(browser, tester, asked, page, clock, show_again):
    clock.advance(minutes=10, seconds=1)
    assert poll(browser, asked["device_code"]).json()["error"] == "expired_token"
    assert yes(tester, page, show_again).status_code == 404
    assert type_code(tester, asked["user_code"]).status_code == 422


def test_what_was_allowed_too_late_to_be_fetched_gives_nothing(
    browser, tester, asked, page, clock, show_again
):
    yes(tester, page, show_again)
    clock.advance(minutes=10, seconds=1)
    assert poll(browser, asked["device_code"]).json()["error"] == "expired_token"


def test_whoever_signs_out_everywhere_takes_their_yes_back(
    browser, tester, asked, page, show_again
):
    yes(tester, page, show_again)
    revoke_sessions(actor=tester.actor)
    assert poll(browser, asked["device_code"]).json()["error"] == "access_denied"
    assert not Credential.objects.filter(kind="token").exists()


def test_an_eleventh_token_is_refused_on_the_page_and_at_the_end(
    browser, tester, asked, page, show_again
):
    for _number in range(9):
        tester.token()
    yes(tester, page, show_again)
    tester.token()
    refused = poll(browser, asked["device_code"])
    assert refused.json()["error"] == "access_denied"
    assert "10 tokens" in refused.json()["error_description"]
    other = type_code(tester, begin(browser)["user_code"]).url
    answer = yes(tester, other, show_again)
    assert answer.status_code == 422
    assert "You hold 10 tokens already" in answer.content.decode()


@pytest.mark.parametrize(
    "wish", [{"scopes": []}, {"scopes": ["ledger:fund"]}, {"days": 31}, {"days": 0}]
)
def test_no_more_is_allowed_than_was_asked(browser, tester, asked, page, show_again, wish):
    assert yes(tester, page, show_again, **wish).status_code == 422
    assert poll(browser, asked["device_code"]).json()["error"] == "authorization_pending"


def test_a_programme_of_ones_own_is_chosen_and_no_other(
    browser, tester, other_programme, asked, page, show_again
):
    assert yes(tester, page, show_again, programme="elsewhere").status_code == 422
    add_member(programme_id=other_programme.id, party_id=tester.party_id, roles=[Role.TESTER])
    assert yes(tester, page, show_again, programme="elsewhere").status_code == 302
    actor = actor_by_token(poll(browser, asked["device_code"]).json()["access_token"])
    assert actor.programme_id == other_programme.id


def test_whoever_is_in_no_programme_can_only_say_no(browser, asked, show_again, sign_in):
    person = Person.objects.create_user("nobody@house.example", PASSWORD)
    client = sign_in(person.email)
    page = client.post("/device", {"code": asked["user_code"]}).url
    show_again(client)
    text = client.get(page).content.decode()
    assert "You are in no programme" in text
    assert "Let it in" not in text
    wish = {"programme": "studio", "scopes": ["clips:read"], "days": 7}
    assert client.post(page, wish).status_code == 422
    assert client.post(f"{page}/deny").status_code == 302


def test_of_two_programmes_one_is_chosen(tester, other_programme, page, show_again):
    add_member(programme_id=other_programme.id, party_id=tester.party_id, roles=[Role.TESTER])
    show_again(tester.client)
    text = tester.client.get(page).content.decode()
    assert re.search(r'<select name="programme"', text)
    assert re.search(r'<option value="studio" selected>', text)


# Whose it is ----------------------------------------------------------------------------------


def test_a_login_that_somebody_opened_is_absent_to_everybody_else(
    tester, second_tester, asked, page, show_again
):
    assert type_code(second_tester, asked["user_code"]).status_code == 422
    assert yes(second_tester, page, show_again).status_code == 404
    assert second_tester.client.post(f"{page}/deny").status_code == 404
    assert type_code(tester, asked["user_code"]).url == page


def test_whoever_is_not_signed_in_comes_back_with_the_code(browser, asked):
    answer = browser.get(f"/device?user_code={asked['user_code']}")
    assert answer.url.startswith("/account/login/?next=%2Fdevice%3Fuser_code")


def test_a_token_opens_no_device_login(tester, asked):
    with pytest.raises(NotAllowed):
        open_device_login(actor=tester.token_actor(), user_code=asked["user_code"])


# Guessing and hammering -----------------------------------------------------------------------


def test_ten_codes_may_be_typed_within_ten_minutes(browser, tester, asked, clock):
    for _number in range(10):
        assert type_code(tester, shown_user_code(new_user_code())).status_code == 422
    refused = type_code(tester, asked["user_code"])
    assert refused.status_code == 429
    assert "ten codes" in refused.content.decode()
    clock.advance(minutes=10, seconds=1)
    later = begin(browser)
    assert type_code(tester, later["user_code"]).status_code == 302


def test_the_guesses_of_one_are_not_counted_against_another(tester, second_tester, asked):
    for _number in range(11):
        type_code(tester, shown_user_code(new_user_code()))
    assert type_code(second_tester, asked["user_code"]).status_code == 302


def test_one_address_begins_twenty_within_ten_minutes(browser, clock):
    for _number in range(20):
        begin(browser)
    answer = browser.post(BEGIN, ASKED, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]) == (429, "slow_down")
    assert answer.headers["Retry-After"] == "600"
    other = browser.post(BEGIN, ASKED, content_type="application/json", REMOTE_ADDR="192.0.2.9")
    assert other.status_code == 200
    clock.advance(minutes=10, seconds=1)
    begin(browser)


def test_one_network_of_ipv6_counts_as_one_address(browser):
    def ask(address):
        return browser.post(
            BEGIN, ASKED, content_type="application/json", REMOTE_ADDR=address
        ).status_code

    assert [ask(f"2001:db8::{number:x}") for number in range(1, 22)] == [200] * 20 + [429]
    assert ask("2001:db8:0:1::1") == 200


def test_who_asks_too_often_waits_longer_from_then_on(browser, asked, clock):
    clock.stop()
    code = asked["device_code"]
    assert poll(browser, code).json()["error"] == "authorization_pending"
    slower = poll(browser, code).json()
    assert (slower["error"], slower["interval"]) == ("slow_down", 10)
    clock.advance(seconds=6)
    assert poll(browser, code).json()["interval"] == 15
    clock.advance(seconds=16)
    assert poll(browser, code).json()["error"] == "authorization_pending"


# Shapes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"client_id": ""}, "invalid_request"),
        ({"client_name": "two\nlines"}, "invalid_request"),
        ({"client_name": "n" * 81}, "invalid_request"),
        ({"scope": "everything:do"}, "invalid_scope"),
        ({"scope": "tokens:mint"}, "invalid_scope"),
        ({"scope": 7}, "invalid_request"),
        ({"days": 91}, "invalid_request"),
        ({"days": "many"}, "invalid_request"),
        ({"client_id": "a\0b"}, "invalid_request"),
        ({"client_id": "\ud800"}, "invalid_request"),
    ],
)
def test_a_bad_wish_begins_nothing(browser, fields, error):
    answer = browser.post(BEGIN, {**ASKED, **fields}, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert not DeviceLogin.objects.exists()


def test_half_a_sign_is_no_device_code(browser):
    answer = poll(browser, "\ud800")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("[]", "application/json"),
        ("{", "application/json"),
        ('{"client_id": "a", "client_id": "b"}', "application/json"),
        ("client_id=a&client_id=b", FORM),
        ("client_id=a", "text/plain"),
        ('{"client_id": "' + "a" * 17_000 + '"}', "application/json"),
    ],
)
def test_a_body_that_cannot_be_read_is_an_invalid_request(browser, body, kind):
    for path in (BEGIN, TOKEN):
        answer = browser.post(path, body, content_type=kind)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_another_grant_type_is_not_supported_and_a_made_up_code_is_no_grant(browser):
    assert poll(browser, "x", grant_type="password").json()["error"] == "unsupported_grant_type"
    assert poll(browser, "x").json()["error"] == "invalid_grant"
    assert poll(browser, "").json()["error"] == "invalid_request"


def test_answers_with_codes_and_tokens_are_kept_by_no_cache(browser):
    answer = browser.post(BEGIN, ASKED, content_type="application/json")
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_user_code_is_read_in_whatever_way_it_was_typed():
    code = new_user_code()
    assert len(code) == 8
    assert set(code) <= set(USER_CODE_ALPHABET)
    assert not set("AEIOUY01") & set(USER_CODE_ALPHABET)
    typed = shown_user_code(code)
    for text in (code, typed, typed.lower(), f" {typed[:4]} – {typed[5:]} "):
        assert read_user_code(text) == code
    assert read_user_code(code[:7]) is None
    assert read_user_code("AEIOUAEI") is None


def test_without_a_client_name_the_client_id_stands_on_the_page(browser, tester, show_again):
    answer = browser.post(BEGIN, {"client_id": "my-tool"}, content_type="application/json").json()
    page = type_code(tester, answer["user_code"]).url
    show_again(tester.client)
    text = tester.client.get(page).content.decode()
    assert "my-tool" in text
    assert len(re.findall(r'name="scopes"', text)) == 3


def test_another_address_is_told_from_the_readers_own(browser, tester, show_again):
    answer = browser.post(
        BEGIN, ASKED, content_type="application/json", REMOTE_ADDR="192.0.2.9"
    ).json()
    page = type_code(tester, answer["user_code"]).url
    show_again(tester.client)
    text = tester.client.get(page).content.decode()
    assert "192.0.2.9" in text
    assert "another address" in text


# Afterwards -----------------------------------------------------------------------------------


def test_what_is_over_is_forgotten_with_address_and_name(browser, tester, asked, page, clock):
    tidy()
    assert DeviceLogin.objects.exists()
    clock.advance(minutes=10, seconds=1)
    assert forget_old_device_logins() == 1
    assert not DeviceLogin.objects.exists()
    assert not DeviceLoginTry.objects.exists()
    assert poll(browser, asked["device_code"]).json()["error"] == "invalid_grant"


def test_the_token_outlives_the_row_it_came_by(browser, tester, asked, page, clock, show_again):
    yes(tester, page, show_again)
    text = poll(browser, asked["device_code"]).json()["access_token"]
    clock.advance(minutes=11)
    forget_old_device_logins()
    assert actor_by_token(text) is not None


def test_every_scope_may_be_asked_for(tester):
    begun = begin_device_login(client_name="all", scopes=TOKEN_SCOPES, days=90, asked_from=None)
    opened = open_device_login(actor=tester.actor, user_code=begun.user_code)
    assert shown("device_login", opened.id).startswith("dvl_")
