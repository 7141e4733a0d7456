"""Wan: which modes a checkpoint has, its two experts, and a decoder that gives pieces."""

import json
from contextlib import closing

import numpy as np
import pytest

from generation.engines.local.reading import read_checkpoint
from generation.engines.local.wan import _decoded
from generation.engines.order import Mode, OrderRefused
from generation.engines.protocol import EngineFailure, FailureCode, Stage, Stopped

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("of", "modes"),
    [
        ("wan 2.1 words", (Mode.TEXT,)),
        ("wan 2.1 picture", (Mode.IMAGE,)),
        ("wan 2.1 first and last", (Mode.FIRST_LAST,)),
        ("wan 2.2 two experts", (Mode.IMAGE, Mode.FIRST_LAST)),
        ("wan 2.2 small words", (Mode.TEXT, Mode.IMAGE)),
    ],
)
def test_a_checkpoint_offers_what_it_was_trained_for(of, modes, folder_of):
    assert read_checkpoint(folder_of(of)).capabilities().modes == modes


def test_words_alone_are_refused_where_a_picture_is_needed(order_for, engine_of, frames_of):
    order = order_for("wan 2.2 two experts", conditions=())
    with pytest.raises(OrderRefused, match="mode_not_offered"):
        frames_of(engine_of(order.checkpoint), order)


@pytest.mark.parametrize("of", ["wan 2.1 words", "wan 2.2 small words"])
def test_streamed_pieces_are_bit_for_bit_those_of_the_decoder(of, folder_of, engine_of):
    import torch

    vae = engine_of(folder_of(of))._pipe.vae
    latents = torch.randn(
        (1, vae.config.z_dim, 4, 3, 2), generator=torch.Generator("cpu").manual_seed(1)
    )
    with torch.no_grad():
        whole = vae.decode(latents, return_dict=False)[0][0]
    pieces = list(_decoded(vae, latents))
    assert [piece.shape[1] for piece in pieces] == [1, 4, 4, 4]
    assert torch.equal(torch.cat(pieces, dim=1), whole)


def test_the_consumer_of_pieces_keeps_its_own_gradient_mode(folder_of, engine_of):
    import torch

    vae = engine_of(folder_of("wan 2.1 words"))._pipe.vae
    for _ in _decoded(vae, torch.zeros(1, 16, 2, 2, 2)):
        assert torch.is_grad_enabled()


def test_what_a_stopped_clip_left_in_the_decoder_is_cleared(order_for, engine_of, watching):
    engine = engine_of(order_for("wan 2.2 small picture").checkpoint)
    vae = engine._pipe.vae
    for stage, nth in ((Stage.PROMPT, 4), (Stage.DENOISE, 3), (Stage.DECODE, 20)):
        with pytest.raises(Stopped):
            list(engine.render(order_for("wan 2.2 small picture"), watching((stage, nth))))
        assert not any(part is not None for part in (*vae._feat_map, *vae._enc_feat_map))
    with closing(engine.render(order_for("wan 2.2 small picture"), watching())) as frames:
        next(frames)
        next(frames)
        assert any(part is not None for part in vae._feat_map)
    assert not any(part is not None for part in vae._feat_map)


def test_the_first_frame_comes_before_the_last_latent_is_decoded(order_for, engine_of, watching):
    order = order_for("wan 2.1 words")
    watch = watching()
    with closing(engine_of(order.checkpoint).render(order, watch)) as frames:
        next(frames)
        first = watch.seen[Stage.DECODE]
        list(frames)
    assert first < watch.seen[Stage.DECODE] / 2


def test_each_expert_works_on_its_own_side_of_the_boundary(order_for, engine_of, frames_of):
    order = order_for("wan 2.2 two experts")
    engine = engine_of(order.checkpoint)
    calls = []
    pipe = engine._pipe
    for expert in (pipe.transformer, pipe.transformer_2):
        expert.register_forward_pre_hook(
            lambda module, _args, kwargs: calls.append((module, float(kwargs["timestep"][0]))),
            with_kwargs=True,
        )
    frames_of(engine, order)
    times = [time for _, time in calls]
    assert times == sorted(times, reverse=True)
    for expert, time in calls:
        assert (expert is pipe.transformer) == (time >= 900)
    assert len({id(expert) for expert, _ in calls}) == 2


