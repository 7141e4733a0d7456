"""What must be so before Django's settings are read: mode, folders, secrets, no network."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from stage import network


def prepare() -> None:
    """Once per process (xdist: once per worker), from the topmost conftest."""
    var = Path(tempfile.mkdtemp(prefix="greenroom-var-"))
    (var / "static").mkdir()  # whitenoise warns without it, and warnings are errors
    atexit.register(shutil.rmtree, var, ignore_errors=True)
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "GREENROOM_DB_ROLE", "GREENROOM_MEDIA"):
        os.environ.pop(name, None)  # what the operator's shell says is not for the tests
    os.environ.update(
        DJANGO_SETTINGS_MODULE="greenroom.settings",
        GREENROOM_MODE="test",
        GREENROOM_VAR=str(var),
        CELERY_BROKER_URL="memory://",
        # For child processes, which the socket guard does not reach.
        HF_HUB_OFFLINE="1",
        TRANSFORMERS_OFFLINE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
    )
    network.block()
    _make_secrets()
    _hash_passwords_quickly()
    _look_for_static_files_once()
    _fix_budgets_of_random_tests()


def _make_secrets() -> None:
    from greenroom.secrets import load_secrets

    load_secrets(create=True)


def _hash_passwords_quickly() -> None:
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["stage.hashing.FewRounds"]


def _look_for_static_files_once() -> None:
    """Each test client loads the middleware anew, and with it went through every static file."""
    from whitenoise.middleware import WhiteNoiseMiddleware

    look, found = WhiteNoiseMiddleware.add_files_from_finders, {}

    def look_once(middleware: WhiteNoiseMiddleware) -> None:
        if not found:
            look(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    WhiteNoiseMiddleware.add_files_from_finders = look_once


def _fix_budgets_of_random_tests() -> None:
    from hypothesis import HealthCheck
    from hypothesis import settings as hypothesis

    hypothesis.register_profile(
        "house",
        deadline=None,  # tests never assert a time
        derandomize=True,  # the same examples on every machine: a red check is red for everybody
        database=None,
        max_examples=60,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    hypothesis.load_profile("house")
