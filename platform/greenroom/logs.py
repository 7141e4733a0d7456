"""Structured logs: one JSON object a line, with the request's and the job's id."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from core.trace import job_id, request_id

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_NEVER = frozenset({"request", "secret", "password", "token", "authorization", "cookie"})


class JsonLines(logging.Formatter):
    """Extra fields of the caller are written as they are; those that could hold a secret never."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
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
