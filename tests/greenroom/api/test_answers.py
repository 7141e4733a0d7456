"""Whatever is sent to an operation, it answers as the description says: a status, a media type and
a shape that stand there, and never a fault of ours.

Requests come from the description itself (schemathesis), sent with the tokens of every role to the
application as WSGI, in one transaction each. Derandomized: the same ones at every run.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks as openapi_checks

from accounts.programmes.models import Role
from accounts.programmes.rules import ADMINISTRATOR
from greenroom.api.schema import document
from greenroom.openai.schema import document as door
from greenroom.wsgi import application
from stage.cast import ADDRESS
from stage.everything import House

ROLES = [*Role.values, ADMINISTRATOR]
CHECKS = [
    not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
]


@schemathesis.check
def names_a_code_that_stands_there(_context: Any, response: Any, case: Any) -> None:
    """Of ``x-codes``: which refusals an operation may answer with."""
    if response.headers.get("content-type") != ["application/problem+json"]:
        return
    said = case.operation.definition.raw["responses"][str(response.status_code)]
    code = response.json()["code"]
    assert code in said["x-codes"], f"{code} is none of {said['x-codes']}"


CHECKS.append(names_a_code_that_stands_there)
HOW_MANY = 12

RAW = re.compile(r"/(?:media|events|exports|jobs|references)|/v1/.*/content$")  # the router's own


def operations_of(described: dict[str, Any]) -> Iterator[Any]:
    paths = {path: said for path, said in described["paths"].items() if is_django_s(path, said)}
    schema = schemathesis.openapi.from_dict({**described, "paths": paths})
    schema.app = application
    for each in schema.get_all_operations():
        yield each.ok()


def is_django_s(path: str, methods: dict[str, Any]) -> bool:
    """Not the router's own, and not what is for somebody without a credential."""
    return not RAW.match(path) and all(said["x-scope"] for said in methods.values())


OPERATIONS = [
    pytest.param(each, id=f"{each.method.upper()} {each.path}")
    for described in (document(), door())
    for each in operations_of(described)
]


class Undone(Exception):
    """Each request begins with the same house."""


def requests_for(operation: Any, house: House) -> st.SearchStrategy[tuple[Any, str]]:
    """A request, good or bad, about things that are there or not, and whose token goes with it."""
    names = re.findall(r"{(\w+)}", operation.path)
    ids = house.shown(operation.path) | {"number": "1"}
    there = {name: ids[name] for name in names} if set(names) <= set(ids) else None
    forms = [operation.as_strategy(mode) for mode in GenerationMode]
    if there:
        forms += [operation.as_strategy(mode, path_parameters=there) for mode in GenerationMode]
    return st.tuples(st.one_of(forms), st.sampled_from(ROLES))


def ask(operation: Any, house: House) -> None:
    """So many requests; each begins with the same house. Raises what a check found."""

    @settings(
        max_examples=HOW_MANY,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(asked=requests_for(operation, house))
    def one(asked: tuple[Any, str]) -> None:
        case, role = asked
        headers = {"Authorization": f"Bearer {house.tokens[role]}", "Host": ADDRESS}
        try:
            with transaction.atomic():
                answer = case.call(headers=headers)
                raise Undone
        except Undone:
            case.validate_response(answer, checks=CHECKS)

    one()


@pytest.fixture(autouse=True)
def _stays_connected():
    """The end of a request may close the connection; ours has a transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.django_db
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_one_that_the_description_promises(operation, house):
    ask(operation, house)


def without_its_status(said: dict[str, Any], _shapes: dict[str, Any]) -> None:
    del said["responses"]["200"]


def of_another_kind(said: dict[str, Any], _shapes: dict[str, Any]) -> None:
    said["responses"]["200"]["content"] = {"text/plain": {}}


def of_another_shape(_said: dict[str, Any], shapes: dict[str, Any]) -> None:
    shapes["ShownQuota"]["required"].append("moon")


@pytest.mark.django_db
@pytest.mark.parametrize("change", [without_its_status, of_another_kind, of_another_shape])
def test_a_description_that_says_something_else_is_found_out(change, house):
    path = "/api/v1/quota"
    described = copy.deepcopy({**document(), "paths": {path: document()["paths"][path]}})
    change(described["paths"][path]["get"], described["components"]["schemas"])
    (operation,) = operations_of(described)
    with pytest.raises(FailureGroup):
        ask(operation, house)
