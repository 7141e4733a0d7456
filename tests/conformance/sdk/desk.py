"""A client of the SDK and what it knows about the house.

Each check is written once: ``done`` awaits what the asynchronous client returns, and passes on what
the other one does.
"""

from __future__ import annotations

import inspect
import json
import time
import urllib.request
import uuid
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openai

# Its owner has shut the service down; the methods say so at every call, and work all the same.
warnings.simplefilter("ignore", DeprecationWarning)

PATIENCE_S = 300
HERE = frozenset({"127.0.0.1", "localhost", "::1"})
CLIP = {"model": "still", "size": "640x360", "seconds": "2"}
SMALL = {"model": "still", "size": "640x360", "seconds": "1"}
WAITS = {"model": "later", "size": "640x360", "seconds": "1"}

Check = Callable[["Desk"], Awaitable[dict[str, Any] | None]]
CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    CHECKS[function.__name__] = function
    return function


def since(major: int) -> Callable[[Check], Check]:
    """For what older releases of the SDK have no method for."""
    return (
        check if int(openai.__version__.partition(".")[0]) >= major else lambda function: function
    )


async def done(answer: Any) -> Any:
    return await answer if inspect.isawaitable(answer) else answer


class Desk:
    """One client of the SDK and what it knows about the house."""

    def __init__(self, world: dict[str, Any], *, is_async: bool) -> None:
        self.world = SimpleNamespace(**world)
        self.is_async = is_async
        self.sdk = openai.AsyncOpenAI if is_async else openai.OpenAI
        self.client = self.a_client()
        self.picture = Path(self.world.picture)
        self._finished: Any = None

    def a_client(self, key: str | None = None, *, is_harmed: bool = False, **options: Any) -> Any:
        address = self.world.harmed if is_harmed else self.world.address
        return self.sdk(base_url=f"{address}/v1", api_key=key or self.world.token, **options)

    async def finished(self) -> Any:
        """A video that is ready, made once."""
        if self._finished is None:
            wish = {**CLIP, "prompt": "a lighthouse at dusk", "poll_interval_ms": 100}
            self._finished = await done(self.client.videos.create_and_poll(**wish))
            assert self._finished.status == "completed", self._finished
        return self._finished

    async def all_of(self, page: Any) -> list[Any]:
        return [each async for each in page] if self.is_async else list(page)

    @asynccontextmanager
    async def streamed(self, manager: Any) -> AsyncIterator[Any]:
        if self.is_async:
            async with manager as answer:
                yield answer
        else:
            with manager as answer:
                yield answer

    def post(self, path: str, body: Any = None) -> Any:
        """Our own API, past the SDK."""
        request = urllib.request.Request(
            f"{self.world.address}/api/v1/{path}",
            data=json.dumps(body or {}).encode(),
            headers={
                "Authorization": f"Bearer {self.world.token}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def cancel_after_the_first_look(self, video: Any, line: dict[str, Any]) -> None:
        while not any("answered_at" in each for each in self.passed(line)):
            time.sleep(0.02)
        self.post(f"jobs/{video.job}/cancel")

    def fault(self, kind: str, times: int = 1) -> dict[str, Any]:
        """For ``extra_headers``: the line harms the first so many tries of this request."""
        return {"x-fault": f"{kind} {times} {uuid.uuid4().hex}"}

    def passed(self, headers: dict[str, str]) -> list[dict[str, Any]]:
        """What the line saw of this request: one entry per try."""
        key = headers["x-fault"].split()[2]
        with urllib.request.urlopen(f"{self.world.harmed}/passed/{key}") as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found


@contextmanager
def refused(kind: type[Exception], **said: Any) -> Any:
    """Exactly this error of the SDK, with these attributes. Its fields are filled afterwards."""
    found = SimpleNamespace()
    try:
        yield found
    except (openai.OpenAIError, openai.InvalidWebhookSignatureError) as raised:
        assert type(raised) is kind, (
            f"{type(raised).__name__} in place of {kind.__name__}: {raised}"
        )
        found.error = raised
        for name, value in said.items():
            assert getattr(raised, name) == value, (name, getattr(raised, name), value)
    else:
        raise AssertionError(f"nothing was refused; {kind.__name__} was expected")
