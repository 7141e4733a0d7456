"""What starts the house finds Python's own modules, and never a video engine."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.core.management import get_commands, load_command_class

from greenroom.checkout import CHECKOUT

HEAVY = ("torch", "diffusers", "transformers", "accelerate")

LOOK = """
import platform, sys, sysconfig
stdlib = sysconfig.get_path("stdlib")
assert platform.__file__.startswith(stdlib), platform.__file__
assert platform.python_version()
heavy = [name for name in {heavy!r} if name in sys.modules]
assert not heavy, heavy
print("fine")
"""

IMPORTS = {
    "manage": "import runpy, sys\nsys.argv = ['manage.py', 'version']\nrunpy.run_path('manage.py')",
    "web": "import greenroom.asgi",
    "workers": (
        "import greenroom.celery\ngreenroom.celery.app.loader.import_default_modules()\n"
        "assert 'generation.render' in greenroom.celery.app.tasks"
    ),
    "parent": "import greenroom.parent.__main__, greenroom.parent.worker, greenroom.parent.web",
    "database": "import greenroom.embedded.__main__",
}


@pytest.mark.parametrize("entry", IMPORTS)
def test_python_is_itself_and_no_engine_is_loaded(entry, tmp_path):
    script = IMPORTS[entry] + LOOK.format(heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert done.stdout.endswith("fine\n"), done.stderr


def test_the_shelf_is_no_package():
    assert not (CHECKOUT / "platform/__init__.py").exists()
    assert not (CHECKOUT / "tests/__init__.py").exists()


@pytest.mark.parametrize("folder", [".", "benchmarks", "tests"])
def test_nothing_on_the_path_bears_the_name_of_a_module_of_python_or_of_ours(folder):
    ours = {"greenroom", "core", "accounts", "generation", "review", "demo_model"}
    taken = sys.stdlib_module_names | (set() if folder == "." else ours - {"core", "accounts"})
    scripts = {path.stem for path in (CHECKOUT / folder).glob("*.py")}
    assert scripts & (sys.stdlib_module_names | ours) == set()
    packages = {path.parent.name for path in (CHECKOUT / folder).glob("*/__init__.py")}
    assert packages & taken == set()


def test_no_command_of_the_house_reads_every_page_before_it_begins():
    floors = {"accounts", "generation", "review", "greenroom"}
    own = {name: app for name, app in get_commands().items() if app in floors}
    assert {"quota", "model", "ledger", "db"} <= set(own)
    checking = {name for name in own if load_command_class(own[name], name).requires_system_checks}
    assert checking == set()
