"""The command line against a real web, with a home of its own."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from greenroom.cli import client
from greenroom.cli.main import main
from greenroom.cli.outcomes import Exit
from stage.cast import Member
from stage.web import Web


@dataclass
class Said:
    exit: Exit
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value, and nothing beside it."""
        return json.loads(self.out)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@dataclass
class Shell:
    """Somebody's machine: where ``greenroom`` is typed."""

    folder: Path
    address: str
    environment: dict[str, str] = field(default_factory=dict)
    is_terminal: bool = False

    def __post_init__(self) -> None:
        self.environment = {
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "GREENROOM_URL": self.address,
            **self.environment,
        }

    def __call__(self, *words: str) -> Said:
        stream = Terminal if self.is_terminal else io.StringIO
        out, err = stream(), stream()
        code = main(list(words), environment=self.environment, out=out, err=err)
        return Said(Exit(code), out.getvalue(), err.getvalue())

    def as_member(self, member: Member, *scopes: str) -> Shell:
        token = member.token(*scopes)
        return Shell(self.folder, self.address, {"GREENROOM_TOKEN": token})

    @property
    def kept(self) -> Path:
        return self.folder / "config" / "greenroom" / "credentials.json"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it would have waited, each time; here it does not."""
    waited: list[float] = []
    monkeypatch.setattr(client, "pause", waited.append)
    return waited


@pytest.fixture
def shell(
    web: Web,
    transactional_db: None,
    tmp_path: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Shell:
    settings.MEDIA_FOLDER = web.media
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path, web.address)


@pytest.fixture
def shell_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Shell]:
    """Makes one with a token for any address, in a folder of its own."""

    def make(address: str) -> Shell:
        home = tmp_path / "home"
        home.mkdir()
        monkeypatch.chdir(home)
        return Shell(home, address, {"GREENROOM_TOKEN": f"grm_t_{'a' * 61}"})

    return make


@pytest.fixture
def mine(shell: Shell, tester: Member) -> Shell:
    """The tester's, with a token of every scope in the environment."""
    return shell.as_member(tester)
