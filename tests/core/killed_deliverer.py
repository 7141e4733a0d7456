"""A deliverer that is killed before line 1, before line 2, … of the code that delivers.

Run by ``test_outbox.py`` as a process of its own: Django is set up once, then every try is a fork
with a connection of its own that SIGKILLs itself when it reaches its line. Each try has a listener
of its own, which hears the same messages. Writes out how many lines there were.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Any

import django

django.setup()

from core.audit.commands import record  # noqa: E402
from core.outbox import commands  # noqa: E402
from core.outbox.models import OutboxMessage  # noqa: E402

WATCHED = commands.__file__


def killed_before(line_number: int, name: str) -> bool:
    """Whether the try was killed; False when it came to its end before that many lines."""
    child = os.fork()
    if child == 0:
        _deliver_until(line_number, name)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0, f"the deliverer broke before line {line_number}"
    return False


def _deliver_until(line_number: int, name: str) -> None:
    """In the fork. Never returns."""
    seen = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal seen
        if frame.f_code.co_filename != WATCHED and event == "call":
            return None
        if event == "line":
            seen += 1
            if seen == line_number:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    status = 1
    try:
        _listen(name)
        sys.settrace(trace)
        commands.deliver(name)
        sys.settrace(None)
        status = 0
    finally:
        os._exit(status)


def _listen(name: str) -> None:
    @commands.listener(name)
    def hear(message: OutboxMessage) -> None:
        record("witness.heard", subject=("event", message.id), listener=name)


def main() -> None:
    number = 1
    while killed_before(number, f"witness-{number}"):
        number += 1
    sys.stdout.write(str(number - 1))


if __name__ == "__main__":
    main()
