"""One table over every route of /v1: who gets in, and who learns nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from accounts.credentials.rules import TOKEN_SCOPES
from core.ids import new_id, shown
from greenroom.openai.ids import FILE, VIDEO, id_here
from greenroom.openai.schema import document
from stage.cast import api_of
from stage.everything import KINDS, House

ROUTES = [
    (method.upper(), path, said["x-scope"])
    for path, methods in document()["paths"].items()
    if not path.endswith("/content")  # the router's: see its own table
    for method, said in methods.items()
]
# A model is everybody's of the programme, and no model here makes characters.
OF_NOBODY = {"model": "nothing", "character_id": "char_1"}
ABSENT = {
    "video_id": id_here(VIDEO, new_id()),
    "file_id": id_here(FILE, new_id()),
    **{name: shown(kind, new_id()) for name, kind in KINDS.items()},
    **OF_NOBODY,
}
WITH_ID = [
    (method, path)
    for method, path, _scope in ROUTES
    if set(re.findall(r"{(\w+)}", path)) - set(OF_NOBODY)
]


def there(house: House) -> dict[str, str]:
    return {
        "video_id": id_here(VIDEO, house.ids["job_id"]),
        "file_id": id_here(FILE, house.ids["reference_id"]),
        **{name: shown(kind, house.ids[name]) for name, kind in KINDS.items()},
        **OF_NOBODY,
    }


def address(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda found: ids[found[1]], path)


def asked(client: Any, method: str, path: str, ids: dict[str, str]) -> Any:
    wants = document()["paths"][path][method.lower()].get("requestBody")
    example = wants and wants["content"]["application/json"].get("example")
    words = json.dumps(example or {"prompt": "A boat"})
    given = {"data": words, "content_type": "application/json"} if wants else {}
    return client.generic(method, address(path, ids), **given)


def test_the_table_is_not_empty():
    assert len(ROUTES) >= 16
    assert {"video_id", "file_id"} <= {
        name for _method, path in WITH_ID for name in re.findall(r"{(\w+)}", path)
    }
    named = {name for _m, path, _s in ROUTES for name in re.findall(r"{(\w+)}", path)}
    assert named <= set(ABSENT)


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "_scope"), ROUTES)
def test_without_a_credential_the_answer_is_401_in_the_words_of_sdks(method, path, _scope, anybody):
    answer = asked(anybody, method, path, ABSENT)
    assert answer.status_code == 401
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("authentication_error", "not_signed_in")


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_without_the_scope_the_answer_is_403(method, path, scope, house):
    others = [each for each in TOKEN_SCOPES if each != scope]
    answer = asked(api_of(house.tester.token(*others)), method, path, ABSENT)
    assert answer.status_code == 403
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("permission_error", "wrong_scope")
    assert error["scope"] == scope


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), WITH_ID)
def test_a_stranger_sees_what_is_not_there(method, path, house):
    malformed = dict.fromkeys(ABSENT, "no-id")
    for outsider in ("stranger", "second_tester"):
        of_the_tester, absent, no_id = (
            asked(house.api(outsider), method, path, ids)
            for ids in (there(house), ABSENT, malformed)
        )
        assert of_the_tester.status_code == 404
        assert of_the_tester.json()["error"]["type"] == "invalid_request_error"
        for other in (absent, no_id):
            assert of_the_tester.content == other.content
            assert of_the_tester.headers == other.headers


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/v1/videos/extensions", "/v1/videos/edits"])
def test_a_video_named_in_a_body_is_absent_for_strangers(path, house):
    def answers(outsider: str) -> list[Any]:
        return [
            house.api(outsider).post(path, {"prompt": "On", "seconds": "1", "video": {"id": each}})
            for each in (there(house)["video_id"], ABSENT["video_id"])
        ]

    for outsider in ("stranger", "second_tester"):
        theirs, absent = answers(outsider)
        assert theirs.status_code in (400, 404)
        assert (theirs.status_code, theirs.content) == (absent.status_code, absent.content)
