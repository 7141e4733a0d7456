"""docs/reference.md names every setting, scope, state, ground, code, event: these and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest
from house.source import calls, modules, shown

from accounts.agreements.models import Acceptance
from accounts.credentials.rules import SESSION_SCOPES
from accounts.notices.rules import Topic
from accounts.post import rules as post
from accounts.rates.rules import ActKind
from accounts.webhooks import rules as webhooks
from accounts.webhooks.events import TABLE, described
from generation.engines.protocol import FailureCode
from generation.jobs import rules as jobs
from generation.media.failure import MediaCode
from greenroom.checkout import CHECKOUT
from review.contributions import rules as contributions
from review.credits import rules as credit_lines
from review.payouts import rules as payouts
from review.policies.rules import Ground
from review.submissions import rules as cases

DOCUMENT = CHECKOUT / "docs/reference.md"
CODE = re.compile(r"[a-z]+(_[a-z]+)*")
KIND = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z_]+")

# Where a code stands in the call that makes it.
PLACE_OF_CODE = {
    "Fault": 1,
    "IntakeRefused": 0,
    "InvalidOrder": 0,
    "NotReady": 0,
    "OrderRefused": 0,
    "Problem": 1,
    "Refused": 0,
    "_problem": 1,
    "_failed": 2,
}
# Calls whose dotted words are names of loggers, modules and tasks.
NO_EVENTS = {
    *("getLogger", "get", "setdefault", "config_from_object", "send_task", "import_module"),
    *("render", "files", "find_spec", "version", "get_model", "run", "include", "info", "warning"),
    "with_name",
}
# Events whose second half is a value.
ENDINGS = {"agreement": set(Acceptance.Act.values), "credential": {"revoked", "expired"}}
# Codes of an order that name the field first: f"{name}_out_of_range".
OF_FIELDS = {f"{name}_out_of_range" for name in ("seed", "frames", "steps", "size")}
# What moves, and the rules that hold its states and its table of moves.
MOVERS: dict[str, Any] = {
    "job": jobs,
    "case": cases,
    "credit line": credit_lines,
    "contribution": contributions,
    "payout": payouts,
    "mail": post,
    "delivery": webhooks,
}


def section(heading: str) -> str:
    found = DOCUMENT.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    assert found, f"docs/reference.md has no section {heading!r}"
    return found


def listed(heading: str) -> set[str]:
    """The first column of the table under this heading."""
    return {
        name
        for line in section(heading).splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([^`]+)`", line.split(" | ")[0])
    }


def constant(node: ast.expr | None) -> str | None:
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return node.value if is_text else None  # type: ignore[union-attr, return-value]


def settings() -> Iterator[str]:
    for _, module in modules():
        for _, call in calls(module):
            if ast.unparse(call.func) in {"os.environ.get", "os.getenv", "listed"}:
                yield constant(call.args[0]) or ""
        for node in ast.walk(module):
            is_read = isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)
            if is_read and ast.unparse(node.value) == "os.environ":  # type: ignore[attr-defined]
                yield constant(node.slice) or ""  # type: ignore[attr-defined]


def codes_of_calls(module: ast.Module) -> Iterator[str]:
    for name, call in calls(module):
        place = PLACE_OF_CODE.get(name)
        if place is not None and len(call.args) > place:
            yield constant(call.args[place]) or ""
        for keyword in call.keywords:
            if keyword.arg == "code":
                yield constant(keyword.value) or ""


def codes_of_names(module: ast.Module) -> Iterator[str]:
    """``code = "…"`` in a class or a function, and tables from somebody's words to our codes."""
    for node in ast.walk(module):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if ast.unparse(target) == "code":
                yield constant(node.value) or ""
            if ast.unparse(target) in {"FIELD_CODES", "names"} and isinstance(node.value, ast.Dict):
                yield from (constant(value) or "" for value in node.value.values)


def codes() -> set[str]:
    found = {each.value for enum in (FailureCode, MediaCode) for each in enum}
    for path, module in modules():
        if shown(path) == "platform/core/api/shapes.py":
            continue  # speaks DRF's own words, which api/problems.py turns into ours
        found |= {*codes_of_calls(module), *codes_of_names(module)}
    return {code for code in found if CODE.fullmatch(code)} | OF_FIELDS | {"wrong_type"}


def events() -> set[str]:
    found: set[str] = set()
    for _, module in modules():
        for name, call in calls(module):
            if name in NO_EVENTS:
                continue
            for argument in call.args:
                text = constant(argument) or ""
                if KIND.fullmatch(text):
                    found.add(text)
                if isinstance(argument, ast.JoinedStr) and name in {"record", "say"}:
                    noun = ast.unparse(argument).split(".")[0].strip("f'\"")
                    found |= {f"{noun}.{ending}" for ending in ENDINGS[noun]}
    return found


def test_every_setting_is_in_the_reference():
    read = {name for name in settings() if name and name != "PATH"}
    assert listed("Settings") == read


def test_every_scope_is_in_the_reference():
    assert listed("Scopes") == set(SESSION_SCOPES)


def test_every_topic_is_in_the_reference():
    assert listed("Topics") == set(Topic.values)


@pytest.mark.parametrize("mover", MOVERS)
def test_every_state_is_in_the_reference(mover):
    assert listed(f"States of a {mover}") == set(MOVERS[mover].State.values)


@pytest.mark.parametrize("mover", MOVERS)
def test_every_move_is_in_the_reference(mover):
    text = section(f"Moves of a {mover}")
    rows = re.findall(r"^\| `(\w+)` → `(\w+)` \| `(\w+)`", text, re.MULTILINE)
    moves = MOVERS[mover].MOVES.items()
    assert set(rows) == {(before.value, after.value, move.value) for (before, move), after in moves}


def test_every_ground_is_in_the_reference():
    assert listed("Grounds") == set(Ground.values)


def test_every_kind_of_act_is_in_the_reference():
    assert listed("Kinds of acts") == set(ActKind.values)


def test_every_error_code_is_in_the_reference():
    assert listed("Codes") == codes()


def test_every_webhook_event_is_in_the_reference_with_its_scope_and_its_kinds():
    rows = [
        re.findall(r"`([^`]+)`", line)
        for line in section("Webhook events").splitlines()
        if line.startswith("| `")
    ]
    assert [row[0] for row in rows] == [each.type for each in described()]
    for row, each in zip(rows, described(), strict=True):
        assert row[1] == each.scope.value
        assert tuple(row[3:]) == each.kinds


def test_webhooks_are_told_of_events_that_there_are():
    assert {each.kind for each in TABLE} <= events()


def test_every_event_is_in_the_reference():
    assert listed("Events") == events()
