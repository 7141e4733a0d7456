"""A file on its way in is hidden until it is whole, and swept when its writer dies."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys

import pytest

from core.ids import new_id
from generation.media.files import Landing, clear_partials

DIES = """
import os, signal, sys
from pathlib import Path
from generation.media.files import Landing
landing = Landing(Path(sys.argv[1]), "clip.mp4")
landing.write(b"the first half")
os.kill(os.getpid(), signal.SIGKILL)
"""


def names_in(folder):
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "2026" / "11" / str(new_id())


def test_a_file_is_seen_whole_or_not_at_all(folder):
    landing = Landing(folder, "clip.mp4")
    landing.write(b"one ")
    landing.write(b"two")
    assert not folder.exists()
    assert landing.keep()
    landing.drop()
    assert (folder / "clip.mp4").read_bytes() == b"one two"
    assert landing.digest.digest() == hashlib.sha256(b"one two").digest()
    assert names_in(folder.parent) == [folder.name]
    assert names_in(folder) == ["clip.mp4"]


def test_what_is_dropped_leaves_nothing(folder):
    landing = Landing(folder, "clip.mp4")
    landing.write(b"half")
    landing.drop()
    landing.drop()
    assert names_in(folder.parent) == []


def test_a_file_that_stands_is_never_replaced(folder):
    first, second = Landing(folder, "clip.mp4"), Landing(folder, "clip.mp4")
    first.write(b"first")
    second.write(b"second")
    assert [first.keep(), second.keep()] == [True, False]
    first.drop()
    second.drop()
    assert (folder / "clip.mp4").read_bytes() == b"first"


def test_a_sweep_takes_what_a_killed_writer_left_and_nothing_of_a_living_one(folder):
    living = Landing(folder, "poster.webp")
    done = subprocess.run([sys.executable, "-c", DIES, folder], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(names_in(folder.parent)) == 2
    assert clear_partials(folder.parent) == 1
    living.write(b"whole")
    assert living.keep()
    living.drop()
    assert names_in(folder) == ["poster.webp"]
