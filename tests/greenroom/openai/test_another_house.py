"""One Greenroom orders its clips from another, through /v1, by the dialect of that name."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from generation.clips.models import Clip
from generation.engines.framecode import read_frame_number
from generation.engines.order import Order
from generation.engines.protocol import Watch
from generation.engines.remote.engine import RemoteEngine
from generation.jobs.models import DeletedVideo, Job
from stage.builders import render_job
from stage.cast import Member
from stage.database import Database
from stage.together import wait_until
from stage.web import Web, a_web

pytestmark = [pytest.mark.slow, pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def there(
    transactional_db: None, database: Database, tmp_path: Path, settings: Any
) -> Iterator[Web]:
    """The other house. It renders in this process, into its own folder."""
    made = a_web(database, tmp_path / "there")
    settings.MEDIA_FOLDER = made.media
    made.start()
    yield made
    made.stop()


class Patient(Watch):
    def tick(self, *_said: Any) -> None: ...

    def expect(self, *_said: Any) -> None: ...


def a_server(folder: Path, address: str) -> Path:
    folder.mkdir()
    facts = {
        "address": address,
        "dialect": "greenroom",
        "model": "still",
        "key_env": "GREENROOM_REMOTE_THERE",
        "sizes": ["128x96"],
        "rates": ["8"],
        "frames": {"step": 1, "offset": 0, "minimum": 1, "maximum": 80},
        "tiers": {"standard": {"steps": 4}},
    }
    (folder / "remote.json").write_text(json.dumps(facts))
    return folder


def test_a_clip_is_ordered_there_and_comes_home_whole(
    there: Web, tester: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_REMOTE_THERE", tester.token())
    engine = RemoteEngine()
    folder = a_server(tmp_path / "server", there.address)
    engine.load(folder)
    order = Order(
        prompt="a paper boat",
        seed=7,
        width=128,
        height=96,
        frames=9,
        rate=Fraction(8),
        steps=4,
        tier="standard",
        checkpoint=folder,
    )
    frames: list[Any] = []

    def render() -> None:
        frames.extend(engine.render(order, Patient()))

    ordering = threading.Thread(target=render, daemon=True)
    ordering.start()
    wait_until(Job.objects.filter(state="queued").exists)
    render_job(Job.objects.get())
    ordering.join(120)
    assert [read_frame_number(frame) for frame in frames] == list(range(9))
    job = Job.objects.get()
    assert (job.prompt, job.seed, job.frames, job.tier) == ("a paper boat", 7, 9, "standard")
    # What is not needed does not stay there: absent at the door, its files announced to go.
    assert DeletedVideo.objects.filter(job=job).exists()
    assert Clip.objects.get().removals.get().why == "owner"
