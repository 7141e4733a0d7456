"""LTX-Video: keyframes where they belong, and the second stage at full size."""

import json
from functools import partial

import numpy as np
import pytest

from generation.engines.local.diffusers_engine import DiffusersEngine
from generation.engines.local.reading import read_checkpoint
from generation.engines.order import Mode, OrderRefused
from generation.engines.protocol import EngineFailure, FailureCode, Stage, Stopped

pytestmark = [
    pytest.mark.torch,
    # diffusers' own schedule for LTX, under a numpy newer than it.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

FRAMES = 17


def ideal(hidden_states, timestep, video_coords, **_):
    """In the transformer's place, a denoiser that knows one thing: a clip shows at each place what
    the clean tokens of that very place and time show, and nothing where there are none."""
    import torch

    sigma = timestep.expand(hidden_states.shape[:2])[..., None] / 1000
    time, place = video_coords[0, 0], video_coords[0, 1:]
    apart = (place[:, :, None] - place[:, None, :]).abs().sum(0)
    near = torch.exp(-(((time[:, None] - time[None, :]) * 8 / 2) ** 2)) * (apart < 1e-3)
    clean = (timestep.expand(hidden_states.shape[:2])[0] < 1).float()
    foreseen = (near * clean[None, :]) @ hidden_states
    return ((hidden_states - foreseen) / sigma.clamp(min=1e-3),)


@pytest.mark.parametrize(("at", "shown"), [(0, 0), (9, 3), (16, 4)])
def test_a_keyframe_changes_the_frames_where_it_stands(
    at, shown, order_for, engine_of, frames_of, picture_of, monkeypatch
):
    """Seen in what goes into the decoder: random weights in there smear it over the clip."""
    asked = partial(order_for, "ltx keyframes", frames=FRAMES, steps=4)
    engine = engine_of(asked().checkpoint)
    decode, clips = engine._pipe.vae.decode, []

    def listening(latents, *args, **kwargs):
        clips.append(latents[0].clone())
        return decode(latents, *args, **kwargs)

    monkeypatch.setattr(engine._pipe.vae, "decode", listening)
    monkeypatch.setattr(engine._pipe.transformer, "forward", ideal)
    frames_of(engine, asked(conditions=()))
    frames_of(engine, asked(conditions=(picture_of(at, 64, 64),)))
    without, held = clips
    changed = (held - without).abs().mean(dim=(0, 2, 3))
    assert changed.argmax() == shown
    far = [frame for frame in range(5) if abs(frame - shown) > 1]
    assert changed[far].max() < changed[shown] / 10


@pytest.mark.parametrize("strength", [0.25, 1.0])
def test_a_condition_is_as_clean_as_it_is_strong(
    strength, order_for, engine_of, frames_of, picture_of
):
    conditions = tuple(picture_of(at, 64, 64, strength=strength) for at in (0, 9, 16))
    order = order_for("ltx keyframes", frames=FRAMES, conditions=conditions)
    engine = engine_of(order.checkpoint)
    seen = []
    engine._pipe.transformer.register_forward_pre_hook(
        lambda _module, _args, kwargs: seen.append((kwargs["timestep"], kwargs["video_coords"])),
        with_kwargs=True,
    )
    frames_of(engine, order)
    cells = (64 // 8) ** 2
    for times, coordinates in seen:
        # The pictures of later frames ride before the clip's own tokens, the first one is in it.
        assert times.shape[1] == cells * (5 + 2)
        at = (coordinates[0, 0] * 8).round().int()
        assert set(at[:cells].tolist()) == {9}
        assert set(at[cells : 2 * cells].tolist()) == {16}
        assert times[0, : 3 * cells].max() <= (1 - strength) * 1000 + 1e-3
    assert seen[0][0][0, 3 * cells :].min() > 900


def test_words_only_pipelines_offer_no_pictures(copy_of):
    folder = copy_of("ltx")
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": "LTXPipeline"}))
    assert read_checkpoint(folder).capabilities().modes == (Mode.TEXT,)


@pytest.fixture
def twice(copy_of):
    """A checkpoint with an upsampler, whose usual tier makes use of it."""
    import torch
    from diffusers.pipelines.ltx.modeling_latent_upsampler import LTXLatentUpsamplerModel

    folder = copy_of("ltx")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = LTXLatentUpsamplerModel(in_channels=16, mid_channels=32, num_blocks_per_stage=1)
    model.save_pretrained(folder / "upsampler")
    tiers = {"standard": {"two_stage": True, "refine_steps": 2}}
    (folder / "greenroom.json").write_text(json.dumps({"tiers": tiers}))
    return folder


@pytest.mark.parametrize("pictured", [False, True])
def test_two_stages_are_those_that_diffusers_documents(
    pictured, twice, order_for, engine_of, frames_of
):
    import torch
    from diffusers import LTXConditionPipeline, LTXLatentUpsamplePipeline
    from diffusers.pipelines.ltx.modeling_latent_upsampler import LTXLatentUpsamplerModel
    from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition
    from PIL import Image

    conditions = order_for("ltx keyframes").conditions if pictured else ()
    order = order_for("ltx", checkpoint=twice, conditions=conditions, steps=3)
    ours = frames_of(engine_of(twice), order)

    pipe = LTXConditionPipeline.from_pretrained(str(twice), local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    doubling = LTXLatentUpsamplePipeline(
        vae=pipe.vae,
        latent_upsampler=LTXLatentUpsamplerModel.from_pretrained(str(twice / "upsampler")),
    )
    usual = {
        "prompt": order.prompt,
        "negative_prompt": "",
        "num_frames": order.frames,
        "frame_rate": 8.0,
        "guidance_scale": 3.0,
        "generator": torch.Generator("cpu").manual_seed(order.seed),
    }
    if pictured:
        usual["conditions"] = [
            LTXVideoCondition(image=Image.open(one.path).convert("RGB"), frame_index=one.frame)
            for one in conditions
        ]
    small = pipe(width=32, height=32, num_inference_steps=3, output_type="latent", **usual).frames
    doubled = doubling(latents=small, width=64, height=64, output_type="latent").frames
    expected = pipe(
        width=64,
        height=64,
        latents=doubled,
        denoise_strength=0.4,
        num_inference_steps=5,  # of which two remain
        output_type="np",
        **usual,
    ).frames[0]
    assert (ours == (expected * 255).round().astype(np.uint8)).all()


def test_the_steps_of_both_stages_are_counted(twice, order_for, engine_of, watching):
    order = order_for("ltx", checkpoint=twice, steps=3)
    watch = watching()
    list(engine_of(twice).render(order, watch))
    assert watch.last[Stage.DENOISE] == (5, 5)
    stages = [Stage.PROMPT, Stage.DENOISE, Stage.DECODE]
    told = [(stages.index(stage), step) for stage, step, _ in watch.trail]
    assert told == sorted(told)  # the words are read once, before both


def test_an_estimate_counts_both_stages_each_at_its_own_size(twice, order_for):
    def expected_s(steps, **tier):
        (twice / "greenroom.json").write_text(json.dumps({"tiers": {"standard": tier}}))
        return DiffusersEngine().estimate(order_for("ltx", checkpoint=twice, steps=steps)).seconds

    one_step = expected_s(2) - expected_s(1)
    assert one_step > 0
    for steps, refined in ((4, 1), (8, 1), (8, 5)):
        staged = expected_s(steps, two_stage=True, refine_steps=refined)
        assert staged == pytest.approx(expected_s(1) + (steps / 4 + refined - 1) * one_step)


def test_a_stop_in_the_second_stage_leaves_the_next_job_as_it_was(
    twice, order_for, engine_of, frames_of, watching
):
    engine = engine_of(twice)
    order = order_for("ltx", checkpoint=twice, steps=3)
    expected = frames_of(engine, order)
    list(engine.render(order, whole := watching()))
    other = order_for("ltx", checkpoint=twice, steps=3, prompt="snow", seed=11)
    watch = watching((Stage.DENOISE, whole.seen[Stage.DENOISE] - 3))
    with pytest.raises(Stopped):
        list(engine.render(other, watch))
    assert watch.last[Stage.DENOISE][0] == 4
    assert (frames_of(engine, order) == expected).all()


def test_half_the_size_is_on_the_grid_too(twice, order_for, engine_of, frames_of):
    sizes = read_checkpoint(twice).capabilities().sizes
    assert sizes.multiple == 64
    assert sizes.generated(1920, 1080) == (1920, 1088)
    order = order_for("ltx", checkpoint=twice, width=80, height=64, steps=1)
    assert frames_of(engine_of(twice), order).shape == (9, 64, 80, 3)


def test_a_second_stage_without_an_upsampler_is_damage(twice):
    (twice / "upsampler").rename(twice / "elsewhere")
    assert code_of(twice) is FailureCode.CHECKPOINT_DAMAGED


def test_an_upsampler_of_frames_or_of_pickles_is_damage(twice):
    config = twice / "upsampler" / "config.json"
    plain = json.loads(config.read_text())
    config.write_text(json.dumps(plain | {"temporal_upsample": True}))
    assert code_of(twice) is FailureCode.CHECKPOINT_DAMAGED
    config.write_text(json.dumps(plain))
    (weights,) = (twice / "upsampler").glob("*.safetensors")
    weights.rename(weights.with_suffix(".bin"))
    assert code_of(twice) is FailureCode.CHECKPOINT_DAMAGED


def test_an_upsampler_with_a_tensor_missing_is_damage(twice, engine_of):
    from safetensors.torch import load_file, save_file

    (weights,) = (twice / "upsampler").glob("*.safetensors")
    tensors = load_file(weights)
    tensors.pop(max(tensors))
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(EngineFailure) as failed:
        engine_of(twice)
    assert failed.value.code is FailureCode.CHECKPOINT_DAMAGED


def code_of(folder):
    with pytest.raises(EngineFailure) as failed:
        read_checkpoint(folder)
    return failed.value.code


def test_a_condition_past_the_last_frame_is_refused(order_for, picture_of):
    with pytest.raises(OrderRefused, match="condition_frame_out_of_range"):
        order_for("ltx keyframes", conditions=(picture_of(9, 64, 64),))
