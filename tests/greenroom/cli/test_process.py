"""The command as a process: quick to start, alone, and stopped from the keyboard."""

from __future__ import annotations

import ast
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from generation.jobs.models import Job
from generation.jobs.rules import State
from greenroom.checkout import CHECKOUT
from greenroom.cli.outcomes import EXIT_WORDS, Exit
from greenroom.cli.parser import COMMANDS, PLACES, the_parser
from stage.builders import a_model

COMMAND = Path(sys.executable).with_name("greenroom")
EVERYWHERE = {"-h", "--help", "--json", "--server"}
DOCUMENT = (CHECKOUT / "docs/cli.md").read_text()


def typed(*words: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(COMMAND), *words], capture_output=True, text=True, timeout=60, check=False, **options
    )


def test_it_is_installed_with_the_package_and_says_its_version():
    said = typed("--version")
    assert (said.returncode, said.stdout[:10]) == (0, "greenroom ")


def test_help_is_short_and_names_every_command():
    said = typed("--help").stdout
    assert len(said.splitlines()) < 35
    assert all(name in said for name, _words, _add in COMMANDS)
    assert typed().returncode == Exit.USAGE
    assert typed("dance").returncode == Exit.USAGE


def test_as_a_module_it_is_the_same():
    words = [sys.executable, "-m", "greenroom.cli", "--version"]
    said = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout == typed("--version").stdout


def test_nothing_of_the_house_is_imported_whatever_is_asked():
    program = (
        "import importlib, sys\n"
        "from greenroom.cli.parser import PLACES\n"
        "for place, _name in PLACES.values(): importlib.import_module(f'greenroom.cli.{place}')\n"
        "heavy = {'django', 'torch', 'numpy', 'psycopg', 'celery', 'core', 'accounts'}\n"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))"
    )
    words = [sys.executable, "-c", program]
    said = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout.strip() == "[]"


def test_help_waits_for_no_network_code():
    program = (
        "import sys\nfrom greenroom.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print('ssl' in sys.modules, 'http.client' in sys.modules, file=sys.stderr)"
    )
    words = [sys.executable, "-c", program]
    said = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert said.stderr.strip() == "False False"


def test_whoever_reads_only_the_beginning_gets_no_complaint():
    words = f"'{COMMAND}' --help | head -1"
    said = subprocess.run(
        ["/bin/sh", "-c", words], capture_output=True, text=True, timeout=60, check=False
    )
    assert said.stderr == ""


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_says_how_to_go_on_and_cancels_nothing(mine):
    """On a terminal of its own, as somebody who sits there sees it."""
    a_model()
    ours, its = pty.openpty()
    # Whoever runs the tests in the background may have told all below not to hear Ctrl-C.
    heard = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL)"
    start = [sys.executable, "-c", f"{heard}; os.execv(sys.argv[1], sys.argv[1:])"]
    process = subprocess.Popen(
        [*start, str(COMMAND), "create", "a paper boat", "--wait"],
        env={**mine.environment, "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=its,
        text=True,
    )
    os.close(its)
    read_until("··", ours)
    process.send_signal(signal.SIGINT)
    said = read_until("greenroom cancel job_", ours)
    out, _ = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == Exit.INTERRUPTED
    assert out == ""
    assert re.search(r"greenroom get job_\w{26}", said)
    assert Job.objects.get().state == State.QUEUED


def read_until(words: str, terminal: int) -> str:
    """What was shown by then."""
    said, until = b"", time.monotonic() + 120
    while words not in said.decode("utf-8", "replace"):
        ready, _, _ = select.select([terminal], [], [], max(0, until - time.monotonic()))
        assert ready, said
        said += os.read(terminal, 4096)
    return said.decode("utf-8", "replace")


# The document ---------------------------------------------------------------------------------


def sections() -> dict[str, str]:
    found = re.split(r"^## ", DOCUMENT, flags=re.MULTILINE)[1:]
    return {each.partition("\n")[0]: each for each in found}


def options_of(command: str) -> set[str]:
    (commands,) = (action.choices for action in the_parser()._actions if action.dest == "command")
    return {
        word
        for action in commands[command]._actions
        for word in action.option_strings
        if word not in EVERYWHERE
    }


def test_the_document_names_every_command_and_no_other():
    names = [name for name, _words, _add in COMMANDS]
    assert list(sections())[1:] == names
    assert set(PLACES) == set(names)


@pytest.mark.parametrize("command", PLACES)
def test_the_document_names_every_option_of_a_command_and_shows_an_example(command):
    words = sections()[command]
    assert set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", words)) - EVERYWHERE == options_of(command)
    assert f"greenroom {command}" in words


def test_the_document_has_the_exit_codes_as_they_are():
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", DOCUMENT, re.MULTILINE)
    assert rows == [(str(int(code)), EXIT_WORDS[code]) for code in Exit]


def test_the_document_has_the_codes_that_the_command_line_says_itself():
    said = {
        (call.args[1].value, str(int(Exit[call.args[0].attr])))
        for path in (CHECKOUT / "platform/greenroom/cli").glob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == "Stop"
        and isinstance(call.args[1], ast.Constant)
    }
    assert set(re.findall(r"^\| `(\w+)` \| (\d+) \| .+ \|$", DOCUMENT, re.MULTILINE)) == said
