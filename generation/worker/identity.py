"""Which process works on an attempt, so that a watchdog beside it can tell dead from slow."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Worker:
    """A process on a machine. ``pid_started`` is in clock ticks since that machine's boot."""

    machine: str
    pid: int
    pid_started: int
    device: str = "cpu"
    slots: int = 1

    @property
    def host(self) -> str:
        """The machine, whatever boot it is in: devices stay the same over a boot."""
        return self.machine.partition(":")[0]


def this_worker(device: str = "cpu", slots: int = 1) -> Worker:
    return Worker(this_machine(), os.getpid(), started_at(os.getpid()) or 0, device, slots)


def this_device() -> str:
    """What this process renders on, without asking torch: the first GPU it may see, or the CPU."""
    if not any(Path("/dev").glob("nvidia[0-9]*")):
        return "cpu"
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip()
    return f"cuda:{visible}" if visible and visible != "-1" else "cpu"


@cache
def hardware_of(device: str) -> tuple[str, int | None]:
    """What a device of this machine is called, and the bytes of its memory where that is known."""
    if device == "cpu":
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
        name = next((line for line in lines if line.startswith("model name")), "")
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return name.partition(":")[2].strip()[:120], memory
    if device.startswith("cuda:"):
        for path in Path("/proc/driver/nvidia/gpus").glob("*/information"):
            lines = path.read_text(errors="replace").splitlines()
            said = dict(line.split(":", 1) for line in lines if ":" in line)
            if said.get("Device Minor", "").strip() == device.partition(":")[2]:
                return said.get("Model", "").strip()[:120], None
    return "", None


@cache
def this_machine() -> str:
    """Changes with every boot: after one, no process of before is alive."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{os.uname().nodename[:24]}:{boot[:13]}"


def started_at(pid: int) -> int | None:
    """Start time of a process in clock ticks since boot; None when it is gone or only a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name in parentheses may hold spaces and parentheses itself.
    fields = stat.rpartition(")")[2].split()
    state, start = fields[0], fields[19]
    return None if state in "ZX" else int(start)


def is_alive(worker: Worker) -> bool | None:
    """None where this machine cannot know."""
    if worker.machine != this_machine():
        return None
    return started_at(worker.pid) == worker.pid_started


def end(worker: Worker) -> bool:
    """Kill a hung worker of this machine, if its id still means the same process."""
    if not is_alive(worker) or worker.pid == os.getpid():
        return False
    try:
        os.kill(worker.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True
