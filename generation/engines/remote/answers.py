"""What a server's answers mean, whichever shape it gives them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from generation.engines.remote.dialect import WORDS, State
from generation.engines.remote.wire import Answer

_LARGEST_SENTENCE = 500
_MOST_FACTS = 30
_LONGEST_WAIT_S = 30.0
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")
_MAY_PASS = (408, 409, 425, 429)
_PRIVATE = ("prompt", "path", "error", "url")


class Unreadable(Exception):
    """It is no job, and the text says why."""


@dataclass(frozen=True, kw_only=True)
class RemoteJob:
    """``share`` 0 … 1 of the work is done. ``poll_s``: when the server wants to be asked again.

    ``is_refused``: it failed for what was asked, and would again. ``url`` is its own address of the
    video, where it tells one.
    """

    id: str
    state: State
    share: float
    poll_s: float | None
    error: str
    is_refused: bool
    url: str | None
    facts: Mapping[str, str | int | float | bool] = field(default_factory=dict)


def job_of(answer: Answer) -> RemoteJob:
    """Raises ``Unreadable``."""
    plain = object_of(answer.body)
    if plain is None:
        raise Unreadable(f"no JSON object but {answer.body[:60]!r}")
    job_id, word, url = plain.get("id"), plain.get("status"), plain.get("url")
    if not is_id(job_id):
        raise Unreadable(f"the id of its job is {str(job_id)[:60]!r}")
    if not isinstance(word, str):
        raise Unreadable(f"the state of its job is {str(word)[:60]!r}")
    return RemoteJob(
        id=str(job_id),
        state=WORDS.get(word.lower(), State.RUNNING),
        share=_share(plain.get("progress")),
        poll_s=seconds_of(answer.headers.get("openai-poll-after-ms"), unit=1000),
        error=sentence_of(answer.body),
        is_refused=_is_refused(plain.get("error")),
        url=url if isinstance(url, str) and url else None,
        facts=_facts(plain),
    )


def is_id(told: object) -> bool:
    """Ids become part of an address: nothing but plain signs, and not too many."""
    return isinstance(told, str) and _ID.fullmatch(told) is not None


def object_of(body: bytes) -> dict[str, Any] | None:
    try:
        plain = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return plain if isinstance(plain, dict) else None


def sentence_of(body: bytes) -> str:
    """The server's own words about what went wrong: ``error.message``, ``detail``, ``message``, a
    list of such, or the beginning of whatever it sent. One line."""
    plain = object_of(body)
    raw = body[:_LARGEST_SENTENCE].decode("utf-8", "replace")
    told = raw if plain is None else _words(plain)
    line = " ".join("".join(c if c.isprintable() else " " for c in told).split())
    return line[:_LARGEST_SENTENCE]


def seconds_of(header: str | None, *, unit: int = 1) -> float | None:
    """A wait that a server asks for. A date (as ``Retry-After`` may be) is not read."""
    try:
        seconds = float(header or "") / unit
    except ValueError:
        return None
    return min(seconds, _LONGEST_WAIT_S) if math.isfinite(seconds) and seconds >= 0 else None


def _words(plain: object) -> str:
    match plain:
        case str():
            return plain
        case list():
            return "; ".join(_words(each) for each in plain[:5])
        case dict():
            for key in ("error", "detail", "message", "msg"):
                if plain.get(key):
                    return _words(plain[key])
    return ""


def _share(told: object) -> float:
    """Anything that is not a number from 0 to 100 says nothing."""
    if isinstance(told, bool) or not isinstance(told, int | float) or not 0 <= told <= 100:
        return 0.0
    return float(told) / 100


def _is_refused(error: object) -> bool:
    """vLLM-Omni numbers its errors as HTTP does; the standard names them."""
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, int):
        return 400 <= code < 500 and code not in _MAY_PASS
    return code in ("invalid_request_error", "moderation_blocked", "content_policy_violation")


def _facts(plain: dict[str, Any]) -> dict[str, str | int | float | bool]:
    """What may go into the recipe: short, plain values, neither words of a person nor paths."""
    return {
        str(key)[:60]: value[:200] if isinstance(value, str) else value
        for key, value in list(plain.items())[:_MOST_FACTS]
        if not any(word in key for word in _PRIVATE)
        and isinstance(value, str | int | float)
        and (not isinstance(value, float) or math.isfinite(value))
    }
