"""The parent process: restarts what dies, waits longer each time, leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from greenroom.checkout import CHECKOUT
from greenroom.embedded import processes
from greenroom.parent.child import Child, Program, backoff_s
from greenroom.parent.engine import missing_packages
from greenroom.parent.house import House, background_programs
from greenroom.parent.ports import PortUnusable, bind_local
from greenroom.parent.register import MARK, AlreadyRunning, Register
from greenroom.parent.signs import demonstration_signs
from greenroom.parent.steps import Step, StepFailed, run_step

SLEEPER = (sys.executable, "-c", "import time; time.sleep(100)")
DEAF = (
    sys.executable,
    "-c",
    "import signal as s, time; s.signal(s.SIGTERM, s.SIG_IGN); print('deaf'); time.sleep(100)",
)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def make(tmp_path: Path, told: list[str]) -> Iterator[Callable[..., Child]]:
    made: list[Child] = []

    def child(command: tuple[str, ...], stop_limit_s: float = 10) -> Child:
        program = Program("player", command, stop_limit_s)
        made.append(Child(program, tmp_path / "player.log", told.append))
        return made[-1]

    yield child
    for each in made:
        each.kill()
        _until(lambda one=each: one.has_stopped(time.monotonic()))


def test_what_dies_is_started_again_after_a_pause(
    make: Callable[..., Child], told: list[str]
) -> None:
    child = make(SLEEPER)
    child.tend(0)
    first = child.pid
    assert first
    os.kill(first, signal.SIGKILL)
    _until(lambda: child.tend(1) or not child.is_alive)
    child.tend(1.2)
    assert not child.is_alive
    child.tend(1.6)
    assert child.pid not in (None, first)
    assert "SIGKILL" in told[0]
    assert "player.log" in told[0]


def test_pauses_grow_and_a_steady_life_makes_them_short_again(make: Callable[..., Child]) -> None:
    assert [backoff_s(n) for n in range(5)] == [0.5, 1, 2, 4, 8]
    assert backoff_s(1000) == 60
    child, now = make((sys.executable, "-c", "raise SystemExit(3)")), 0.0
    for _ in range(3):
        now = _through_one_life(child, now, lasting_s=1)
    assert child.failures == 3
    _through_one_life(child, now, lasting_s=500)
    assert child.failures == 0


def test_a_restart_that_was_asked_for_is_no_failure(
    make: Callable[..., Child], told: list[str]
) -> None:
    child = make(SLEEPER)
    child.tend(0)
    first = child.pid
    child.restart(1, limit_s=10)
    _until(lambda: child.tend(1) or child.pid not in (None, first))
    assert (child.failures, told) == (0, [])


def test_one_that_does_not_hear_is_killed_when_its_time_is_up(make: Callable[..., Child]) -> None:
    child = make(DEAF, stop_limit_s=5)
    child.tend(0)
    _until(lambda: "deaf" in child.log.read_text())
    child.ask_to_stop(10)
    assert not child.has_stopped(14)
    _until(lambda: child.has_stopped(15.1))


def test_what_a_child_started_does_not_outlive_it(make: Callable[..., Child]) -> None:
    code = (
        "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', "
        "'import time; time.sleep(100)']); print(p.pid, flush=True); time.sleep(100)"
    )
    child = make((sys.executable, "-c", code))
    child.tend(0)
    _until(lambda: child.log.read_text().strip() != "")
    grandchild = int(child.log.read_text())
    assert child.pid
    os.kill(child.pid, signal.SIGKILL)
    _until(lambda: child.tend(0) or not child.is_alive)
    _until(lambda: processes.living(grandchild) is None)


def test_children_die_with_a_parent_that_is_killed_outright(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from greenroom.parent.child import *\n"
        "p = launch(Program('player', (sys.executable, '-c', 'import time; time.sleep(100)')), "
        "Path(sys.argv[1])); print(p.pid, flush=True); time.sleep(100)"
    )
    parent = _python("-c", code, str(tmp_path / "player.log"))
    assert parent.stdout
    child = int(parent.stdout.readline())
    assert processes.living(child)
    parent.kill()
    parent.communicate()
    _until(lambda: processes.living(child) is None)


def test_only_one_parent_at_a_time(tmp_path: Path) -> None:
    first, second = Register(tmp_path), Register(tmp_path)
    first.take()
    first.write("mark", 8123, {})
    with pytest.raises(AlreadyRunning, match=f"localhost:8123 .*{os.getpid()}"):
        second.take()
    first.release()
    second.take()
    second.release()


def test_leftovers_are_ended_and_strangers_left_alone(tmp_path: Path) -> None:
    recorded = subprocess.Popen(SLEEPER, start_new_session=True)
    marked = subprocess.Popen(SLEEPER, env={**os.environ, MARK: "the-mark"}, start_new_session=True)
    stranger = subprocess.Popen(SLEEPER, start_new_session=True)
    register = Register(tmp_path)
    register.write("the-mark", 8000, {"web": recorded.pid, "beat": stranger.pid})
    kept = json.loads(register.path.read_text())
    kept["children"]["beat"][1] = "another start"  # its pid is a stranger's now
    register.path.write_text(json.dumps(kept))
    try:
        assert register.end_leftovers() == 2
        assert recorded.wait(10) == marked.wait(10) == -signal.SIGTERM
        assert stranger.poll() is None
        assert register.read() == {}
    finally:
        for each in (recorded, marked, stranger):
            each.kill()
            each.wait()


def test_a_port_in_use_is_said_plainly() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(PortUnusable, match=f"Port {port} is in use"):
            bind_local(port)


def test_it_listens_on_this_machine_alone() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    bound = bind_local(port)
    try:
        assert {each.getsockname()[0] for each in bound} <= {"127.0.0.1", "::1"}
    finally:
        for each in bound:
            each.close()


def test_a_step_that_fails_shows_what_it_said(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "print('no such table'); raise SystemExit(1)")
    step = Step("Preparing the tables", Program("set-up", command))
    with pytest.raises(StepFailed, match=r"(?s)Preparing the tables failed.*no such table"):
        run_step(step, tmp_path / "set-up.log", lambda: time.sleep(0.01))


def test_the_house_closes_in_order_and_within_bounds(tmp_path: Path) -> None:
    house = House(tmp_path, 8000, [], Register(tmp_path), lambda _: None)
    gone: list[str] = []
    for name in ("database", "render", "web"):
        child = Child(Program(name, SLEEPER), tmp_path / f"{name}.log", lambda _: None)
        child.tend(0)
        house.children[name] = child
        _remember_when_gone(child, name, gone)
    house.close()
    assert gone == ["web", "render", "database"]


def test_packages_of_a_local_build_count_as_installed(tmp_path: Path) -> None:
    pins = tmp_path / "render.txt"
    pins.write_text("# why\npytest==0.0.1\nnot-there-at-all==1\n")
    assert missing_packages(pins) == ["pytest", "not-there-at-all"]


def test_sign_ins_are_shown_without_tokens(tmp_path: Path) -> None:
    person = {"role": "tester", "email": "t@example.org", "password": "pw", "token": "grm_x"}
    path = tmp_path / "demo.json"
    assert demonstration_signs(path) == ""
    path.write_text(json.dumps({"people": [person]}))
    shown = demonstration_signs(path)
    assert "t@example.org  pw" in shown
    assert "grm_x" not in shown


def test_an_unknown_word_and_a_wrong_port_are_refused_plainly(tmp_path: Path) -> None:
    for words, port, expected in ((["dance"], "8000", "usage"), ([], "nine", "PORT is 'nine'")):
        said = _python("-m", "greenroom.parent", *words, GREENROOM_VAR=str(tmp_path), PORT=port)
        text, _ = said.communicate(timeout=60)
        assert expected in text
        assert said.returncode


def _remember_when_gone(child: Child, name: str, gone: list[str]) -> None:
    stopped = child.has_stopped

    def has_stopped(now: float) -> bool:
        answer = stopped(now)
        if answer:
            gone.append(name)
        return answer

    child.has_stopped = has_stopped  # type: ignore[method-assign]


def _through_one_life(child: Child, now: float, lasting_s: float) -> float:
    """Start it, let it end by itself, and answer when it may start again."""
    child.tend(now)
    ended = now + lasting_s
    _until(lambda: child.tend(ended) or not child.is_alive)
    return ended + 61


def _python(*words: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "platform"), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _until(met: Callable[[], object], limit_s: float = 30) -> None:
    deadline = time.monotonic() + limit_s
    while not met():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def test_who_waits_for_servers_is_started_only_where_a_model_is_rendered_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GREENROOM_MODELS", raising=False)
    usual = ["house", "render", "beat"]
    assert [program.name for program in background_programs(tmp_path)] == usual
    there = tmp_path / "models" / "far" / "1"
    there.mkdir(parents=True)
    (there / "remote.json").write_text("{}")
    assert [program.name for program in background_programs(tmp_path)] == ["remote", *usual]
