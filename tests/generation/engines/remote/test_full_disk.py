"""A disk that is full while a clip is fetched from elsewhere."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from accounts.quotas.queries import discrepancies
from generation.clips.models import Clip
from generation.jobs.folder import job_folder
from generation.jobs.models import Job
from generation.jobs.rules import State
from generation.worker import rendering
from generation.worker.identity import this_worker
from stage.builders import a_job, a_model
from stage.disk import full_disk

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def server(serving: Any, described: Any, film_of: Any, order_of: Any, settings: Any) -> Any:
    made = serving("sglang", film_of(order_of(frames=8, rate=Fraction(8), tier="standard")))
    folder: Path = described(made.address, "sglang")
    settings.MODELS_FOLDER = folder.parent
    settings.MEDIA_FOLDER = folder.parent.parent / "media"
    yield made
    rendering.ENGINES.pop("remote", None)


def test_a_clip_that_does_not_fit_fails_at_once_with_everything_back(
    server: Any, tester: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A place of its own: what killed processes left in the machine's says nothing of this one.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    a_model("far", engine="remote", checkpoint="sglang")
    job = a_job(tester, model="far")
    with full_disk(1_000):
        assert rendering.render_next(this_worker("remote"))
    after = Job.objects.select_related("reservation").get(id=job.id)
    assert (after.state, after.failure_code) == (State.FAILED, "disk_full")
    assert (after.attempts, after.reservation.settled) == (1, 0)
    assert discrepancies() == []
    assert not Clip.objects.exists()
    assert not job_folder(job.id).exists()
    assert list(tmp_path.glob("greenroom-remote-*")) == []
    assert server.jobs == {}, "and nothing of ours stays there"
