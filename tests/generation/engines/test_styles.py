"""A style is seen in its own clip and in no other."""

import hashlib
from contextlib import closing
from dataclasses import replace

import pytest

from generation.engines.local.diffusers_engine import DiffusersEngine
from generation.engines.order import StyleWeight
from generation.engines.protocol import EngineFailure, FailureCode, Stage, Stopped

pytestmark = pytest.mark.torch

LAYER = "transformer_blocks.0.attn1.to_q"
SIDE = 192


@pytest.fixture(scope="module")
def engine(tiny_folder):
    with closing(DiffusersEngine()) as made:
        made.load(tiny_folder)
        yield made


@pytest.fixture
def order(order_of, tiny_folder):
    return order_of(checkpoint=tiny_folder, width=64, height=64, frames=9, steps=2)


@pytest.fixture
def style(tmp_path):
    """Writes a style file; by default one that fits."""

    def written(weight=1.0, *, name="style.safetensors", seed=1, scale=0.2, **changes):
        import torch
        from safetensors.torch import save_file

        noise = torch.Generator().manual_seed(seed)
        tensors = {
            f"transformer.{LAYER}.lora_A.weight": torch.randn(4, SIDE, generator=noise) * scale,
            f"transformer.{LAYER}.lora_B.weight": torch.randn(SIDE, 4, generator=noise) * scale,
        }
        tensors = changes.get("tensors", tensors) | changes.get("more", {})
        path = tmp_path / name
        save_file(tensors, path)
        return StyleWeight(
            path=path, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), weight=weight
        )

    return written


def digest(frames):
    return hashlib.sha256(b"".join(f.tobytes() for f in frames)).hexdigest()


def code_of(engine, order, watch, *styles):
    with pytest.raises(EngineFailure) as failed:
        list(engine.render(replace(order, styles=styles), watch))
    return failed.value.code


def test_a_style_shows_and_the_next_clip_is_as_if_it_never_was(engine, order, style, watching):
    transformer = engine._pipe.transformer
    names = [name for name, _ in transformer.named_modules()]
    plain = digest(engine.render(order, watching()))
    styled = replace(order, styles=(style(0.8),))
    first = digest(engine.render(styled, watching()))
    assert first != plain
    told = engine.describe()["styles"]
    assert told == [{"sha256": styled.styles[0].sha256, "weight": 0.8}]
    assert digest(engine.render(order, watching())) == plain
    assert engine.describe()["styles"] == []
    assert [name for name, _ in transformer.named_modules()] == names
    assert digest(engine.render(styled, watching())) == first


def test_weight_and_a_second_style_matter(engine, order, style, watching):
    one, other = style(1.0), style(1.0, name="other.safetensors", seed=2)
    made = {
        digest(engine.render(replace(order, styles=styles), watching()))
        for styles in ((one,), (replace(one, weight=0.3),), (one, other), (other,))
    }
    assert len(made) == 4


def test_alpha_is_part_of_the_style(engine, order, style, watching):
    import torch

    plain = style(0.5)
    halved = style(
        1.0,
        name="halved.safetensors",
        more={f"transformer.{LAYER}.alpha": torch.tensor(2.0)},
    )
    with_weight = list(engine.render(replace(order, styles=(plain,)), watching()))
    with_alpha = list(engine.render(replace(order, styles=(halved,)), watching()))
    for one, other in zip(with_weight, with_alpha, strict=True):
        assert abs(one.astype(int) - other.astype(int)).max() <= 1  # rounding alone


def test_a_job_stopped_in_its_style_leaves_none_of_it(engine, order, style, watching):
    plain = digest(engine.render(order, watching()))
    with pytest.raises(Stopped):
        list(engine.render(replace(order, styles=(style(),)), watching((Stage.DENOISE, 9))))
    assert digest(engine.render(order, watching())) == plain
    assert not getattr(engine._pipe.transformer, "peft_config", None)


def foreign_tensors():
    import torch

    down, up = torch.zeros(4, SIDE), torch.zeros(SIDE, 4)
    fits = {
        f"transformer.{LAYER}.lora_A.weight": down,
        f"transformer.{LAYER}.lora_B.weight": up,
    }
    return {
        "no such layer": {
            "transformer.blocks.99.to_q.lora_A.weight": down,
            "transformer.blocks.99.to_q.lora_B.weight": up,
        },
        "another width": {
            f"transformer.{LAYER}.lora_A.weight": torch.zeros(4, 64),
            f"transformer.{LAYER}.lora_B.weight": up,
        },
        "half a pair": {f"transformer.{LAYER}.lora_A.weight": down},
        "words": {**fits, "text_encoder.layers.0.q.lora_A.weight": down.clone()},
        "another part": {**fits, "vae.decoder.lora_A.weight": down.clone()},
        "no LoRA": {**fits, f"transformer.{LAYER}.weight": torch.zeros(SIDE, SIDE)},
    }


@pytest.mark.parametrize(
    "which", ["no such layer", "another width", "half a pair", "words", "another part", "no LoRA"]
)
def test_a_style_for_something_else_is_foreign(engine, order, style, watching, which):
    plain = digest(engine.render(order, watching()))
    bad = style(tensors=foreign_tensors()[which])
    assert code_of(engine, order, watching(), bad) is FailureCode.STYLE_FOREIGN
    assert digest(engine.render(order, watching())) == plain


def test_a_file_that_is_another_gone_or_a_pickle_is_foreign(engine, order, style, watching):
    good = style()
    other = replace(good, sha256="0" * 64)
    assert code_of(engine, order, watching(), other) is FailureCode.STYLE_FOREIGN
    good.path.write_bytes(b"\x80\x04K\x01.")
    pickled = replace(good, sha256=hashlib.sha256(good.path.read_bytes()).hexdigest())
    assert code_of(engine, order, watching(), pickled) is FailureCode.STYLE_FOREIGN
    good.path.unlink()
    assert code_of(engine, order, watching(), good) is FailureCode.STYLE_FOREIGN
