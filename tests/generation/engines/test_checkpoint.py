"""What a folder of weights is told apart by, without torch: made by hand, a few bytes each."""

import json
import struct

import pytest

from generation.engines.local.reading import read_checkpoint
from generation.engines.protocol import EngineFailure, FailureCode

REAL_VAE = {
    "spatio_temporal_scaling": [True, True, True, False],
    "patch_size": 4,
    "patch_size_t": 1,
}


@pytest.fixture
def folder(tmp_path):
    """Looks like LTX-Video from outside."""
    parts = {
        "transformer": ["diffusers", "LTXVideoTransformer3DModel"],
        "vae": ["diffusers", "AutoencoderKLLTXVideo"],
        "text_encoder": ["transformers", "T5EncoderModel"],
    }
    write(tmp_path / "model_index.json", {"_class_name": "LTXPipeline", **parts})
    head = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    for part in parts:
        (tmp_path / part).mkdir()
        (tmp_path / part / "model.safetensors").write_bytes(
            struct.pack("<Q", len(head)) + head + b"\0" * 4
        )
    write(tmp_path / "vae" / "config.json", REAL_VAE)
    return tmp_path


def write(path, content):
    path.write_text(json.dumps(content))


def code_of(folder):
    with pytest.raises(EngineFailure) as failed:
        read_checkpoint(folder)
    return failed.value.code


def test_the_frame_and_size_grid_come_from_the_decoder(folder):
    limits = read_checkpoint(folder).capabilities()
    assert limits.frames.snap(240) == 241
    assert limits.sizes.generated(1920, 1080) == (1920, 1088)


def test_a_missing_folder_and_an_empty_one_are_missing(tmp_path):
    assert code_of(None) is FailureCode.CHECKPOINT_MISSING
    assert code_of(tmp_path / "nowhere") is FailureCode.CHECKPOINT_MISSING
    assert code_of(tmp_path) is FailureCode.CHECKPOINT_MISSING


def test_another_family_is_foreign(folder):
    write(folder / "model_index.json", {"_class_name": "StableDiffusionPipeline"})
    assert code_of(folder) is FailureCode.CHECKPOINT_FOREIGN


def test_an_index_that_names_somebody_elses_code_is_foreign(folder):
    index = json.loads((folder / "model_index.json").read_text())
    write(folder / "model_index.json", {**index, "scheduler": ["os", "system"]})
    assert code_of(folder) is FailureCode.CHECKPOINT_FOREIGN


@pytest.mark.parametrize("part", ["transformer", "vae", "text_encoder"])
def test_pickled_weights_are_foreign(folder, part):
    (folder / part / "model.safetensors").rename(folder / part / "pytorch_model.bin")
    assert code_of(folder) is FailureCode.CHECKPOINT_FOREIGN


def test_an_index_that_is_no_json_is_damaged(folder):
    (folder / "model_index.json").write_text("{")
    assert code_of(folder) is FailureCode.CHECKPOINT_DAMAGED


@pytest.mark.parametrize("vae", [{}, {"spatio_temporal_scaling": 3, "patch_size": 4}])
def test_a_decoder_that_does_not_say_its_grid_is_damaged(folder, vae):
    write(folder / "vae" / "config.json", vae)
    assert code_of(folder) is FailureCode.CHECKPOINT_DAMAGED


def test_a_checkpoint_may_lower_its_own_limits(folder):
    write(folder / "greenroom.json", {"most_side": 256, "most_pixels": 65536, "longest_s": "2.5"})
    limits = read_checkpoint(folder).capabilities()
    assert (limits.sizes.most_side, limits.longest_s) == (256, 2.5)


def test_a_preset_this_version_does_not_know_is_not_half_obeyed(folder):
    write(folder / "greenroom.json", {"shedule": "even"})
    assert code_of(folder) is FailureCode.CHECKPOINT_FOREIGN


def test_a_lossy_tier_that_nobody_measured_is_not_served_but_may_be_looked_at(folder):
    cache = {"name": "first_block", "threshold": 0.1}
    write(folder / "greenroom.json", {"tiers": {"standard": {}, "turbo": {"cache": cache}}})
    assert code_of(folder) is FailureCode.LEVER_UNMEASURED
    assert read_checkpoint(folder, unmeasured=True).preset.tiers["turbo"].cache is not None


def test_a_tiers_lora_must_be_in_the_folder(folder):
    measured = {"ssim": 0.9, "psnr_db": 30.0, "against": "standard", "orders": 3}
    turbo = {"lora": {"file": "turbo.safetensors"}, "measured": measured}
    write(folder / "greenroom.json", {"tiers": {"standard": {}, "turbo": turbo}})
    assert code_of(folder) is FailureCode.CHECKPOINT_DAMAGED
    (folder / "turbo.safetensors").write_bytes(b"")
    assert read_checkpoint(folder).capabilities().tiers == ("standard", "turbo")


def test_attention_is_one_backend_or_several_in_order(folder):
    for told, read in (("flash", ("flash",)), (["_flash_3", "flash"], ("_flash_3", "flash"))):
        write(folder / "greenroom.json", {"attention": told})
        assert read_checkpoint(folder).preset.attention == read
    write(folder / "greenroom.json", {"attention": 3})
    assert code_of(folder) is FailureCode.CHECKPOINT_FOREIGN
