"""A portal session is a credential: begun, ended and asked after like a token."""

import base64
import hashlib

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from accounts.credentials.commands import (
    end_credential,
    end_expired,
    end_other_sessions,
    forget_old_sessions,
)
from accounts.credentials.models import Credential, PortalSession
from accounts.credentials.queries import actor_by_session
from core.audit.models import AuditEvent

pytestmark = pytest.mark.django_db

COOKIE = settings.SESSION_COOKIE_NAME


def cookie_of(client):
    return client.cookies[COOKIE].value


def credential_of(client):
    actor = actor_by_session(cookie_of(client))
    return Credential.objects.get(id=actor.credential_id) if actor else None


def test_signing_in_begins_a_credential_that_the_session_row_names(tester, sign_in):
    client = sign_in(tester.email)
    row = PortalSession.objects.get(credential__party_id=tester.party_id)
    assert row.credential.kind == "session"
    assert row.credential.minted_auth_method == "password"
    assert row.session_key == hashlib.sha256(cookie_of(client).encode()).hexdigest()
    assert AuditEvent.objects.filter(
        kind="session.begun", subject_id=row.credential_id, actor_party_id=tester.party_id
    ).exists()


def test_the_cookie_stands_nowhere_in_the_database(tester, sign_in, show_again):
    client = sign_in(tester.email)
    show_again(client)
    client.get("/tokens/new")
    row = PortalSession.objects.get(credential__party_id=tester.party_id)
    assert cookie_of(client) not in f"{row.session_key}{row.session_data}"
    packed = row.session_data.partition(":")[0].lstrip(".")
    assert cookie_of(client).encode() not in base64.urlsafe_b64decode(packed + "===")


def test_a_planted_session_key_is_exchanged_at_the_sign_in(tester, browser, sign_in):
    browser.post("/language", {"language": "en"})
    session = browser.session
    session["planted"] = True
    session.save()
    browser.cookies[COOKIE] = planted = session.session_key
    sign_in(tester.email, client=browser)
    assert cookie_of(browser) != planted
    assert actor_by_session(planted) is None
    assert not PortalSession.objects.filter(
        session_key=hashlib.sha256(planted.encode()).hexdigest()
    ).exists()


def test_an_invented_session_key_is_never_adopted(tester, browser, sign_in):
    browser.cookies[COOKIE] = "i" * 32
    sign_in(tester.email, client=browser)
    assert cookie_of(browser) != "i" * 32


def test_signing_out_ends_the_credential_without_suspicion(tester, sign_in):
    client = sign_in(tester.email)
    credential, cookie = credential_of(client), cookie_of(client)
    client.post("/account/logout/")
    credential.refresh_from_db()
    assert (credential.state, credential.ended_reason) == ("expired", "signed_out")
    assert actor_by_session(cookie) is None


def test_a_get_does_not_sign_out(tester):
    tester.client.get("/account/logout/")
    assert tester.client.get("/settings").status_code == 200


@pytest.mark.parametrize("state", list(Credential.State)[2:])
def test_a_session_that_ended_elsewhere_is_out_at_the_next_request(tester, sign_in, state):
    client = sign_in(tester.email)
    credential = credential_of(client)
    if state == "quarantined":
        Credential.objects.filter(id=credential.id).update(state=state)
    else:
        end_credential(credential.id, state=state, reason="elsewhere", actor=None)
    answer = client.get("/settings")
    assert answer.status_code == 302
    assert answer.url.startswith("/account/login/")
    assert isinstance(client.get("/").wsgi_request.user, AnonymousUser)


def test_leaving_is_no_way_out_of_a_quarantine(tester, sign_in):
    client = sign_in(tester.email)
    credential = credential_of(client)
    Credential.objects.filter(id=credential.id).update(state="quarantined")
    client.get("/settings")
    credential.refresh_from_db()
    assert credential.state == "quarantined"


@pytest.mark.django_db(transaction=True)
def test_a_session_lasts_fourteen_days(tester, sign_in, clock):
    clock.stop()
    client = sign_in(tester.email)
    clock.advance(days=13, hours=23)
    assert client.get("/settings").status_code == 200
    clock.advance(hours=1)
    assert client.get("/settings").status_code == 302


def test_signing_in_as_somebody_else_ends_the_first_session(tester, second_tester, sign_in):
    client = sign_in(tester.email)
    first = credential_of(client)
    client.force_login(second_tester.person)  # the form would send a signed-in person away
    assert credential_of(client).party_id == second_tester.party_id
    first.refresh_from_db()
    assert not PortalSession.objects.filter(credential=first).exists()


def test_ending_the_others_leaves_this_one(tester, sign_in):
    here, there = sign_in(tester.email), sign_in(tester.email)
    keep = credential_of(here)
    assert (
        end_other_sessions(party_id=tester.party_id, keep=keep.id, reason="password_changed") == 1
    )
    assert here.get("/settings").status_code == 200
    assert there.get("/settings").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_tidying_marks_what_ran_out_and_forgets_old_browser_rows(tester, sign_in, clock):
    token = tester.token(days=1)
    credential = credential_of(sign_in(tester.email))
    clock.advance(days=15)
    assert end_expired() == 2
    forget_old_sessions()
    credential.refresh_from_db()
    assert (credential.state, credential.ended_reason) == ("expired", "time_up")
    assert Credential.objects.get(key_id=token[6:18]).state == "expired"
    assert not PortalSession.objects.filter(credential=credential).exists()


def test_a_page_asks_as_many_questions_for_one_session_as_for_five(
    tester, sign_in, django_assert_num_queries, django_assert_max_num_queries
):
    client = sign_in(tester.email)
    client.get("/settings")
    with django_assert_max_num_queries(12) as few:
        client.get("/settings")
    asked = len(few)
    for _number in range(4):
        sign_in(tester.email)
    with django_assert_num_queries(asked):
        client.get("/settings")
