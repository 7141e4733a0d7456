"""Habits of the source that no linter knows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from house.source import SHELVES, files, modules, shown

from greenroom.checkout import CHECKOUT

DOORS = {"api.py", "pages.py"}
NO_DOOR = CHECKOUT / "platform/core/api"  # what every door stands on: its pages are slices of lists
QUERIES = {"objects", "filter", "exclude", "raw", "select_for_update", "cursor", "atomic"}
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "data", "info"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
OURS = (*SHELVES, "templates", "tests", "benchmarks", "docs", "requirements")


def test_doors_ask_queries_and_commands_and_never_the_database():
    found = [
        f"{shown(path)}:{node.lineno} {node.attr}"
        for path, module in modules()
        if path.name in DOORS and path.parent != NO_DOOR
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and node.attr in QUERIES
    ]
    assert found == []


def test_no_file_or_folder_is_called_after_nothing():
    found = [
        shown(path)
        for shelf in (
            *("platform", "accounts", "generation", "review"),
            *("tests", "benchmarks", "templates"),
        )
        for path in (CHECKOUT / shelf).rglob("*")
        if path.stem.strip("_") in EMPTY_NAMES and "__pycache__" not in path.parts
    ]
    assert found == []


def written() -> list[Path]:
    kinds = {".py", ".sql", ".html", ".css", ".js", ".md", ".txt", ".toml", ".svg"}
    below = [path for shelf in OURS for path in (CHECKOUT / shelf).rglob("*")]
    return [
        path
        for path in [*below, *CHECKOUT.glob("*")]
        if path.suffix in kinds and path.is_file() and path != Path(__file__)
    ]


def test_nothing_is_left_for_later():
    found = [
        f"{shown(path)}:{number}"
        for path in written()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("app", ["core", "accounts", "generation", "review"])
def test_every_feature_keeps_to_the_usual_names_of_files(app):
    """A further kind of file is allowed where it says what it is; these two say nothing."""
    for path in files("*.py", shelves=(f"platform/{app}" if app == "core" else app,)):
        assert path.name not in {"views.py", "serializers.py"}, shown(path)
