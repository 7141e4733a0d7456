"""One POST and the head of its answer, over h11, to an address that was judged.

Name, connection, handshake, sending and waiting share one deadline, so that a server that trickles
its answer holds nobody longer than one that says nothing. No redirect is followed, no proxy is
taken from the environment, nothing is unpacked, and of the answer only the beginning is read.

The remote engine speaks HTTP over h11 as well (``generation.engines.remote.wire``). It trusts the
address its operator wrote, takes any that the name gives, and knows no Django; this one trusts
nobody's address. They share the library and not the code.
"""

from __future__ import annotations

import errno
import ipaddress
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import h11

from accounts.webhooks.addresses import IP, Address, AddressRefused, Allowed, judge
from accounts.webhooks.rules import KEPT_OF_ANSWER

_BLOCK = 1 << 14
_LARGEST_HEAD = 1 << 15
_READ_OF_ANSWER = 4 * KEPT_OF_ANSWER
_MOST_INTERIM = 8
_MOST_ADDRESSES = 3


@dataclass(frozen=True, slots=True)
class Said:
    """``status`` is None where nobody answered with HTTP; ``failure`` then says why, in a word."""

    status: int | None = None
    failure: str = ""
    answer: str = ""
    retry_after_s: int | None = None
    took_ms: int = 0

    @property
    def is_fine(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Letter:
    address: Address
    headers: dict[str, str]
    body: bytes = field(repr=False)


class Away(Exception):
    def __init__(self, failure: str) -> None:
        super().__init__(failure)
        self.failure = failure


def send(letter: Letter, *, allowed: Allowed, within_s: float, ca_file: str = "") -> Said:
    """Never raises for what a server, a name server or a network does."""
    began = time.monotonic()
    try:
        status, answer, retry_after = _sent(letter, allowed, began + within_s, ca_file)
        said = Said(status, "", answer, retry_after)
    except AddressRefused as refused:
        said = Said(failure=refused.code)
    except Away as away:
        said = Said(failure=away.failure)
    took_ms = int((time.monotonic() - began) * 1000)
    return Said(said.status, said.failure, said.answer, said.retry_after_s, took_ms)


def _sent(
    letter: Letter, allowed: Allowed, until: float, ca_file: str
) -> tuple[int, str, int | None]:
    found = look_up(letter.address, until)
    judge(found, allowed)
    if letter.address.scheme == "http" and not all(ip.is_loopback for ip in found):
        raise AddressRefused("url_not_https")
    with _connected(letter.address, found, until, ca_file) as line:
        exchange = _Exchange(line, until)
        exchange.send(_written(letter, exchange.protocol))
        head = exchange.head()
        return head.status_code, exchange.beginning(), _retry_after(head)


# Where it goes -----------------------------------------------------------------------------------


def look_up(address: Address, until: float) -> list[IP]:
    """Every address of the name, asked for once."""
    if address.ip is not None:
        return [address.ip]
    # The resolver cannot be interrupted: it goes on alone, and ends by its own time limit.
    found: list[IP] = []
    failed: list[BaseException] = []
    is_done = threading.Event()

    def look() -> None:
        try:
            found.extend(_resolved(address))
        except BaseException as error:  # noqa: BLE001  (told to whoever waits)
            failed.append(error)
        finally:
            is_done.set()

    threading.Thread(target=look, name="resolver", daemon=True).start()
    if not is_done.wait(_left(until)):
        raise Away("name_timeout")
    if failed and not isinstance(failed[0], OSError | UnicodeError):
        raise failed[0]
    if failed or not found:
        raise Away("name_unknown")
    return found


def _resolved(address: Address) -> list[IP]:
    answers = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    places = dict.fromkeys(str(place[0]) for *_, place in answers)
    return [ipaddress.ip_address(place) for place in places]


@contextmanager
def _connected(
    address: Address, found: list[IP], until: float, ca_file: str
) -> Iterator[socket.socket]:
    line = _opened(found[:_MOST_ADDRESSES], address.port, until)
    try:
        if address.scheme == "https":
            line = _wrapped(line, address.host, ca_file)
            _shake_hands(line, until)
        yield line
    finally:
        line.close()


def _opened(found: list[IP], port: int, until: float) -> socket.socket:
    failed = Away("no_connection")
    for number, ip in enumerate(found):
        family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
        line = socket.socket(family, socket.SOCK_STREAM)
        now = time.monotonic()
        try:
            # Each address has its share of the time: the first may be a dead one.
            _connect(line, (str(ip), port), now + (until - now) / (len(found) - number))
        except Away as away:
            line.close()
            failed = away
        except BaseException:
            line.close()
            raise
        else:
            return line
    raise failed


def _connect(line: socket.socket, place: tuple[str, int], until: float) -> None:
    line.setblocking(False)
    number = line.connect_ex(place)
    if number == errno.EINPROGRESS:
        _wait(line, until, writes=True, late="connect_timeout")
        number = line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        raise Away("connection_refused" if number == errno.ECONNREFUSED else "no_connection")


def _wrapped(line: socket.socket, host: str, ca_file: str) -> ssl.SSLSocket:
    """The certificate must be the host's own, whatever address the connection went to."""
    try:
        trust = ssl.create_default_context(cafile=ca_file or None)
        return trust.wrap_socket(line, server_hostname=host, do_handshake_on_connect=False)
    except (OSError, ValueError):
        line.close()
        raise Away("tls_failed") from None


def _shake_hands(line: ssl.SSLSocket, until: float) -> None:
    while True:
        try:
            line.do_handshake()
        except ssl.SSLWantReadError:
            _wait(line, until, writes=False, late="tls_timeout")
        except ssl.SSLWantWriteError:
            _wait(line, until, writes=True, late="tls_timeout")
        except ssl.SSLCertVerificationError:
            raise Away("certificate_refused") from None
        except OSError:
            raise Away("tls_failed") from None
        else:
            return


def _wait(line: socket.socket, until: float, *, writes: bool, late: str) -> None:
    poll = select.poll()  # select() cannot see descriptors above 1023
    poll.register(line, select.POLLOUT if writes else select.POLLIN)
    if not poll.poll(_left(until) * 1000):
        raise Away(late)


def _left(until: float) -> float:
    return max(0.0, until - time.monotonic())


# What is said there ------------------------------------------------------------------------------


class _Exchange:
    def __init__(self, line: socket.socket, until: float) -> None:
        self.protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEAD)
        self._line = line
        self._until = until

    def send(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            try:
                left = left[self._line.send(left[:_BLOCK]) :]
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as wanted:
                reads = isinstance(wanted, ssl.SSLWantReadError)
                _wait(self._line, self._until, writes=not reads, late="send_timeout")
            except OSError:
                return  # a server may answer before it has read all; its answer says why

    def head(self) -> h11.Response:
        for _number in range(_MOST_INTERIM):
            event = self._event()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                break
        raise Away("answer_garbled")

    def beginning(self) -> str:
        """Of the body, as text for the log. How it ends does not matter any more."""
        kept = bytearray()
        try:
            while len(kept) < _READ_OF_ANSWER and isinstance(event := self._event(), h11.Data):
                kept += event.data
        except Away:
            pass
        text = bytes(kept).decode("utf-8", "replace")
        readable = "".join(sign if sign.isprintable() else " " for sign in text)
        return readable.strip()[:KEPT_OF_ANSWER]

    def _event(self) -> h11.Event | type[h11.PAUSED]:
        while True:
            try:
                event = self.protocol.next_event()
            except h11.RemoteProtocolError:
                raise Away("answer_garbled") from None
            if not isinstance(event, type) or event is h11.PAUSED:
                return event
            self.protocol.receive_data(self._received())

    def _received(self) -> bytes:
        while True:
            # Asked each time: a byte now and then must not carry it past the deadline.
            if _left(self._until) <= 0:
                raise Away("answer_timeout")
            try:
                return self._line.recv(_BLOCK)
            except (BlockingIOError, ssl.SSLWantReadError):
                _wait(self._line, self._until, writes=False, late="answer_timeout")
            except ssl.SSLWantWriteError:
                _wait(self._line, self._until, writes=True, late="answer_timeout")
            except OSError:
                raise Away("connection_lost") from None


def _written(letter: Letter, protocol: h11.Connection) -> bytes:
    head = h11.Request(
        method="POST",
        target=letter.address.target,
        headers=[
            ("Host", letter.address.shown),
            ("Connection", "close"),
            ("User-Agent", "greenroom-webhooks"),
            ("Accept-Encoding", "identity"),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(letter.body))),
            *letter.headers.items(),
        ],
    )
    parts = (head, h11.Data(data=letter.body), h11.EndOfMessage())
    return b"".join(protocol.send(part) or b"" for part in parts)


def _retry_after(head: h11.Response) -> int | None:
    """Seconds, where the server asks for so many. Dates (RFC 9110) are read as no wish."""
    for name, value in head.headers:
        if name == b"retry-after" and value.isdigit() and len(value) < 10:
            return int(value)
    return None
