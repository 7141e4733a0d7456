"""What must be so before Django's settings are read: mode, folders, secrets, no network."""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import tempfile
from pathlib import Path

from stage import network

MEMORY_TO_SPARE = 4 * 1024**3


def prepare() -> None:
    """Once per process (xdist: once per worker), from the topmost conftest."""
    var = fresh_folder("var")
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


def fresh_folder(what: str) -> Path:
    """Of this process alone, in memory where there is plenty of it: no sync then waits for a disk.

    Those of processes that were killed are removed.
    """
    memory = Path("/dev/shm")
    has_room = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > MEMORY_TO_SPARE
    home = own_folder(memory if has_room else Path("/tmp"))
    for old in home.glob(f"{what}-*"):
        if not Path("/proc", old.name.split("-")[1]).exists():
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{what}-{os.getpid()}-", dir=home))


def own_folder(parent: Path) -> Path:
    """In a place where everybody writes, and others may have made one of that name.

    Not TMPDIR: root starts PostgreSQL as somebody else, who must be able to reach it.
    """
    folder = parent / f"greenroom-tests-{os.geteuid()}"
    folder.mkdir(mode=0o711, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError(f"{folder} is not ours alone.")
    return folder


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
