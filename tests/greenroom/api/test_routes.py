"""One table over every route of /api/v1: who gets in, and who learns nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts.administrators.models import Administrator
from accounts.announcements.models import Announcement
from accounts.cohorts.models import Cohort, CohortSeat
from accounts.consents.models import ConsentAct, ConsentVersion
from accounts.conversations.models import Conversation
from accounts.credentials.models import Credential
from accounts.credentials.rules import SCOPE_ROLES, TOKEN_SCOPES
from accounts.exports.models import Export
from accounts.invitations.commands import invite_person
from accounts.invitations.models import Invitation
from accounts.notices.models import Notice
from accounts.programmes.models import Role
from accounts.programmes.rules import ADMINISTRATOR
from core.ids import new_id, shown
from generation.placement.models import Device
from greenroom.api.schema import document
from review.releases.commands import make_share_link, release_clip
from review.releases.models import Release
from review.submissions.models import Submission
from stage.builders import a_clip, a_job, a_programme, a_reference
from stage.cast import JsonClient, Member, a_member, api_of
from stage.clock import Clock
from stage.database import Database
from stage.money import a_contribution, a_funding, a_payout, a_rate, an_earning
from stage.review import a_decision, a_submission, open_review

ROUTES = [
    (method.upper(), path, said["x-scope"])
    for path, methods in document()["paths"].items()
    if path.startswith("/api/v1/")
    for method, said in methods.items()
]
# Numbers name what everybody of a programme may read; ids, what is somebody's.
WITH_ID = [route for route in ROUTES if re.search(r"{(?!number})", route[1])]
KINDS = {
    "acceptance_id": "acceptance",
    "act_id": "consent_act",
    "announcement_id": "announcement",
    "case_id": "case",
    "clip_id": "clip",
    "cohort": "cohort",
    "contribution": "contribution",
    "conversation": "conversation",
    "credit_line_id": "credit_line",
    "device": "device",
    "export": "export",
    "invitation": "invitation",
    "job_id": "job",
    "link_id": "share_link",
    "notice_id": "notice",
    "party": "party",
    "payout": "payout",
    "reference_id": "reference",
    "release_id": "release",
    "submission_id": "submission",
    "token": "credential",
    "transaction": "transaction",
}


FOR_PEOPLE = ("/resume", "/left/{slug}/consents/revoke")
SLUG = "slug"  # of a programme, which is named by its word and not by an id

# Of these the example names somebody who is not there.
NAME_NOBODY = {("POST", "/api/v1/payouts")}
ADMINISTRATORS = "/api/v1/administrators"  # theirs, whoever else holds the scope


def address(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda found: ids[found[1]], path.replace("{number}", "9"))


def absent_ids() -> dict[str, str]:
    return {SLUG: "nowhere", **{name: shown(kind, new_id()) for name, kind in KINDS.items()}}


def body(method: str, path: str) -> dict[str, Any]:
    """The example of the description, as ``generic`` of a test client takes it."""
    asked = document()["paths"][path][method.lower()].get("requestBody")
    if asked is None:
        return {}
    ((kind, content),) = asked["content"].items()
    example = content.get("example", {})
    if kind == "multipart/form-data":
        parts = {**example, "file": SimpleUploadedFile("boat.png", b"")}
        return {"data": encode_multipart(BOUNDARY, parts), "content_type": MULTIPART_CONTENT}
    return {"data": json.dumps(example), "content_type": "application/json"}


class House:
    """A programme with everybody in it and one of everything of the tester's, or that staff have
    about them. Committed once: no test of the table leaves a trace in it."""

    def __init__(self, clock: Clock) -> None:
        studio = a_programme("studio")
        self.cast = {role: a_member(studio, Role(role), name=role) for role in Role.values}
        self.cast[ADMINISTRATOR] = a_member(studio, name="administrator")
        Administrator.objects.create(party=self.cast[ADMINISTRATOR].party)
        self.cast["second_tester"] = a_member(studio, Role.TESTER, name="second tester")
        self.cast["stranger"] = a_member(a_programme("elsewhere"), Role.TESTER, name="stranger")
        self.tokens = {name: member.token() for name, member in self.cast.items()}
        self.ids = self._reviewed(clock) | self._owned() | self._told() | self._of_money()

    @property
    def tester(self) -> Member:
        return self.cast["tester"]

    def shown(self, path: str) -> dict[str, str]:
        """The ids that the path asks for."""
        names = (name for name in re.findall(r"{(\w+)}", path) if name in KINDS)
        ids = {name: shown(KINDS[name], self.ids[name]) for name in names}
        return {SLUG: self.tester.programme.slug, **ids}

    def api(self, name: str) -> JsonClient:
        return api_of(self.tokens[name])

    def door(self, name: str, door: str) -> Client:
        """A browser is signed in anew: what it was given in a test is gone with the test."""
        return self.api(name) if door == "api" else replace(self.cast[name]).client

    def _reviewed(self, clock: Clock) -> dict[str, UUID]:
        open_review(self.tester.programme)
        a_submission(self.tester)
        decision = a_decision(self.cast["reviewer"], clock)
        release = self._release(decision.chain_id)
        link, _secret = make_share_link(
            actor=self.tester.actor, release_id=shown("release", release.id)
        )
        waiting: Submission = a_submission(self.tester)
        return {
            "release_id": release.id,
            "link_id": link.id,
            "submission_id": waiting.id,
            "case_id": waiting.cases.get().id,
            "credit_line_id": waiting.clip.credit_lines.get().id,
        }

    def _release(self, clip_id: UUID) -> Release:
        return release_clip(actor=self.tester.actor, clip_id=shown("clip", clip_id), title="A boat")

    def _owned(self) -> dict[str, UUID]:
        party = self.tester.party
        token = Credential.objects.get(party_id=party.id, kind="token")
        clip = a_clip(self.tester)
        return {
            "clip_id": clip.id,
            "job_id": clip.job_id,
            "device": Device.objects.get().id,
            "reference_id": a_reference(self.tester).id,
            "token": token.id,
            "party": party.id,
            "acceptance_id": party.acceptances.get().id,
            "act_id": self._consent().id,
            "export": Export.objects.create(party=party).id,
        }

    def _consent(self) -> ConsentAct:
        facts: dict[str, Any] = {"programme": self.tester.programme, "purpose": "training"}
        version = ConsentVersion.objects.create(number=1, is_asked=True, words="May we?", **facts)
        return ConsentAct.objects.create(
            version=version, party=self.tester.party, deed="granted", **facts
        )

    def _told(self) -> dict[str, UUID]:
        programme, party = self.tester.programme, self.tester.party
        cohort = Cohort.objects.create(programme=programme, name="Autumn")
        CohortSeat.objects.create(
            cohort=cohort, programme=programme, membership=programme.memberships.get(party=party)
        )
        announcement = Announcement.objects.create(
            programme=programme,
            cohort=cohort,
            title="Tuesday",
            words="We are closed.",
            made_by=self.cast["manager"].party,
        )
        notice = Notice.objects.create(
            id=new_id(),
            party=party,
            kind="token.minted",
            subject_kind="credential",
            subject_id=new_id(),
        )
        invite_person(programme_id=programme.id, email="new@studio.example", role=Role.TESTER)
        return {
            "cohort": cohort.id,
            "announcement_id": announcement.id,
            "notice_id": notice.id,
            "conversation": Conversation.objects.create(programme=programme, party=party).id,
            "invitation": Invitation.objects.get(email="new@studio.example").id,
        }

    def _of_money(self) -> dict[str, UUID]:
        a_rate(self.tester.programme.id)
        an_earning(self.tester, self.cast["reviewer"])
        return {
            "contribution": a_contribution(self.tester).id,
            "payout": a_payout(self.tester, self.cast["finance"]).id,
            "transaction": a_funding(self.cast["finance"]).id,
        }


@pytest.fixture(scope="module")
def house(database: Database, django_db_setup: None, django_db_blocker: Any) -> Iterator[House]:
    with django_db_blocker.unblock():
        made = House(Clock(database))
    yield made
    database.reset()


def test_the_table_is_not_empty():
    assert len(ROUTES) > 10
    assert len(WITH_ID) > 4
    named = {name for route in WITH_ID for name in re.findall(r"{(\w+)}", route[1])}
    assert named == {*KINDS, SLUG}


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "_scope"), ROUTES)
def test_without_a_credential_the_answer_is_401_and_says_how(method, path, _scope, anybody):
    answer = anybody.generic(method, address(path, absent_ids()), **body(method, path))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="greenroom"'
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_signed_in"


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_without_the_scope_the_answer_is_403(method, path, scope, house):
    others = [each for each in TOKEN_SCOPES if each != scope]
    api = api_of(house.tester.token(*others))
    answer = api.generic(method, address(path, absent_ids()), **body(method, path))
    assert answer.status_code == 403
    problem = answer.json()
    assert (problem["code"], problem["scope"]) == ("wrong_scope", scope)


@pytest.mark.django_db
@pytest.mark.parametrize("door", ["api", "client"])
@pytest.mark.parametrize(("method", "path", "_scope"), WITH_ID)
def test_a_stranger_sees_what_is_not_there(method, path, _scope, door, house):
    for outsider in ("stranger", "second_tester"):
        client = house.door(outsider, door)
        of_the_tester, absent, malformed = (
            client.generic(method, address(path, ids), **body(method, path))
            for ids in (house.shown(path), absent_ids(), dict.fromkeys([*KINDS, SLUG], "no-id"))
        )
        # Refused to every token, whatever the id.
        expected = 403 if door == "api" and path.endswith(FOR_PEOPLE) else 404
        assert of_the_tester.status_code == expected
        for other in (absent, malformed):
            assert of_the_tester.content == other.content
            assert of_the_tester.headers == other.headers


@pytest.mark.django_db
@pytest.mark.parametrize("role", [*Role.values, ADMINISTRATOR])
@pytest.mark.parametrize(
    ("method", "path", "scope"), [route for route in ROUTES if route[2] in SCOPE_ROLES]
)
def test_a_room_of_another_role_is_absent_whatever_the_token_carries(
    method, path, scope, role, house
):
    answer = house.api(role).generic(method, address(path, absent_ids()), **body(method, path))
    # An id that is not there, and whom the example would pay, are absent for everybody.
    names_nobody = "{" in path or (method, path) in NAME_NOBODY
    roles = {ADMINISTRATOR} if path.startswith(ADMINISTRATORS) else SCOPE_ROLES[scope]
    is_absent = names_nobody or role not in roles
    assert (answer.status_code == 404) is is_absent


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "_scope"), ROUTES)
def test_a_method_that_is_not_offered_is_405(method, path, _scope, house):
    answer = house.api("tester").generic("PUT", address(path, absent_ids()))
    assert answer.status_code == 405
    assert method in answer["Allow"]
    assert answer.json()["code"] == "method_not_allowed"


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/jobs/", "/api/v1/jobs/a/b/c"])
def test_an_address_that_nobody_serves_is_the_same_404(method, path, house, anybody):
    api = house.api("tester")
    absent = api.get(f"/api/v1/jobs/{absent_ids()['job_id']}")
    for client in (api, anybody):
        answer = client.generic(method, path)
        assert answer.status_code == 404
        assert answer.content == absent.content
        assert answer["Content-Type"] == "application/problem+json"


LISTS = ["/api/v1/jobs", "/api/v1/clips", "/api/v1/tokens", "/api/v1/quota/reservations"]


class Counter:
    """Counts what goes to the database while it is open."""

    count = 0

    def __call__(self, execute, *arguments):
        self.count += 1
        return execute(*arguments)


def things(member, how_many):
    for _ in range(how_many):
        a_job(member, state="finished")
        member.token()


def costs(client):
    found = {}
    for path in LISTS:
        client.get(path)  # what is done once per process or credential is done
        with connection.execute_wrapper(counter := Counter()):
            answer = client.get(f"{path}?limit=100")
        found[path] = (counter.count, len(answer.json()["items"]))
    return found


@pytest.mark.django_db
def test_a_list_of_twelve_costs_as_many_queries_as_one_of_three(house):
    member, api = house.cast["second_tester"], house.api("second_tester")
    things(member, 3)
    few = costs(api)
    things(member, 9)
    many = costs(api)
    for path in LISTS:
        assert few[path][1] in (3, 4), path
        assert many[path][1] == few[path][1] + 9, path
        assert many[path][0] == few[path][0] <= 5, path
