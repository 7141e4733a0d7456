"""One table over every route of /api/v1: who gets in, and who learns nothing."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from accounts.credentials.models import Credential
from accounts.credentials.rules import TOKEN_SCOPES
from core.ids import new_id, shown
from greenroom.api.schema import document
from stage.builders import a_clip, a_job
from stage.cast import api_of

ROUTES = [
    (method.upper(), path, said["x-scope"])
    for path, methods in document()["paths"].items()
    if path.startswith("/api/v1/")
    for method, said in methods.items()
]
WITH_ID = [route for route in ROUTES if "{" in route[1]]
KINDS = {"clip_id": "clip", "job_id": "job", "token": "credential"}


def address(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda found: ids[found[1]], path)


def absent_ids() -> dict[str, str]:
    return {name: shown(kind, new_id()) for name, kind in KINDS.items()}


@pytest.fixture
def ids_of_the_tester(tester):
    clip = a_clip(tester)
    tester.token()
    token = Credential.objects.filter(party_id=tester.party_id, kind="token").get()
    return {
        "clip_id": shown("clip", clip.id),
        "job_id": shown("job", clip.job_id),
        "token": shown("credential", token.id),
    }


def test_the_table_is_not_empty():
    assert len(ROUTES) > 10
    assert len(WITH_ID) > 4


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "_scope"), ROUTES)
def test_without_a_credential_the_answer_is_401_and_says_how(method, path, _scope, anybody):
    answer = anybody.generic(method, address(path, absent_ids()))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="greenroom"'
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_signed_in"


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_without_the_scope_the_answer_is_403(method, path, scope, tester):
    others = [each for each in TOKEN_SCOPES if each != scope]
    answer = api_of(tester.token(*others)).generic(method, address(path, absent_ids()))
    assert answer.status_code == 403
    problem = answer.json()
    assert (problem["code"], problem["scope"]) == ("wrong_scope", scope)


@pytest.mark.parametrize("door", ["api", "client"])
@pytest.mark.parametrize(("method", "path", "_scope"), WITH_ID)
def test_a_stranger_sees_what_is_not_there(
    method, path, _scope, door, stranger, second_tester, ids_of_the_tester
):
    for outsider in (stranger, second_tester):
        through = getattr(outsider, door)
        of_the_tester = through.generic(method, address(path, ids_of_the_tester))
        absent = through.generic(method, address(path, absent_ids()))
        malformed = through.generic(method, address(path, dict.fromkeys(KINDS, "no-id")))
        # Resuming is refused to every token, whatever the id.
        expected = 403 if door == "api" and path.endswith("/resume") else 404
        assert of_the_tester.status_code == expected
        for other in (absent, malformed):
            assert of_the_tester.content == other.content
            assert of_the_tester.headers == other.headers


@pytest.mark.parametrize(("method", "path", "_scope"), ROUTES)
def test_a_method_that_is_not_offered_is_405(method, path, _scope, tester):
    answer = tester.api.generic("PATCH", address(path, absent_ids()))
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
