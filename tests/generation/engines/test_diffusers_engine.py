"""The real pipeline, tiny and random: what holds for it holds for a full-size one."""

import hashlib
import json
import shutil
import subprocess
import sys
from contextlib import closing
from fractions import Fraction

import numpy as np
import pytest

from generation.engines.local import watching as hooks
from generation.engines.local.diffusers_engine import DiffusersEngine
from generation.engines.order import OrderRefused
from generation.engines.protocol import EngineFailure, FailureCode, Stage, Stopped, Watch

pytestmark = pytest.mark.torch

ELSEWHERE = """
import hashlib, sys
from pathlib import Path
from fractions import Fraction
from generation.engines.order import order_from
from generation.engines.local.diffusers_engine import DiffusersEngine
import json
from generation.engines.protocol import Watch as AnyWatch
class Watch(AnyWatch):
    def tick(self, stage, step, steps): pass
order = order_from(json.loads(sys.argv[1]))
engine = DiffusersEngine()
engine.load(order.checkpoint)
frames = engine.render(order, Watch())
print(hashlib.sha256(b"".join(f.tobytes() for f in frames)).hexdigest())
"""


@pytest.fixture(scope="module")
def engine(tiny_folder):
    made = DiffusersEngine()
    made.load(tiny_folder)
    yield made
    made.close()


@pytest.fixture
def order(order_of, tiny_folder):
    return order_of(checkpoint=tiny_folder, width=64, height=64, frames=9, steps=3)


@pytest.fixture
def copy(tiny_folder, tmp_path):
    return shutil.copytree(tiny_folder, tmp_path / "copy")


@pytest.fixture
def other_order(order_of, tiny_folder):
    return order_of(
        prompt="snow", seed=11, checkpoint=tiny_folder, width=64, height=64, frames=9, steps=4
    )


def digest(engine, order, watch):
    return hashlib.sha256(b"".join(f.tobytes() for f in engine.render(order, watch))).hexdigest()


def stop(engine, order, watch):
    with pytest.raises(Stopped):
        list(engine.render(order, watch))
    return watch


def failure(engine, order, watch):
    with pytest.raises(EngineFailure) as failed:
        list(engine.render(order, watch))
    return failed.value


def plain(engine, order, **call):
    """The same pipeline asked directly, decoded and converted by diffusers alone."""
    import torch

    generator = torch.Generator("cpu").manual_seed(order.seed)
    return engine._pipe(
        prompt=order.prompt,
        negative_prompt="",
        width=order.width,
        height=order.height,
        num_frames=order.frames,
        num_inference_steps=order.steps,
        guidance_scale=3.0,
        generator=generator,
        output_type="np",
        **call,
    ).frames[0]


def test_frames_are_those_of_the_plain_pipeline(engine, order, watching):
    expected = plain(engine, order, frame_rate=25, timesteps=[1000, 2000 / 3, 1000 / 3])
    ours = np.stack(list(engine.render(order, watching())))
    assert ours.shape == (9, 64, 64, 3)
    assert (ours == (expected * 255).round().astype(np.uint8)).all()


def test_a_folder_of_the_other_pipeline_class_gives_its_own_plain_frames(copy, order_of, watching):
    index = json.loads((copy / "model_index.json").read_text())
    (copy / "model_index.json").write_text(json.dumps(index | {"_class_name": "LTXPipeline"}))
    (copy / "greenroom.json").unlink()
    order = order_of(checkpoint=copy, width=64, height=64, frames=9, steps=3)
    with closing(DiffusersEngine()) as engine:
        engine.load(copy)
        expected = plain(engine, order, frame_rate=float(order.rate))
        ours = np.stack(list(engine.render(order, watching())))
    assert (ours == (expected * 255).round().astype(np.uint8)).all()


def test_the_same_seed_gives_the_same_frames_here_and_in_another_process(engine, order, watching):
    here = digest(engine, order, watching())
    assert digest(engine, order, watching()) == here
    there = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, json.dumps(order.as_dict())],
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == here


def test_seed_and_prompt_both_matter(engine, order, order_of, watching):
    usual = digest(engine, order, watching())
    same = order.as_dict() | {"rate": order.rate, "checkpoint": order.checkpoint}
    assert digest(engine, order_of(**(same | {"seed": 8})), watching()) != usual
    assert digest(engine, order_of(**(same | {"prompt": "snow"})), watching()) != usual


def test_an_uneven_size_is_generated_larger_and_cropped_never_rescaled(
    engine, order_of, tiny_folder, watching
):
    whole, cropped = (
        list(
            engine.render(
                order_of(checkpoint=tiny_folder, width=w, height=h, frames=5, steps=2), watching()
            )
        )
        for w, h in ((96, 96), (80, 70))
    )
    for large, small in zip(whole, cropped, strict=True):
        assert (large[13:83, 8:88] == small).all()


