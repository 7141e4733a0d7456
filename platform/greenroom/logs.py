"""Structured logs: one JSON object a line, with the request's and the job's id."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from core.trace import job_id, request_id
from greenroom.router.access import shown_path

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_NEVER = frozenset({"request", "secret", "password", "token", "authorization", "cookie"})


class JsonLines(logging.Formatter):
    """Extra fields of the caller are written as they are; those that could hold a secret never."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _event(record),
        }
        if request := request_id.get():
            line["request_id"] = request
        if job := job_id.get():
            line["job_id"] = job
        line |= {
            name: value
            for name, value in vars(record).items()
            if name not in _STANDARD and name not in _NEVER
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def _event(record: logging.LogRecord) -> str:
    """Django writes the address of every refused request: without the secret of a link, here too.

    A letter scanner that asks HEAD of an invitation is refused while the invitation still opens.
    """
    if record.name.startswith("django.") and isinstance(record.args, tuple):
        record.args = tuple(_without_secret(value) for value in record.args)
    return record.getMessage()


def _without_secret(value: object) -> object:
    return shown_path(value) if isinstance(value, str) and value.startswith("/") else value
