"""A picture of the clip so far: from the first step, of the right shape, and free for the clip."""

import hashlib
import logging
from contextlib import closing

import numpy as np
import pytest

from generation.engines.local.diffusers_engine import DiffusersEngine
from generation.engines.local.previews import Previews
from generation.engines.local.scheduling import clean
from generation.engines.protocol import Stage, Stopped, Watch

pytestmark = pytest.mark.torch


class Showing(Watch):
    """Wants every preview; remembers at which step each came."""

    def __init__(self) -> None:
        self.pictures = []
        self.trail = []

    def tick(self, stage, step, steps):
        self.trail.append((stage, step))

    def wants_preview(self):
        return True

    def preview(self, picture):
        self.pictures.append((self.trail[-1], picture))


@pytest.fixture(scope="module")
def engine(tiny_folder):
    with closing(DiffusersEngine()) as made:
        made.load(tiny_folder)
        yield made


@pytest.fixture
def order(order_of, tiny_folder):
    return order_of(checkpoint=tiny_folder, width=96, height=64, frames=9, steps=3)


def digest(frames):
    return hashlib.sha256(b"".join(f.tobytes() for f in frames)).hexdigest()


def test_previews_come_from_the_first_step_on_and_change_no_bit(engine, order, watching):
    alone = digest(engine.render(order, watching()))
    watch = Showing()
    assert digest(engine.render(order, watch)) == alone
    assert len(watch.pictures) == 3
    # Seen while step one is being finished, before anybody is told that it is done.
    assert [at for at, _ in watch.pictures] == [(Stage.DENOISE, step) for step in (0, 1, 2)]
    for _, picture in watch.pictures:
        assert picture.shape == (8, 12, 3)
        assert picture.dtype == np.uint8
        assert picture.flags.c_contiguous


def test_the_last_preview_is_the_finished_latents_in_colours(engine, order, monkeypatch):
    blocks = []
    real = Previews.picture

    def seen(self, block):
        blocks.append(block.clone())
        return real(self, block)

    monkeypatch.setattr(Previews, "picture", seen)
    family = engine._loaded.family
    made = []
    decode = family.decode
    monkeypatch.setattr(
        family, "decode", lambda run, latents: made.append(latents) or decode(run, latents)
    )
    list(engine.render(order, Showing()))
    assert (blocks[-1] == made[0]["video"][0]).all()


def test_the_map_gives_back_the_flat_colours_it_was_fitted_to(engine):
    import torch

    from generation.engines.local.previews import normalised

    vae = engine._pipe.vae
    previews = Previews(vae, spatial=8)
    errors = []
    for colour in ((0.9, -0.9, -0.9), (0.0, 0.9, 0.0), (-0.9, -0.9, 0.9), (0.9, 0.9, 0.9)):
        flat = torch.tensor(colour).view(1, 3, 1, 1, 1).expand(1, 3, 1, 32, 32).contiguous()
        with torch.no_grad():
            block = normalised(vae, vae.encode(flat).latent_dist.mode())[0]
        wanted = (np.array(colour) * 0.5 + 0.5) * 255
        errors.append(np.abs(previews.picture(block)[2, 2].astype(float) - wanted).max())
    assert max(errors) < 40, errors


def test_a_watch_may_stop_from_a_preview(engine, order):
    class Ending(Showing):
        def preview(self, picture):
            raise Stopped("enough")

    with pytest.raises(Stopped):
        list(engine.render(order, Ending()))


def test_a_preview_that_cannot_be_made_ends_no_clip(engine, order, monkeypatch, caplog):
    def broken(self, block):
        raise RuntimeError("no colours today")

    monkeypatch.setattr(Previews, "picture", broken)
    watch = Showing()
    with caplog.at_level(logging.WARNING, logger="greenroom.engines"):
        assert len(list(engine.render(order, watch))) == 9
    assert not watch.pictures
    assert "no_preview" in caplog.messages


def test_a_family_without_an_encoder_shows_none():
    import torch

    class Decoder:
        pass

    assert Previews(Decoder(), spatial=8).picture(torch.zeros(4, 1, 2, 2)) is None


def test_flow_matching_is_followed_to_its_clean_end():
    import torch
    from diffusers import FlowMatchEulerDiscreteScheduler

    scheduler = FlowMatchEulerDiscreteScheduler()
    scheduler.set_timesteps(4)
    clip, noise = torch.randn(2, 1, 4, 2, 3, 3, generator=torch.Generator().manual_seed(1))
    sigma = float(scheduler.sigmas[0])
    before = (1 - sigma) * clip + sigma * noise
    after = scheduler.step(noise - clip, scheduler.timesteps[0], before, return_dict=False)[0]
    assert (clean(scheduler, before, after) - clip).abs().max() < 1e-5
    assert (after - clip).abs().max() > 0.1