def test_progress_counts_every_step_and_every_frame(engine, order, watching):
    watch = watching()
    list(engine.render(order, watch))
    assert [s for stage, s, _ in watch.trail if stage is Stage.DENOISE] == sorted(
        s for stage, s, _ in watch.trail if stage is Stage.DENOISE
    )
    assert watch.last[Stage.DENOISE] == (3, 3)
    assert watch.last[Stage.DECODE] == (9, 9)
    assert watch.seen[Stage.DENOISE] == 3 * (1 + 6) + 3  # each forward, its blocks, each step
    stages = [stage for stage, _, _ in watch.trail]
    assert stages == sorted(stages, key=[Stage.PROMPT, Stage.DENOISE, Stage.DECODE].index)


@pytest.mark.parametrize(
    "moment",
    [
        (Stage.PROMPT, 1),
        (Stage.PROMPT, 2),
        (Stage.DENOISE, 11),
        (Stage.DECODE, 3),
        (Stage.DECODE, -4),
    ],
    ids=["before", "text encoder", "inside a step", "inside the decoder", "between frames"],
)
def test_stopping_anywhere_leaves_the_next_job_bit_identical(
    engine, order, other_order, watching, moment
):
    expected = digest(engine, order, watching())
    engine._loaded.prompts.clear()
    whole = watching()
    list(engine.render(other_order, whole))
    stage, nth = moment
    engine._loaded.prompts.clear()  # else nobody would read the words again
    watch = stop(engine, other_order, watching((stage, nth % (whole.seen[stage] + 1))))
    if stage is Stage.DENOISE:
        assert watch.last[Stage.DENOISE] == (1, 4)
        assert Stage.DECODE not in watch.seen  # a cancelled clip is never decoded
    assert digest(engine, order, watching()) == expected


def cached_run(engine, order, other_order, watching):
    """Frames of ``order`` alone, and after ``other_order`` was stopped, with a cache on."""
    from diffusers import MagCacheConfig

    transformer = engine._pipe.transformer
    ratios = [1.0, *[0.99] * 11]
    transformer.enable_cache(MagCacheConfig(num_inference_steps=6, mag_ratios=ratios[:6]))
    try:
        alone = digest(engine, order, watching())
        stop(engine, other_order, watching((Stage.DENOISE, 16)))
        return alone, digest(engine, order, watching())
    finally:
        hooks_left = transformer._cache_config is not None
        assert hooks_left
        transformer.disable_cache()


@pytest.fixture
def six_steps(order_of, tiny_folder):
    return [
        order_of(prompt=p, seed=s, checkpoint=tiny_folder, width=64, height=64, frames=9, steps=6)
        for p, s in (("harbour", 1), ("snow", 2))
    ]


def test_a_cache_kept_by_a_stopped_job_does_not_show_in_the_next(engine, six_steps, watching):
    alone, after = cached_run(engine, *six_steps, watching)
    assert after == alone


def test_control_without_the_reset_the_next_clip_is_spoilt(
    engine, six_steps, watching, monkeypatch
):
    monkeypatch.setattr(hooks, "forget_job", lambda pipe: None)
    alone, after = cached_run(engine, *six_steps, watching)
    assert after != alone


def test_no_hook_is_left_on_the_model(engine, order, watching):
    list(engine.render(order, watching()))
    stop(engine, order, watching((Stage.DENOISE, 5)))
    parts = (engine._pipe.text_encoder, engine._pipe.transformer, engine._pipe.vae)
    assert not any(m._forward_pre_hooks for part in parts for m in part.modules())


def test_an_error_of_the_watch_is_not_taken_for_one_of_the_engine(engine, order):
    class LeaseLost(RuntimeError):
        """As a database would raise it."""

    class LosingWatch(Watch):
        def tick(self, stage, step, steps):
            if stage is Stage.DENOISE:
                raise LeaseLost("out of memory")

    with pytest.raises(LeaseLost):
        list(engine.render(order, LosingWatch()))


def test_a_clip_that_is_not_a_number_is_a_failure_and_no_black_film(engine, order, watching):
    import torch

    expected = digest(engine, order, watching())
    bias = engine._pipe.transformer.proj_out.bias
    kept = bias.detach().clone()
    with torch.no_grad():
        bias.fill_(float("nan"))
    try:
        failed = failure(engine, order, watch := watching())
    finally:
        with torch.no_grad():
            bias.copy_(kept)
    assert failed.code is FailureCode.BLACK_CLIP
    assert not failed.may_pass
    assert Stage.DECODE not in watch.seen
    assert digest(engine, order, watching()) == expected


