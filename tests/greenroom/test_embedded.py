"""The embedded PostgreSQL, on real servers: healed, guarded, refused in plain words."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from greenroom.checkout import CHECKOUT
from greenroom.embedded import (
    Binaries,
    Cluster,
    EmbeddedError,
    NoBinaries,
    VersionMismatch,
    choose_binaries,
    processes,
    system_binaries,
    wheel_binaries,
)
from greenroom.embedded.account import Account
from greenroom.embedded.places import ELSEWHERE, Place, place_of

ALL_BINARIES = [*wheel_binaries(), *system_binaries()]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up its rights")


@pytest.fixture(scope="module")
def pattern() -> Iterator[Cluster]:
    """A stopped cluster to copy from: much quicker than initdb."""
    cluster = Cluster.throwaway()
    cluster.start()
    cluster.stop()
    yield cluster
    cluster.remove()


@pytest.fixture
def cluster(pattern: Cluster) -> Iterator[Cluster]:
    home = Path(tempfile.mkdtemp(prefix="greenroom-", dir="/tmp"))
    copy = pattern.copy_stopped(home)
    copy.start()
    yield copy
    copy.remove()


@pytest.mark.parametrize("binaries", ALL_BINARIES, ids=lambda each: f"pg{each.major}")
@pytest.mark.slow
def test_every_version_at_hand_starts_with_both_roles(binaries: Binaries) -> None:
    cluster = Cluster.throwaway(binaries=binaries)
    try:
        cluster.start()
        assert cluster.status().major == binaries.major
        with psycopg.connect(cluster.url("greenroom_owner")) as owner:
            owner.execute("CREATE TABLE kept (id bigserial PRIMARY KEY, word text)")
        with psycopg.connect(cluster.url("greenroom_app")) as app:
            app.execute("INSERT INTO kept (word) VALUES ('größe')")
            row = app.execute("SELECT upper(word), current_setting('data_checksums') FROM kept")
            assert row.fetchone() == ("GRÖßE", "on")
    finally:
        cluster.remove()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (a int)",
        "CREATE TEMPORARY TABLE mine (a int)",
        "CREATE DATABASE mine",
        "CREATE ROLE mine",
        "ALTER ROLE greenroom_app SUPERUSER",
        "SET session_replication_role = replica",
        "UPDATE theirs SET a = 1",
        "DELETE FROM theirs",
        "TRUNCATE theirs",
        "ALTER TABLE theirs DISABLE TRIGGER ALL",
    ],
)
def test_the_application_role_may_not(shared: Cluster, statement: str) -> None:
    with (
        psycopg.connect(shared.url("greenroom_app"), autocommit=True) as app,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        app.execute(statement)


@pytest.fixture(scope="module")
def shared(pattern: Cluster) -> Iterator[Cluster]:
    copy = pattern.copy_stopped(Path(tempfile.mkdtemp(prefix="greenroom-", dir="/tmp")))
    copy.start()
    with psycopg.connect(copy.url("greenroom_owner")) as owner:
        owner.execute("CREATE TABLE theirs (a int)")
    yield copy
    copy.remove()


@pytest.mark.parametrize("role", ["postgres", "greenroom_owner", "greenroom_app"])
def test_nobody_gets_in_without_a_password(shared: Cluster, role: str) -> None:
    url = shared.url(role).replace(shared.passwords[role], "")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url, passfile="/nonexistent")


def test_it_listens_on_no_network_and_the_socket_is_ours_alone(shared: Cluster) -> None:
    with psycopg.connect(shared.url("postgres")) as admin:
        assert admin.execute("SHOW listen_addresses").fetchone() == ("",)
    folder = shared.place.socket.stat()
    assert folder.st_mode & 0o777 == 0o700
    assert folder.st_uid == shared.place.data.stat().st_uid != 0 or os.geteuid() != 0


def test_the_password_of_another_installation_is_refused_in_plain_words(shared: Cluster) -> None:
    stranger = Cluster(shared.home, dict.fromkeys(shared.passwords, "wrong"))
    with pytest.raises(EmbeddedError, match="password authentication failed"):
        stranger.start()


@pytest.mark.slow
def test_starting_twice_is_starting_once(cluster: Cluster) -> None:
    before = cluster.status().pid
    Cluster(cluster.home, cluster.passwords).start()
    assert cluster.status().pid == before


@pytest.mark.slow
def test_a_killed_server_is_healed_and_keeps_what_was_committed(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url("greenroom_owner")) as owner:
        owner.execute("CREATE TABLE kept (a int)")
        owner.execute("INSERT INTO kept SELECT generate_series(1, 100)")
    pid = cluster.status().pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    _until(lambda: not cluster.status().is_running)
    cluster.start()
    assert cluster.status().pid != pid
    with psycopg.connect(cluster.url("greenroom_app")) as app:
        assert app.execute("SELECT count(*) FROM kept").fetchone() == (100,)


@pytest.mark.slow
def test_a_backend_that_outlives_a_killed_server_does_not_block_the_next(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as busy:
        backend = busy.info.backend_pid
        os.kill(backend, signal.SIGSTOP)  # cannot notice that its server has gone
        pid = cluster.status().pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        _until(lambda: not cluster.status().is_running)
        cluster.start()
    assert processes.living(backend) is None
    assert cluster.status().is_running


@pytest.mark.slow
def test_a_pid_file_that_names_a_stranger_is_no_running_server(cluster: Cluster) -> None:
    """The stranger runs as the server's own user, so PostgreSQL by itself would refuse to start."""
    lines = (cluster.place.data / "postmaster.pid").read_text().splitlines()
    cluster.stop()
    options = Account(*_server_user(cluster)).process_options() if os.geteuid() == 0 else {}
    stranger = subprocess.Popen(["/bin/sleep", "100"], **options)
    try:
        lines[0] = str(stranger.pid)
        pid_file = cluster.place.data / "postmaster.pid"
        pid_file.write_text("\n".join(lines) + "\n")
        os.chown(pid_file, *_server_user(cluster)) if os.geteuid() == 0 else None
        assert not cluster.status().is_running
        cluster.stop()
        assert stranger.poll() is None  # and it is not shot at either
        cluster.start()
        assert cluster.status().is_running
    finally:
        stranger.kill()
        stranger.wait()


