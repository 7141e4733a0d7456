"""var/demo.json: how the demonstration's people sign in. Readable by the operator alone."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SignIn:
    role: str
    email: str
    password: str = field(repr=False)
    token: str = field(repr=False)


def read(path: Path) -> dict[str, SignIn]:
    """By address; empty where there is no file, or none that can be read."""
    try:
        people = json.loads(path.read_text(encoding="utf-8"))["people"]
        return {each["email"]: SignIn(**each) for each in people}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}


def write(path: Path, people: list[SignIn]) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=".demo-")  # mkstemp: mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"people": [asdict(each) for each in people]}, file, indent=2)
        file.write("\n")
    Path(fresh).replace(path)
