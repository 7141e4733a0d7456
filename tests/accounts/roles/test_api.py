"""People, invitations, cohorts and administrators over the native API."""

from __future__ import annotations

import pytest

from accounts.invitations.models import Invitation
from accounts.people.models import PersonalDetail
from accounts.programmes.queries import roles_in
from accounts.quotas.queries import credits_of
from core.ids import shown
from stage.cast import api_of, client_of

pytestmark = pytest.mark.django_db

API = "/api/v1"


def of(member, *rest):
    return "/".join([API, "people", shown("party", member.party_id), *rest])


def test_managers_and_auditors_read_and_nobody_else_finds_the_room(
    manager, auditor, tester, reviewer
):
    PersonalDetail.objects.filter(person=tester.person).update(
        display_name="Ada", languages=["en"], contact="@ada"
    )
    for member in (manager, auditor):
        found = member.api.get(f"{API}/people?role=tester").json()["items"]
        assert [(one["name"], one["languages"], one["contact"]) for one in found] == [
            ("Ada", ["en"], "@ada")
        ]
    assert tester.api.get(f"{API}/people").status_code == 404
    assert tester.api.get(of(reviewer)).status_code == 404
    assert auditor.api.post(of(tester, "grant-role"), {"role": "reviewer"}).status_code == 404
    narrow = api_of(manager.token("clips:read"))
    assert narrow.get(f"{API}/people").json()["code"] == "wrong_scope"


def test_roles_are_given_and_ended(manager, tester):
    answer = manager.api.post(of(tester, "grant-role"), {"role": "reviewer"})
    assert [each["role"] for each in answer.json()["roles"]] == ["tester", "reviewer"]
    for body, status, code in (
        ({"role": "auditor"}, 409, "duties_are_separate"),
        ({"role": "pope"}, 422, "fields_invalid"),
        ({"role": "tester", "expires_at": "2001-01-01T00:00:00Z"}, 422, "end_in_the_past"),
    ):
        refused = manager.api.post(of(tester, "grant-role"), body)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert manager.api.post(of(manager, "grant-role"), {"role": "tester"}).json()["code"] == (
        "no_self_grant"
    )
    manager.api.post(of(tester, "end-role"), {"role": "reviewer"})
    assert roles_in(tester.programme.id, tester.party_id) == {"tester"}
    last = manager.api.post(of(manager, "end-role"), {"role": "manager"})
    assert last.json()["code"] == "last_manager"


def test_credits_are_read_and_set(manager, tester):
    assert manager.api.patch(of(tester, "credits"), {"limit": 9}).json()["limit"] == 9
    assert manager.api.get(of(tester, "credits")).json()["left"] == 9
    assert credits_of(tester.programme.id, tester.party_id).limit == 9
    assert manager.api.patch(of(manager, "credits"), {"limit": 9}).status_code == 403


def test_invitations_are_made_listed_sent_again_and_withdrawn(manager, stranger, clock):
    made = manager.api.post(f"{API}/invitations", {"email": "a@x.org", "role": "reviewer"})
    assert made.status_code == 201
    address = made.headers["Location"]
    assert manager.api.get(address).json()["number"] == 1
    again = manager.api.post(f"{API}/invitations", {"email": "a@x.org"})
    assert (again.status_code, again.json()["code"]) == (409, "already_invited")
    assert again.json()["invitation"] == made.json()["id"]
    soon = manager.api.post(f"{address}/resend")
    assert (soon.status_code, soon.json()["code"]) == (429, "invitation_sent_a_moment_ago")
    assert soon.json()["may_be_sent_at"] > made.json()["sent_at"]
    clock.advance(minutes=5)
    assert manager.api.post(f"{address}/resend").json()["number"] == 2
    assert stranger.api.post(f"{address}/resend").status_code == 404
    assert manager.api.post(f"{address}/revoke").status_code == 200
    assert manager.api.get(f"{API}/invitations").json()["items"] == []


def test_no_answer_holds_a_link(manager):
    made = manager.api.post(f"{API}/invitations", {"email": "a@x.org"}).json()
    assert not {"link", "secret", "digest"} & set(made)


def test_a_list_is_taken_with_its_faults(manager):
    answer = manager.api.post(
        f"{API}/invitations/list", {"csv": "a@x.org\nnobody\n", "role": "tester"}
    ).json()
    assert [one["email"] for one in answer["invited"]] == ["a@x.org"]
    assert [(one["line"], one["code"]) for one in answer["faults"]] == [(2, "email_invalid")]
    refused = manager.api.post(f"{API}/invitations/list", {"csv": "email,phone\na@x.org,1"})
    assert refused.json()["code"] == "csv_column_unknown"


def test_cohorts_are_made_filled_emptied_and_ended(manager, tester):
    made = manager.api.post(f"{API}/cohorts", {"name": "Spring"}).json()
    party = {"party": shown("party", tester.party_id)}
    assert manager.api.post(f"{made['url']}/seat", party).json()["members"] == 1
    found = manager.api.get(f"{API}/people?cohort={made['id']}").json()["items"]
    assert [one["id"] for one in found] == [party["party"]]
    assert manager.api.post(f"{made['url']}/unseat", party).json()["members"] == 0
    taken = manager.api.post(f"{API}/cohorts", {"name": "spring"}).json()
    assert taken["code"] == "cohort_name_taken"
    manager.api.post(f"{made['url']}/end")
    assert manager.api.get(made["url"]).status_code == 404
    assert manager.api.get(f"{API}/cohorts").json()["items"] == []


def test_administrators_use_their_sign_in(administrator, second_administrator, manager):
    portal = client_of(administrator.person)
    found = portal.get(f"{API}/administrators").json()["items"]
    assert {one["id"] for one in found} == {
        shown("party", each.party_id) for each in (administrator, second_administrator)
    }
    made = portal.post(
        f"{API}/administrators/invitations", {"email": "n@x.org"}, content_type="application/json"
    )
    assert made.status_code == 201, made.content
    assert Invitation.objects.get().programme_id is None
    assert len(portal.get(f"{API}/administrators/invitations").json()["items"]) == 1
    second = shown("party", second_administrator.party_id)
    assert portal.post(f"{API}/administrators/{second}/end").status_code == 200
    assert manager.api.get(f"{API}/administrators").status_code == 404
    assert manager.api.post(f"{API}/administrators/{second}/end").status_code == 404
