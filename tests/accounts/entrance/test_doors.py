"""Nobody gets an account but by an invitation, whichever door they try."""

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.test import RequestFactory
from django.urls import NoReverseMatch, get_resolver, reverse

from accounts.entrance import allauth_urls
from accounts.entrance.adapter import Adapter
from accounts.people.models import Person

pytestmark = pytest.mark.django_db

NEWCOMER = {
    "email": "newcomer@example.org",
    "password1": "a long rehearsal",
    "password2": "a long rehearsal",
    "password": "a long rehearsal",
}

ROUTED = {
    "account_login",
    "account_logout",
    "account_inactive",
    "account_signup",
    "account_reauthenticate",
    "account_change_password",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_index",
    "mfa_authenticate",
    "mfa_reauthenticate",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes",
    "mfa_list_webauthn",
    "mfa_add_webauthn",
    "mfa_reauthenticate_webauthn",
    "mfa_remove_webauthn",
    "mfa_edit_webauthn",
    "mfa_login_webauthn",
}


def all_patterns(resolver, prefix=""):
    for each in resolver.url_patterns:
        if hasattr(each, "url_patterns"):
            yield from all_patterns(each, prefix + str(each.pattern))
        else:
            yield prefix + str(each.pattern), each


def test_exactly_these_rooms_of_allauth_are_routed():
    assert {each.name for each in allauth_urls.urlpatterns} == ROUTED
    elsewhere = [
        path
        for path, each in all_patterns(get_resolver())
        if each.callback.__module__.startswith("allauth") and not path.startswith("account/")
    ]
    assert elsewhere == []


@pytest.mark.parametrize(
    "name",
    [
        "account_signup_by_passkey",
        "mfa_signup_webauthn",
        "account_request_login_code",
        "account_set_password",
        "account_email",
        "socialaccount_signup",
        "account_confirm_email",
    ],
)
def test_other_rooms_are_not_there(name):
    with pytest.raises(NoReverseMatch):
        reverse(name)


def test_no_other_app_brings_a_door_of_its_own():
    for app in ("allauth.headless", "allauth.socialaccount", "allauth.idp", "django.contrib.admin"):
        assert app not in settings.INSTALLED_APPS
    assert settings.MFA_PASSKEY_SIGNUP_ENABLED is False


@pytest.mark.parametrize(
    "path",
    [
        "/account/signup/",
        "/account/signup/passkey/",
        "/account/2fa/passkeys/signup/",
        "/account/2fa/webauthn/signup/",
        "/account/3rdparty/signup/",
        "/account/social/signup/",
        "/account/password/reset/key/",
        "/account/login/code/",
        "/_allauth/browser/v1/auth/signup",
        "/_allauth/app/v1/auth/signup",
        "/_allauth/browser/v1/auth/webauthn/signup",
        "/api/v1/people",
    ],
)
def test_no_address_makes_an_account(browser, path):
    browser.get(path)
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        answer = browser.post(path, NEWCOMER if "json" in kind else "&".join(NEWCOMER), kind)
        assert answer.status_code in (200, 401, 404, 405)
    answer = browser.post(path, NEWCOMER, headers={"x-requested-with": "XMLHttpRequest"})
    assert answer.status_code in (200, 401, 404, 405)
    assert not Person.objects.exists()


def test_the_sign_up_address_says_how_one_gets_in(browser):
    page = browser.get("/account/signup/").content.decode()
    assert "By invitation" in page
    assert "<input" not in page.partition("<main")[2].partition("</main")[0]


def test_the_adapter_makes_nobody_even_if_a_door_were_open(rf: RequestFactory):
    adapter = Adapter()
    request = rf.post("/account/signup/", NEWCOMER)
    assert adapter.is_open_for_signup(request) is False
    with pytest.raises(PermissionDenied):
        adapter.new_user(request)
    with pytest.raises(PermissionDenied):
        adapter.save_user(request, Person(), None)


def test_allauths_own_sign_up_view_is_closed_too(rf, browser):
    """Not routed; were it routed by mistake, the adapter would still close it."""
    from allauth.account.views import signup
    from allauth.core import context
    from django.contrib.auth.models import AnonymousUser

    request = rf.post("/account/signup/", NEWCOMER)
    request.session, request.user = browser.session, AnonymousUser()
    with context.request_context(request):
        answer = signup(request)
        answer.render()
    assert b"By invitation" in answer.content
    assert not Person.objects.exists()
