"""Levers of a tier and of a load: used, named in the recipe, and gone with the job."""

import hashlib
import json
import shutil
from contextlib import closing
from functools import wraps

import numpy as np
import pytest

from generation.engines.local import levers
from generation.engines.local.diffusers_engine import DiffusersEngine
from generation.engines.local.tiers import CACHES, Cache
from generation.engines.order import OrderRefused
from generation.engines.protocol import EngineFailure, FailureCode, Stage, Stopped

pytestmark = pytest.mark.torch

USED = {
    "first_block": {"threshold": 10.0},
    "mag": {"threshold": 10.0, "mag_ratios": [1.0] * 8, "retention_ratio": 0.1},
    "taylor_seer": {"cache_interval": 3, "disable_cache_before_step": 1},
    "faster": {
        "spatial_attention_block_skip_range": 2,
        "spatial_attention_timestep_skip_range": [-1, 1001],
        "unconditional_batch_skip_range": 2,
        "tensor_format": "BFCHW",
    },
    "pab": {
        "spatial_attention_block_skip_range": 2,
        "spatial_attention_timestep_skip_range": [-1, 1001],
    },
}
TIERS = {
    "standard": {},
    "turbo": {"steps": 4, "sigmas": [1.0, 0.75, 0.5, 0.25], "guidance": 1.0},
    "quality": {"shift": 3.0},
}


@pytest.fixture(scope="module")
def folder(tiny_folder, tmp_path_factory):
    made = shutil.copytree(tiny_folder, tmp_path_factory.mktemp("levers") / "tiny")
    preset = json.loads((made / "greenroom.json").read_text())
    (made / "greenroom.json").write_text(json.dumps(preset | {"tiers": TIERS}))
    return made


@pytest.fixture(scope="module")
def engine(folder):
    with closing(DiffusersEngine(unmeasured=True)) as made:
        made.load(folder)
        yield made


@pytest.fixture
def order(order_of, folder):
    def made(**changes):
        usual = {"checkpoint": folder, "width": 64, "height": 64, "frames": 9, "steps": 6}
        return order_of(**(usual | changes))

    return made


def digest(frames):
    return hashlib.sha256(b"".join(f.tobytes() for f in frames)).hexdigest()


@pytest.fixture
def with_cache(engine, monkeypatch):
    """As if ``greenroom.json`` named it for the turbo tier."""
    from dataclasses import replace

    def set_to(cache):
        resident = engine._loaded
        tiers = dict(resident.checkpoint.preset.tiers)
        tiers["turbo"] = replace(tiers["standard"], cache=cache)
        preset = replace(resident.checkpoint.preset, tiers=tiers)
        checkpoint = replace(resident.checkpoint, preset=preset)
        monkeypatch.setattr(engine, "_loaded", replace(resident, checkpoint=checkpoint))

    return set_to


@pytest.mark.parametrize("name", ["first_block", "mag", "taylor_seer", "pab"])
def test_a_cache_works_is_named_and_is_gone_afterwards(engine, order, watching, with_cache, name):
    plain = digest(engine.render(order(), watching()))
    with_cache(Cache(name=name, settings=USED[name]))
    quick = order(tier="turbo")
    first = digest(engine.render(quick, watching()))
    assert first != plain
    assert engine.describe()["levers"]["cache"]["name"] == name
    assert digest(engine.render(quick, watching())) == first
    with pytest.raises(Stopped):
        list(engine.render(quick, watching((Stage.DENOISE, 16))))
    assert digest(engine.render(order(), watching())) == plain
    assert digest(engine.render(quick, watching())) == first


@pytest.mark.parametrize("name", ["faster", "sea"])
def test_a_cache_that_is_not_for_this_model_fails_and_leaves_nothing(
    engine, order, watching, with_cache, name
):
    plain = digest(engine.render(order(), watching()))
    with_cache(Cache(name=name, settings=USED.get(name, {})))
    with pytest.raises(EngineFailure):
        list(engine.render(order(tier="turbo"), watching()))
    assert digest(engine.render(order(), watching())) == plain


