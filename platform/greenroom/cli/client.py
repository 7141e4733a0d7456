"""Asking the server: TLS verified, no redirects followed, tried again where that is safe."""

from __future__ import annotations

import json
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import (
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

from greenroom.cli.outcomes import Exit, Refused, Stop

TRIES = 6
PATIENCE_S = 30.0  # of one request, all its pauses together
TIMEOUT_S = 60.0
MOST_BYTES = 1 << 25  # of one answer; files are written as they come
TRY_AGAIN = frozenset({500, 502, 503, 504})
HERE = frozenset({"localhost", "127.0.0.1", "::1"})
pause = time.sleep


class LineLost(Exception):
    """The connection did not come about, or broke off."""


class NoRedirects(HTTPRedirectHandler):
    """A redirect would carry the token to wherever it points."""

    def redirect_request(self, *_args: Any, **_named: Any) -> None:
        return None


@dataclass(frozen=True)
class Server:
    """One installation, with what this machine may do there. ``token`` None: with nothing yet."""

    address: str
    token: str | None = field(default=None, repr=False)
    tell: Callable[[str], None] = field(default=lambda _line: None, repr=False)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return self._repeated("GET", path_with(path, query), None, {}, may_repeat=True)

    def post(
        self, path: str, body: Any = None, *, key: str | None = None, again: bool = False
    ) -> dict[str, Any]:
        """Tried again only with a ``key``, or ``again``: where twice is the same as once."""
        named = {"Content-Type": "application/json"}
        if key:
            named["Idempotency-Key"] = key
        content = json.dumps({} if body is None else body).encode()
        return self._repeated("POST", path, content, named, may_repeat=again or bool(key))

    def send(self, path: str, body: bytes, content_type: str, *, key: str) -> dict[str, Any]:
        named = {"Content-Type": content_type, "Idempotency-Key": key}
        return self._repeated("POST", path, body, named, may_repeat=True)

    def items(self, path: str, most: int, **query: Any) -> list[dict[str, Any]]:
        """Of a list, the first ``most``, over as many pages as that takes."""
        found: list[dict[str, Any]] = []
        cursor = None
        while len(found) < most:
            page = self.get(path, limit=min(100, most - len(found)), cursor=cursor, **query)
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                break
        return found

    def _repeated(
        self,
        method: str,
        path: str,
        content: bytes | None,
        named: Mapping[str, str],
        *,
        may_repeat: bool,
    ) -> dict[str, Any]:
        waited_s = 0.0
        for number in range(1, TRIES + 1):
            try:
                with self.opened(method, path, content, named) as answer:
                    return read_json(answer)
            except Refused as refused:
                wait_s = how_long(number, refused.facts.get("retry_after_s"))
                is_worth_it = may_repeat and refused.status in TRY_AGAIN and number < TRIES
                if not is_worth_it or waited_s + wait_s > PATIENCE_S:
                    raise
                self.tell(f"{refused.sentence} Trying again in {wait_s:.0f} s.")
            except LineLost as lost:
                if not may_repeat or number == TRIES:
                    raise no_answer(self.address, lost) from None
                wait_s = how_long(number)
                self.tell(f"{self.address} does not answer: {lost}. Trying again.")
            pause(wait_s)
            waited_s += wait_s
        raise AssertionError("the last try returns or raises")

    @contextmanager
    def opened(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        named: Mapping[str, str] | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> Iterator[HTTPResponse]:
        """The answer, open to be read. Raises ``Refused`` for an error, ``LineLost``."""
        headers = {"Accept": "application/json", "User-Agent": "greenroom-cli", **(named or {})}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        asked = Request(self.address + path, content, headers, method=method)  # noqa: S310
        try:
            answer = opener_to(self.address).open(asked, timeout=timeout_s)
        except HTTPError as error:
            raise refused_by(error) from None
        except (OSError, HTTPException) as error:
            raise LineLost(words_of(error)) from None
        with answer:
            yield answer


def opener_to(address: str) -> OpenerDirector:
    """Proxies of the environment, except to this machine itself."""
    proxies = ProxyHandler({}) if urlsplit(address).hostname in HERE else ProxyHandler()
    secure = HTTPSHandler(context=ssl.create_default_context())
    return build_opener(proxies, secure, NoRedirects)


def checked_address(text: str) -> str:
    """``https://greenroom.example``, without a path. Plain http only to this machine: a token that
    travels in the clear is everybody's."""
    whole = text if "://" in text else f"https://{text}"
    invalid = Stop(Exit.USAGE, "address_invalid", f"“{text}” is no address of a Greenroom.")
    try:
        parts = urlsplit(whole.strip().rstrip("/"))
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise invalid from None
    is_here = parts.scheme == "http" and parts.hostname in HERE
    if not is_whole or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise invalid
    if parts.scheme != "https" and not is_here:
        raise Stop(
            Exit.USAGE,
            "address_not_secure",
            "A token goes over https only (http is for localhost). Write the address with https://.",
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def refused_by(error: HTTPError) -> Refused:
    with error:
        try:
            problem = json.loads(error.read(1 << 20))
        except (ValueError, OSError, HTTPException):
            problem = None
    if not isinstance(problem, dict):
        problem = {"detail": f"The server answered {error.code} {error.reason}."}
    if isinstance(problem.get("error"), str):  # of a device login: RFC 6749
        problem = {**problem, "code": problem["error"], "detail": problem.get("error_description")}
    refused = Refused(error.code, problem)
    wait = error.headers.get("Retry-After", "")
    if wait.isascii() and wait.isdigit() and len(wait) < 10:
        refused.facts["retry_after_s"] = int(wait)
    return refused


def read_json(answer: HTTPResponse) -> dict[str, Any]:
    try:
        raw = answer.read(MOST_BYTES + 1)
        found = json.loads(raw) if len(raw) <= MOST_BYTES else None
    except (OSError, HTTPException) as error:
        raise LineLost(words_of(error)) from None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise unreadable()
    return found


def unreadable() -> Stop:
    return Stop(Exit.NO_ANSWER, "answer_unreadable", "This answers, but not as a Greenroom does.")


def path_with(path: str, query: Mapping[str, Any]) -> str:
    given = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def how_long(number: int, asked_s: float | None = None) -> float:
    """What the server asks for; else longer each time, and no two callers alike."""
    if asked_s is not None:
        return float(asked_s)
    return float(min(8.0, 0.5 * 2 ** (number - 1)) * random.uniform(0.5, 1.0))  # noqa: S311


def no_answer(address: str, lost: LineLost) -> Stop:
    return Stop(Exit.NO_ANSWER, "no_answer", f"{address} does not answer: {lost}.")


def words_of(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return str(getattr(reason, "strerror", None) or reason or type(error).__name__)