def test_a_zombie_is_no_running_server(cluster: Cluster) -> None:
    code = (
        "import os,time; pid=os.fork(); pid or os._exit(0); print(pid, flush=True); time.sleep(9)"
    )
    keeper = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert keeper.stdout
    pid = int(keeper.stdout.readline())
    try:
        _until(lambda: "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0])
        assert processes.living(pid) is None
    finally:
        keeper.kill()
        keeper.wait()
        keeper.stdout.close()


@pytest.mark.slow
def test_two_starters_at_once_make_one_server(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from greenroom.embedded import Cluster\n"
        "words = dict.fromkeys(('postgres', 'greenroom_owner', 'greenroom_app'), 'word')\n"
        "c = Cluster(Path(sys.argv[1]), words); c.start(); print(c.status().pid)"
    )
    home = Path(tempfile.mkdtemp(prefix="greenroom-", dir="/tmp"))
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT / "platform")}
    command = [sys.executable, "-c", code, str(home)]
    cluster = Cluster(home, {})
    try:
        started = [
            subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(3)
        ]
        pids = {process.communicate(timeout=120)[0].strip() for process in started}
        assert pids == {str(cluster.status().pid)}  # and it outlives those who started it
    finally:
        cluster.remove()


@pytest.mark.slow
def test_data_of_another_version_is_refused_in_plain_words(cluster: Cluster) -> None:
    cluster.stop()
    (cluster.place.data / "PG_VERSION").write_text("14\n")
    with pytest.raises(VersionMismatch, match="PostgreSQL 14"):
        cluster.start()
    chosen = ALL_BINARIES[0]
    with pytest.raises(VersionMismatch, match="pg_upgrade"):
        Cluster(cluster.home, cluster.passwords, binaries=chosen).start()


def test_existing_data_decides_which_version_is_chosen() -> None:
    for each in ALL_BINARIES:
        assert choose_binaries(each.major).major == each.major
    assert choose_binaries(None) == ALL_BINARIES[0]


def test_a_configured_folder_without_a_server_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_PG_BIN", str(tmp_path))
    with pytest.raises(NoBinaries, match="GREENROOM_PG_BIN"):
        choose_binaries(None)


@pytest.mark.slow
def test_a_start_that_fails_says_what_the_server_said(cluster: Cluster) -> None:
    cluster.stop()
    broken = Cluster(cluster.home, cluster.passwords, settings={"shared_buffers": "nonsense"})
    with pytest.raises(EmbeddedError, match="shared_buffers"):
        broken.start()


@pytest.mark.slow
def test_the_server_goes_with_a_killed_owner_that_wished_so(pattern: Cluster) -> None:
    code = (
        "import sys, time; from pathlib import Path; from greenroom.embedded import Cluster\n"
        "words = dict(zip(('postgres', 'greenroom_owner', 'greenroom_app'), sys.argv[2:]))\n"
        "c = Cluster(Path(sys.argv[1]), words, dies_with_us=True); c.start()\n"
        "print(c.status().pid, flush=True); time.sleep(100)"
    )
    copy = pattern.copy_stopped(Path(tempfile.mkdtemp(prefix="greenroom-", dir="/tmp")))
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT / "platform")}
    command = [sys.executable, "-c", code, str(copy.home), *copy.passwords.values()]
    owner = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    assert owner.stdout
    try:
        pid = int(owner.stdout.readline())
        owner.kill()
        owner.wait()
        _until(lambda: processes.living(pid) is None)
    finally:
        owner.stdout.close()
        copy.remove()


