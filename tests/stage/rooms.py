"""A real browser in front of the real web process and the real render worker."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from greenroom.checkout import CHECKOUT
from greenroom.embedded.processes import die_with_parent
from stage.cast import Member
from stage.database import Database
from stage.network import free_port
from stage.openid import CLIENT, SECRET, OpenIdProvider, an_openid_provider
from stage.together import wait_until

CHROMIUM = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    None,
)
PATIENCE_MS = 90_000  # a page that comes at all comes sooner, however busy the machine
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
QUIET = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
# Every rule runs to its end; the account of what passed, most of the work, is left out.
AXE = """async (runOnly) => {
    for (const moving of document.getAnimations()) moving.finish();
    const found = await axe.run(document, {
        runOnly,
        resultTypes: ['violations'],
    });
    return found.violations.flatMap((rule) =>
        rule.nodes.map((node) => `${rule.id}: ${node.target} ${node.failureSummary}`));
}"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The dark scheme changes colours and nothing else (tests/house/test_schemes.py), and these are
# the rules that look at colours.
RULES_OF_COLOURS = ["color-contrast", "link-in-text-block"]


@dataclass
class Room:
    """The house as a visitor meets it, at http://localhost:<port>."""

    address: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    openid: OpenIdProvider | None = None

    @contextmanager
    def rest(self) -> Iterator[None]:
        """The render worker stands still meanwhile, so that what is queued stays queued."""
        worker = self.processes[1].pid
        os.killpg(worker, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(worker, signal.SIGCONT)


@pytest.fixture(scope="session")
def room(
    database: Database, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Room]:
    """Web and render worker as they run in production, on the test's own database."""
    # Playwright's loop runs in this thread; the ORM calls of these tests are ordinary ones.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    port = free_port()
    address = f"http://localhost:{port}"
    logs = tmp_path_factory.mktemp("logs")
    environment = {
        **database.environment(),
        "PORT": str(port),
        "GREENROOM_ADDRESS": address,
        "PYTHONWARNINGS": "default",
    }
    environment.pop("CELERY_BROKER_URL", None)
    openid_port = free_port()
    environment |= {
        "GREENROOM_OIDC_ISSUER": f"http://127.0.0.1:{openid_port}",
        "GREENROOM_OIDC_CLIENT_ID": CLIENT,
        "GREENROOM_OIDC_CLIENT_SECRET": SECRET,
        "GREENROOM_OIDC_NAME": "The lab",
    }
    web = ["-m", "uvicorn", "greenroom.asgi:application", "--port", str(port)]
    render = ["-m", "greenroom.parent.worker", "render", "1"]
    made = Room(address)
    try:
        for name, words in (("web", [*web, "--log-level", "warning"]), ("render", render)):
            made.processes.append(_started(name, words, environment, logs))
        wait_until(lambda: _answers(f"{address}/health/live", made, logs))
        with an_openid_provider(openid_port) as made.openid:
            yield made
    finally:
        for process in made.processes:
            _end(process)


@pytest.fixture(scope="session")
def browser(room: Room) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.fail("There is no Chromium here. Install your system's package chromium.")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)


@dataclass
class Visit:
    """One browser context. ``complaints`` are what the console said: policy and script errors."""

    room: Room
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.room.address}{path}")
        return self.page

    def sign_in(self, member: Member) -> None:
        """Bring a session along. The form is for tests about it, and for those that show once more
        who they are: the house then makes the stage's weak hash anew, which ends such a session."""
        cookie = member.client.cookies["greenroom_session"].value
        self.context.add_cookies(
            [{"name": "greenroom_session", "value": cookie, "url": self.room.address}]
        )

    def sign_in_by_form(self, member: Member) -> None:
        page = self.go("/account/login/")
        page.get_by_label("E-mail").fill(member.email)
        page.get_by_label("Password").fill(member.password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(f"{self.room.address}/")

    def picture(self, name: str) -> None:
        """For the eyes: a picture of the whole page into GREENROOM_PICTURES, where that is set."""
        if folder := os.environ.get("GREENROOM_PICTURES"):
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    def axe(self, rules: list[str] = RULES) -> list[str]:
        """Violations of WCAG 2.2 A and AA on the page as it stands: rule and place."""
        if not self.page.evaluate("'axe' in window"):
            # Kept by the browser for what this visit opens next: it is half a megabyte.
            self.context.add_init_script(_axe_source())
            self.page.evaluate(_axe_source())
        found: list[str] = self.page.evaluate(AXE, rules)
        return found

    def is_too_wide(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > innerWidth"))

    def faults(self, name: str) -> list[str]:
        """Of the page as it stands, on a phone and on a desk, in the light and in the dark:
        what axe finds, and whether it is wider than its screen."""
        found = []
        for size in (PHONE, DESKTOP):
            self.page.set_viewport_size(size)  # type: ignore[arg-type]
            for scheme, rules in (("dark", RULES_OF_COLOURS), ("light", RULES)):
                self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                dress = f"{name}-{size['width']}-{scheme}"
                self.picture(dress)
                found += [f"{dress} {fault}" for fault in self.axe(rules)]
            if self.is_too_wide():
                found.append(f"{name} is wider than {size['width']}")
        return found

    def faults_at(self, path: str, name: str = "") -> list[str]:
        self.go(path)
        place = path.partition("?")[0].strip("/").replace("/", "-")[:40] or "front"
        return self.faults(f"{place}-{name}" if name else place)


@pytest.fixture
def visit(browser: Browser, room: Room) -> Iterator[Callable[..., Visit]]:
    """``visit()`` opens a fresh browser context; options as for Playwright's ``new_context``."""
    opened: list[Visit] = []

    def open_one(**options: Any) -> Visit:
        context = browser.new_context(**{"viewport": DESKTOP, **options})
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        made = Visit(room, context, page)
        page.on("console", lambda said: _note(made, said.type, said.text))
        page.on("pageerror", lambda error: made.complaints.append(str(error)))
        opened.append(made)
        return made

    yield open_one
    for number, each in enumerate(opened):
        each.picture(f"last-{number}")
        each.context.close()
    assert [complaint for each in opened for complaint in each.complaints] == []


def _note(visit: Visit, kind: str, text: str) -> None:
    # A refused form answers 422 and the browser says so; that is no fault of the page.
    if kind == "error" and "Failed to load resource" not in text:
        visit.complaints.append(text)


def _started(
    name: str, words: list[str], environment: dict[str, str], logs: Path
) -> subprocess.Popen[bytes]:
    with (logs / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=CHECKOUT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509  (nothing here runs threads at this point)
        )


def _answers(address: str, room: Room, logs: Path) -> bool:
    if any(process.poll() is not None for process in room.processes):
        said = "\n".join(path.read_text()[-3000:] for path in logs.iterdir())
        pytest.fail(f"A process of the house ended at once.\n{said}")
    try:
        with urllib.request.urlopen(address, timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        time.sleep(0.1)
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@cache
def _axe_source() -> str:
    spec = find_spec("axe_playwright_python")
    assert spec is not None
    assert spec.origin is not None
    return (Path(spec.origin).parent / "axe.min.js").read_text()
