"""What a worker elsewhere says to a web, and what it makes of the answers."""

from __future__ import annotations

import hashlib
import http.server
import ssl
import threading
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from accounts.credentials.rules import Letter, new_token
from generation.engines.protocol import EngineFailure, FailureCode, Stage, Stopped
from generation.jobs.models import Attempt
from generation.jobs.queries import NeededFile, files_needed
from generation.jobs.styles import WishedStyle
from generation.machines.commands import admit_machine
from generation.media.files import facts_of
from generation.media.recording import Recorded
from generation.worker import carrying
from generation.worker.carrying import (
    NotCarried,
    clear_own_folder,
    fetch_needed,
    own_folder,
    send_made,
    why_not_welcome,
)
from generation.worker.commands import fail_job
from generation.worker.identity import this_worker
from greenroom.environment import files_address, worker_credential
from stage.builders import a_claim, a_model
from stage.certificates import a_certificate
from stage.styles import a_style

HERE = this_worker().host


class Goes:
    """A watch that lets everything go on, or stops after so many looks."""

    def __init__(self, looks=10**9):
        self.looks = looks

    def tick(self, stage, step, steps):
        self.looks -= 1
        if self.looks < 0:
            raise Stopped


class Plain(http.server.BaseHTTPRequestHandler):
    """Answers everything alike, and keeps what it heard."""

    def do_GET(self):
        self.server.heard.append((self.command, self.path, dict(self.headers)))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.server.status)
        for name, value in self.server.said:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_PUT(self):
        self.do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Plain)
    made.heard, made.status, made.said = [], 200, ()
    made.handle_error = lambda *_: None  # a client that does not trust it hangs up
    thread = threading.Thread(target=made.serve_forever, args=[0.02])
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def there(settings, tmp_path):
    """This process is on another machine: another media folder, and a credential of its own."""
    settings.MEDIA_FOLDER = tmp_path / "media"
    settings.MODELS_FOLDER = tmp_path / "models"
    text = new_token(Letter.WORKER)[1]
    settings.WORKER_CREDENTIAL = lambda: text
    return settings


def address_of(server, scheme="http"):
    return f"{scheme}://127.0.0.1:{server.server_address[1]}"


def a_file(folder: Path) -> Recorded:
    path = folder / "poster.webp"
    path.write_bytes(b"a poster")
    return Recorded(facts=facts_of(path, "image/webp"), width=1, height=1, recipe={})


@pytest.mark.parametrize(
    "address",
    [
        "https://greenroom.example",
        "https://greenroom.example:8443/rooms/",
        "http://127.0.0.1:8000",
        "http://localhost:8000",
        "",
    ],
)
def test_a_web_is_reached_over_tls_or_on_this_very_machine(address, monkeypatch):
    monkeypatch.setenv("GREENROOM_FILES_ADDRESS", address)
    assert files_address() == address.rstrip("/")


@pytest.mark.parametrize(
    "address",
    [
        "http://greenroom.example",
        "http://10.0.0.5:8000",
        "greenroom.example",
        "https://",
        "https://me:secret@greenroom.example",
        "https://greenroom.example?token=x",
        "ftp://greenroom.example",
    ],
)
def test_no_other_address_is_accepted(address, monkeypatch):
    monkeypatch.setenv("GREENROOM_FILES_ADDRESS", address)
    with pytest.raises(ImproperlyConfigured) as refused:
        files_address()
    assert "secret" not in str(refused.value)


def test_a_credential_comes_from_the_environment_or_from_a_file(monkeypatch, tmp_path):
    monkeypatch.setenv("GREENROOM_WORKER_CREDENTIAL", " one\n")
    assert worker_credential() == "one"
    (tmp_path / "key").write_text("two\n")
    monkeypatch.setenv("GREENROOM_WORKER_CREDENTIAL_FILE", str(tmp_path / "key"))
    assert worker_credential() == "two"


def test_a_missing_file_of_a_credential_is_no_crash(there, monkeypatch, server):
    there.FILES_ADDRESS = address_of(server)
    there.WORKER_CREDENTIAL = worker_credential
    monkeypatch.setenv("GREENROOM_WORKER_CREDENTIAL_FILE", "/nowhere/key")
    assert "cannot be read" in why_not_welcome(HERE)
    assert server.heard == []


def test_a_redirect_is_not_followed(there, server):
    there.FILES_ADDRESS = address_of(server)
    server.status, server.said = 307, [("Location", address_of(server) + "/elsewhere")]
    assert "HTTP 307" in why_not_welcome(HERE)
    assert [path for _, path, _ in server.heard] == ["/worker/me"]


def test_an_answer_that_names_nobody_is_no_welcome(there, server):
    there.FILES_ADDRESS = address_of(server) + "/rooms"
    assert "the credential of nobody" in why_not_welcome(HERE)
    assert [path for _, path, _ in server.heard] == ["/rooms/worker/me"]


@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_credential_goes_only_to_a_web_whose_certificate_is_trusted(
    is_trusted, there, server, tmp_path
):
    certificate, key = a_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    there.FILES_ADDRESS = address_of(server, "https")
    there.FILES_CA = str(certificate) if is_trusted else ""
    told = why_not_welcome(HERE)
    assert ("CERTIFICATE_VERIFY_FAILED" in told) != is_trusted
    assert len(server.heard) == is_trusted


