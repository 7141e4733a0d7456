"""A clip's file, whole: what came before is gone on from, and its SHA-256 is checked."""

from __future__ import annotations

import hashlib
import os
from argparse import Namespace
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from greenroom.cli import client
from greenroom.cli.client import LineLost, Server, how_long
from greenroom.cli.outcomes import Exit, Refused, Stop, is_id
from greenroom.cli.screen import Screen
from greenroom.cli.signed import server_of

BLOCK = 256 * 1024
ENDINGS = {
    "video/mp4": ".mp4",
    "image/webp": ".webp",
    "image/png": ".png",
    "text/vtt": ".vtt",
    "image/svg+xml": ".svg",
}


def download(asked: Namespace, screen: Screen) -> int:
    server = server_of(asked, screen)
    path = saved(server, asked.id, asked.kind, asked.output, screen)
    screen.answer({"id": asked.id, "kind": asked.kind, "saved_as": str(path)}, str(path))
    return Exit.DONE


def saved(server: Server, shown_id: str, kind: str, wanted: str | None, screen: Screen) -> Path:
    """Where it lies now. A file that is there already stays what it is."""
    clip_id = clip_id_of(server, shown_id)
    clip = server.get(f"/api/v1/clips/{clip_id}")
    file = next((one for one in clip["renditions"] if one["kind"] == kind), None)
    if file is None:
        removed = " Its files were removed." if not clip["renditions"] else ""
        raise Stop(Exit.NOT_FOUND, "file_absent", f"{clip_id} has no {kind}.{removed}")
    if not file.get("is_open", True):
        gets = [one["kind"] for one in clip["renditions"] if one["is_open"]]
        screen.tell(f"Before its approval you get with --kind: {', '.join(gets) or 'nothing'}.")
    path = _place(wanted, clip_id, file)
    if path.exists():
        _must_be_it(path, file)
        return path
    part = path.with_name(f"{path.name}.part")
    try:
        _fetch(server, file, part, screen)
        if _digest(part) != file["sha256"]:
            # It began as something else, or was harmed on the way: once more, from nothing.
            part.unlink()
            _fetch(server, file, part, screen)
        _put_in_place(part, path, file)
    except KeyboardInterrupt:
        screen.tell("Stopped. What came is kept; the same command goes on from there.")
        raise Stop(Exit.INTERRUPTED, "interrupted", f"{part} is not whole yet.") from None
    except OSError as error:
        words = f"{error.filename or part}: {error.strerror}"
        raise Stop(Exit.FILE, "file_unwritable", words) from None
    return path


def clip_id_of(server: Server, shown_id: str) -> str:
    """Of a job, the clip that it made."""
    if is_id(shown_id, "clp"):
        return shown_id
    if not is_id(shown_id, "job"):
        raise Stop(Exit.USAGE, "id_malformed", f"“{shown_id}” is neither a clip nor a job.")
    job = server.get(f"/api/v1/jobs/{shown_id}")
    if job["clip"] is None:
        raise Stop(Exit.JOB_FAILED, "clip_absent", f"{shown_id} is {job['state']}: no clip of it.")
    clip_id = str(job["clip"])
    if not is_id(clip_id, "clp"):
        raise client.unreadable()  # a file is named after it
    return clip_id


def _place(wanted: str | None, clip_id: str, file: Mapping[str, Any]) -> Path:
    name = clip_id if file["kind"] == "master" else f"{clip_id}-{file['kind']}"
    usual = f"{name}{ENDINGS.get(file['media_type'], '')}"
    if wanted is None:
        return Path(usual)
    return Path(wanted) / usual if Path(wanted).is_dir() else Path(wanted)


def _must_be_it(path: Path, file: Mapping[str, Any]) -> None:
    if not path.is_file() or _digest(path) != file["sha256"]:
        raise Stop(
            Exit.FILE, "file_exists", f"{path} is there already, and is something else. It stays."
        )


def _fetch(server: Server, file: Mapping[str, Any], part: Path, screen: Screen) -> None:
    """All of it into ``part``. As long as something comes, a broken line is taken up again."""
    lost = 0
    while (have := part.stat().st_size if part.exists() else 0) != file["bytes"]:
        if have > file["bytes"]:
            part.unlink()
            continue
        try:
            _fetch_rest(server, file, part, have, screen)
            is_lost, words = False, "it ended early"
        except LineLost as error:
            is_lost, words = True, str(error)
        except Refused as refused:
            if refused.status not in client.TRY_AGAIN:
                raise
            is_lost, words = True, refused.sentence
        came = part.stat().st_size if part.exists() else 0
        if came > file["bytes"]:
            raise _differs(part)
        lost = 0 if came > have else lost + 1
        if lost >= client.TRIES:
            raise client.no_answer(server.address, LineLost(words))
        if is_lost or came == have:
            client.pause(how_long(max(lost, 1)))
    screen.clear()


def _fetch_rest(
    server: Server, file: Mapping[str, Any], part: Path, have: int, screen: Screen
) -> None:
    named = {"Accept": "*/*"}
    if have:
        # If-Range: bytes of another file than this one are of no use.
        named |= {"Range": f"bytes={have}-", "If-Range": f'"{file["sha256"]}"'}
    if not str(file["url"]).startswith("/"):
        raise client.unreadable()  # put behind the host, anything else would name another one
    with server.opened("GET", str(file["url"]), None, named) as answer:
        is_rest = answer.status == HTTPStatus.PARTIAL_CONTENT
        with part.open("ab" if is_rest else "wb") as kept:
            while kept.tell() <= int(file["bytes"]) and (block := _block(answer)):
                kept.write(block)
                screen.bar(f"{file['kind']}", kept.tell(), int(file["bytes"]))


def _block(answer: HTTPResponse) -> bytes:
    try:
        return answer.read1(BLOCK)
    except (OSError, HTTPException) as error:
        raise LineLost(client.words_of(error)) from None


def _put_in_place(part: Path, path: Path, file: Mapping[str, Any]) -> None:
    """Under its name only when it is whole, and never over something that came there meanwhile."""
    if _digest(part) != file["sha256"]:
        raise _differs(part)
    try:
        os.link(part, path)
    except FileExistsError:
        _must_be_it(path, file)
    except OSError:  # a file system without such links
        if path.exists():
            _must_be_it(path, file)
        else:
            part.rename(path)
            return
    part.unlink()


def _differs(part: Path) -> Stop:
    words = f"{part} is not what the server says it is. It is kept aside."
    return Stop(Exit.FILE, "file_differs", words)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
