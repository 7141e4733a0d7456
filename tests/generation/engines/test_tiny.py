import hashlib

import pytest

from generation.engines.local.checkpoint import file_hashes
from generation.engines.local.reading import read_checkpoint
from stage import tiny

pytestmark = pytest.mark.torch


def test_the_same_seed_writes_the_same_weights_to_the_byte(tiny_folder, tmp_path):
    tiny.write_tiny_pipeline(tmp_path / "again")
    assert file_hashes(tmp_path / "again") == file_hashes(tiny_folder)
    tiny.write_tiny_pipeline(tmp_path / "other", seed=1)
    assert file_hashes(tmp_path / "other") != file_hashes(tiny_folder)


def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    class Broken:
        def save_pretrained(self, folder, **_):
            (folder / "half").write_text("written")
            raise OSError("disk full")

    monkeypatch.setattr(tiny, "_pipeline", lambda seed: Broken())
    with pytest.raises(OSError, match="disk full"):
        tiny.write_tiny_pipeline(tmp_path / "tiny")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "trained").mkdir()
    tiny.write_tiny_pipeline(tmp_path / "trained")
    assert list((tmp_path / "trained").iterdir()) == []


def test_it_is_an_ltx_folder_that_says_its_limits(tiny_folder):
    found = read_checkpoint(tiny_folder)
    assert found.pipeline == "LTXConditionPipeline"
    assert (found.grid.spatial, found.grid.temporal) == (8, 4)
    assert found.capabilities().frames.snap(16) == 17


def test_hashes_name_every_weight_file(tiny_folder):
    hashes = file_hashes(tiny_folder)
    weights = tiny_folder / "vae" / "diffusion_pytorch_model.safetensors"
    key = "vae/diffusion_pytorch_model.safetensors"
    assert hashes[key] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert "scheduler/scheduler_config.json" in hashes
