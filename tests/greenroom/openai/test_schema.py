"""The description of /v1: valid, complete, and of this door alone."""

from __future__ import annotations

import pytest
from django.urls import URLPattern
from drf_spectacular.validation import validate_schema

from core.api import operation_of
from greenroom.api.schema import document as native
from greenroom.openai.schema import document
from greenroom.openai.urls import DOOR

METHODS = ("get", "post", "put", "patch", "delete")
OPERATIONS = [
    pytest.param(said, id=f"{method} {path}")
    for path, methods in document()["paths"].items()
    for method, said in methods.items()
]


def test_it_is_valid_openapi_3_1_and_served_to_everybody(client):
    found = client.get("/v1/openapi.json", headers={"host": "localhost"}).json()
    assert found["openapi"].startswith("3.1")
    validate_schema(found)


def test_every_operation_is_in_it_and_no_other():
    served = set()
    for pattern in DOOR:
        assert isinstance(pattern, URLPattern)
        view = pattern.callback.view_class
        path = "/v1/" + str(pattern.pattern).replace("<str:", "{").replace(">", "}")
        served |= {(path, method) for method in METHODS if operation_of(view, method.upper())}
    described = {
        (path, method) for path, methods in document()["paths"].items() for method in methods
    }
    raw = {("/v1/videos/{video_id}/content", "get"), ("/v1/files/{file_id}/content", "get")}
    assert described == served | raw


def test_the_two_descriptions_do_not_mix():
    assert not [path for path in native()["paths"] if path.startswith("/v1")]
    assert all(path.startswith("/v1/") for path in document()["paths"])


def test_every_operation_has_a_name_of_its_own():
    names = [said.values[0]["operationId"] for said in OPERATIONS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("said", OPERATIONS)
def test_every_operation_says_what_it_needs_and_how_it_refuses(said):
    assert said["summary"]
    assert said["x-scope"]
    assert said["security"] == [{"token": [said["x-scope"]]}]
    assert {"200", "401", "403"} <= set(said["responses"])
    assert not {"409", "422"} & set(said["responses"])
    for status, answer in said["responses"].items():
        assert answer["description"]
        if int(status) >= 400 and status != "416":
            (content,) = answer["content"].values()
            assert content["schema"] == {"$ref": "#/components/schemas/Error"}
