"""One table over every route of /api/v1: who gets in, and who learns nothing."""

from __future__ import annotations

import json
import re
from uuid import UUID

import pytest
from django.db import connection

from accounts.credentials.models import Credential
from accounts.credentials.rules import SCOPE_ROLES, TOKEN_SCOPES
from accounts.notices.models import Notice
from core.ids import new_id, shown
from greenroom.api.schema import document
from review.releases.commands import make_share_link, release_clip
from stage.builders import a_clip, a_job
from stage.cast import api_of
from stage.money import a_contribution, a_funding, a_payout, a_rate, an_earning
from stage.review import a_decision, a_submission, open_review

ROUTES = [
    (method.upper(), path, said["x-scope"])
    for path, methods in document()["paths"].items()
    if path.startswith("/api/v1/")
    for method, said in methods.items()
]
WITH_ID = [route for route in ROUTES if "{" in route[1]]
KINDS = {
    "case_id": "case",
    "clip_id": "clip",
    "contribution": "contribution",
    "credit_line_id": "credit_line",
    "job_id": "job",
    "link_id": "share_link",
    "notice_id": "notice",
    "party": "party",
    "payout": "payout",
    "release_id": "release",
    "submission_id": "submission",
    "token": "credential",
    "transaction": "transaction",
}


def address(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda found: ids[found[1]], path)


def absent_ids() -> dict[str, str]:
    return {name: shown(kind, new_id()) for name, kind in KINDS.items()}


def body(method: str, path: str) -> dict[str, str]:
    """The example of the description, as ``generic`` of a test client takes it."""
    asked = document()["paths"][path][method.lower()].get("requestBody")
    if asked is None:
        return {}
    example = asked["content"]["application/json"]["example"]
    return {"data": json.dumps(example), "content_type": "application/json"}


class Belongings:
    """What the tester has, or what staff have about them; made when it is asked for."""

    def __init__(self, request) -> None:
        self.tester = request.getfixturevalue("tester")
        self.cast = request.getfixturevalue

    def shown(self, name: str) -> str:
        return shown(KINDS[name], getattr(self, name)())

    def clip_id(self) -> UUID:
        return a_clip(self.tester).id

    def job_id(self) -> UUID:
        return a_job(self.tester).id

    def token(self) -> UUID:
        self.tester.token()
        return Credential.objects.get(party_id=self.tester.party_id, kind="token").id

    def notice_id(self) -> UUID:
        return Notice.objects.create(
            id=new_id(),
            party_id=self.tester.party_id,
            kind="token.minted",
            subject_kind="credential",
            subject_id=new_id(),
        ).id

    def submission_id(self) -> UUID:
        return self._submission().id

    def case_id(self) -> UUID:
        return self._submission().cases.get().id

    def credit_line_id(self) -> UUID:
        return self._submission().clip.credit_lines.get().id

    def release_id(self) -> UUID:
        clip = self._submission().clip
        a_decision(self.cast("reviewer"), self.cast("clock"))
        return release_clip(
            actor=self.tester.actor, clip_id=shown("clip", clip.id), title="A boat"
        ).id

    def link_id(self) -> UUID:
        release = shown("release", self.release_id())
        return make_share_link(actor=self.tester.actor, release_id=release)[0].id

    def contribution(self) -> UUID:
        return a_contribution(self.tester).id

    def party(self) -> UUID:
        return self.tester.party_id

    def payout(self) -> UUID:
        a_rate(self.tester.programme.id)
        an_earning(self.tester, self.cast("reviewer"))
        return a_payout(self.tester, self.cast("finance")).id

    def transaction(self) -> UUID:
        return a_funding(self.cast("finance")).id

    def _submission(self):
        open_review(self.tester.programme)
        return a_submission(self.tester)


@pytest.fixture
def belongings(request):
    return Belongings(request)


