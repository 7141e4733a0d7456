"""var/parent.json: the parent and what it started, to find leftovers of a killed one."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greenroom.embedded import processes

MARK = "GREENROOM_PARENT_MARK"  # in the environment of every child: finds what escaped its session
PATIENCE_S = 10.0


class AlreadyRunning(RuntimeError):
    pass


@dataclass
class Register:
    """Held by one parent at a time: the lock goes with its process, however that ends."""

    folder: Path
    _lock: int = -1

    @property
    def path(self) -> Path:
        return self.folder / "parent.json"

    def take(self) -> None:
        """Raises AlreadyRunning, in plain words, while another parent lives."""
        self._lock = os.open(
            self.folder / "parent.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise AlreadyRunning(_who(self.read())) from None

    def release(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
        self._lock = -1

    def read(self) -> dict[str, Any]:
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}

    def write(self, mark: str, port: int, pids: dict[str, int]) -> None:
        found = {name: processes.living(pid) for name, pid in pids.items()}
        children = {name: [each.pid, each.started] for name, each in found.items() if each}
        fresh = self.path.with_suffix(".new")
        text = json.dumps({"pid": os.getpid(), "port": port, "mark": mark, "children": children})
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.path)

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)

    def end_leftovers(self) -> int:
        """End what a killed parent of this folder left running; answers how many there were."""
        kept = self.read()
        first = _leftovers(kept)
        deadline = time.monotonic() + PATIENCE_S
        for pid in first:
            processes.send(pid, signal.SIGTERM)
        while left := _leftovers(kept):
            if time.monotonic() > deadline:
                for pid in left:
                    processes.send(pid, signal.SIGKILL)
            time.sleep(0.05)
        self.forget()
        return len(first)


def _leftovers(kept: dict[str, Any]) -> list[int]:
    """A recorded child counts only with its start time: its pid may be a stranger's now."""
    children = [tuple(each) for each in kept.get("children", {}).values()]
    sessions = {pid for pid, started in children if processes.is_same(pid, started)}
    mark = kept.get("mark")
    return [each.pid for each in processes.everyone() if _is_ours(each, sessions, mark)]


def _is_ours(process: processes.Process, sessions: set[int], mark: str | None) -> bool:
    if process.pid == os.getpid():
        return False
    if process.session in sessions:
        return True
    return mark is not None and processes.environment(process.pid).get(MARK) == mark


def _who(kept: dict[str, Any]) -> str:
    if not kept:
        return "Greenroom is just being started here by another process."
    return (
        f"Greenroom is already running at http://localhost:{kept['port']} (process {kept['pid']}). "
        "Stop it there with Ctrl-C."
    )
