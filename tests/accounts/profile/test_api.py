"""Settings over the native API."""

import pytest

from accounts.people.models import PersonalDetail
from core.audit.models import AuditEvent
from core.ids import shown
from stage.cast import api_of

pytestmark = pytest.mark.django_db

SETTINGS = "/api/v1/settings"
NOTHING_SAID = {
    "display_name": "",
    "credit_name": "",
    "language": "",
    "theme": "system",
    "time_zone": "",
    "languages": [],
    "contact": "",
    "country": "",
}


def change(member, **said):
    return member.api.patch(SETTINGS, said)


def shown_to(member):
    """What the answer says beside the id that credits are given by."""
    body = member.api.get(SETTINGS).json()
    assert body.pop("credit_id") == shown("party", member.party_id)
    return body


def test_settings_are_shown_as_they_stand(tester):
    assert shown_to(tester) == NOTHING_SAID


def test_only_what_is_given_changes(tester, second_tester):
    change(tester, display_name="Ada", theme="dark", languages=["en", "pt-BR"], contact="@ada")
    answer = change(tester, credit_name="A. L.", time_zone="Pacific/Auckland", language="en")
    assert answer.status_code == 200
    assert answer.json() == tester.api.get(SETTINGS).json()
    assert shown_to(tester) == {
        "display_name": "Ada",
        "credit_name": "A. L.",
        "language": "en",
        "theme": "dark",
        "time_zone": "Pacific/Auckland",
        "languages": ["en", "pt-BR"],
        "contact": "@ada",
        "country": "",
    }
    assert shown_to(second_tester) == NOTHING_SAID


def test_what_was_said_can_be_taken_back(tester):
    change(tester, display_name="Ada", time_zone="UTC", languages=["en"], contact="@ada")
    change(tester, display_name="", time_zone="", languages=[], contact="")
    assert shown_to(tester) == NOTHING_SAID


def test_the_page_and_the_api_show_the_same(tester):
    change(tester, display_name="Ada", credit_name="A. L.")
    page = tester.client.get("/settings").content.decode()
    assert 'value="Ada"' in page
    assert 'value="A. L."' in page


def test_the_audit_hears_that_something_was_said_and_not_what(tester):
    change(tester, display_name="Ada")
    (event,) = AuditEvent.objects.filter(kind="detail.saved")
    assert "Ada" not in str(event.facts)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"theme": "pink"}, "choice_unknown"),
        ({"language": "tlh"}, "choice_unknown"),
        ({"time_zone": "Moon/Tycho"}, "time_zone_unknown"),
        ({"display_name": "n" * 121}, "out_of_range"),
        ({"credit_name": "n" * 121}, "out_of_range"),
        ({"credit_name": "a\u202eb"}, "name_invalid"),
        ({"display_name": "a\x07b"}, "name_invalid"),
        ({"display_name": 7}, "wrong_type"),
        ({"languages": ["klingonisch"]}, "language_unknown"),
        ({"languages": ["en"] * 21}, "language_unknown"),
        ({"contact": "a\x07b"}, "contact_invalid"),
        ({"contact": "c" * 255}, "contact_invalid"),
        ({"country": "nl"}, "country_unknown"),
        ({"country": "1!"}, "country_unknown"),
        ({"display_name": None}, "wrong_type"),
        ({"email": "other@example.org"}, "field_unknown"),
    ],
)
def test_what_is_not_offered_is_named_and_changes_nothing(tester, wrong, code):
    answer = change(tester, **({"theme": "dark"} | wrong))
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == (next(iter(wrong)), code)
    assert PersonalDetail.objects.get(person=tester.person).theme == "system"


def test_reading_and_changing_are_two_scopes(tester):
    reader = api_of(tester.token("settings:read"))
    assert reader.get(SETTINGS).status_code == 200
    assert reader.patch(SETTINGS, {"theme": "dark"}).json()["code"] == "wrong_scope"