def test_the_credential_stands_in_one_header_and_in_no_words(there, server, caplog):
    there.FILES_ADDRESS = address_of(server)
    server.status = 403
    told = why_not_welcome(HERE)
    text = there.WORKER_CREDENTIAL()
    ((_, path, headers),) = server.heard
    assert headers["Authorization"] == f"Bearer {text}"
    for words in (told, path, caplog.text, repr(carrying.the_web())):
        assert text not in words


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "code", "may_pass"),
    [
        (401, "web_refused", True),
        (404, "web_refused", True),
        (409, "web_refused", True),
        (413, "web_refused", True),
        (302, "web_refused", True),
        (507, "disk_full", False),
        (503, "web_away", True),
        (500, "web_away", True),
    ],
)
def test_what_the_web_answers_is_a_code(
    status, code, may_pass, there, server, tester, tmp_path, monkeypatch
):
    monkeypatch.setattr(carrying, "AWAY_S", 0.0)
    there.FILES_ADDRESS = address_of(server)
    server.status = status
    with pytest.raises(NotCarried) as failed:
        send_made(a_claim(tester), Goes(), [a_file(tmp_path)])
    assert (failed.value.code, failed.value.may_pass) == (code, may_pass)


@pytest.mark.django_db
def test_a_web_that_is_away_is_asked_again_until_the_job_is_stopped(
    there, server, tester, tmp_path
):
    there.FILES_ADDRESS = address_of(server)
    server.status = 503
    with pytest.raises(Stopped):
        send_made(a_claim(tester), Goes(looks=12), [a_file(tmp_path)])
    assert len(server.heard) >= 1


@pytest.mark.django_db
def test_sending_gives_a_sign_of_life(tester, monkeypatch):
    moment = [100.0]
    monkeypatch.setattr(carrying.time, "monotonic", lambda: moment[0])
    said = []
    watch = Goes()
    watch.tick = lambda *step: said.append(step)
    breathe = carrying._sign_of_life(watch, Stage.ENCODE)
    for _ in range(3):
        breathe()
        moment[0] += 4
    assert said == [(Stage.ENCODE, 1, 1), (Stage.ENCODE, 1, 1), (Stage.ENCODE, 2, 2)]


@pytest.mark.django_db
def test_what_killed_workers_left_goes_and_what_is_under_way_stays(there, tester):
    there.FILES_ADDRESS = "http://127.0.0.1:1"
    claim = a_claim(tester)
    left = {name: own_folder(name) for name in (claim.attempt_id, "of-nobody")}
    for folder in left.values():
        (folder / "made").mkdir(parents=True)
    styles = Path(there.MODELS_FOLDER) / "styles"
    styles.mkdir(parents=True)
    (styles / f".fetching-{claim.attempt_id}").touch()
    (styles / "kept.safetensors").touch()
    kept = Path(there.MEDIA_FOLDER) / "2026/11" / str(claim.attempt_id)
    kept.mkdir(parents=True)

    clear_own_folder()
    assert [folder.is_dir() for folder in left.values()] == [True, False]
    fail_job(claim, code="engine_error", may_pass=True, device_ms=1)
    assert Attempt.objects.get().ended_at
    clear_own_folder()
    assert not left[claim.attempt_id].exists()
    assert kept.is_dir(), "what lies at a clip's place is not this machine's to clear"
    assert [path.name for path in styles.iterdir()] == ["kept.safetensors"]


@pytest.mark.django_db
def test_where_both_share_the_media_folder_nothing_is_cleared(settings, tmp_path):
    settings.MEDIA_FOLDER = tmp_path
    (tmp_path / "carried" / "x").mkdir(parents=True)
    clear_own_folder()
    assert (tmp_path / "carried" / "x").is_dir()


@pytest.fixture
def styled(web, transactional_db, tester, there):
    """A claim of an order with a style, whose file only the web has, and its name there."""
    content = b"weights"
    sha256 = hashlib.sha256(content).hexdigest()
    a_style(a_model("styled", takes_styles=True), sha256=sha256, bytes=len(content))
    claim = a_claim(tester, model="styled", styles=(WishedStyle("ink"),))
    key = f"styles/{sha256}.safetensors"
    assert files_needed(claim.job.id) == [
        NeededFile("models", sha256, key, len(content), "application/octet-stream")
    ]
    (web.models / "styles").mkdir(exist_ok=True)
    (web.models / key).write_bytes(content)
    there.FILES_ADDRESS = web.address
    _credential, text = admit_machine(machine=HERE)
    there.WORKER_CREDENTIAL = lambda: text
    return claim, key


@pytest.mark.django_db(transaction=True)
def test_a_style_is_fetched_once_and_stays(styled, there):
    claim, key = styled
    fetch_needed(claim, Goes())
    fetched = Path(there.MODELS_FOLDER) / key
    assert fetched.read_bytes() == b"weights"
    assert [path.name for path in fetched.parent.iterdir()] == [fetched.name]
    there.FILES_ADDRESS = "http://127.0.0.1:1"
    fetch_needed(claim, Goes())  # asks nobody


@pytest.mark.django_db(transaction=True)
def test_a_style_that_the_web_has_no_more_is_said(styled, web):
    claim, key = styled
    (web.models / key).unlink()
    with pytest.raises(EngineFailure) as failed:
        fetch_needed(claim, Goes())
    assert failed.value.code is FailureCode.STYLE_FOREIGN
    assert not list(own_folder(claim.attempt_id).rglob("*.safetensors"))


@pytest.mark.django_db(transaction=True)
def test_a_style_that_came_damaged_is_not_kept(styled, web, there):
    claim, key = styled
    (web.models / key).write_bytes(b"w3ights")
    with pytest.raises(EngineFailure):
        fetch_needed(claim, Goes())
    assert not (Path(there.MODELS_FOLDER) / key).exists()
