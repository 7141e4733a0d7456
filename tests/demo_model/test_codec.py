"""The autoencoder: stock classes that compute what was written down, and nothing else."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from torch import Tensor

    from demo_model.codec import Codec

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def clips() -> Tensor:
    from demo_model.rendering import render
    from demo_model.scenes import random_scene

    chance = random.Random(3)
    return render([random_scene(chance) for _ in range(6)], chance)


def test_patches_lose_nothing(clips: Tensor) -> None:
    from demo_model import codec

    assert codec.unpatched(codec.patches(clips)).equal(clips)


def test_the_stock_encoder_projects_on_the_components(clips: Tensor, found: Codec) -> None:
    import torch

    from demo_model import codec

    vae = codec.build(found)
    wanted = (codec.patches(clips) - codec.spread(found.mean)) @ found.axes
    with torch.no_grad():
        latents = vae.encode(clips).latent_dist.mode().permute(0, 2, 3, 4, 1)
        again = vae.encode(clips).latent_dist.sample().permute(0, 2, 3, 4, 1)
    assert (latents - wanted).norm() / wanted.norm() < 0.01
    assert (latents - again).norm() / wanted.norm() < 1e-5  # no noise on what is given


def test_the_stock_decoder_is_the_written_arithmetic(clips: Tensor, found: Codec) -> None:
    import torch

    from demo_model import codec
    from demo_model.detector import through

    vae = codec.build(found)
    with torch.no_grad():
        out = vae.decode(vae.encode(clips).latent_dist.mode()).sample
    assert codec.psnr(out, through(found, clips)) > 40
    assert codec.psnr(out, clips) > 27


def test_a_picture_is_encoded_as_the_first_frame_of_its_clip(clips: Tensor, found: Codec) -> None:
    import torch

    from demo_model import codec

    vae = codec.build(found)
    with torch.no_grad():
        whole = vae.encode(clips).latent_dist.mode()
        alone = vae.encode(clips[:, :, :1]).latent_dist.mode()
        out, picture = vae.decode(whole).sample, vae.decode(alone).sample
    assert (whole[:, :, :1] - alone).abs().max() < 1e-3
    assert codec.psnr(out[:, :, 0], picture[:, :, 0]) > 60


def test_the_numbers_can_be_read_out_of_the_weights_again(found: Codec) -> None:
    import torch

    from demo_model import codec

    again = codec.read(codec.build(found))
    assert torch.allclose(again.axes, found.axes, atol=2e-3)
    assert torch.allclose(again.reading, found.reading, atol=1e-4)
    assert torch.allclose(again.std, found.std, rtol=1e-3)
    assert torch.allclose(again.mean, found.mean, atol=1e-4)


def test_the_components_are_computed_from_drawn_clips() -> None:
    import torch

    from demo_model import codec
    from demo_model.detector import through

    found = codec.fit(count=40, seed=5)
    assert torch.allclose(found.axes.T @ found.axes, torch.eye(codec.COMPONENTS), atol=1e-3)
    clips = codec.clips_of_all_styles(4, seed=6)
    assert codec.psnr(through(found, clips), clips) > 22


def test_whoever_gave_the_model_to_read_goes_on_with_the_numbers_it_had(shipped: Any) -> None:
    import torch

    from demo_model import codec

    kept = {name: weight.clone() for name, weight in shipped.vae.state_dict().items()}
    codec.read(shipped.vae)
    now = shipped.vae.state_dict()
    assert {weight.dtype for weight in now.values()} == {torch.bfloat16}
    assert all(torch.equal(weight, now[name]) for name, weight in kept.items())
