"""Every example of the description is one that its shape allows, and lives in the house."""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from house.test_reference import listed
from jsonschema import Draft202012Validator

from core.api import operation_of
from greenroom.api.codes import codes_of
from greenroom.api.examples import RECORDED
from greenroom.api.schema import document
from greenroom.openai.schema import document as door
from greenroom.urls import API
from stage.everything import House

OPERATIONS = [
    pytest.param(path, method, id=f"{method} {path}")
    for path, methods in document()["paths"].items()
    for method in methods
]


def said_of(path: str, method: str) -> Any:
    return document()["paths"][path][method]


def faults(schema: Any, value: Any, whole: Any = None) -> list[str]:
    """Against a shape of the document, whose components stay where references look for them."""
    components = (whole or document())["components"]
    validator = Draft202012Validator({**schema, "components": components})
    return [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(value)]


def contents(said: Any) -> Iterator[tuple[str, str, Any]]:
    for media_type, content in said.get("requestBody", {}).get("content", {}).items():
        yield "request", media_type, content
    for status, answer in said["responses"].items():
        for media_type, content in answer.get("content", {}).items():
            yield status, media_type, content


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_example_is_one_that_its_shape_allows(path, method):
    for where, media_type, content in contents(said_of(path, method)):
        if "json" in media_type:
            assert "example" in content, where
            example = copy.deepcopy(content["example"])
            assert faults(content["schema"], example) == [], where


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_refusal_says_which_codes_it_may_carry(path, method):
    said = said_of(path, method)
    if not path.startswith("/api/v1/") or not said["x-scope"]:
        return
    for status, answer in said["responses"].items():
        if status[0] in "45":
            assert answer["x-codes"], status
            assert set(answer["x-codes"]) <= listed("Codes"), status


def test_every_shape_is_a_schema():
    for described in (document(), door()):
        for name, shape in described["components"]["schemas"].items():
            Draft202012Validator.check_schema(shape), name


def test_every_webhook_is_described_with_a_body_as_it_comes():
    found = document()["webhooks"]
    assert "video.completed" in found
    for name, methods in found.items():
        content = methods["post"]["requestBody"]["content"]["application/json"]
        assert content["example"]["type"] == name
        assert faults(content["schema"], content["example"]) == [], name


def test_what_stands_in_an_address_is_an_id_of_its_kind():
    for path, methods in document()["paths"].items():
        for said in methods.values():
            for each in said.get("parameters", ()):
                if each["in"] == "path":
                    assert each["example"] == "1" or re.fullmatch(
                        r"[a-z]{2,5}_[0-9a-z]{26}|studio", each["example"]
                    ), path


def test_codes_are_found_behind_an_operation():
    (jobs,) = (each.callback.view_class for each in API if str(each.pattern) == "jobs")
    found = codes_of(jobs, "POST", operation_of(jobs, "POST"))
    assert "quota_exceeded" in found[429]
    assert "agreement_required" in found[403]
    assert {"fields_invalid", "prompt_empty", "idempotency_key_reused"} <= set(found[422])
    assert "verdict_stands" not in str(found)


# What a running house answers --------------------------------------------------------------------


def answers(house: House) -> Iterator[tuple[str, Any, Any]]:
    """Every reading that somebody of the house may do: its address, its shape, what came."""
    for path, methods in document()["paths"].items():
        ids = {
            **house.shown(path),
            "number": "1",
            "listed": house.shown("{release_id}")["release_id"],
        }
        if "get" not in methods or not path.startswith("/api/v1/"):
            continue
        schema = methods["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        for role in ("tester", "reviewer", "finance", "manager", "administrator"):
            came = house.api(role).get(path.format(**ids))
            if came.status_code == 200 and (came.json().get("items") or "items" not in came.json()):
                yield path, schema, came.json()
                break


def shape_of(schema: Any, came: Any) -> tuple[str, Any]:
    """The name of the shape, and one thing that has it."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2], came
    return schema["properties"]["items"]["items"]["$ref"].rpartition("/")[2], came["items"][0]


def without_ids(value: Any) -> Any:
    """Ids are made from their shapes: those of a house that is gone say nothing."""
    if isinstance(value, dict):
        return {k: without_ids(v) for k, v in value.items() if not is_id(v)}
    return [without_ids(each) for each in value] if isinstance(value, list) else value


def is_id(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[a-z]{2,5}_[0-9a-z]{26}", value))


@pytest.mark.django_db
def test_what_a_running_house_answers_has_the_shape_that_is_described(house):
    """With ``GREENROOM_RECORD=yes`` the answers are kept as the description's examples."""
    found = {}
    for path, schema, came in answers(house):
        assert faults(schema, came) == [], path
        name, one = shape_of(schema, came)
        found.setdefault(name, one)
    assert len(found) > 40
    if os.environ.get("GREENROOM_RECORD"):
        text = json.dumps(without_ids(found), indent=1, sort_keys=True, ensure_ascii=False)
        RECORDED.write_text(re.sub(r"http://127.0.0.1:\d+/", "https://hooks.example/", text) + "\n")
