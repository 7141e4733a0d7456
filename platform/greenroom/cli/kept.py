"""Where tokens are kept: one file that nobody but its owner can read."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greenroom.cli.outcomes import Exit, Stop

VERSION = 1
MINE_ALONE, FOLDER_MINE_ALONE = 0o600, 0o700
OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class Kept:
    """``greenroom/credentials.json`` in the folder for configuration."""

    path: Path

    @classmethod
    def at(cls, environment: Mapping[str, str]) -> Kept:
        home = environment.get("XDG_CONFIG_HOME", "")
        # The specification: a relative path is to be ignored.
        folder = Path(home) if home.startswith("/") else Path.home() / ".config"
        return cls(folder / "greenroom" / "credentials.json")

    def servers(self) -> dict[str, dict[str, Any]]:
        return dict(self._read().get("servers", {}))

    def default(self) -> str | None:
        found = self._read().get("default")
        return str(found) if found else None

    def token(self, address: str) -> dict[str, Any] | None:
        return self.servers().get(address)

    def keep(self, address: str, token: Mapping[str, Any]) -> None:
        self._write({**self.servers(), address: dict(token)}, default=address)

    def forget(self, address: str) -> None:
        servers = self.servers()
        servers.pop(address, None)
        default = self.default()
        self._write(servers, default=next(iter(servers), None) if default == address else default)

    def _read(self) -> dict[str, Any]:
        try:
            with self.path.open("rb") as file:
                # Others could read it until now; closing it is all that can be done.
                if os.fstat(file.fileno()).st_mode & OTHERS:
                    os.fchmod(file.fileno(), MINE_ALONE)
                found = json.loads(file.read())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise Stop(
                Exit.FILE, "credentials_unreadable", f"{self.path} cannot be read: {error}"
            ) from None
        return found if isinstance(found, dict) else {}

    def _write(self, servers: dict[str, dict[str, Any]], *, default: str | None) -> None:
        """Whole or not at all, and closed to others before anything is in it."""
        folder = self.path.parent
        body = {"version": VERSION, "default": default, "servers": servers}
        new = folder / f".credentials.{os.getpid()}"
        try:
            folder.mkdir(mode=FOLDER_MINE_ALONE, parents=True, exist_ok=True)
            folder.chmod(FOLDER_MINE_ALONE)
            with suppress(FileNotFoundError):
                new.unlink()
            number = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, MINE_ALONE)
            with os.fdopen(number, "w") as file:
                json.dump(body, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)
        except OSError as error:
            raise Stop(
                Exit.FILE, "credentials_unwritable", f"{self.path} cannot be written: {error}"
            ) from None
