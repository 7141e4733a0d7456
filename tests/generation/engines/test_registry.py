import subprocess
import sys

import pytest

from generation.engines import registry
from generation.engines.registry import (
    EngineNotInstalled,
    EngineUnknown,
    engine,
    engine_names,
    is_installed,
)

PLUGIN = """
class Outside:
    name = "outside"
    packages = ("a_package_that_nobody_has",)
"""

CLEAN = """
import sys
from pathlib import Path
import generation.engines.protocol, generation.engines.registry, generation.media.recording
import generation.media.probing, generation.engines.still
import generation.engines.local.diffusers_engine as local
from generation.engines.registry import is_installed
is_installed("diffusers")
try:
    local.DiffusersEngine().capabilities(Path("nowhere"))
except Exception as refused:
    assert refused.code == "checkpoint_missing", refused
local.DiffusersEngine().close()
heavy = {"torch", "diffusers", "transformers", "accelerate", "django"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """A package of somebody else that declares an engine."""
    facts = tmp_path / "outside-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[greenroom.engines]\noutside = outside:Outside\n")
    (tmp_path / "outside.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))


def test_both_shipped_engines_are_found_by_name():
    assert {"still", "diffusers"} <= set(engine_names())
    assert engine("still").name == "still"


def test_an_engine_of_another_package_is_found_without_touching_this_one(outside):
    assert "outside" in engine_names()


def test_an_engine_without_its_packages_is_known_and_answers_not_installed(outside):
    assert not is_installed("outside")
    with pytest.raises(EngineNotInstalled) as refused:
        engine("outside")
    assert refused.value.code == "engine_not_installed"
    assert refused.value.missing == ("a_package_that_nobody_has",)


def test_an_unknown_engine_is_not_called_missing():
    with pytest.raises(EngineUnknown):
        is_installed("nobody")


def test_a_package_still_being_unpacked_counts_as_missing(tmp_path, monkeypatch):
    (tmp_path / "halfway").mkdir()
    (tmp_path / "halfway" / "__init__.py").touch()
    facts = tmp_path / "halfway-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: halfway\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert not registry._is_complete("halfway")
    (facts / "INSTALLER").write_text("pip\n")
    assert registry._is_complete("halfway")


def test_asking_about_engines_imports_neither_torch_nor_django():
    asked = subprocess.run(
        [sys.executable, "-c", CLEAN], capture_output=True, text=True, check=False
    )
    assert asked.returncode == 0, asked.stderr
