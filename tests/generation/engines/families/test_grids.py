"""Frames, sides and modes of published checkpoints, from their configuration files alone.

The numbers below are those of the files on the hub, as far as a grid needs them; nothing of torch
is needed, nor imported.
"""

import json
import struct
import subprocess
import sys
from fractions import Fraction

import pytest

from generation.engines.local.reading import read_checkpoint
from generation.engines.order import Mode
from generation.engines.protocol import EngineFailure, FailureCode

TEXT, IMAGE, FIRST_LAST, KEYFRAMES = Mode.TEXT, Mode.IMAGE, Mode.FIRST_LAST, Mode.KEYFRAMES
WAN_VAE = {"z_dim": 16, "temperal_downsample": [False, True, True]}
WAN_5B_VAE = {"z_dim": 48, "patch_size": 2, "scale_factor_spatial": 16, "scale_factor_temporal": 4}
COG_VAE = {
    "block_out_channels": [128, 256, 256, 512],
    "latent_channels": 16,
    "temporal_compression_ratio": 4,
}
LTX_VAE = {
    "patch_size": 4,
    "patch_size_t": 1,
    "spatio_temporal_scaling": [True, True, True, False],
}
LTX2_VAE = {
    "patch_size": 4,
    "patch_size_t": 1,
    "spatio_temporal_scaling": [True, True, True, True],
    "spatial_compression_ratio": 32,
    "temporal_compression_ratio": 8,
}
LTX2_PARTS = ("audio_vae", "vocoder", "connectors")


def wan(channels, **more):
    return {"in_channels": channels, "patch_size": [1, 2, 2], **more}


def cog(channels, **more):
    return {"in_channels": channels, "patch_size": 2, **more}


# name: (pipeline, vae, transformer, index, further parts), then what must come of it
PUBLISHED = {
    "LTX-Video 0.9": (("LTXPipeline", LTX_VAE, {}), (8, 32, (TEXT,), 0)),
    "LTX-Video 0.9.5": (
        ("LTXConditionPipeline", LTX_VAE, {}),
        (8, 32, (TEXT, IMAGE, FIRST_LAST, KEYFRAMES), 8),
    ),
    "Wan 2.1 T2V": (("WanPipeline", WAN_VAE, wan(16)), (4, 16, (TEXT,), 0)),
    "Wan 2.1 I2V": (
        ("WanImageToVideoPipeline", WAN_VAE, wan(36, image_dim=1280), {}, ("image_encoder",)),
        (4, 16, (IMAGE,), 1),
    ),
    "Wan 2.1 FLF2V": (
        (
            "WanImageToVideoPipeline",
            WAN_VAE,
            wan(36, image_dim=1280, pos_embed_seq_len=514),
            {},
            ("image_encoder",),
        ),
        (4, 16, (FIRST_LAST,), 2),
    ),
    "Wan 2.2 T2V-A14B": (
        ("WanPipeline", WAN_VAE, wan(16), {"boundary_ratio": 0.875}, ("transformer_2",)),
        (4, 16, (TEXT,), 0),
    ),
    "Wan 2.2 I2V-A14B": (
        (
            "WanImageToVideoPipeline",
            WAN_VAE,
            wan(36, image_dim=None),
            {"boundary_ratio": 0.9, "image_encoder": [None, None]},
            ("transformer_2",),
        ),
        (4, 16, (IMAGE, FIRST_LAST), 2),
    ),
    "Wan 2.2 TI2V-5B": (
        (
            "WanPipeline",
            WAN_5B_VAE,
            wan(48),
            {"expand_timesteps": True, "transformer_2": [None, None]},
        ),
        (4, 32, (TEXT, IMAGE), 1),
    ),
    "LTX-2 words": (
        ("LTX2Pipeline", LTX2_VAE, {}, {}, LTX2_PARTS),
        (8, 32, (TEXT,), 0),
    ),
    "LTX-2 picture": (
        ("LTX2ImageToVideoPipeline", LTX2_VAE, {}, {}, LTX2_PARTS),
        (8, 32, (IMAGE,), 1),
    ),
    "LTX-2 keyframes": (
        ("LTX2ConditionPipeline", LTX2_VAE, {}, {}, LTX2_PARTS),
        (8, 32, (TEXT, IMAGE, FIRST_LAST, KEYFRAMES), 8),
    ),
    "CogVideoX-5b": (("CogVideoXPipeline", COG_VAE, cog(16)), (4, 16, (TEXT,), 0)),
    "CogVideoX-5b-I2V": (
        ("CogVideoXImageToVideoPipeline", COG_VAE, cog(32)),
        (4, 16, (IMAGE,), 1),
    ),
    "CogVideoX1.5-5B": (
        ("CogVideoXPipeline", COG_VAE, cog(16, patch_size_t=2)),
        (4, 16, (TEXT,), 0),
    ),
}


