"""Where a cluster stands. Its *home* (var/pg) is a folder, or a text file that names another place.

The other place is needed where root starts PostgreSQL as `nobody` and `nobody` cannot reach the
home: then everything lies in /var/lib/greenroom/<hash of the home>. No folder above is ever made
more open for it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from .account import Account, account_for
from .errors import EmbeddedError

ELSEWHERE = Path("/var/lib/greenroom")
BINARIES = ELSEWHERE / "binaries"  # copies for all clusters; their names tell the sources apart
SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = (
    103  # sun_path holds 108 bytes on Linux and 104 elsewhere, with its final zero
)


@dataclass(frozen=True)
class Place:
    """`root` holds data, socket, lock and log of one cluster."""

    home: Path
    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def record(self) -> Path:
        return self.root / "postmaster.json"

    @property
    def socket(self) -> Path:
        near = self.root / "socket"
        if len(os.fsencode(near / SOCKET_NAME)) <= LONGEST_SOCKET_PATH:
            return near
        # make_socket_folder refuses it unless it is ours alone.
        return Path("/tmp") / f"greenroom-{_hash(self.home)}"  # noqa: S108


def place_of(home: Path) -> Place:
    """Where the cluster with this home stands or would stand. Touches nothing."""
    home = home.absolute()
    if home.is_file():
        return Place(home, Path(home.read_text(encoding="utf-8").strip()))
    if account_for(home / "data").can_reach(home.parent):
        return Place(home, home)
    return Place(home, ELSEWHERE / _hash(home))


def make_place(home: Path) -> Place:
    """The same, with its folders made and, where it stands elsewhere, the home naming it."""
    place = place_of(home)
    account = account_for(place.data)
    _make_root(place.root, account)
    if place.root != place.home and not place.home.exists():
        place.home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.home.write_text(f"{place.root}\n", encoding="utf-8")
    make_socket_folder(place.socket, account)
    return place


def remove_place(place: Place) -> None:
    shutil.rmtree(place.root, ignore_errors=True)
    shutil.rmtree(place.socket, ignore_errors=True)
    if place.home.is_file():
        place.home.unlink()


def make_socket_folder(folder: Path, account: Account) -> None:
    """Raises EmbeddedError where somebody else already holds that name (it may lie in /tmp)."""
    try:
        folder.mkdir(mode=0o700)
        account.give(folder)
    except FileExistsError:
        pass
    found = folder.lstat()
    wanted = account.uid if account.uid is not None else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != wanted or found.st_mode & 0o077:
        raise EmbeddedError(
            f"{folder} is not ours alone, so the database cannot put its socket there."
        )


def _make_root(root: Path, account: Account) -> None:
    root.parent.mkdir(
        mode=0o755 if root.parent == ELSEWHERE else 0o700, parents=True, exist_ok=True
    )
    # Passing through is enough for the other account; listing is not given.
    root.mkdir(mode=0o711 if account.is_another else 0o700, exist_ok=True)
    if account.is_another and not account.can_reach(root):
        root.chmod(0o711)  # the cluster's own folder, made by mkdtemp or under a strict umask


def _hash(home: Path) -> str:
    return hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
