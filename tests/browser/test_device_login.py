"""A terminal asks to be let in, and its person answers in a browser: the real ones, both."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from accounts.credentials.models import Credential
from greenroom.cli.outcomes import Exit
from stage.builders import a_model
from stage.cast import Member
from stage.rooms import Room, Visit

COMMAND = Path(sys.executable).with_name("greenroom")


class Terminal:
    """Where ``greenroom login`` was typed, and waits."""

    def __init__(self, room: Room, home: Path) -> None:
        self.home = home
        self.environment = {"XDG_CONFIG_HOME": str(home), "PATH": "/usr/bin:/bin"}
        words = [str(COMMAND), "login", room.address, "--name", "greenroom on workbench"]
        self.process = subprocess.Popen(
            words,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        shown = "".join(self.process.stderr.readline() for _line in range(4))
        found = re.search(r"code\s+(\S{4}-\S{4})", shown)
        assert found, shown
        self.code = found[1]
        self.address = re.search(r"Open\s+(\S+)", shown)[1]  # type: ignore[index]

    def ended(self) -> Exit:
        return Exit(self.process.wait(90))

    def typed(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(COMMAND), *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )


@pytest.fixture
def terminal(room: Room, tmp_path: Path, transactional_db: None) -> Iterator[Terminal]:
    made = Terminal(room, tmp_path)
    yield made
    made.process.kill()
    made.process.communicate()


def the_question(here: Visit, member: Member, terminal: Terminal) -> Page:
    """As far as the page that asks yes or no."""
    here.sign_in_by_form(member)
    page = here.go("/device")
    page.get_by_label("The code that your program shows").fill(terminal.code.lower())
    page.get_by_role("button", name="Show me what it asks").click()
    page.get_by_label("Password").fill(member.password)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("heading", name="Let this program in?").wait_for()
    return page


def test_a_terminal_is_let_in_with_less_than_it_asked(
    visit: Callable[..., Visit], tester: Member, terminal: Terminal
) -> None:
    here = visit()
    assert terminal.address == f"{here.room.address}/device"
    page = the_question(here, tester, terminal)
    expect(page.get_by_text("greenroom on workbench")).to_be_visible()
    expect(page.get_by_text("Only go on if you started this yourself")).to_be_visible()
    assert here.faults("device-question") == []
    page.get_by_label("See what you earned").uncheck()
    page.get_by_label("Days until it ends").fill("7")
    page.get_by_role("button", name="Let it in", exact=True).click()
    page.get_by_role("heading", name="It is let in").wait_for()
    assert here.faults("device-let-in") == []
    assert terminal.ended() == Exit.DONE
    token = Credential.objects.get(kind="token", party_id=tester.party_id)
    assert "earnings:read" not in token.scopes
    assert (token.expires_at - token.minted_at).days == 7
    assert terminal.typed("quota").returncode == Exit.DONE
    a_model()
    clip = terminal.home / "boat.mp4"
    made = terminal.typed("create", "a paper boat", "--seconds", "1", "--download", str(clip))
    assert made.returncode == Exit.DONE, made.stderr
    assert clip.stat().st_size > 0
    assert terminal.typed("earnings").returncode == Exit.REFUSED
    assert terminal.typed("logout").returncode == Exit.DONE
    assert terminal.typed("quota").returncode == Exit.NOT_SIGNED_IN


def test_a_terminal_that_is_not_let_in_hears_it(
    visit: Callable[..., Visit], tester: Member, terminal: Terminal
) -> None:
    here = visit()
    page = the_question(here, tester, terminal)
    page.get_by_role("button", name="Do not let it in").click()
    page.get_by_role("heading", name="It stays out").wait_for()
    assert here.faults("device-stays-out") == []
    assert terminal.ended() == Exit.NOT_SIGNED_IN


def test_the_page_for_the_code_works_by_keyboard_and_says_what_is_wrong(
    visit: Callable[..., Visit], tester: Member
) -> None:
    here = visit()
    here.sign_in(tester)
    assert here.faults_at("/device") == []
    page = here.page
    field = page.get_by_label("The code that your program shows")
    field.focus()
    page.keyboard.type("bcdf-ghjk")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No program waits with this code")).to_be_visible()
    assert here.faults("device-wrong-code") == []


def test_without_scripts_the_way_is_the_same(
    visit: Callable[..., Visit], tester: Member, terminal: Terminal
) -> None:
    page = the_question(visit(java_script_enabled=False), tester, terminal)
    page.get_by_label("Days until it ends").fill("31")
    page.get_by_role("button", name="Let it in", exact=True).click()
    page.get_by_role("button", name="Let it in", exact=True).wait_for()
    page.get_by_label("Days until it ends").fill("30")
    page.get_by_role("button", name="Let it in", exact=True).click()
    page.get_by_role("heading", name="It is let in").wait_for()
    assert terminal.ended() == Exit.DONE
