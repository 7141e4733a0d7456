"""The stage on which all tests play: environment first, then Django, then the fixtures."""

import django

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
    "stage.rooms",
]
