"""One table over every route of /api/v1: who gets in, and who learns nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts.credentials.rules import SCOPE_ROLES, TOKEN_SCOPES
from accounts.programmes.models import Role
from accounts.programmes.rules import ADMINISTRATOR
from greenroom.api.schema import document
from stage.builders import a_job
from stage.cast import api_of
from stage.everything import KINDS, SLUG, absent_ids

ROUTES = [
    (method.upper(), path, said["x-scope"])
    for path, methods in document()["paths"].items()
    if path.startswith("/api/v1/")
    for method, said in methods.items()
    if said["x-scope"]  # a device login is open to everybody
]
# Numbers name what everybody of a programme may read; ids, what is somebody's.
WITH_ID = [route for route in ROUTES if re.search(r"{(?!(?:number|listed)})", route[1])]
FOR_PEOPLE = ("/resume", "/left/{slug}/consents/revoke")

# Of these the example names somebody who is not there.
NAME_NOBODY = {("POST", "/api/v1/payouts")}
ADMINISTRATORS = "/api/v1/administrators"  # theirs, whoever else holds the scope


def address(path: str, ids: dict[str, str]) -> str:
    of_everybody = path.replace("{number}", "9").replace("{listed}", "rel_absent")
    return re.sub(r"{(\w+)}", lambda found: ids[found[1]], of_everybody)


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


def test_the_table_is_not_empty():
    assert len(ROUTES) > 10
    assert len(WITH_ID) > 4
    named = {name for route in WITH_ID for name in re.findall(r"{(\w+)}", route[1])}
    assert named == {*KINDS, SLUG} - {"webhook_endpoint_id"}  # the other door's word


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
