"""Whatever a page can do, a program can do: every command behind a page has an endpoint."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

import pytest
from django.urls import URLPattern
from django.urls import path as address
from house.source import files, modules, shown, tree
from house.test_reference import DOCUMENT, listed
from rest_framework.response import Response

from accounts.credentials.rules import SCOPE_ROLES, SCOPE_WORDS, SESSION_SCOPES, Scope
from accounts.notices.commands import dismiss_notice
from core.api import Endpoint, Operation, Shape, Text, operation, operation_of
from greenroom.api.schema import document
from greenroom.checkout import CHECKOUT
from greenroom.urls import API, urlpatterns

PORTAL = CHECKOUT / "platform/greenroom/portal"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# For ever without an endpoint, each for the reason given. A command that merely has none yet does
# not belong here.
WITHOUT = {
    "accounts.arrivals.commands.accept_as_new_person": (
        "It makes the account: before it there is nobody who could hold a credential."
    ),
    "accounts.arrivals.commands.accept_as_member": (
        "It makes the seat that tokens are made for, by a link that its reader has in hand."
    ),
    "accounts.device_logins.commands.open_device_login": (
        "A person types the code that their own machine shows: a program could be sent one."
    ),
    "accounts.device_logins.commands.allow_device_login": (
        "It lets a program in: one that could do it would let itself in, and others after it."
    ),
    "accounts.device_logins.commands.deny_device_login": (
        "The other answer to the same question, to which a program never comes."
    ),
    "greenroom.erasures.commands.issue_receipt": (
        "Whoever was erased holds no credential: the receipt's own link opens it, signed, as JSON."
    ),
}


# What pages do ---------------------------------------------------------------------------------


def page_modules() -> Iterator[ast.Module]:
    for path, module in modules():
        if path.name.endswith("pages.py") or PORTAL in path.parents:
            yield module


def commands_used(module: ast.Module) -> set[str]:
    """The dotted names of all commands that a module imports and has any use for.

    A table of deeds uses its commands without calling them by name, so every mention counts.
    ``core`` has no deeds of its own: its commands write the audit and keep answers.
    """
    imported: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module and not node.module.startswith("core."):
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                if node.module.endswith(".commands") and name.name[0].islower():
                    imported[name.asname or name.name] = whole
                assert name.name != "commands", f"{whole}: import the commands by their names"
    return {
        imported[node.id]
        for node in ast.walk(module)
        if isinstance(node, ast.Name) and node.id in imported
    }


# What programs do ------------------------------------------------------------------------------


def deeds(patterns: Any = API) -> Iterator[tuple[Operation, set[str], str, str]]:
    """Every operation that is served: itself, the commands behind it, its path and method."""
    for pattern in patterns:
        assert isinstance(pattern, URLPattern)
        view = pattern.callback.view_class  # type: ignore[attr-defined]
        route = re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
        for method in METHODS:
            said = operation_of(view, method)
            if said is not None:
                behind = set(commands_behind(getattr(view, method.lower()), view))
                yield said, behind, f"/api/v1/{route}", method.lower()


def commands_behind(deed: Any, view: type, seen: set[Any] | None = None) -> Iterator[str]:
    """What a method may come to call: by name, in its own module, in its view, or from a table."""
    seen = set() if seen is None else seen
    function = inspect.unwrap(deed)
    if function in seen:
        return
    seen.add(function)
    for name in names_in(function.__code__):
        for thing in (function.__globals__.get(name), getattr(view, name, None)):
            for each in thing.values() if isinstance(thing, dict) else (thing,):
                if not isinstance(each, FunctionType):
                    continue
                if each.__module__.endswith(".commands"):
                    yield f"{each.__module__}.{each.__name__}"
                elif each.__module__ == function.__module__:
                    yield from commands_behind(each, view, seen)


def names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from names_in(inner)


def commands_with_an_endpoint(patterns: Any = API) -> set[str]:
    """Those that an operation reaches whose scope is one of ours, whose answer has a shape, and
    that the description of the API shows."""
    paths = document()["paths"]
    return {
        command
        for said, commands, path, method in deeds(patterns)
        if said.scope in SESSION_SCOPES
        and said.answers().get_fields()
        and paths.get(path, {}).get(method, {}).get("x-scope") == said.scope
        for command in commands
    }


# The promises ----------------------------------------------------------------------------------


def test_every_command_of_a_page_has_an_endpoint():
    used = {command for module in page_modules() for command in commands_used(module)}
    assert used - set(WITHOUT) - commands_with_an_endpoint() == set()


def test_the_list_of_those_without_an_endpoint_names_no_other():
    used = {command for module in page_modules() for command in commands_used(module)}
    assert set(WITHOUT) <= used
    assert set(WITHOUT) & commands_with_an_endpoint() == set()


def test_every_operation_is_served_below_the_native_api_and_described():
    paths = document()["paths"]
    assert [path for _said, _commands, path, method in deeds() if method not in paths[path]] == []


def test_every_scope_is_asked_by_an_operation():
    asked = {
        said["x-scope"] for methods in document()["paths"].values() for said in methods.values()
    }
    assert asked - {""} == set(SESSION_SCOPES)  # a device login is open to everybody


def test_every_scope_of_a_token_has_words_for_people():
    assert set(SCOPE_WORDS) == set(Scope)


def test_every_scope_that_is_asked_is_in_the_reference():
    assert {str(said.scope) for said, *_rest in deeds()} <= listed("Scopes")


@pytest.mark.parametrize("scope", Scope)
def test_the_reference_says_whose_each_scope_is(scope):
    (row,) = re.findall(rf"^\| `{scope}` \| ([^|]+) \|", DOCUMENT.read_text(), re.MULTILINE)
    roles = SCOPE_ROLES.get(scope)
    assert set(row.split(", ")) == roles if roles else row in {"everybody", "testers"}


def test_the_addresses_that_the_guide_asks_are_served():
    """Those of its shell sessions and of its list by role; an id is written like ``clp_…``."""
    guide = (CHECKOUT / "docs/api.md").read_text()
    by_role = guide.partition("## Doors by role")[2].partition("\n## ")[0]
    written = re.findall(r"\$(?:API|GREENROOM/api/v1)/([\w/…-]+)", guide)
    written += re.findall(r"`([a-z][a-z-]*(?:/[\w{}-]+)*)`", by_role)
    served = {re.sub(r"\{\w+\}", "…", path) for path in document()["paths"]}
    asked = {f"/api/v1/{re.sub(r'[a-z]+_…|{id}', '…', each)}" for each in written}
    assert len(asked) > 30
    assert asked <= served


def test_every_api_of_a_feature_is_served():
    served = [*API, *(each for each in urlpatterns if isinstance(each, URLPattern))]
    views = {getattr(one.callback, "view_class", one.callback).__module__ for one in served}
    written = {
        ".".join(path.relative_to(CHECKOUT).with_suffix("").parts)
        for path in files("api.py", shelves=("accounts", "generation", "review"))
    }
    assert written == views & written


# Setting a programme up --------------------------------------------------------------------------

# Their commands take a party, so that they serve the machine as well: a door says whose deed it is
# inside ``in_charge``, which finds the credential alive when the programme's row is theirs.
SETS_UP = {
    *("make_programme", "publish_particulars", "close_programme", "open_programme"),
    *("publish_agreement", "publish_calendar", "publish_consent", "publish_retention"),
    *("publish_policy", "publish_charter", "publish_rate", "allow_models", "grant_budget"),
    *("keep_defaults", "open_when_ready"),
}
IN_CHARGE = {"in_charge", "managing_now"}


def out_of_charge(module: ast.Module) -> list[str]:
    """Commands of the set-up that are called for somebody other than who is in charge there.

    A function that is handed ``by`` is called by one that is in charge.
    """
    found = []

    def look(node: ast.AST, in_charge: frozenset[str]) -> None:
        if isinstance(node, ast.With):
            for item in node.items:
                call = item.context_expr
                if (
                    isinstance(call, ast.Call)
                    and isinstance(call.func, ast.Name)
                    and call.func.id in IN_CHARGE
                    and isinstance(item.optional_vars, ast.Name)
                ):
                    in_charge |= {item.optional_vars.id}
        if isinstance(node, ast.FunctionDef):
            in_charge = frozenset({"by"} & {each.arg for each in node.args.args})
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in SETS_UP
        ):
            said = {word.arg: word.value for word in node.keywords}.get("actor")
            if not (isinstance(said, ast.Name) and said.id in in_charge):
                found.append(f"{node.func.id}, line {node.lineno}")
        for child in ast.iter_child_nodes(node):
            look(child, in_charge)

    look(module, frozenset())
    return found


def doors() -> Iterator[tuple[str, ast.Module]]:
    for path, module in modules():
        is_door = path.name.endswith(("api.py", "pages.py")) or PORTAL in path.parents
        if is_door:
            yield shown(path), module


def test_a_door_that_sets_a_programme_up_is_in_charge_of_it():
    found = {name: out for name, module in doors() if (out := out_of_charge(module))}
    assert found == {}


def test_every_command_of_the_set_up_stands_behind_a_door():
    called = {
        node.id
        for _name, module in doors()
        for node in ast.walk(module)
        if isinstance(node, ast.Name) and node.id in SETS_UP
    }
    assert called == SETS_UP - {"open_programme"}


@pytest.mark.parametrize(
    "door",
    [
        "def post(self):\n    publish_rate(actor=self.actor.party_id)",
        "def post(self):\n    with in_charge(1) as by:\n        pass\n    publish_rate(actor=me)",
        "def post(self):\n    with in_charge(self) as by:\n        publish_rate(actor=self.party)",
        "def post(self):\n    with in_charge(self.actor) as by:\n        publish_rate(kind=1)",
        "def post(self):\n    with transaction() as by:\n        publish_rate(actor=by)",
    ],
)
def test_a_door_that_is_not_in_charge_is_seen(door):
    assert len(out_of_charge(ast.parse(door))) == 1


# That these tests can fail ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "use",
    [
        "def page(request):\n    dismiss(actor=request.actor)",
        "DEEDS = {'dismiss': dismiss}",
        "async def page(request):\n    return [dismiss for _ in request]",
    ],
)
def test_a_command_is_seen_however_a_page_uses_it(use):
    imports = (
        "from accounts.made_up.commands import Answer, forget_everything as dismiss, unused\n"
        "from core.idempotency.commands import forget_old_answers\n"
    )
    module = ast.parse(f"{imports}{use}\nforget_old_answers(Answer)")
    assert commands_used(module) == {"accounts.made_up.commands.forget_everything"}


def test_commands_are_imported_by_name_so_that_they_are_seen():
    with pytest.raises(AssertionError, match="by their names"):
        commands_used(ast.parse("from accounts.made_up import commands\ncommands.forget()"))


class Done(Shape):
    text = Text()


class Kept(Endpoint):
    """Reaches the command by a function beside it, as an ``api.py`` may."""

    @operation(scope=Scope.NOTICES_DISMISS, summary="-", answers=Done)
    def post(self, request: Any) -> Response:
        return _beside(self)


class FromTable(Endpoint):
    @operation(scope=Scope.NOTICES_DISMISS, summary="-", answers=Done)
    def post(self, request: Any) -> Response:
        return TABLE["dismiss"](self)


class Unsaid(Endpoint):
    def post(self, request: Any) -> Response:
        return _beside(self)


class OfNoScope(Endpoint):
    @operation(scope="notices:eat", summary="-", answers=Done)
    def post(self, request: Any) -> Response:
        return _beside(self)


class ElseWhere(Endpoint):
    @operation(scope=Scope.NOTICES_READ, summary="-", answers=Done)
    def get(self, request: Any) -> Response:
        return Response()


def _beside(view: Any) -> Response:
    return Response(dismiss_notice(actor=view.actor, notice_id=view.kwargs["notice_id"]))


TABLE: dict[str, Any] = {"dismiss": dismiss_notice}
SERVED = "notices/<str:notice_id>/dismiss"
DISMISS = "accounts.notices.commands.dismiss_notice"
DISMISS_ALL = "accounts.notices.commands.dismiss_notices"


@pytest.mark.parametrize("view", [Kept, FromTable])
def test_a_command_is_found_behind_its_endpoint(view):
    assert commands_with_an_endpoint([address(SERVED, view.as_view())]) == {DISMISS}


@pytest.mark.parametrize(
    ("view", "route"),
    [
        (Unsaid, SERVED),
        (OfNoScope, SERVED),
        (ElseWhere, "notices"),
        (Kept, "notices/<str:notice_id>/undescribed"),
    ],
)
def test_what_is_no_endpoint_of_a_command_does_not_count(view, route):
    assert commands_with_an_endpoint([address(route, view.as_view())]) == set()


def test_without_its_endpoint_a_command_of_a_page_is_missed():
    without = [
        pattern
        for pattern in API
        if pattern.callback.view_class.__module__ != "accounts.notices.api"
    ]
    assert DISMISS in commands_used(tree(CHECKOUT / "accounts/notices/pages.py"))
    assert commands_with_an_endpoint() - commands_with_an_endpoint(without) == {
        DISMISS,
        DISMISS_ALL,
    }
