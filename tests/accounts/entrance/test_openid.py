"""Staff come in through the lab's own provider, nobody else does, and nothing is kept of it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest
from django.conf import settings as house
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from accounts.administrators.models import Administrator
from accounts.credentials.models import Credential
from accounts.credentials.queries import actor_by_session
from accounts.entrance.commands import close_account
from accounts.entrance.openid import ProviderAway, _safe
from accounts.entrance.queries import staff_at
from accounts.people.models import Party, Person
from accounts.programmes.models import Role, RoleGrant
from core.audit.models import AuditEvent
from core.clock import now
from greenroom.environment import openid_provider
from stage.cast import ADDRESS, a_member
from stage.openid import an_openid_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(settings):
    with an_openid_provider() as running:
        settings.OPENID = running.settings
        yield running


@pytest.fixture
def browser():
    return Client(headers={"host": ADDRESS}, enforce_csrf_checks=False)


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_arguments, **_named):
        return None


def sent_to(browser, **form) -> str:
    """The button is pressed; where the page leads that answers."""
    answer = browser.post("/account/openid/", form)
    assert answer.status_code == 200
    return answer.context["url"]


def sent_back(url: str) -> str:
    """The provider signs them in, and sends the browser back to this path."""
    from urllib.error import HTTPError

    with pytest.raises(HTTPError) as moved:
        build_opener(_Stay).open(Request(url))
    with moved.value as answer:
        back = urlsplit(answer.headers["Location"])
    assert back.path == "/account/openid/callback/"
    return f"{back.path}?{back.query}"


def sign_in(browser, who: str, provider, **form):
    provider.who = who
    return browser.get(sent_back(sent_to(browser, **form)))


def is_signed_in(browser) -> bool:
    cookie = browser.cookies.get("greenroom_session")
    return cookie is not None and actor_by_session(cookie.value) is not None


# Who gets in ------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["reviewer", "finance", "manager", "auditor"])
def test_staff_get_in_and_their_session_says_how(role, request, browser, provider):
    member = request.getfixturevalue(role)
    answer = sign_in(browser, member.email.upper(), provider)
    assert answer.status_code == 302
    assert is_signed_in(browser)
    session = Credential.objects.get(party_id=member.party_id, kind="session")
    assert session.minted_auth_method == "oidc"


def test_an_administrator_gets_in_without_any_programme(browser, provider):
    person = Person.objects.create_user("root@lab.example", None)
    Administrator.objects.create(party_id=person.party_id)
    sign_in(browser, person.email, provider)
    assert is_signed_in(browser)


def test_they_go_on_to_where_they_wanted_to_and_nowhere_else(browser, provider, reviewer):
    assert sign_in(browser, reviewer.email, provider, next="/desk")["Location"] == "/desk"
    other = Client(headers={"host": ADDRESS})
    answer = sign_in(other, reviewer.email, provider, next="https://elsewhere.example/")
    assert "elsewhere" not in answer["Location"]


def test_a_second_step_is_asked_of_whoever_has_one(browser, provider, reviewer):
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    TOTP.activate(reviewer.person, generate_totp_secret())
    answer = sign_in(browser, reviewer.email, provider)
    assert answer["Location"].startswith("/account/2fa/authenticate/")
    assert not is_signed_in(browser)


# Who does not ------------------------------------------------------------------------------------


def test_a_tester_is_told_to_use_their_own_sign_in(browser, provider, tester):
    answer = sign_in(browser, tester.email, provider)
    assert answer.status_code == 403
    assert "Testers sign in with their own password or passkey." in answer.content.decode()
    assert not is_signed_in(browser)
    assert AuditEvent.objects.filter(kind="sign_in.failed", subject_id=tester.party_id).exists()


def test_a_stranger_is_refused_and_nobody_is_made(browser, provider, reviewer):
    people, parties = Person.objects.count(), Party.objects.count()
    assert sign_in(browser, "somebody@else.example", provider).status_code == 403
    assert not is_signed_in(browser)
    assert (Person.objects.count(), Party.objects.count()) == (people, parties)


def test_a_closed_account_is_refused(browser, provider, reviewer):
    close_account(person=reviewer.person)
    assert sign_in(browser, reviewer.email, provider).status_code == 403
    assert not is_signed_in(browser)


@pytest.mark.parametrize("end", ["ended_at", "membership"])
def test_who_is_no_longer_staff_is_refused(end, browser, provider, reviewer):
    grants = RoleGrant.objects.filter(membership__party_id=reviewer.party_id)
    if end == "ended_at":
        grants.update(ended_at=now())
    else:
        membership = grants.get().membership
        type(membership).objects.filter(id=membership.id).update(ended_at=now())
    assert sign_in(browser, reviewer.email, provider).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"claims": {"email_verified": False}},
        {"claims": {"email_verified": "false"}},
        {"claims": {"email_verified": 1}},
        {"without": {"email_verified"}},
        {"claims": {"nonce": "another"}},
        {"without": {"nonce"}},
        {"claims": {"aud": "another"}},
        {"claims": {"aud": ["greenroom", "another"]}},
        {"claims": {"azp": "another"}},
        {"claims": {"iss": "https://another.example"}},
        {"claims": {"exp": 1_700_000_000}},
        {"claims": {"iat": 4_000_000_000}},
        {"without": {"exp"}},
        {"without": {"sub"}},
        {"signs_with_another_key": True},
    ],
    ids=str,
)
def test_whatever_the_provider_does_not_vouch_for_is_refused(wrong, browser, provider, reviewer):
    for name, value in wrong.items():
        setattr(provider, name, value)
    assert sign_in(browser, reviewer.email, provider).status_code == 403
    assert not is_signed_in(browser)


def test_an_address_may_come_from_userinfo_of_the_same_person_only(browser, provider, reviewer):
    provider.without = {"email", "email_verified"}
    provider.told = {"sub": "another", "email": reviewer.email, "email_verified": True}
    assert sign_in(browser, reviewer.email, provider).status_code == 403
    provider.told["sub"] = "somebody"
    assert sign_in(browser, reviewer.email, provider).status_code == 302


# The way there and back --------------------------------------------------------------------------


def test_what_is_asked_has_a_state_a_nonce_and_a_challenge_of_its_own(browser, provider):
    first, second = (
        {name: value[0] for name, value in parse_qs(urlsplit(sent_to(browser)).query).items()}
        for _try in range(2)
    )
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]
    assert first["code_challenge_method"] == "S256"
    assert first["redirect_uri"] == f"{house.PUBLIC_ADDRESS}/account/openid/callback/"


def test_another_state_or_another_browser_or_a_second_time_is_refused(browser, provider, reviewer):
    provider.who = reviewer.email
    back = sent_back(sent_to(browser))
    stranger = Client(headers={"host": ADDRESS})
    assert stranger.get(back).status_code == 400
    assert browser.get(back + "x").status_code == 400
    assert browser.get(back).status_code == 400, "a wrong one has ended the attempt"
    back = sent_back(sent_to(browser))
    assert browser.get(back).status_code == 302
    assert browser.get(back).status_code == 400


def test_an_attempt_lasts_ten_minutes(browser, provider, reviewer, clock):
    provider.who = reviewer.email
    back = sent_back(sent_to(browser))
    clock.advance(minutes=11)
    assert browser.get(back).status_code == 400


def test_a_code_that_was_made_up_or_stolen_is_refused(browser, provider, reviewer):
    provider.who = reviewer.email
    state = parse_qs(urlsplit(sent_to(browser)).query)["state"][0]
    assert browser.get(f"/account/openid/callback/?code=x&state={state}").status_code == 403
    thief = Client(headers={"host": ADDRESS})
    stolen = parse_qs(urlsplit(sent_back(sent_to(browser))).query)["code"][0]
    state = parse_qs(urlsplit(sent_to(thief)).query)["state"][0]
    answer = thief.get(f"/account/openid/callback/?code={stolen}&state={state}")
    assert answer.status_code == 403
    assert not is_signed_in(thief)


def test_who_turns_back_there_is_told_so(browser, provider):
    state = parse_qs(urlsplit(sent_to(browser)).query)["state"][0]
    answer = browser.get(f"/account/openid/callback/?error=access_denied&state={state}")
    assert answer.status_code == 403
    assert "You did not sign in there" in answer.content.decode()


def test_no_other_site_begins_a_sign_in(provider):
    strict = Client(headers={"host": ADDRESS}, enforce_csrf_checks=True)
    assert strict.post("/account/openid/").status_code == 403
    assert strict.get("/account/openid/").status_code == 405


def test_a_provider_that_is_down_is_said_kindly(browser, settings, reviewer):
    with an_openid_provider() as running:
        settings.OPENID = running.settings
        running.who = reviewer.email
        back = sent_back(sent_to(browser))
    for answer in (browser.get(back), browser.post("/account/openid/")):
        assert answer.status_code == 503
        assert "does not answer at the moment" in answer.content.decode()


def test_a_provider_that_calls_itself_something_else_is_not_asked(browser, settings, provider):
    settings.OPENID = {**provider.settings, "issuer": provider.issuer + "/"}
    assert browser.post("/account/openid/").status_code == 503


@pytest.mark.parametrize(
    "url", ["http://lab.example/", "ftp://localhost/", "file:///etc/passwd", ""]
)
def test_only_https_is_asked_but_on_this_machine(url):
    with pytest.raises(ProviderAway):
        _safe(url)


def test_the_button_is_there_only_where_there_is_a_provider(browser, settings, provider):
    assert "The lab" in browser.get("/account/login/").content.decode()
    settings.OPENID = None
    assert "/account/openid/" not in browser.get("/account/login/").content.decode()
    for answer in (browser.post("/account/openid/"), browser.get("/account/openid/callback/")):
        assert answer.status_code == 404


def test_the_secret_is_in_no_page_and_nothing_of_the_token_is_kept(browser, provider, reviewer):
    provider.who = reviewer.email
    answer = browser.post("/account/openid/")
    assert provider.settings["client_secret"] not in answer.content.decode()
    browser.get(sent_back(answer.context["url"]))
    assert "openid" not in browser.session
    assert "bearer" not in str(dict(browser.session))


def test_half_a_provider_is_no_provider(monkeypatch):
    for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "NAME"):
        monkeypatch.delenv(f"GREENROOM_OIDC_{name}", raising=False)
    assert openid_provider() is None
    monkeypatch.setenv("GREENROOM_OIDC_ISSUER", "https://id.lab.example")
    with pytest.raises(ImproperlyConfigured):
        openid_provider()
    monkeypatch.setenv("GREENROOM_OIDC_CLIENT_ID", "greenroom")
    monkeypatch.setenv("GREENROOM_OIDC_CLIENT_SECRET", "secret")
    assert openid_provider() == {
        "issuer": "https://id.lab.example",
        "client_id": "greenroom",
        "client_secret": "secret",
        "name": "OpenID",
    }


def test_an_address_that_only_looks_like_a_colleagues_is_nobodys(programme):
    kate = a_member(programme, Role.MANAGER, name="kate")
    assert staff_at(kate.email) == kate.person
    assert staff_at(kate.email.replace("k", "\u212a")) is None
