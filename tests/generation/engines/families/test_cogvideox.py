"""CogVideoX: pieces of its decoder, the padding of 1.5, and sizes that one of them has only."""

import json
from contextlib import closing

import pytest

from generation.engines.local.cogvideox import CogVideoX
from generation.engines.local.reading import read_checkpoint
from generation.engines.order import Mode, OrderRefused
from generation.engines.protocol import EngineFailure, FailureCode, Stage

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("of", "modes"), [("cogvideox words", (Mode.TEXT,)), ("cogvideox picture", (Mode.IMAGE,))]
)
def test_a_checkpoint_offers_what_it_was_trained_for(of, modes, folder_of):
    assert read_checkpoint(folder_of(of)).capabilities().modes == modes


@pytest.mark.parametrize("latent_frames", [1, 2, 3, 4, 5])
def test_streamed_pieces_are_bit_for_bit_those_of_the_decoder(latent_frames, folder_of, engine_of):
    import torch

    engine = engine_of(folder_of("cogvideox words"))
    pipe = engine._pipe
    latents = torch.randn(
        (1, latent_frames, 4, 3, 2), generator=torch.Generator("cpu").manual_seed(1)
    )

    class Asked:
        """As much of a run as the decoder looks at."""

    run = Asked()
    run.pipe = pipe
    with torch.no_grad():
        whole = pipe.decode_latents(latents)[0]
    pieces = list(CogVideoX().decode(run, {"video": latents}))
    assert torch.equal(torch.cat(pieces, dim=1), whole)
    assert len(pieces) == max(latent_frames // 2, 1)


def test_the_first_frame_comes_before_the_last_latent_is_decoded(order_for, engine_of, watching):
    order = order_for("cogvideox words", frames=17)
    watch = watching()
    with closing(engine_of(order.checkpoint).render(order, watch)) as frames:
        next(frames)
        first = watch.seen[Stage.DECODE]
        list(frames)
    assert first < watch.seen[Stage.DECODE] * 0.7


@pytest.mark.parametrize("frames", [5, 9, 13])
@pytest.mark.parametrize("of", ["cogvideox 1.5 words", "cogvideox 1.5 picture"])
def test_padding_of_patches_in_time_never_reaches_the_clip(
    of, frames, order_for, engine_of, frames_of
):
    order = order_for(of, frames=frames)
    assert len(frames_of(engine_of(order.checkpoint), order)) == frames


def test_a_model_that_learned_one_size_refuses_every_other(
    copy_of, order_for, engine_of, frames_of
):
    from safetensors.torch import load_file, save_file

    folder = copy_of("cogvideox picture")
    config = folder / "transformer" / "config.json"
    plain = json.loads(config.read_text())
    learned = {"use_learned_positional_embeddings": True, "use_rotary_positional_embeddings": True}
    config.write_text(json.dumps(plain | learned))
    weights = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    # Learned places are stored where computed ones are not: 226 of words, 3 × 4 × 4 of pictures.
    import torch

    tensors["patch_embed.pos_embedding"] = torch.zeros(1, 226 + 48, 32)
    save_file(tensors, weights, metadata={"format": "pt"})
    engine = engine_of(folder)
    only = order_for("cogvideox picture", checkpoint=folder)
    assert len(frames_of(engine, only)) == 9
    with pytest.raises(OrderRefused, match="size_out_of_range") as refused:
        frames_of(engine, order_for("cogvideox picture", checkpoint=folder, width=96))
    assert (refused.value.field, refused.value.facts["maximum"]) == ("width", 64)


def test_a_pipeline_for_pictures_over_a_model_for_words_is_damaged(copy_of):
    folder = copy_of("cogvideox words")
    index = json.loads((folder / "model_index.json").read_text())
    index["_class_name"] = "CogVideoXImageToVideoPipeline"
    (folder / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(EngineFailure) as failed:
        read_checkpoint(folder)
    assert failed.value.code is FailureCode.CHECKPOINT_DAMAGED
