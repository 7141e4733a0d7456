"""The secrets file: made once, whole, ours alone, and the environment wins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from greenroom.checkout import CHECKOUT
from greenroom.secrets import SecretsMissing, SecretsUnsafe, load_secrets


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "var"
    monkeypatch.setenv("GREENROOM_VAR", str(folder))
    for name in ("GREENROOM_SECRET_KEY", "GREENROOM_PEPPERS"):
        monkeypatch.delenv(name, raising=False)
    return folder


def test_secrets_are_made_once_and_are_ours_alone(var: Path) -> None:
    first = load_secrets(create=True)
    assert load_secrets(create=True) == first
    assert load_secrets(create=False) == first
    assert (var / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert var.stat().st_mode & 0o777 == 0o700
    assert len(set(first.database.values())) == 3


def test_asking_without_creating_touches_nothing(var: Path) -> None:
    with pytest.raises(SecretsMissing):
        load_secrets(create=False)
    assert not var.exists()


def test_importing_touches_nothing(var: Path) -> None:
    code = "import greenroom.secrets, greenroom.embedded.urls as u; print(u.database_urls().app)"
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT / "platform")}
    said = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert "greenroom_app" in said.stdout, said.stderr
    assert not var.exists()


def test_two_processes_that_start_together_get_the_same_secrets(var: Path) -> None:
    code = "from greenroom.secrets import load_secrets; print(load_secrets(create=True).secret_key)"
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT / "platform")}
    started = [
        subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    keys = {process.communicate(timeout=60)[0].strip() for process in started}
    assert keys == {load_secrets(create=False).secret_key}
    assert [path.name for path in var.iterdir()] == ["secrets.json"]


def test_the_environment_wins(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_secrets(create=True)
    monkeypatch.setenv("GREENROOM_SECRET_KEY", "from outside")
    monkeypatch.setenv("GREENROOM_PEPPERS", json.dumps({"old": "a", "new": "b"}))
    found = load_secrets(create=False)
    assert found.secret_key == "from outside"
    assert (found.peppers, found.pepper_id) == ({"old": "a", "new": "b"}, "new")


def test_a_file_that_others_may_read_is_refused(var: Path) -> None:
    load_secrets(create=True)
    (var / "secrets.json").chmod(0o644)
    with pytest.raises(SecretsUnsafe, match="chmod 600"):
        load_secrets(create=False)


def test_secrets_show_nothing_when_printed(var: Path) -> None:
    made = load_secrets(create=True)
    assert made.secret_key not in repr(made)
    assert made.database["postgres"] not in repr(made)
