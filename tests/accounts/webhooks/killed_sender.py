"""A sender that is killed when the receiver has taken the event and nothing is written down yet.

Run by ``test_killed.py`` as a process of its own.
"""

from __future__ import annotations

import os
import signal
from typing import Any

import django

django.setup()

from accounts.webhooks import delivering  # noqa: E402


def killed(*_said: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    delivering.conclude = killed  # type: ignore[assignment]
    delivering.deliver_due()
