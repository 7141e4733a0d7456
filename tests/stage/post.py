"""A mail server of our own, on loopback, which answers as a test wants."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from accounts.notices.models import Notice
from accounts.post.commands import tell
from core.clock import now
from core.ids import new_id
from core.outbox.models import OutboxMessage
from stage.cast import Member


@dataclass
class MailServer:
    """Speaks as much SMTP (RFC 5321) as is needed. ``received`` is what it said yes to.

    ``refuses`` answers RCPT for an address, ``answers_sender`` every MAIL, ``answers_data`` every
    message; ``while_taking`` is called before a message is answered.
    """

    received: list[EmailMessage] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    answers_sender: str = ""
    answers_data: str = ""
    connections: int = 0
    while_taking: Callable[[], Any] | None = None
    ends_after: int | None = None
    port: int = 0
    _server: socketserver.ThreadingTCPServer | None = None

    def start(self) -> None:
        server = _Server(("127.0.0.1", self.port), _Dialogue)
        server.stage = self
        self._server = server
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()

    def stop(self) -> None:
        """Nobody listens on its port any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def ids(self) -> list[str]:
        return [str(message["Message-ID"]) for message in self.received]


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    stage: MailServer


class _Dialogue(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        stage = self.server.stage
        stage.connections += 1
        taken = 0
        self._say("220 stage ready")
        while line := self.rfile.readline().decode().strip():
            verb = line.partition(" ")[0].upper()
            if verb == "QUIT":
                self._say("221 bye")
                return
            if verb == "RCPT":
                self._say(stage.refuses.get(line.partition("<")[2].rstrip(">"), "250 fine"))
            elif verb == "MAIL":
                self._say(stage.answers_sender or "250 fine")
            elif verb == "DATA":
                self._say("354 go on")
                self._take(stage)
                taken += 1
                if taken == stage.ends_after:
                    return
            else:
                self._say("250 fine")

    def _take(self, stage: MailServer) -> None:
        raw = b""
        while (line := self.rfile.readline()) != b".\r\n":
            raw += line[1:] if line.startswith(b".") else line
        if stage.while_taking:
            stage.while_taking()
        if not stage.answers_data:
            message = message_from_bytes(raw, policy=policy.default)
            assert isinstance(message, EmailMessage)
            stage.received.append(message)
        self._say(stage.answers_data or "250 taken")

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    """Running, and what the house sends through."""
    made = MailServer()
    made.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", made.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_TIMEOUT = 10
    yield made
    made.stop()


def told(member: Member, kind: str = "payout.paid", thing: str = "payout", **facts: Any) -> Notice:
    """Something happened, and the member hears of it."""
    message = OutboxMessage(
        id=new_id(),
        at=now(),
        kind=kind,
        party_id=member.party_id,
        subject_kind=thing,
        subject_id=facts.pop("subject_id", new_id()),
        facts=facts,
    )
    tell(message)
    return Notice.objects.get(id=message.id)
