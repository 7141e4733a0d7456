"""Servers that answer as the real ones do, defects included, on loopback and with a real MP4."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from generation.engines.framecode import draw_frame_number
from generation.engines.landscape import Landscape
from generation.engines.order import Order
from generation.engines.remote import errand
from generation.engines.remote.engine import RemoteEngine
from generation.media.writer import ClipWriter

MODEL = "a/video-model"
HAS_HEALTH = {"sglang", "vllm-omni", "fastvideo"}
SPEAKS_DETAIL = {"sglang", "vllm-omni", "fastvideo"}
COUNTS = {"sglang", "greenroom", "openai"}
FORGETS = {"sglang", "fastvideo"}
STANDARD = {"prompt", "model", "seconds", "size", "input_reference"}


class Said:
    """One request as the server understood it."""

    def __init__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
        self.fields: dict[str, Any] = {}
        self.files: dict[str, bytes] = {}
        self.is_form = "multipart/form-data" in headers.get("content-type", "")
        if self.is_form:
            self._read_form()
        elif body:
            self.fields = json.loads(body)

    def _read_form(self) -> None:
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        for part in BytesParser().parsebytes(head + self.body).walk():
            name = part.get_param("name", header="content-disposition")
            if name and part.get_filename():
                self.files[name] = part.get_payload(decode=True)
            elif name:
                self.fields[name] = part.get_payload(decode=True).decode()


class VideoServer(ThreadingHTTPServer):
    """``faults[what]`` are functions that take the handler and answer in its stead, one per request
    of that kind (create, look, content, quit, health), the last of them for ever if ``stays``."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, dialect: str, film: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.dialect = dialect
        self.film = film
        self.said: list[Said] = []
        self.jobs: dict[str, dict[str, Any]] = {}
        self.running: set[str] = set()
        self.polls_needed = 2
        self.faults: dict[str, list[Callable[[Handler], None]]] = {}
        self.stays: set[str] = set()
        self.fails_with: dict[str, Any] | None = None
        self.extra: dict[str, Any] = {}
        self.tokens: dict[str, str] = {}
        self.over = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def did(self, method: str, ending: str = "") -> list[Said]:
        return [each for each in self.said if each.method == method and each.path.endswith(ending)]

    def forget_all(self) -> None:
        """As after a restart: everything was in memory."""
        self.jobs.clear()

    def handle_error(self, request, client_address) -> None:
        """A client that went away in the middle is what many tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: VideoServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._take("GET")

    def do_POST(self) -> None:
        self._take("POST")

    def do_DELETE(self) -> None:
        self._take("DELETE")

    def _take(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        said = Said(method, self.path, headers, body)
        self.server.said.append(said)
        what = self._kind(method)
        faults = self.server.faults.get(what, [])
        if faults:
            fault = faults[0] if what in self.server.stays else faults.pop(0)
            fault(self)
            return
        {
            "health": self._health,
            "models": self._models,
            "create": lambda: self._create(said),
            "look": self._look,
            "content": self._content,
            "quit": self._quit,
            "nothing": lambda: self.refuse(404, "Not Found"),
        }[what]()

    def _kind(self, method: str) -> str:
        path = self.path.partition("?")[0]
        if path == "/health":
            return "health"
        if path == "/v1/models":
            return "models"
        if path == "/v1/videos" and method == "POST":
            return "create"
        if path.startswith("/v1/videos/"):
            return {"GET": "content" if path.endswith("/content") else "look", "DELETE": "quit"}[
                method
            ]
        return "nothing"

    def tell(self, status: int, plain: Any, **headers: str) -> None:
        self.give(status, json.dumps(plain).encode(), "application/json", **headers)

    def give(self, status: int, body: bytes, kind: str, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status: int, sentence: str) -> None:
        if self.server.dialect in SPEAKS_DETAIL:
            self.tell(status, {"detail": sentence})
        else:
            self.tell(
                status, {"error": {"message": sentence, "type": "x", "param": None, "code": "y"}}
            )

    def _health(self) -> None:
        if self.server.dialect in HAS_HEALTH:
            self.tell(200, {"status": "ok"})
        else:
            self.refuse(404, "Not Found")

    def _models(self) -> None:
        self.tell(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    def _create(self, said: Said) -> None:
        wrong = self._wrong(said)
        if wrong is not None:
            self.refuse(*wrong)
            return
        token = (
            said.headers.get("idempotency-key", "") if self.server.dialect == "greenroom" else ""
        )
        job_id = self.server.tokens.get(token) or f"video-{len(self.server.jobs) + 1}"
        if token:
            self.server.tokens[token] = job_id
        self.server.jobs.setdefault(
            job_id,
            {
                "id": job_id,
                "object": "video",
                "model": said.fields["model"],
                "status": "queued",
                "progress": 0,
                "created_at": int(time.time()),
                "seconds": "1",
                "size": said.fields["size"],
                "prompt": said.fields["prompt"],
                "file_path": "/srv/outputs/clip.mp4",
                "error": None,
                "polls": 0,
            },
        )
        self.server.running.add(job_id)
        self.tell(200, self._shown(self.server.jobs[job_id]))

    def _wrong(self, said: Said) -> tuple[int, Any] | None:
        dialect = self.server.dialect
        if dialect == "vllm-omni" and not said.is_form:
            return 422, [{"loc": ["body", "prompt"], "msg": "Field required"}]
        if dialect == "sglang" and said.is_form and not said.files:
            return 400, "input_reference file is required"
        if dialect == "openai":
            unknown = set(said.fields) - STANDARD
            if not said.is_form or unknown:
                return 400, f"Unknown parameter: {sorted(unknown)}"
        if dialect == "greenroom" and (unknown := set(said.fields) - STANDARD - {"seed", "tier"}):
            return 400, f"There is no field of this name: {sorted(unknown)}"
        if dialect in ("vllm-omni", "openai", "greenroom") and said.fields["model"] != MODEL:
            return 400, f"Model mismatch: {said.fields['model']}"
        return None

    def _look(self) -> None:
        job = self._found()
        if job is None:
            return
        job["polls"] += 1
        self._advance(job)
        status = 200
        if job["status"] == "failed" and self.server.dialect == "vllm-omni":
            code = job["error"].get("code", 500)
            status = code if isinstance(code, int) else 500
        self.tell(status, self._shown(job))

    def _advance(self, job: dict[str, Any]) -> None:
        if job["polls"] > self.server.polls_needed:
            self.server.running.discard(job["id"])
            if self.server.fails_with is not None:
                job.update(status="failed", error=self.server.fails_with)
            else:
                job.update(status="completed", progress=100, inference_time_s=1.5)
        elif job["status"] != "completed":
            job["status"] = "in_progress"
            if self.server.dialect in COUNTS:
                job["progress"] = min(99, 100 * job["polls"] // (self.server.polls_needed + 1))

    def _content(self) -> None:
        if "variant" in self.path and self.server.dialect == "sglang":
            self.refuse(422, "variant: Input should be a valid integer")
            return
        job = self._found()
        if job is None:
            return
        if job["status"] != "completed":
            self.refuse(404, "Generation is still in-progress")
            return
        self.give(200, self.server.film, "video/mp4")

    def _quit(self) -> None:
        job = self._found()
        if job is None:
            return
        dialect = self.server.dialect
        if dialect == "vllm-omni" and job["id"] in self.server.running:
            self.server.running.discard(job["id"])
            self.refuse(409, "Cancellation in progress. Please try again later.")
            return
        del self.server.jobs[job["id"]]
        if dialect in FORGETS:
            self.tell(200, {**self._shown(job), "status": "deleted"})  # and the device works on
            return
        self.server.running.discard(job["id"])
        self.tell(200, {"id": job["id"], "object": "video.deleted", "deleted": True})

    def _found(self) -> dict[str, Any] | None:
        job = self.server.jobs.get(self.path.split("/")[3])
        if job is None:
            self.refuse(404, "Video not found")
        return job

    def _shown(self, job: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in job.items() if key != "polls"} | self.server.extra


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errand, "_POLL_S", 0.05)
    monkeypatch.setattr(errand, "_SHORTEST_POLL_S", 0.02)
    monkeypatch.setattr(errand, "_NOT_YET_S", 1.0)


@pytest.fixture
def film_of(tmp_path: Path) -> Callable[..., bytes]:
    """A real clip, each frame with its number in it."""

    def made(order: Order, *, height: int | None = None, frames: int | None = None) -> bytes:
        """More height is grey rows above and below, less cuts the picture off."""
        path = tmp_path / "made.mp4"
        tall = height or order.height
        more = max(0, (tall - order.height) // 2)
        scene = Landscape(order.prompt, order.seed, order.width, order.height)
        with ClipWriter(path, width=order.width, height=tall, rate=order.rate) as writer:
            for number in range(frames or order.frames):
                frame = scene.drawn(float(number / order.rate))
                draw_frame_number(frame, number)
                rows = np.pad(frame, ((more, more), (0, 0), (0, 0)), constant_values=128)
                writer.write(rows[:tall])
        return path.read_bytes()

    return made


@pytest.fixture
def film(film_of, order_of) -> bytes:
    return film_of(order_of(tier="standard"))


@pytest.fixture
def serving() -> Iterator[Callable[[str, bytes], VideoServer]]:
    started: list[tuple[VideoServer, threading.Thread]] = []

    def start(dialect: str, film: bytes) -> VideoServer:
        server = VideoServer(dialect, film)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="video-server")
        thread.start()
        started.append((server, thread))
        return server

    yield start
    for server, thread in started:
        server.over.set()
        server.shutdown()
        thread.join()
        with suppress(OSError):
            server.server_close()


@pytest.fixture
def described(tmp_path: Path) -> Callable[..., Path]:
    """A folder with its ``remote.json``."""

    def written(address: str, dialect: str, /, **changes: Any) -> Path:
        plain: dict[str, Any] = {
            "address": address,
            "dialect": dialect,
            "model": MODEL,
            "sizes": ["128x96"],
            "rates": ["8", "24"],
            "frames": {"step": 1, "offset": 0, "minimum": 1, "maximum": 97},
            "tiers": {"standard": {}, "turbo": {"fields": {"enable_teacache": True}}},
            "limits": {"connect_s": 2, "answer_s": 5, "silence_s": 0.6, "away_s": 0.6},
        }
        folder = tmp_path / "models" / dialect
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "remote.json").write_text(json.dumps(plain | changes))
        return folder

    return written


@pytest.fixture
def loaded(serving, described, film) -> Callable[..., tuple[VideoServer, RemoteEngine, Path]]:
    """A server that runs, an engine that has loaded it, and the folder it came from."""

    def ready(dialect: str = "sglang", **changes: Any) -> tuple[VideoServer, RemoteEngine, Path]:
        server = serving(dialect, film)
        folder = described(server.address, dialect, **changes)
        engine = RemoteEngine()
        engine.load(folder)
        return server, engine, folder

    return ready
