"""docs/remote.md says what table and reader say; each code has a sentence for testers."""

from __future__ import annotations

import json
import re
from dataclasses import fields

import pytest

from generation.engines.protocol import FailureCode
from generation.engines.remote.dialect import DIALECTS
from generation.engines.remote.reading import FIELDS, read_server
from generation.engines.remote.server import Limits
from generation.jobs.words import FAILURES
from greenroom.checkout import CHECKOUT

TEXT = (CHECKOUT / "docs/remote.md").read_text()


def row_of(name):
    (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| `{name}` |")]
    return row


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_a_dialects_lacks_are_told(name):
    told = row_of(name).split(" | ")[2].removesuffix(" |")
    expected = set(DIALECTS[name].lacks) or {"nothing we need"}
    assert set(told.split("; ")) == expected


def test_every_field_and_every_limit_is_told():
    assert all(row_of(name) for name in FIELDS)
    assert all(f"`{limit.name}`" in row_of("limits") for limit in fields(Limits))


def test_the_example_is_read(tmp_path):
    example = re.search(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert example is not None
    (tmp_path / "remote.json").write_text(example[1])
    server = read_server(tmp_path)
    assert server.slots == json.loads(example[1])["slots"]
    assert server.capabilities.frames.maximum == 121


@pytest.mark.parametrize("code", FailureCode)
def test_every_failure_has_a_sentence(code):
    assert code is FailureCode.ENGINE_ERROR or FAILURES[code.value]()