def test_one_model_makes_clips_from_words_and_pictures_in_turn(order_for, engine_of, frames_of):
    words, picture = (order_for(f"wan 2.2 small {one}") for one in ("words", "picture"))
    # Two kinds, one file: the second folder is made of the same numbers.
    picture = order_for("wan 2.2 small words", conditions=picture.conditions)
    engine = engine_of(words.checkpoint)
    from_words, from_picture = frames_of(engine, words), frames_of(engine, picture)
    assert (frames_of(engine, words) == from_words).all()
    assert (frames_of(engine, picture) == from_picture).all()
    assert (from_words != from_picture).any()


@pytest.mark.parametrize("of", ["wan 2.1 picture", "wan 2.2 two experts", "wan 2.2 small picture"])
def test_the_picture_matters_and_first_and_last_are_not_mixed_up(
    of, order_for, engine_of, frames_of, picture_of
):
    engine = engine_of(order_for(of).checkpoint)

    def made(*conditions):
        return frames_of(engine, order_for(of, conditions=conditions))

    one, other = picture_of(0, 32, 32), picture_of(8, 32, 32)
    as_first = {"path": other.path, "sha256": other.sha256}
    first, another = made(one), made(type(one)(frame=0, **as_first))
    assert (first != another).any()
    if of == "wan 2.2 two experts":
        as_last = {"path": one.path, "sha256": one.sha256}
        both = made(one, other)
        assert (both != first).any()
        assert (both != made(type(one)(frame=0, **as_first), type(one)(frame=8, **as_last))).any()


def test_half_precision_denoises_and_whole_precision_decodes(
    copy_of, order_for, engine_of, frames_of
):
    import torch
    from safetensors.torch import load_file, save_file

    folder = copy_of("wan 2.2 two experts")
    for part in ("transformer", "transformer_2", "vae"):
        weights = folder / part / "diffusion_pytorch_model.safetensors"
        small = {name: value.to(torch.bfloat16) for name, value in load_file(weights).items()}
        save_file(small, weights, metadata={"format": "pt"})
    engine = engine_of(folder)
    assert engine._pipe.transformer_2.dtype is torch.bfloat16
    assert engine._pipe.vae.dtype is torch.float32
    frames = frames_of(engine, order_for("wan 2.2 two experts", checkpoint=folder))
    assert len(np.unique(frames)) > 16


def test_tiles_are_used_when_they_are_asked_for(order_for, engine_of, frames_of):
    order = order_for("wan 2.1 words", width=64, height=32)
    engine = engine_of(order.checkpoint)
    whole = frames_of(engine, order)
    engine._pipe.vae.enable_tiling(32, 32, 16, 16)
    tiled = frames_of(engine, order)
    assert tiled.shape == whole.shape
    assert (tiled != whole).any()


@pytest.mark.parametrize(
    ("of", "part"),
    [("wan 2.2 two experts", "transformer_2"), ("wan 2.1 picture", "image_encoder")],
)
def test_a_second_expert_and_a_picture_encoder_must_be_whole_too(of, part, copy_of, engine_of):
    from safetensors.torch import load_file, save_file

    folder = copy_of(of)
    (weights,) = (folder / part).glob("*.safetensors")
    tensors = load_file(weights)
    tensors.pop(max(tensors))
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(EngineFailure) as failed:
        engine_of(folder)
    assert failed.value.code is FailureCode.CHECKPOINT_DAMAGED
    weights.rename(weights.with_name("pytorch_model.bin"))
    with pytest.raises(EngineFailure) as failed:
        read_checkpoint(folder)
    assert failed.value.code is FailureCode.CHECKPOINT_FOREIGN


@pytest.mark.parametrize(
    ("of", "change"),
    [
        ("wan 2.2 two experts", {"transformer_2": [None, None]}),
        ("wan 2.1 picture", {"image_encoder": [None, None]}),
    ],
)
def test_an_index_that_lacks_what_its_model_needs_is_damaged(of, change, copy_of):
    folder = copy_of(of)
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | change))
    with pytest.raises(EngineFailure) as failed:
        read_checkpoint(folder)
    assert failed.value.code is FailureCode.CHECKPOINT_DAMAGED
