"""The stage on which all tests play: environment first, then Django, then the fixtures."""

import os

import django
import pytest
from django.utils import translation

from stage import environment

environment.prepare()  # before anything reads a setting
django.setup()

# Each is listed before whatever imports it, so that pytest can rewrite its assertions.
pytest_plugins = [
    "stage.database",
    "stage.clock",
    "stage.together",
    "stage.builders",
    "stage.cast",
    "stage.post",
    "stage.receiver",
    "stage.rooms",
    "stage.web",
    "stage.everything",
]


def pytest_configure(config: pytest.Config) -> None:
    """Workers inherit the environment; with these two they would read this process's settings,
    before they make a folder of their own."""
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        for name in ("DJANGO_SETTINGS_MODULE", "GREENROOM_VAR"):
            os.environ.pop(name, None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """So that a run on another PostgreSQL leaves out what never asks one."""
    for item in items:
        if item.get_closest_marker("django_db") or "database" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.postgres)


@pytest.fixture(autouse=True)
def nobodys_language():
    """A request made in a test leaves its language behind in the thread; the next begins anew."""
    yield
    translation.deactivate()
