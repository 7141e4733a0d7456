"""Training: what it learns from, that it learns, and that it goes on where it stopped."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from demo_model.codec import Codec

pytestmark = pytest.mark.torch


@pytest.fixture
def folder(tmp_path: Path, found: Codec) -> Path:
    import torch

    torch.save(vars(found), tmp_path / "codec.pt")
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, *further: str) -> None:
    from demo_model import train

    command = ["train", "--out", str(folder), "--threads", "1", "--batch", "4"]
    command += ["--minutes", "0.05", "--score-every", "0", *further]
    monkeypatch.setattr(sys, "argv", command)
    train.main()


def test_training_is_resumed_with_its_optimisers(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    import torch

    run(monkeypatch, folder)
    before = torch.load(folder / "state.pt", weights_only=True)
    run(monkeypatch, folder)
    after = torch.load(folder / "state.pt", weights_only=True)
    assert before["seen"] > 0
    assert after["seen"] > before["seen"]
    steps = [int(state["optimisers"][1]["state"][0]["step"]) for state in (before, after)]
    assert steps == [before["seen"] // 4, after["seen"] // 4]


def test_training_begins_with_weights_that_were_exported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shipped: Any
) -> None:
    import torch

    from demo_model.export import WEIGHTS

    run(monkeypatch, tmp_path, "--minutes", "0", "--begin-with", str(WEIGHTS))
    state = torch.load(tmp_path / "state.pt", weights_only=True)["average"]
    name = "transformer_blocks.0.ff.net.0.proj.weight"
    kept = shipped.transformer.state_dict()[name].float()
    assert torch.equal(state[f"transformer.{name}"], kept)
    before = (tmp_path / "state.pt").read_bytes()
    run(monkeypatch, tmp_path, "--minutes", "0", "--begin-with", str(tmp_path / "gone"))
    assert len((tmp_path / "state.pt").read_bytes()) == len(before)


def test_a_few_hundred_clips_lower_the_loss(found: Codec) -> None:
    from demo_model import train

    training = train.begun(found, "cpu")
    for _ in range(24):
        train._step(training, 12, 2e-3, 0.5, "cpu")
    first, last = sum(training.losses[:4]) / 4, sum(training.losses[-4:]) / 4
    assert last < 0.97 * first


def test_a_given_frame_is_clean_and_not_counted(found: Codec) -> None:
    """With every latent frame but the first already right, only a wrong first frame could cost."""
    import torch

    from demo_model import network, train

    training = train.begun(found, "cpu")
    batch, last = training.source.batch_with_last(3, random.Random(0))
    assert last.shape == (3, 16, found.axes.shape[1])
    loss = network.loss_of(training.networks, batch, last, lambda count: torch.full((count,), 0.5))
    assert loss.isfinite()
    assert network.positions(with_last=True).shape == (1, 3, 96)
    assert network.positions(with_last=True)[0, 0, 0] == 16 / 25


def test_positions_are_those_of_the_pipeline(shipped: object) -> None:
    import torch

    from demo_model import network

    pipe: type = type(shipped)
    ids = pipe._prepare_video_ids(1, 5, 4, 4)  # type: ignore[attr-defined]
    scaled = pipe._scale_video_ids(ids, 16, 4, 0).float()  # type: ignore[attr-defined]
    scaled[:, 0] /= network.COORDINATE_RATE
    assert torch.allclose(scaled, network.positions())


def test_a_look_is_trained_beside_weights_that_stay(
    monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from safetensors.torch import load_file

    run(monkeypatch, folder)
    kept = (folder / "state.pt").read_bytes()
    run(monkeypatch, folder, "--look", "sunset")
    assert (folder / "state.pt").read_bytes() == kept
    layers = load_file(folder / "styles" / "sunset.safetensors")
    assert all(name.startswith("transformer.") for name in layers)
    assert any(bool(value.any()) for name, value in layers.items() if "lora_B" in name)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["look"] == "sunset"


def test_export_without_a_training_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from demo_model import export

    monkeypatch.setattr(sys, "argv", ["export", "--from", str(tmp_path)])
    with pytest.raises(SystemExit):
        export.main()
    assert "no state.pt" in capsys.readouterr().err
