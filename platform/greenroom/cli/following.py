"""Staying with a job until it is over: by live events, else by asking, longer apart each time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from typing import Any

from greenroom.cli import client
from greenroom.cli.client import LineLost, Server
from greenroom.cli.outcomes import Refused
from greenroom.cli.screen import Screen

OVER = frozenset({"finished", "failed", "cancelled"})
# Nothing comes of a held job without its owner's word in the portal.
AT_REST = OVER | {"held"}
SILENCE_S = 40.0  # the server says every fifteen seconds that it is still there
LONGEST_S = 10.0
PATIENCE = 30  # questions without any answer, before it is no use


def followed(server: Server, job_id: str, screen: Screen) -> dict[str, Any]:
    """The job at its end, or held. Raises ``Stop`` where the server is gone for good."""
    wait_s, has_events = 0.5, True
    while True:
        job = server.get(f"/api/v1/jobs/{job_id}")
        drawn(job, job["steps_done"], screen)
        if job["state"] in AT_REST:
            screen.clear()
            return job
        if has_events:
            try:
                _listen(server, job_id, screen)
                continue  # it is over, or its stream is: ask
            except Refused:
                has_events = False  # another scope, too many streams: asking does as well
            except LineLost:
                pass
        client.pause(wait_s)
        wait_s = min(LONGEST_S, wait_s * 1.5)


def drawn(job: dict[str, Any], steps_done: int, screen: Screen) -> None:
    state = job["state"]
    words = state
    if state == "queued" and job.get("place"):
        words = f"queued, place {job['place']}"
    elif state == "running" and job.get("stage"):
        words = str(job["stage"])
    if job.get("eta_s"):
        words += f", about {job['eta_s']} s"
    screen.bar(words, steps_done, job.get("steps") or 0)


def _listen(server: Server, job_id: str, screen: Screen) -> None:
    """Returns when the job is at rest, or the stream ended. Raises ``Refused``, ``LineLost``."""
    named = {"Accept": "text/event-stream"}
    with server.opened("GET", "/events", None, named, timeout_s=SILENCE_S) as stream:
        for kind, said in events_of(stream):
            if kind == "snapshot" and job_id not in said.get("jobs", [job_id]):
                return  # it ended before this began
            if kind != "job" or said.get("id") != job_id:
                continue
            drawn(said, said.get("step", 0), screen)
            if said.get("state") in AT_REST:
                return


def events_of(stream: HTTPResponse) -> Iterator[tuple[str, dict[str, Any]]]:
    """Server-sent events as pairs of name and body; comments are passed over."""
    kind, lines = "message", list[str]()
    try:
        for raw in stream:
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            if not line:
                if lines:
                    yield kind, _read("\n".join(lines))
                kind, lines = "message", []
            elif line.startswith("event:"):
                kind = line[6:].strip()
            elif line.startswith("data:"):
                lines.append(line[5:].removeprefix(" "))
    except (OSError, HTTPException) as error:
        raise LineLost(client.words_of(error)) from None


def _read(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
