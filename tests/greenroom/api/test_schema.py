"""The description of the API is complete, valid, and in the reader's language."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse
from django.utils.translation import override
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from accounts.credentials.rules import SESSION_SCOPES
from greenroom.api.docs import groups
from greenroom.api.schema import document

OPERATIONS = [
    pytest.param(said, id=f"{method} {path}")
    for path, methods in document()["paths"].items()
    for method, said in methods.items()
    if said["x-scope"]
]
# Device login: another standard's bodies and errors, for whoever has no credential yet.
OPEN = {"/api/v1/device-login", "/api/v1/device-login/token"}


def test_it_is_valid_openapi_3_1():
    assert document()["openapi"] == "3.1.0"
    validate_schema(document())


def test_nothing_of_it_had_to_be_guessed():
    SchemaGenerator().get_schema(public=True)
    assert not GENERATOR_STATS


@pytest.mark.parametrize("said", OPERATIONS)
def test_every_operation_says_what_it_does_and_what_it_needs(said):
    assert said["summary"]
    assert said["x-scope"] in SESSION_SCOPES
    assert said["security"] == [{"token": [said["x-scope"]]}, {"session": [said["x-scope"]]}]
    assert {"401", "403"} <= set(said["responses"])


def test_only_the_device_login_is_open_to_everybody():
    found = document()["paths"]
    opened = {path for path in found for said in found[path].values() if not said["x-scope"]}
    assert opened == OPEN
    for said in (found[path]["post"] for path in OPEN):
        assert said["summary"]
        assert said["security"] == [{}]
        assert all(answer["description"] for answer in said["responses"].values())


@pytest.mark.parametrize("said", OPERATIONS)
def test_every_answer_has_words_and_a_shape(said):
    for status, answer in said["responses"].items():
        assert answer["description"], status
        if status.startswith("2"):
            assert answer["content"], status
        elif status not in {"304", "416"}:
            content = answer["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}


@pytest.mark.parametrize("said", OPERATIONS)
def test_every_parameter_has_words(said):
    assert all(parameter["description"] for parameter in said.get("parameters", []))


def test_every_body_is_strict_and_shown_by_an_example():
    for path, methods in document()["paths"].items():
        for said in methods.values():
            if "requestBody" in said and path not in OPEN:
                (content,) = said["requestBody"]["content"].values()
                shape = content["schema"]["$ref"].rpartition("/")[2]
                known = document()["components"]["schemas"][shape]
                assert known["additionalProperties"] is False, path
                assert set(content["example"]) <= set(known["properties"]), path
                assert set(content["example"]) >= set(known.get("required", ())), path


def test_operations_have_names_of_their_own():
    names = [said["operationId"] for path in document()["paths"].values() for said in path.values()]
    assert len(names) == len(set(names))
    assert "jobs_cancel" in names


def test_lists_offer_a_cursor_and_orders_a_key():
    paths = document()["paths"]
    filters = {"state", "is_live", "model", "thread", "q", "since", "until"}
    assert {"limit", "cursor"} | filters == _names(paths["/api/v1/jobs"]["get"])
    assert "Idempotency-Key" in _names(paths["/api/v1/jobs"]["post"])


def test_the_docs_show_every_operation_once():
    shown = [(deed.method, deed.path) for group in groups(document()) for deed in group.operations]
    assert sorted(shown) == sorted(
        (method.upper(), path)
        for path, methods in document()["paths"].items()
        for method in methods
    )


def test_every_group_of_the_docs_has_a_name_for_people():
    tags = {
        said["tags"][0] for methods in document()["paths"].values() for said in methods.values()
    }
    assert tags.isdisjoint(group.name for group in groups(document()))


@pytest.mark.django_db
def test_the_document_and_the_page_are_open_to_everybody(client):
    answer = client.get(reverse("schema"))
    assert answer.status_code == 200
    assert answer.json()["info"]["title"] == "Greenroom"
    page = client.get(reverse("api-docs"))
    assert page.status_code == 200
    assert "/api/v1/jobs/{job_id}/cancel" in page.content.decode()


def test_its_words_are_in_the_readers_language():
    plain = document()["paths"]["/api/v1/jobs"]["post"]
    with override("en-xa"):
        pseudo = document()["paths"]["/api/v1/jobs"]["post"]
    for said in ("summary", "description"):
        assert plain[said] != pseudo[said]
        assert pseudo[said].startswith("[")
    assert json.dumps(pseudo["requestBody"]["content"]["application/json"]["example"])


def _names(said):
    return {parameter["name"] for parameter in said["parameters"]}
