"""A sender that is killed when the server has taken the mail and nothing is written down yet.

Run by ``test_exactly_once.py`` as a process of its own, with the port of a server on loopback.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402

from accounts.post import commands  # noqa: E402


def killed(*_said: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(port: str) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", int(port)
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    commands._end = killed
    commands.send_due()


if __name__ == "__main__":
    main(*sys.argv[1:])