@pytest.mark.slow
def test_a_deep_home_still_gets_a_socket(pattern: Cluster) -> None:
    top = Path(tempfile.mkdtemp(prefix="greenroom-", dir="/tmp"))
    top.chmod(0o755)
    deep = top / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    copy = pattern.copy_stopped(deep / "pg")
    try:
        copy.start()
        assert len(str(copy.place.socket)) < 90
        with psycopg.connect(copy.url("greenroom_app")) as app:
            assert app.execute("SELECT 1").fetchone() == (1,)
    finally:
        copy.remove()
        shutil.rmtree(top)


@as_root
@pytest.mark.slow
def test_root_opens_no_folder_above_and_uses_another_place(pattern: Cluster) -> None:
    closed = Path(tempfile.mkdtemp(prefix="greenroom-", dir="/tmp"))  # mode 0700, root's
    home = closed / "var" / "pg"
    home.parent.mkdir(mode=0o700)
    modes = {each: each.stat().st_mode for each in (closed, home.parent, *closed.parents)}
    copy = pattern.copy_stopped(home)
    try:
        copy.start()
        assert copy.place.root.parent == ELSEWHERE
        assert home.read_text().strip() == str(copy.place.root)
        assert place_of(home) == Place(home, copy.place.root)
        assert copy.place.data.stat().st_uid not in (0, None)
        assert {each: each.stat().st_mode for each in modes} == modes
    finally:
        copy.remove()
        shutil.rmtree(closed)
    assert not copy.place.root.exists() or copy.place.root == home


@as_root
@pytest.mark.slow
def test_root_copies_programs_that_nobody_cannot_reach() -> None:
    wheel = wheel_binaries()
    if not wheel:
        pytest.skip("the wheel is not installed")
    closed = Path(tempfile.mkdtemp(prefix="greenroom-", dir="/tmp"))
    package = wheel[0].folder.parent.parent
    hidden = closed / package.name / wheel[0].folder.parent.name
    shutil.copytree(wheel[0].folder.parent, hidden, symlinks=True)
    shutil.copytree(package.parent / f"{package.name}.libs", closed / f"{package.name}.libs")
    cluster = Cluster.throwaway(binaries=Binaries(hidden / "bin", wheel[0].major))
    copies: set[Path] = set()
    try:
        before = set((ELSEWHERE / "binaries").glob("*"))
        cluster.start()
        copies = set((ELSEWHERE / "binaries").glob("*")) - before
        assert len(copies) == 1
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        cluster.remove()
        for folder in (closed, *copies):
            shutil.rmtree(folder)


@as_root
@pytest.mark.slow
def test_an_ordinary_user_runs_it_as_himself(tmp_path: Path) -> None:
    """The same deeds as an unprivileged user, with an interpreter that user can read."""
    user = Account(1, 1)  # daemon
    folder = Path(tempfile.mkdtemp(prefix="greenroom-", dir="/tmp"))
    user.give(folder)
    site = next(path for path in sys.path if path.endswith("site-packages"))
    code = (
        "import sys; sys.path[:0] = sys.argv[2:4]; from pathlib import Path\n"
        "from greenroom.embedded import Cluster\n"
        "c = Cluster.throwaway(Path(sys.argv[1]) / 'pg'); c.start(); c.start()\n"
        "import psycopg, os, signal; psycopg.connect(c.url('greenroom_app')).close()\n"
        "os.kill(c.status().pid, signal.SIGKILL); c.start()\n"
        "print(c.place.data.stat().st_uid, oct(c.place.root.stat().st_mode)); c.remove()\n"
    )
    python = _interpreter_for(user, site)
    if python is None:
        pytest.skip("no interpreter here that an ordinary user may run with our packages")
    try:
        said = user.run([python, "-c", code, str(folder), str(CHECKOUT / "platform"), site])
        assert said.stdout.split() == ["1", "0o40700"], said.stdout
    finally:
        shutil.rmtree(folder)


def _interpreter_for(user: Account, site: str) -> str | None:
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    probe = "import sys; sys.path[:0] = sys.argv[1:]; import psycopg, greenroom.embedded"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        command = [python, "-c", probe, site, str(CHECKOUT / "platform")]
        try:
            if user.run(command).returncode == 0:
                return python
        except OSError:
            continue
    return None


def _server_user(cluster: Cluster) -> tuple[int, int]:
    at = cluster.place.data.stat()
    return (at.st_uid, at.st_gid)


def _until(met: Callable[[], bool], limit_s: float = 30) -> None:
    deadline = time.monotonic() + limit_s
    while not met():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
