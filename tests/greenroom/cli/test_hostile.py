"""A server that means ill learns nothing beyond what it was given, and writes nowhere else."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from greenroom.cli import client
from greenroom.cli.outcomes import Exit
from greenroom.cli.screen import Screen

CLIP, JOB = f"clp_{'0' * 26}", f"job_{'0' * 26}"
CONTENT = b"no clip at all"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Answers(BaseHTTPRequestHandler):
    """Whatever the test says, by address; bytes as they are, all else as JSON."""

    server: Any

    def do_GET(self) -> None:
        self.server.seen.append(self.path)
        said = self.server.says.get(self.path.partition("?")[0], {})
        content = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Tests say what they saw."""


@pytest.fixture
def hostile() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.says, server.seen = {}, []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def at_it(hostile, shell_at, pauses):
    return shell_at(f"http://127.0.0.1:{hostile.server_address[1]}")


def a_record(**other: Any) -> dict[str, Any]:
    file = {
        "kind": "master",
        "url": "/media/ren_1",
        "bytes": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "media_type": "video/mp4",
        "is_open": True,
        **other,
    }
    return {"id": "../../outside", "renditions": [file]}


def test_a_file_is_named_by_what_was_asked_for_and_not_by_what_was_answered(
    at_it, hostile, tmp_path: Path
):
    hostile.says = {f"/api/v1/clips/{CLIP}": a_record(), "/media/ren_1": CONTENT}
    assert at_it("download", CLIP).exit == Exit.DONE
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"{CLIP}.mp4"]


def test_a_job_whose_clip_is_a_path_is_not_downloaded(at_it, hostile, tmp_path: Path):
    hostile.says = {f"/api/v1/jobs/{JOB}": {"clip": "clp_/../../outside", "state": "finished"}}
    said = at_it("download", JOB, "--json")
    assert (said.exit, said.json["error"]["code"]) == (Exit.NO_ANSWER, "answer_unreadable")
    assert hostile.seen == [f"/api/v1/jobs/{JOB}"]


@pytest.mark.parametrize("url", [".example.org/ren_1", "@example.org/ren_1", ":1/ren_1"])
def test_an_address_that_would_become_another_host_is_not_asked(at_it, hostile, url):
    hostile.says = {f"/api/v1/clips/{CLIP}": a_record(url=url)}
    said = at_it("download", CLIP, "--json")
    assert (said.exit, said.json["error"]["code"]) == (Exit.NO_ANSWER, "answer_unreadable")


def test_more_bytes_than_were_announced_end_the_download(at_it, hostile, tmp_path: Path):
    hostile.says = {f"/api/v1/clips/{CLIP}": a_record(bytes=5), "/media/ren_1": CONTENT * 100_000}
    said = at_it("download", CLIP, "--json")
    assert (said.exit, said.json["error"]["code"]) == (Exit.FILE, "file_differs")
    assert hostile.seen.count("/media/ren_1") == 1
    assert not (tmp_path / "home" / f"{CLIP}.mp4").exists()


def test_an_answer_without_end_is_given_up(at_it, hostile, monkeypatch):
    monkeypatch.setattr(client, "MOST_BYTES", 1000)
    hostile.says = {"/api/v1/quota": {"left": "9" * 2000}}
    said = at_it("quota", "--json")
    assert (said.exit, said.json["error"]["code"]) == (Exit.NO_ANSWER, "answer_unreadable")


def test_nothing_that_a_server_says_steers_the_terminal_in_json_or_in_the_bar():
    out, err = Terminal(), Terminal()
    screen = Screen(is_json=True, out=out, err=err)
    screen.answer({"prompt": "boat\x9b2J\x1b[2J"})
    assert out.getvalue().isascii()
    assert json.loads(out.getvalue()) == {"prompt": "boat\x9b2J\x1b[2J"}
    screen.bar("running\x1b]0;title\x07\nforged", 1, 2)
    assert "\x1b]" not in err.getvalue()
    assert "\n" not in err.getvalue()


@pytest.mark.parametrize("address", ["https://[::1", "https://a.example:port", "https://:it@a.b"])
def test_what_is_no_address_is_said_and_not_asked(at_it, address):
    said = at_it("quota", "--server", address, "--json")
    assert (said.exit, said.json["error"]["code"]) == (Exit.USAGE, "address_invalid")


@pytest.mark.parametrize(
    "words",
    [["get", "job_é"], ["download", "clp_é"], ["cancel", "job_"], ["webhooks", "--try", "whk_é"]],
)
def test_what_no_address_can_hold_is_no_id(at_it, hostile, words):
    said = at_it(*words, "--json")
    assert (said.exit, said.json["error"]["code"]) == (Exit.USAGE, "id_malformed")
    assert not hostile.seen


def test_what_no_header_can_hold_is_no_token(at_it, hostile):
    at_it.environment["GREENROOM_TOKEN"] = "grm_t_…"
    said = at_it("quota", "--json")
    assert (said.exit, said.json["error"]["code"]) == (Exit.USAGE, "token_malformed")
    with pytest.raises(SystemExit):
        at_it("submit", CLIP, "--idempotency-key", "two\nlines")
    assert not hostile.seen
