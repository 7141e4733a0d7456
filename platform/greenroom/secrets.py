"""The secrets of this installation, in var/secrets.json (0600) or the environment.

The file is made once, whole, and never rewritten: what it holds (database passwords, peppers of
stored tokens) cannot be made again. No Django here, and nothing touches the disk on import.
"""

from __future__ import annotations

import json
import os
import secrets as randomness
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

from greenroom.checkout import CHECKOUT

DATABASE_ROLES = ("postgres", "greenroom_owner", "greenroom_app")


class SecretsMissing(RuntimeError):
    """Neither the file nor the environment holds the secrets."""


class SecretsUnsafe(RuntimeError):
    """The secrets are there, but cannot be trusted as they are."""


@dataclass(frozen=True)
class Secrets:
    """`pepper_id` names the pepper of new tokens; the others still verify old ones."""

    secret_key: str
    peppers: dict[str, str] = field(repr=False)
    pepper_id: str
    database: dict[str, str] = field(repr=False)

    def __repr__(self) -> str:
        return f"<Secrets pepper_id={self.pepper_id}>"  # never a secret in a traceback


def var_path() -> Path:
    """Where this installation keeps its own files. Touches nothing."""
    named = os.environ.get("GREENROOM_VAR")
    return Path(named).absolute() if named else CHECKOUT / "var"


def var_folder() -> Path:
    """`var_path()`, made with mode 0700 when it is not there yet."""
    folder = var_path()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def load_secrets(*, create: bool) -> Secrets:
    """What the environment says, and for the rest the file; with `create` a missing file is made.

    Raises SecretsMissing when neither has a key, SecretsUnsafe when others could read the file.
    """
    path = (var_folder() if create else var_path()) / "secrets.json"
    if create and not path.exists():
        _write_once(path, _new_secrets())
    kept = _read(path)
    key = os.environ.get("GREENROOM_SECRET_KEY") or (kept.secret_key if kept else None)
    peppers = _peppers_of_environment() or (kept.peppers if kept else None)
    if not key or not peppers:
        raise SecretsMissing(
            f"There are no secrets: {path} is not there, and GREENROOM_SECRET_KEY and "
            "GREENROOM_PEPPERS are not both set."
        )
    # The last pepper is the current one: adding one at the end is how peppers are rotated.
    return Secrets(key, peppers, list(peppers)[-1], kept.database if kept else {})


def _new_secrets() -> Secrets:
    passwords = {role: randomness.token_urlsafe(24) for role in DATABASE_ROLES}
    return Secrets(
        secret_key=randomness.token_urlsafe(64),
        peppers={"1": randomness.token_urlsafe(32)},
        pepper_id="1",
        database=passwords,
    )


def _write_once(path: Path, made: Secrets) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".secrets-")  # mkstemp: mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(made), file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        # A link is refused where the name exists: of two that start together one wins, whole.
        os.link(temporary, path)
    except FileExistsError:
        pass  # another process was quicker, and its secrets hold
    finally:
        Path(temporary).unlink()


def _read(path: Path) -> Secrets | None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, encoding="utf-8") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise SecretsUnsafe(f"Others may read {path}. Run: chmod 600 {path}")
        kept = json.load(file)
    return Secrets(kept["secret_key"], kept["peppers"], kept["pepper_id"], kept["database"])


def _peppers_of_environment() -> dict[str, str] | None:
    text = os.environ.get("GREENROOM_PEPPERS")
    if not text:
        return None
    try:
        peppers = json.loads(text)
    except ValueError:
        peppers = None
    if not isinstance(peppers, dict) or not peppers:
        raise SecretsUnsafe('GREENROOM_PEPPERS must be JSON like {"1": "a long random text"}.')
    return {str(name): str(pepper) for name, pepper in peppers.items()}
