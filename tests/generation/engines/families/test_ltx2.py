"""LTX-2: sound beside the pictures, keyframes between latent frames, and steering turned off."""

import numpy as np
import pytest

from generation.engines.local.reading import read_checkpoint
from generation.engines.protocol import EngineFailure, FailureCode, Sound

pytestmark = pytest.mark.torch


def test_the_sound_comes_first_and_is_as_long_as_the_clip(order_for, engine_of, watching):
    order = order_for("ltx-2 words")
    assert read_checkpoint(order.checkpoint).capabilities().has_sound
    sound, *frames = engine_of(order.checkpoint).render(order, watching())
    assert isinstance(sound, Sound)
    assert len(frames) == 9
    assert sound.samples.dtype == np.float32
    assert sound.rate == 16000
    channels, samples = sound.samples.shape
    assert channels == 2
    assert samples <= round(9 / 8 * 16000)
    # Short of it by a part of one latent at most: four hops of 160 samples each.
    assert samples > 9 / 8 * 16000 - 2 * 640
    assert np.abs(sound.samples).max() <= 1
    assert sound.samples.std() > 0


def test_seed_and_words_are_heard_too(order_for, engine_of, watching):
    engine = engine_of(order_for("ltx-2 words").checkpoint)

    def heard(**changes):
        return next(engine.render(order_for("ltx-2 words", **changes), watching())).samples

    usual = heard()
    assert (heard() == usual).all()
    assert (heard(seed=8) != usual).any()
    assert (heard(prompt="snow") != usual).any()


@pytest.mark.parametrize("at", [1, 2, 5, 7, 8])
def test_a_keyframe_stands_at_its_own_frame_not_at_the_latents_first(
    at, order_for, engine_of, frames_of, picture_of
):
    order = order_for("ltx-2 keyframes", conditions=(picture_of(at, 64, 64, strength=0.75),))
    engine = engine_of(order.checkpoint)
    seen = []
    engine._pipe.transformer.register_forward_pre_hook(
        lambda _module, _args, kwargs: seen.append((kwargs["timestep"], kwargs["video_coords"])),
        with_kwargs=True,
    )
    assert len(frames_of(engine, order)) == 9
    cells = (64 // 8) ** 2
    for times, coordinates in seen:
        assert times.shape[1] == cells * (3 + 1)
        begin, end = (coordinates[0, 0, -cells:, side] * 8 for side in (0, 1))
        assert (begin.round(decimals=3) == at).all()
        assert (end.round(decimals=3) == at + 1).all()
        assert float(times[0, -cells:].max()) == pytest.approx(float(times[0, 0]) * 0.25)


def test_a_first_picture_is_held_and_others_matter(order_for, engine_of, frames_of, picture_of):
    engine = engine_of(order_for("ltx-2 keyframes").checkpoint)

    def made(*conditions):
        return frames_of(engine, order_for("ltx-2 keyframes", conditions=conditions))

    words, first, both = (
        made(*(picture_of(at, 64, 64) for at in frames)) for frames in ((), (0,), (0, 8))
    )
    assert (words != first).any()
    assert (first != both).any()


def test_a_guidance_of_one_asks_the_model_once_a_step(order_for, engine_of, frames_of):
    engine = engine_of(order_for("ltx-2 words").checkpoint)
    seen = []
    engine._pipe.transformer.register_forward_pre_hook(
        lambda _module, _args, kwargs: seen.append(len(kwargs["hidden_states"])), with_kwargs=True
    )
    frames_of(engine, order_for("ltx-2 words", guidance=1.0))
    assert seen == [1, 1]
    seen.clear()
    frames_of(engine, order_for("ltx-2 words"))
    assert seen == [2, 1, 2, 1]  # both prompts, then each sense alone


def test_sound_that_is_not_a_number_fails_the_clip(order_for, engine_of, watching):
    import torch

    order = order_for("ltx-2 words")
    engine = engine_of(order.checkpoint)
    with torch.no_grad():
        engine._pipe.vocoder.conv_out.weight.fill_(float("nan"))
    with pytest.raises(EngineFailure) as failed:
        list(engine.render(order, watching()))
    assert failed.value.code is FailureCode.BLACK_CLIP


@pytest.mark.parametrize("part", ["audio_vae", "vocoder", "connectors", "text_encoder"])
def test_every_part_must_be_whole(part, copy_of, engine_of):
    from safetensors.torch import load_file, save_file

    folder = copy_of("ltx-2 words")
    (weights,) = (folder / part).glob("*.safetensors")
    tensors = load_file(weights)
    tensors.pop(max(tensors))
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(EngineFailure) as failed:
        engine_of(folder)
    assert failed.value.code is FailureCode.CHECKPOINT_DAMAGED
    weights.unlink()
    with pytest.raises(EngineFailure) as failed:
        read_checkpoint(folder)
    assert failed.value.code is FailureCode.CHECKPOINT_FOREIGN
