"""Which process is which, read from /proc. A pid alone proves nothing: pids are recycled."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
DEAD_STATES = "ZXx"


@dataclass(frozen=True)
class Process:
    """`started` names this very process: the boot, and the clock ticks from boot to its start."""

    pid: int
    parent: int
    session: int
    started: str
    started_epoch: float


def living(pid: int) -> Process | None:
    """The process with this pid, or None where there is none or only a zombie is left of it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may hold blanks and brackets
    if fields[0] in DEAD_STATES:
        return None
    ticks = int(fields[19])
    return Process(
        pid=pid,
        parent=int(fields[1]),
        session=int(fields[3]),
        started=f"{_boot_id()}:{ticks}",
        started_epoch=_boot_epoch() + ticks / os.sysconf("SC_CLK_TCK"),
    )


def is_same(pid: int, started: str) -> bool:
    process = living(pid)
    return process is not None and process.started == started


def everyone() -> Iterator[Process]:
    for folder in Path("/proc").iterdir():
        process = living(int(folder.name)) if folder.name.isdigit() else None
        if process:
            yield process


def command_line(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return [os.fsdecode(part) for part in text.rstrip(b"\0").split(b"\0")]


def environment(pid: int) -> dict[str, str]:
    """The environment it was started with; empty where we may not look."""
    try:
        text = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return {}
    pairs = (os.fsdecode(part).partition("=") for part in text.split(b"\0") if part)
    return {name: value for name, _, value in pairs}


def send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it ended in the meantime, which is what was wanted
        os.kill(pid, number)


_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(number: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel for this signal when the thread that started us ends, however it ends."""
    _libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _boot_epoch() -> float:
    for line in Path("/proc/stat").read_text(encoding="ascii").splitlines():
        if line.startswith("btime "):
            return float(line.split()[1])
    raise RuntimeError("/proc/stat names no boot time")
