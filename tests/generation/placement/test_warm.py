"""A model is loaded before a job asks for it, and comes back after another took its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from generation.catalogue.models import VideoModel
from generation.engines.protocol import EngineFailure, FailureCode
from generation.engines.still import StillEngine
from generation.placement.commands import announce_device, place_model
from generation.placement.models import Device
from generation.worker import rendering, serving
from generation.worker.identity import this_worker
from generation.worker.rendering import keep_warm
from stage.builders import a_model

HERE = this_worker()


class Loads(StillEngine):
    def __init__(self) -> None:
        self.asked: list[str] = []

    def load(self, checkpoint: Path | None) -> None:
        assert checkpoint is not None
        self.asked.append(checkpoint.name)
        if checkpoint.name == "damaged":
            raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, "on purpose")


@pytest.fixture
def loads(db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> Loads:
    settings.MODELS_FOLDER = tmp_path
    for name in ("one", "other", "damaged"):
        (tmp_path / name).mkdir()
        a_model(name, checkpoint=name)
    made = Loads()
    monkeypatch.setattr(rendering, "_engine_for", lambda model: made)
    announce_device(machine=HERE.host, name=HERE.device, lanes=[])
    return made


def warm(slug: str) -> None:
    place_model(device=Device.objects.get(), slug=slug, is_warm=True)


def test_without_a_warm_placement_nothing_is_loaded(loads: Loads) -> None:
    place_model(device=Device.objects.get(), slug="one", is_warm=False)
    keep_warm(HERE)
    assert loads.asked == []


def test_it_is_loaded_before_the_first_claim_and_comes_back_when_nobody_waits(
    loads: Loads, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    warm("one")
    rounds = iter([True, False])  # one job of another model, then nobody waits

    def renders(worker: Any, *, lease: Any) -> bool:
        assert loads.asked[0] == "one", "claimed before it was warm"
        if next(rounds):
            rendering._load(VideoModel.objects.get(slug="other"), loads)
            return True
        return False

    monkeypatch.setattr(serving, "render_next", renders)
    monkeypatch.setattr(serving, "wait_for_ring", lambda *_args, **_how: False)
    with caplog.at_level("INFO", logger="greenroom.worker"):
        serving.serve(HERE, wait_s=0)
    assert loads.asked == ["one", "other", "one"]
    swaps = [record.model for record in caplog.records if record.message == "model_loaded"]
    assert swaps == ["one", "other", "one"]


def test_one_that_is_resident_is_not_reported_again(
    loads: Loads, caplog: pytest.LogCaptureFixture
) -> None:
    warm("one")
    with caplog.at_level("INFO", logger="greenroom.worker"):
        keep_warm(HERE)
        keep_warm(HERE)
    assert [r.message for r in caplog.records].count("model_loaded") == 1


def test_one_that_cannot_be_loaded_keeps_nobody_from_serving(
    loads: Loads, caplog: pytest.LogCaptureFixture
) -> None:
    warm("damaged")
    keep_warm(HERE)
    assert "not_warm" in [record.message for record in caplog.records]