def test_the_table_is_not_empty():
    assert len(ROUTES) > 10
    assert len(WITH_ID) > 4
    assert {name for route in WITH_ID for name in re.findall(r"{(\w+)}", route[1])} == set(KINDS)


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "_scope"), ROUTES)
def test_without_a_credential_the_answer_is_401_and_says_how(method, path, _scope, anybody):
    answer = anybody.generic(method, address(path, absent_ids()), **body(method, path))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="greenroom"'
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_signed_in"


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_without_the_scope_the_answer_is_403(method, path, scope, tester):
    others = [each for each in TOKEN_SCOPES if each != scope]
    api = api_of(tester.token(*others))
    answer = api.generic(method, address(path, absent_ids()), **body(method, path))
    assert answer.status_code == 403
    problem = answer.json()
    assert (problem["code"], problem["scope"]) == ("wrong_scope", scope)


@pytest.mark.parametrize("door", ["api", "client"])
@pytest.mark.parametrize(("method", "path", "_scope"), WITH_ID)
def test_a_stranger_sees_what_is_not_there(
    method, path, _scope, door, stranger, second_tester, belongings
):
    ids_of_the_tester = {name: belongings.shown(name) for name in re.findall(r"{(\w+)}", path)}
    for outsider in (stranger, second_tester):
        of_the_tester, absent, malformed = (
            getattr(outsider, door).generic(method, address(path, ids), **body(method, path))
            for ids in (ids_of_the_tester, absent_ids(), dict.fromkeys(KINDS, "no-id"))
        )
        # Resuming is refused to every token, whatever the id.
        expected = 403 if door == "api" and path.endswith("/resume") else 404
        assert of_the_tester.status_code == expected
        for other in (absent, malformed):
            assert of_the_tester.content == other.content
            assert of_the_tester.headers == other.headers


@pytest.mark.parametrize("role", ["tester", "reviewer", "finance", "manager", "auditor"])
@pytest.mark.parametrize(
    ("method", "path", "scope"), [route for route in ROUTES if route[2] in SCOPE_ROLES]
)
def test_a_room_of_another_role_is_absent_whatever_the_token_carries(
    method, path, scope, role, request
):
    member = request.getfixturevalue(role)
    answer = member.api.generic(method, address(path, absent_ids()), **body(method, path))
    # An id that is not there, and whom the example would pay, are absent for everybody.
    names_nobody = "{" in path or (method, path) == ("POST", "/api/v1/payouts")
    is_absent = names_nobody or role not in SCOPE_ROLES[scope]
    assert (answer.status_code == 404) is is_absent


@pytest.mark.parametrize(("method", "path", "_scope"), ROUTES)
def test_a_method_that_is_not_offered_is_405(method, path, _scope, tester):
    answer = tester.api.generic("PUT", address(path, absent_ids()))
    assert answer.status_code == 405
    assert method in answer["Allow"]
    assert answer.json()["code"] == "method_not_allowed"


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/jobs/", "/api/v1/jobs/a/b/c"])
def test_an_address_that_nobody_serves_is_the_same_404(method, path, tester, anybody):
    absent = tester.api.get(f"/api/v1/jobs/{absent_ids()['job_id']}")
    for client in (tester.api, anybody):
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


def things(tester, how_many):
    for _ in range(how_many):
        a_job(tester, state="finished")
        tester.token()


def costs(client):
    found = {}
    for path in LISTS:
        client.get(path)  # what is done once per process or credential is done
        with connection.execute_wrapper(counter := Counter()):
            answer = client.get(f"{path}?limit=100")
        found[path] = (counter.count, len(answer.json()["items"]))
    return found


def test_a_list_of_thirty_costs_as_many_queries_as_one_of_three(tester):
    things(tester, 3)
    few = costs(tester.api)
    things(tester, 27)
    many = costs(tester.api)
    for path in LISTS:
        assert few[path][1] in (3, 4), path
        assert many[path][1] == few[path][1] + 27, path
        assert many[path][0] == few[path][0] <= 4, path