def test_every_cache_that_may_be_named_has_a_configuration_with_those_settings():
    from dataclasses import fields

    import diffusers

    kinds = {
        "first_block": diffusers.FirstBlockCacheConfig,
        "mag": diffusers.MagCacheConfig,
        "taylor_seer": diffusers.TaylorSeerCacheConfig,
        "faster": diffusers.FasterCacheConfig,
        "pab": diffusers.PyramidAttentionBroadcastConfig,
        "sea": diffusers.SeaCacheConfig,
    }
    assert set(kinds) == set(CACHES)
    for name, kind in kinds.items():
        assert set(CACHES[name]) <= {one.name for one in fields(kind)}


def test_written_noise_levels_are_used_as_they_stand(engine, order, watching, monkeypatch):
    from diffusers import FlowMatchEulerDiscreteScheduler

    used = []
    step = FlowMatchEulerDiscreteScheduler.step

    @wraps(step)
    def seen(self, *args, **kwargs):
        used.append(self.sigmas.tolist())
        return step(self, *args, **kwargs)

    monkeypatch.setattr(FlowMatchEulerDiscreteScheduler, "step", seen)
    list(engine.render(order(tier="turbo", steps=4), watching()))
    assert used[0] == pytest.approx([1.0, 0.75, 0.5, 0.25, 0.0])
    facts = engine.describe()
    assert (facts["tier"], facts["steps"], facts["guidance"]) == ("turbo", 4, 1.0)
    with pytest.raises(OrderRefused, match="steps_out_of_range"):
        list(engine.render(order(tier="turbo", steps=5), watching()))


def test_a_tiers_scheduler_is_its_own_and_gone_afterwards(engine, order, watching):
    scheduler = engine._pipe.scheduler
    before = (type(scheduler), dict(scheduler.config))
    plain = digest(engine.render(order(), watching()))
    usual = engine.describe()["scheduler_config"]
    assert digest(engine.render(order(tier="quality"), watching())) != plain
    assert engine.describe()["scheduler_config"] != usual
    assert (type(scheduler), dict(scheduler.config)) == before
    assert digest(engine.render(order(), watching())) == plain
    assert engine.describe()["scheduler_config"] == usual


def test_a_prompt_is_read_once_and_gives_the_same_bits(engine, order, watching):
    prompts = engine._loaded.prompts
    prompts.clear()
    runs = []
    handle = engine._pipe.text_encoder.register_forward_hook(lambda *_: runs.append(1))
    try:
        first = digest(engine.render(order(), watching()))
        read = len(runs)
        assert digest(engine.render(order(), watching())) == first
        assert len(runs) == read > 0
        list(engine.render(order(prompt="snow"), watching()))
        assert len(runs) > read
    finally:
        handle.remove()
    prompts.clear()
    assert digest(engine.render(order(), watching())) == first


def test_prompts_are_forgotten_in_turn_and_kept_as_no_words():
    import torch

    prompts = levers.Prompts(lambda prompt, device=None: (torch.ones(2), None))
    for number in range(40):
        prompts(f"a secret {number}", device=torch.device("cpu"))
    assert len(prompts) == 16
    assert not any("secret" in key for key in prompts._known)
    kept = prompts("a secret 39", device=torch.device("cpu"))
    kept[0].zero_()
    assert prompts("a secret 39", device=torch.device("cpu"))[0].sum() == 2


def test_ready_made_embeddings_pass_by():
    import torch

    calls = []
    prompts = levers.Prompts(lambda prompt_embeds: calls.append(1) or (prompt_embeds,))
    for _ in range(2):
        prompts(prompt_embeds=torch.ones(1))
    assert (len(calls), len(prompts)) == (2, 0)


def test_an_attention_that_is_not_at_hand_is_passed_over_with_a_word(engine, caplog):
    with caplog.at_level("WARNING", logger="greenroom.engines"):
        denoisers = (engine._pipe.transformer,)
        wanted = ("sage", "no_such_backend", "_native_math")
        try:
            assert levers.choose_attention(denoisers, wanted) == "_native_math"
        finally:
            assert levers.choose_attention(denoisers, ()) == "native"
    assert [record.backend for record in caplog.records] == ["sage", "no_such_backend"]


def test_compiled_blocks_tick_stop_and_change_no_bit(engine, order, watching):
    """Compiled as torch compiles, by its backend that needs no compiler."""
    transformer = engine._pipe.transformer
    plain_watch = watching()
    plain = digest(engine.render(order(), plain_watch))
    blocks = list(transformer.transformer_blocks)
    for block in blocks:
        block.compile(backend="eager", fullgraph=True)
    compiled = [block._compiled_call_impl for block in blocks]
    try:
        for _ in range(2):
            watch = watching()
            assert digest(engine.render(order(), watch)) == plain
            assert watch.seen == plain_watch.seen
        with pytest.raises(Stopped):
            list(engine.render(order(), watching((Stage.DENOISE, 11))))
        assert [block._compiled_call_impl for block in blocks] == compiled
    finally:
        for block in blocks:
            block._compiled_call_impl = None


