"""How a command may end: numbers that scripts rely on, and what is raised on the way."""

from __future__ import annotations

from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    DONE = 0
    REFUSED = 1
    USAGE = 2
    NOT_SIGNED_IN = 3
    NOT_FOUND = 4
    USED_UP = 5
    JOB_FAILED = 6
    NO_ANSWER = 7
    FILE = 8
    INTERRUPTED = 130


EXIT_WORDS = {
    Exit.DONE: "done",
    Exit.REFUSED: "refused by the server; its sentence and its code are shown",
    Exit.USAGE: "the command line itself cannot be read",
    Exit.NOT_SIGNED_IN: "not signed in, or the token counts no more",
    Exit.NOT_FOUND: "there is nothing of this name, or it is not yours",
    Exit.USED_UP: "over quota, or asked too often",
    Exit.JOB_FAILED: "the job failed, was cancelled or is held",
    Exit.NO_ANSWER: "the server cannot be reached, or is at fault",
    Exit.FILE: "a file here is in the way, or is not what the server says it is",
    Exit.INTERRUPTED: "stopped from the keyboard",
}
BY_STATUS = {401: Exit.NOT_SIGNED_IN, 404: Exit.NOT_FOUND, 429: Exit.USED_UP}


class Stop(Exception):
    """A command ends here: with which number, and with a sentence that says why."""

    def __init__(self, exit_code: Exit, code: str, sentence: str, **facts: Any) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
        self.code = code
        self.sentence = sentence
        self.facts = facts

    def shown(self) -> dict[str, Any]:
        error = {"code": self.code, "sentence": self.sentence, **self.facts}
        return {"error": error, "exit": int(self.exit_code)}


class Refused(Stop):
    """The server's own refusal, as it stands in its problem details."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        lines = [str(problem.get("detail") or problem.get("title") or f"HTTP {status}")]
        lines += [f"{each.get('field')}: {each.get('message')}" for each in _errors(problem)]
        # A field that stands alone repeats the sentence above it.
        sentence = "\n".join(
            dict.fromkeys(lines[:1] if len(lines) == 2 and _is_one(problem) else lines)
        )
        usual = Exit.NO_ANSWER if status >= 500 else Exit.REFUSED
        facts: dict[str, Any] = {"status": status}
        if problem.get("request_id"):
            facts["request_id"] = str(problem["request_id"])
        code = str(problem.get("code") or f"http_{status}")
        super().__init__(BY_STATUS.get(status, usual), code, sentence, **facts)
        self.status = status


def is_id(text: str, prefix: str) -> bool:
    """Whether it can stand in an address, and name a file: signs and digits after its prefix."""
    signs = text.removeprefix(f"{prefix}_")
    return signs != text and signs.isascii() and signs.isalnum()


def _errors(problem: dict[str, Any]) -> list[dict[str, Any]]:
    found = problem.get("errors")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _is_one(problem: dict[str, Any]) -> bool:
    errors = _errors(problem)
    return len(errors) == 1 and errors[0].get("message") == problem.get("detail")
