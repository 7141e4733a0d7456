"""What one is called, how it looks, where one is signed in."""

import pytest

from accounts.credentials.models import Credential
from accounts.people.models import PersonalDetail
from core.clock import now

pytestmark = pytest.mark.django_db

SAID = {"display_name": "Ada", "language": "en", "theme": "dark", "time_zone": "Pacific/Auckland"}


def detail_of(member):
    return PersonalDetail.objects.get(person=member.person)


def test_what_is_saved_is_shown_again(tester):
    assert tester.client.post("/settings", {**SAID, "deed": "save"}).url == "/settings"
    page = tester.client.get("/settings").content.decode()
    assert 'value="Ada"' in page
    assert detail_of(tester).time_zone == "Pacific/Auckland"
    assert tester.client.cookies["theme"].value == "dark"


def test_times_are_shown_in_the_chosen_zone(tester):
    tester.client.post("/settings", {**SAID, "deed": "save"})
    offset = tester.client.get("/settings").content.decode()
    assert "+12:00" in offset or "+13:00" in offset


def test_without_a_choice_the_programmes_zone_counts(tester):
    page = tester.client.get("/settings").content.decode()
    assert "+01:00" in page or "+02:00" in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"theme": "pink"},
        {"time_zone": "Moon/Tycho"},
        {"language": "tlh"},
        {"display_name": "n" * 121},
    ],
)
def test_what_is_not_offered_is_not_saved(tester, wrong):
    assert tester.client.post("/settings", {**SAID, **wrong, "deed": "save"}).status_code == 422
    assert detail_of(tester).display_name == ""


def test_the_theme_is_kept_in_the_browser_and_with_the_person(tester, browser):
    answer = browser.post("/theme", {"theme": "light", "next": "/account/login/"})
    assert answer.url == "/account/login/"
    assert answer.cookies["theme"].value == "light"
    assert answer.cookies["theme"]["httponly"]
    tester.client.post("/theme", {"theme": "light"})
    assert detail_of(tester).theme == "light"


def test_a_choice_from_elsewhere_is_ignored(browser):
    assert "theme" not in browser.post("/theme", {"theme": "x; path=/"}).cookies
    assert "django_language" not in browser.post("/language", {"language": "tlh"}).cookies


def test_one_is_never_sent_to_another_site(browser):
    for page in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil"):
        assert browser.post("/theme", {"theme": "dark", "next": page}).url == "/"


def test_the_pseudo_locale_can_be_chosen(browser):
    browser.post("/language", {"language": "en-xa"})
    assert "Sign in" not in browser.get("/account/login/").content.decode().partition("<main")[2]


def test_the_choices_come_along_to_another_browser(tester, sign_in):
    tester.client.post("/settings", {**SAID, "deed": "save"})
    other = sign_in(tester.email)
    assert other.cookies["theme"].value == "dark"
    assert other.session["time_zone"] == "Pacific/Auckland"


def test_every_session_is_listed_and_this_one_is_marked(tester, sign_in):
    here, _there = sign_in(tester.email), sign_in(tester.email)
    page = here.get("/settings").content.decode()
    assert page.count("This one") == 1
    for session in Credential.objects.filter(party_id=tester.party_id, kind="session"):
        assert session.key_id in page


def test_signing_out_everywhere_revokes_every_session_and_no_token(tester, second_tester, sign_in):
    here, there, other = (
        sign_in(tester.email),
        sign_in(tester.email),
        sign_in(second_tester.email),
    )
    token = tester.token()
    answer = here.post("/settings", {"deed": "sign-out-everywhere"})
    assert answer.url == "/account/login/"
    assert here.get("/settings").status_code == there.get("/settings").status_code == 302
    assert other.get("/settings").status_code == 200
    states = dict(
        Credential.objects.filter(party_id=tester.party_id).values_list("key_id", "state")
    )
    assert states.pop(token[6:18]) == "active"
    assert set(states.values()) == {"revoked"}


def test_settings_are_for_the_signed_in(browser):
    assert browser.post("/settings", SAID).url.startswith("/account/login/")
    assert now()


def test_languages_and_contact_are_said_in_one_line_each(tester):
    form = {"theme": "system", "languages": "en, pt-BR de", "contact": "@ada"}
    assert tester.client.post("/settings", form).status_code == 302
    detail = PersonalDetail.objects.get(person=tester.person)
    assert (detail.languages, detail.contact) == (["en", "pt-BR", "de"], "@ada")
    page = tester.client.get("/settings").content.decode()
    assert 'value="en, pt-BR, de"' in page
    answer = tester.client.post("/settings", {**form, "languages": "klingonisch"})
    assert answer.status_code == 422
    assert "Languages are written like" in answer.content.decode()