def test_on_a_cpu_nothing_is_compiled_and_the_recipe_says_so(folder, tmp_path, order, watching):
    copy = shutil.copytree(folder, tmp_path / "tiny")
    preset = json.loads((copy / "greenroom.json").read_text())
    wish = {"compile": True, "attention": ["sage", "flash"]}
    (copy / "greenroom.json").write_text(json.dumps(preset | wish))
    with closing(DiffusersEngine(unmeasured=True)) as engine:
        engine.load(copy)
        facts = engine.describe()
    assert (facts["compiled"], facts["attention"]) == (False, "native")


@pytest.fixture
def short_of_memory(engine, monkeypatch):
    """The decoder runs out of memory unless it works in tiles; ``always``: even then."""
    import torch

    vae = engine._pipe.vae
    decode = vae.decode

    def fitted(*, always=False):
        def decoded(*args, **kwargs):
            if always or not vae.use_tiling:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.00 GiB")
            return decode(*args, **kwargs)

        monkeypatch.setattr(vae, "decode", decoded)

    return fitted


def test_memory_short_in_decode_is_tried_again_in_tiles(engine, order, watching, short_of_memory):
    whole = list(engine.render(order(), watching()))
    assert engine.describe()["decoding"] == "whole"
    short_of_memory()
    tiled = list(engine.render(order(), watching()))
    assert engine.describe()["decoding"] == "tiled"
    assert len(tiled) == len(whole)
    assert np.abs(np.stack(tiled).astype(int) - np.stack(whole).astype(int)).mean() < 8
    assert not engine._pipe.vae.use_tiling
    assert not engine._pipe.vae.use_slicing


def test_memory_short_even_in_tiles_is_a_clean_failure(engine, order, watching, short_of_memory):
    short_of_memory(always=True)
    with pytest.raises(EngineFailure) as failed:
        list(engine.render(order(), watching()))
    assert failed.value.code is FailureCode.OUT_OF_MEMORY
    assert failed.value.spoils_process
    assert not engine._pipe.vae.use_tiling


def test_memory_short_in_denoising_is_a_failure_at_once(engine, order, watching, monkeypatch):
    import torch

    def forward(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(engine._pipe.transformer, "forward", forward)
    watch = watching()
    with pytest.raises(EngineFailure) as failed:
        list(engine.render(order(), watch))
    assert failed.value.code is FailureCode.OUT_OF_MEMORY
    assert Stage.DECODE not in watch.seen


def test_a_lora_of_the_tier_is_a_file_of_the_checkpoint(folder, tmp_path, order, watching):
    import torch
    from safetensors.torch import save_file

    copy = shutil.copytree(folder, tmp_path / "tiny")
    preset = json.loads((copy / "greenroom.json").read_text())
    tiers = {"standard": {}, "turbo": {"lora": {"file": "turbo.safetensors", "weight": 1.0}}}
    (copy / "greenroom.json").write_text(json.dumps(preset | {"tiers": tiers}))
    with closing(DiffusersEngine(unmeasured=True)) as engine:
        with pytest.raises(EngineFailure, match="checkpoint_damaged"):
            engine.load(copy)
        layer = "transformer.transformer_blocks.0.attn1.to_q"
        noise = torch.Generator().manual_seed(1)
        save_file(
            {
                f"{layer}.lora_A.weight": torch.randn(4, 192, generator=noise),
                f"{layer}.lora_B.weight": torch.randn(192, 4, generator=noise),
            },
            copy / "turbo.safetensors",
        )
        engine.load(copy)
        plain = digest(engine.render(order(checkpoint=copy), watching()))
        assert digest(engine.render(order(checkpoint=copy, tier="turbo"), watching())) != plain
        facts = engine.describe()
        assert "turbo.safetensors" in facts["weights"]
        assert facts["levers"]["lora"] == {"file": "turbo.safetensors", "weight": 1.0}
        assert digest(engine.render(order(checkpoint=copy), watching())) == plain