def test_running_out_of_memory_is_said_and_asks_for_a_fresh_process(
    engine, order, watching, monkeypatch
):
    import torch

    def decode(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.00 GiB")

    monkeypatch.setattr(engine._pipe.vae, "decode", decode)
    failed = failure(engine, order, watching())
    assert failed.code is FailureCode.OUT_OF_MEMORY
    assert failed.spoils_process


def test_an_absurd_allocation_on_the_cpu_is_out_of_memory_too(engine, order, watching, monkeypatch):
    import torch

    monkeypatch.setattr(engine._pipe.vae, "decode", lambda *_, **__: torch.empty(2**55))
    assert failure(engine, order, watching()).code is FailureCode.OUT_OF_MEMORY


def test_any_other_trouble_is_an_engine_error_that_keeps_its_cause(
    engine, order, watching, monkeypatch
):
    def decode(*_, **__):
        raise IndexError("surprise")

    monkeypatch.setattr(engine._pipe.vae, "decode", decode)
    failed = failure(engine, order, watching())
    assert failed.code is FailureCode.ENGINE_ERROR
    assert isinstance(failed.__cause__, IndexError)
    assert failed.may_pass


def test_an_order_for_another_checkpoint_is_not_rendered_with_this_one(engine, order_of, watching):
    failed = failure(engine, order_of(width=64, height=64), watching())
    assert failed.code is FailureCode.CHECKPOINT_NOT_LOADED


def test_an_order_off_the_models_grid_is_refused(engine, order_of, tiny_folder, watching):
    with pytest.raises(OrderRefused, match="frames_off_grid"):
        list(engine.render(order_of(checkpoint=tiny_folder, frames=10), watching()))


def test_half_a_weight_file_is_a_damaged_checkpoint(copy):
    weights = copy / "transformer" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    assert load_failure(copy) is FailureCode.CHECKPOINT_DAMAGED


@pytest.mark.parametrize("part", ["transformer", "vae", "text_encoder"])
def test_a_missing_tensor_is_damage_and_not_filled_with_noise(copy, part):
    from safetensors.torch import load_file, save_file

    (weights,) = (copy / part).glob("*.safetensors")
    tensors = load_file(weights)
    tensors.pop(max(tensors))
    save_file(tensors, weights, metadata={"format": "pt"})
    assert load_failure(copy) is FailureCode.CHECKPOINT_DAMAGED


def test_weights_of_another_shape_are_damage(copy):
    config = copy / "transformer" / "config.json"
    config.write_text(
        config.read_text().replace('"num_attention_heads": 4', '"num_attention_heads": 2')
    )
    assert load_failure(copy) is FailureCode.CHECKPOINT_DAMAGED


def load_failure(folder):
    with closing(DiffusersEngine()) as engine, pytest.raises(EngineFailure) as failed:
        engine.load(folder)
    return failed.value.code


def test_loading_again_keeps_the_resident_model(engine, tiny_folder):
    pipe = engine._pipe
    engine.load(tiny_folder)
    assert engine._pipe is pipe


def test_half_precision_weights_are_used_as_stored(copy, order_of, watching):
    import torch
    from safetensors.torch import load_file, save_file

    for part in ("transformer", "vae"):
        weights = copy / part / "diffusion_pytorch_model.safetensors"
        small = {name: value.to(torch.bfloat16) for name, value in load_file(weights).items()}
        save_file(small, weights, metadata={"format": "pt"})
    with closing(DiffusersEngine()) as engine:
        engine.load(copy)
        order = order_of(checkpoint=copy, width=64, height=64, frames=5, steps=2)
        assert len(list(engine.render(order, watching()))) == 5
        assert engine.describe()["dtype"] == "bfloat16"


def test_a_recipe_names_weights_class_dtype_device_and_versions(engine):
    facts = engine.describe()
    assert facts["pipeline"] == "LTXConditionPipeline"
    assert facts["dtype"] == "float32"
    assert "transformer/diffusion_pytorch_model.safetensors" in facts["weights"]
    assert set(facts["libraries"]) >= {"torch", "diffusers", "transformers"}
    assert json.loads(json.dumps(facts)) == facts


def test_a_recipe_names_everything_that_made_the_clip(engine, order, watching):
    list(engine.render(order, watching()))
    facts = engine.describe()
    asked = ("tier", "levers", "steps", "guidance", "seed", "styles", "decoding", "compiled")
    assert {name: facts[name] for name in asked} == {
        "tier": "standard",
        "levers": {},
        "steps": 3,
        "guidance": 3.0,
        "seed": 7,
        "styles": [],
        "decoding": "whole",
        "compiled": False,
    }
    assert facts["scheduler"] == "FlowMatchEulerDiscreteScheduler"
    assert len(facts["scheduler_config"]) == 64
    assert facts["threads"] >= 1
    assert "peft" in facts["libraries"]


def test_the_estimate_learns_from_the_last_clip(tiny_folder, order, watching):
    with closing(DiffusersEngine()) as engine:
        engine.load(tiny_folder)
        before = engine.estimate(order)
        list(engine.render(order, watching()))
        after = engine.estimate(order)
    assert before.seconds_low < before.seconds < before.seconds_high
    assert after.seconds_high / after.seconds_low < before.seconds_high / before.seconds_low


def test_nothing_reaches_for_the_network(tiny_folder, order, watching, monkeypatch):
    import socket

    def connect(self, address):
        raise AssertionError(f"reached for {address}")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    with closing(DiffusersEngine()) as engine:
        engine.load(tiny_folder)
        assert len(list(engine.render(order, watching()))) == 9


def test_a_rate_that_is_no_whole_number_is_rendered(engine, order_of, tiny_folder, watching):
    order = order_of(
        checkpoint=tiny_folder, width=64, height=64, frames=5, steps=1, rate=Fraction(24000, 1001)
    )
    assert len(list(engine.render(order, watching()))) == 5
