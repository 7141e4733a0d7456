"""The way out of the house: Django's mail backend, and what its server's answers mean."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self, TypeGuard

from django.core.mail import EmailMessage, get_connection

from accounts.post.rules import SERVER_AWAY, says_nobody_there

# What MAIL is answered by a server that closes (RFC 5321), or wants us to sign in or to encrypt
# first (RFC 4954): nothing about the message.
_OF_THE_CONNECTION = frozenset({421, 530, 534, 535, 538})
_NO_CONNECTION = (
    smtplib.SMTPConnectError,
    smtplib.SMTPHeloError,
    smtplib.SMTPAuthenticationError,
)


class Answer(Enum):
    TAKEN = auto()
    NOT_NOW = auto()  # this message later; the server is there
    NEVER = auto()  # not this message
    NOBODY_THERE = auto()  # not this reader
    AWAY = auto()  # no server that talks with us


@dataclass(frozen=True, slots=True)
class Said:
    answer: Answer
    failure: str = ""


class Outlet:
    """One connection for a whole batch, opened when there is something to send."""

    def __init__(self) -> None:
        self._connection: Any = get_connection()
        self._is_open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def send(self, letter: EmailMessage) -> Said:
        was_open = self._is_open
        said = self._try(letter)
        # Servers end a connection after so many messages; a fresh one tells whether they are there.
        return self._try(letter) if was_open and said.answer is Answer.AWAY else said

    def _try(self, letter: EmailMessage) -> Said:
        try:
            if not self._is_open:
                self._connection.open()
                self._is_open = True
            self._connection.send_messages([letter])
        except smtplib.SMTPRecipientsRefused as refused:
            return _of_recipient(*next(iter(refused.recipients.values())))
        except (smtplib.SMTPException, OSError) as error:
            if _is_of_message(error):
                return _of_message(error.smtp_code)
            self._close()
            return Said(Answer.AWAY, f"{SERVER_AWAY}: {type(error).__name__}")
        return Said(Answer.TAKEN)

    def _close(self) -> None:
        self._is_open = False
        try:
            self._connection.close()
        except (smtplib.SMTPException, OSError):  # it was gone already
            self._connection.connection = None


def _of_recipient(code: int, words: bytes | str) -> Said:
    if says_nobody_there(code, _text(words)):
        return Said(Answer.NOBODY_THERE, f"recipient_refused: {code}")
    # A policy that refuses us today (a block list, a missing record) is mended by the operator.
    return Said(Answer.NOT_NOW, f"recipient_refused: {code}")


def _is_of_message(error: Exception) -> TypeGuard[smtplib.SMTPResponseException]:
    """A server that answers is there: its no to a sender, a size or a text is to this message."""
    if isinstance(error, _NO_CONNECTION):
        return False
    if isinstance(error, smtplib.SMTPSenderRefused):
        return error.smtp_code not in _OF_THE_CONNECTION
    return isinstance(error, smtplib.SMTPResponseException)


def _of_message(code: int) -> Said:
    never = Answer.NEVER if 500 <= code < 600 else Answer.NOT_NOW
    return Said(never, f"message_refused: {code}")


def _text(words: bytes | str) -> str:
    return words.decode(errors="replace") if isinstance(words, bytes) else words