def write(folder, pipeline, vae, transformer, index=None, further=()):
    head = json.dumps({"w": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}).encode()
    plain = {"_class_name": pipeline, **(index or {})}
    for part in ("transformer", "vae", "text_encoder", *further):
        plain[part] = ["diffusers", "Whatever"]
        (folder / part).mkdir()
        content = struct.pack("<Q", len(head)) + head + b"\0" * 2
        (folder / part / "model.safetensors").write_bytes(content)
    (folder / "vae" / "config.json").write_text(json.dumps(vae))
    (folder / "transformer" / "config.json").write_text(json.dumps(transformer))
    (folder / "model_index.json").write_text(json.dumps(plain))
    return folder


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_grids_of_published_checkpoints(name, tmp_path):
    files, (step, multiple, modes, most_conditions) = PUBLISHED[name]
    limits = read_checkpoint(write(tmp_path, *files)).capabilities()
    assert (limits.frames.step, limits.frames.offset) == (step, 1)
    assert limits.sizes.multiple == multiple
    assert limits.modes == modes
    assert limits.most_conditions == most_conditions
    assert limits.takes_strength == (KEYFRAMES in modes)
    assert limits.has_sound == name.startswith("LTX-2")
    assert limits.sizes.generated(1920, 1080) == (1920, 1088)
    # Ten seconds at 24 are 241 frames on either grid, a frame more than ten seconds and no less.
    assert limits.frames_for(Fraction(10), Fraction(24)) == 241


def test_an_upsampler_makes_halves_fall_on_the_grid(tmp_path):
    files, _ = PUBLISHED["LTX-Video 0.9.5"]
    folder = write(tmp_path, *files)
    (folder / "upsampler").mkdir()
    (folder / "upsampler" / "model.safetensors").write_bytes(b"")
    config = {"spatial_upsample": True, "temporal_upsample": False}
    (folder / "upsampler" / "config.json").write_text(json.dumps(config))
    tiers = {"turbo": {}, "standard": {"two_stage": True, "refine_steps": 3}}
    (folder / "greenroom.json").write_text(json.dumps({"tiers": tiers}))
    found = read_checkpoint(folder)
    assert found.capabilities().sizes.generated(1920, 1080) == (1920, 1088)
    assert found.capabilities().sizes.generated(1280, 720) == (1280, 768)
    assert found.preset.tiers["standard"].refine_steps == 3


@pytest.mark.parametrize(
    ("name", "vae", "transformer"),
    [
        ("Wan 2.1 T2V", {}, wan(16)),
        ("Wan 2.1 T2V", WAN_VAE, {"in_channels": 16}),
        ("Wan 2.1 T2V", WAN_VAE, wan(17)),
        ("Wan 2.2 T2V-A14B", {"z_dim": "many"}, wan(16)),
        ("CogVideoX-5b", COG_VAE, cog(32)),
        ("CogVideoX-5b", {"latent_channels": 16}, cog(16)),
        ("LTX-2 words", {"patch_size": 4}, {}),
    ],
)
def test_configuration_that_makes_no_sense_is_damage(name, vae, transformer, tmp_path):
    (pipeline, _, _, *rest), _ = PUBLISHED[name]
    with pytest.raises(EngineFailure) as failed:
        read_checkpoint(write(tmp_path, pipeline, vae, transformer, *rest))
    assert failed.value.code is FailureCode.CHECKPOINT_DAMAGED


@pytest.mark.parametrize("part", ["audio_vae", "vocoder", "connectors"])
def test_ltx_2_without_one_of_its_parts_is_damaged(part, tmp_path):
    (pipeline, vae, transformer, index, further), _ = PUBLISHED["LTX-2 words"]
    kept = tuple(one for one in further if one != part)
    with pytest.raises(EngineFailure) as failed:
        read_checkpoint(write(tmp_path, pipeline, vae, transformer, index, kept))
    assert failed.value.code is FailureCode.CHECKPOINT_DAMAGED


def test_the_guidance_that_nobody_set_is_the_stock_pipelines(tmp_path):
    found = {}
    for name in ("LTX-Video 0.9", "Wan 2.1 T2V", "LTX-2 words", "CogVideoX-5b"):
        (tmp_path / name).mkdir()
        folder = write(tmp_path / name, *PUBLISHED[name][0])
        found[name] = read_checkpoint(folder).preset.guidance
    assert list(found.values()) == [3.0, 5.0, 3.0, 6.0]
    (folder / "greenroom.json").write_text(json.dumps({"guidance": 4.5}))
    assert read_checkpoint(folder).preset.guidance == 4.5


def test_no_family_needs_torch_to_tell_its_limits():
    program = (
        "import sys\n"
        "from generation.engines.local.families import families\n"
        "print(*(family.name for family in families()))\n"
        "print({'torch', 'diffusers', 'transformers'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    names, heavy = done.stdout.splitlines()
    assert {"cogvideox", "ltx-2", "ltx-video", "wan"} <= set(names.split())
    assert heavy == "set()"
