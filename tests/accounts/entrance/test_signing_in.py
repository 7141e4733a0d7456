"""Signing in, and what changes who can."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, transaction

from accounts.credentials.models import Credential
from accounts.credentials.queries import actor_by_session
from accounts.entrance.commands import change_password
from accounts.people.models import Person
from core.audit.models import AuditEvent

pytestmark = pytest.mark.django_db

COOKIE = "greenroom_session"


def kinds(party_id):
    return list(
        AuditEvent.objects.filter(subject_kind="party", subject_id=party_id)
        .order_by("at", "id")
        .values_list("kind", flat=True)
    )


def code_for(secret):
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(tester, browser):
    wrong = browser.post("/account/login/", {"login": tester.email, "password": "no"})
    unknown = browser.post("/account/login/", {"login": "no@example.org", "password": "no"})
    assert wrong.status_code == unknown.status_code
    assert wrong.context["form"].errors == unknown.context["form"].errors


def test_failed_sign_ins_are_on_record_without_the_address(tester, browser):
    browser.post("/account/login/", {"login": tester.email, "password": "so secret"})
    browser.post("/account/login/", {"login": "no@example.org", "password": "so secret"})
    assert "sign_in.failed" in kinds(tester.party_id)
    assert AuditEvent.objects.filter(kind="sign_in.failed").count() == 2
    for event in AuditEvent.objects.filter(kind="sign_in.failed"):
        assert event.facts == {}


def test_the_password_change_signs_out_everywhere_else(tester, sign_in):
    here, there = sign_in(tester.email), sign_in(tester.email)
    stolen = there.cookies[COOKIE].value
    answer = here.post(
        "/account/password/change/",
        {
            "oldpassword": tester.password,
            "password1": "a new rehearsal",
            "password2": "a new rehearsal",
        },
    )
    assert answer.url == "/settings"
    assert here.get("/settings").status_code == 200
    assert there.get("/settings").status_code == 302
    assert actor_by_session(stolen) is None  # what the raw routes ask
    assert "password.changed" in kinds(tester.party_id)
    sign_in(tester.email, "a new rehearsal")


def test_a_wrong_old_password_changes_nothing(tester, sign_in):
    client, other = sign_in(tester.email), sign_in(tester.email)
    new = {"oldpassword": "no", "password1": "a new rehearsal", "password2": "a new rehearsal"}
    client.post("/account/password/change/", new)
    assert other.get("/settings").status_code == 200
    assert Person.objects.get(pk=tester.person.pk).check_password(tester.password)


@pytest.mark.django_db(transaction=True)
def test_no_session_begins_on_a_password_that_was_changed_meanwhile(tester, browser):
    old = Person.objects.get(pk=tester.person.pk)  # as the sign-in form read it
    change_password(person=tester.person, password="a new rehearsal", keep=None)
    with pytest.raises(PermissionDenied):
        browser.force_login(old)
    assert not Credential.objects.filter(party_id=tester.party_id, state="active").exists()


def test_the_password_is_saved_by_its_column_alone(tester):
    person = Person.objects.get(pk=tester.person.pk)
    Person.objects.filter(pk=person.pk).update(email="renamed@example.org")
    change_password(person=person, password="a new rehearsal", keep=None)
    assert Person.objects.get(pk=person.pk).email == "renamed@example.org"


def test_the_application_may_not_make_anybody_a_superuser(tester):
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        Person.objects.filter(pk=tester.person.pk).update(is_superuser=True)


def test_an_authenticator_app_is_a_second_step(tester, sign_in, show_again, a_browser):
    client = sign_in(tester.email)
    show_again(client)
    page = client.get("/account/2fa/totp/activate/")
    secret = page.context["form"].secret
    answer = client.post("/account/2fa/totp/activate/", {"code": code_for(secret)})
    assert answer.status_code == 302, answer.context["form"].errors
    assert kinds(tester.party_id).count("authenticator.added") == 2  # the app, recovery codes

    fresh = a_browser()
    step = fresh.post("/account/login/", {"login": tester.email, "password": tester.password})
    assert step.url == "/account/2fa/authenticate/"
    assert fresh.get("/settings").status_code == 302
    fresh.post("/account/2fa/authenticate/", {"code": "000000"})
    assert "second_step.failed" in kinds(tester.party_id)
    codes = Authenticator.objects.get(user=tester.person, type="recovery_codes").wrap()
    fresh.post("/account/2fa/authenticate/", {"code": codes.get_unused_codes()[0]})
    assert fresh.get("/settings").status_code == 200
    actor = actor_by_session(fresh.cookies[COOKIE].value)
    begun = Credential.objects.get(id=actor.credential_id)
    assert begun.minted_auth_method == "recovery_codes"


def test_turning_the_second_step_off_needs_a_fresh_sign_in_and_is_on_record(
    tester, sign_in, show_again
):
    TOTP.activate(tester.person, "ABCDEFGHIJKLMNOP")
    client = tester.client
    asked = client.post("/account/2fa/totp/deactivate/")
    assert asked.url.startswith("/account/reauthenticate/")
    assert "account_reauthentication_state" not in client.session
    show_again(client)
    client.post("/account/2fa/totp/deactivate/")
    assert not Authenticator.objects.filter(user=tester.person).exists()
    assert "authenticator.removed" in kinds(tester.party_id)


def test_the_rooms_of_allauth_open_without_error(tester, show_again):
    show_again(tester.client)
    for path in (
        "/account/2fa/",
        "/account/2fa/passkeys/",
        "/account/2fa/passkeys/add/",
        "/account/2fa/totp/activate/",
        "/account/password/change/",
        "/account/reauthenticate/",
        "/account/logout/",
        "/account/inactive/",
    ):
        assert tester.client.get(path).status_code == 200, path


def test_a_closed_account_is_out_everywhere_and_cannot_come_back(tester, sign_in, browser):
    client = sign_in(tester.email)
    call_command("person", "close", tester.email)
    assert client.get("/settings").status_code == 302
    answer = browser.post("/account/login/", {"login": tester.email, "password": tester.password})
    assert answer.url == "/account/inactive/"
    call_command("person", "open", tester.email)
    sign_in(tester.email)


def test_the_operator_can_give_a_new_password(tester, sign_in, capsys):
    client = sign_in(tester.email)
    call_command("person", "new-password", tester.email)
    password = capsys.readouterr().out.split()[-1]
    assert client.get("/settings").status_code == 302
    sign_in(tester.email, password)


def test_the_operator_is_told_when_nobody_has_this_address(db):
    with pytest.raises(CommandError, match="Nobody"):
        call_command("person", "close", "no@example.org")


def test_after_signing_in_one_is_where_one_wanted_to_be_if_that_is_here(tester, browser):
    asked = browser.get("/tokens").url
    assert asked == "/account/login/?next=%2Ftokens"
    data = {"login": tester.email, "password": tester.password}
    assert browser.post("/account/login/", {**data, "next": "/tokens"}).url == "/tokens"
    browser.post("/account/logout/")
    elsewhere = browser.post("/account/login/", {**data, "next": "https://evil.example/"})
    assert elsewhere.url == "/"
