"""The account PostgreSQL runs as: it refuses to run as root, so root starts it as somebody else."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import EmbeddedError


@dataclass(frozen=True)
class Account:
    """None of `uid` and `gid` means: as we are."""

    uid: int | None = None
    gid: int | None = None

    @property
    def is_another(self) -> bool:
        return self.uid is not None

    def process_options(self) -> dict[str, Any]:
        """Keywords for `subprocess`: a small environment, a working folder anybody may enter."""
        path = os.environ.get("PATH", os.defpath)
        options: dict[str, Any] = {
            "cwd": "/",
            "env": {"PATH": path, "LC_ALL": "C", "TZ": "UTC"},
            "umask": 0o077,
        }
        if self.is_another:
            options.update(user=self.uid, group=self.gid, extra_groups=[])
        return options

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **self.process_options(),
        )

    def give(self, path: Path) -> None:
        if self.is_another:
            os.chown(path, self.uid or 0, self.gid or 0, follow_symlinks=False)

    def can_reach(self, folder: Path) -> bool:
        """Whether this account may pass through `folder` and everything above it."""
        if not self.is_another:
            return True
        chain = [folder, *folder.parents]
        return all(self._may_pass(each.stat()) for each in chain if each.exists())

    def _may_pass(self, at: os.stat_result) -> bool:
        if at.st_uid == self.uid:
            return bool(at.st_mode & stat.S_IXUSR)
        return bool(at.st_mode & stat.S_IXOTH)


def account_for(data: Path) -> Account:
    """The owner of an existing data folder, since PostgreSQL accepts nobody else; else `nobody`."""
    if os.geteuid() != 0:
        return Account()
    try:
        owner = data.stat().st_uid
    except FileNotFoundError:
        owner = 0
    try:
        entry = pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedError(
            "PostgreSQL does not run as root, and there is no user `nobody` to run it as. "
            "Start Greenroom as an ordinary user, or set DATABASE_URL."
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)
