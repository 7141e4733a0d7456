"""What every family must do, each proven on real pipelines of its own classes."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from PIL import Image

from generation.engines.local.diffusers_engine import DiffusersEngine
from generation.engines.order import OrderRefused, StyleWeight
from generation.engines.protocol import Sound, Stage, Stopped

pytestmark = [
    pytest.mark.torch,
    # diffusers' own schedule for LTX, under a numpy newer than it.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

ELSEWHERE = """
import hashlib, json, sys
from contextlib import closing
from generation.engines.order import order_from
from generation.engines.local.diffusers_engine import DiffusersEngine
from generation.engines.protocol import Sound, Watch as AnyWatch
class Watch(AnyWatch):
    def tick(self, stage, step, steps): pass
for plain in json.loads(sys.argv[1]):
    order = order_from(plain)
    with closing(DiffusersEngine()) as engine:
        engine.load(order.checkpoint)
        made = hashlib.sha256()
        for one in engine.render(order, Watch()):
            made.update((one.samples if isinstance(one, Sound) else one).tobytes())
    print(made.hexdigest())
"""
ORDINAL = count()
TAKE_STRENGTH = {
    "ltx keyframes": True,
    "wan 2.1 picture": False,
    "wan 2.2 two experts": False,
    "wan 2.2 small picture": False,
    "cogvideox picture": False,
    "cogvideox 1.5 picture": False,
    "ltx-2 picture": False,
    "ltx-2 keyframes": True,
}
RICHEST = (
    "ltx keyframes",
    "wan 2.2 two experts",
    "wan 2.2 small picture",
    "cogvideox 1.5 picture",
    "ltx-2 keyframes",
)


@pytest.fixture(scope="module")
def first(kind, folder_of, picture_of, kinds):
    """An engine of its own for each kind, and what its very first job made."""
    engine = DiffusersEngine()
    engine.load(folder_of(kind))
    yield engine, []
    engine.close()


@pytest.fixture
def engine(first, kind, order_for, watching):
    engine, made = first
    if not made:
        made.extend(engine.render(order_for(kind), watching()))
    return engine


@pytest.fixture
def fresh(first, engine):
    return first[1]


def digest(made):
    summed = hashlib.sha256()
    for one in made:
        summed.update((one.samples if isinstance(one, Sound) else one).tobytes())
    return summed.hexdigest()


def plain(kind, order, tiny):
    """The same pipeline loaded and asked by diffusers alone, decoded and converted by it too."""
    import diffusers
    import torch

    index = json.loads((order.checkpoint / "model_index.json").read_text())
    name = index["_class_name"]
    if kind == "wan 2.2 small picture":
        name = "WanImageToVideoPipeline"
    pipe = getattr(diffusers, name).from_pretrained(str(order.checkpoint), local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    call = {"frame_rate": float(order.rate)} if kind.startswith("ltx") else {}
    return pipe(
        prompt=order.prompt,
        negative_prompt="",
        width=order.width,
        height=order.height,
        num_frames=order.frames,
        num_inference_steps=order.steps,
        guidance_scale=tiny.guidance,
        generator=torch.Generator("cpu").manual_seed(order.seed),
        output_type="np",
        **call,
        **tiny.settings,
        **shown(kind, order),
    )


def shown(kind, order):
    """The order's pictures in the words of the pipeline, written out by hand."""
    from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition
    from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition

    pictures = [Image.open(one.path).convert("RGB") for one in order.conditions]
    if kind == "ltx keyframes":
        at = [
            LTXVideoCondition(image=pictures[0], frame_index=0),
            LTXVideoCondition(image=pictures[1], frame_index=5),
        ]
        return {"conditions": at}
    if kind == "ltx-2 keyframes":
        at = [
            LTX2VideoCondition(frames=pictures[0], index=0),
            LTX2VideoCondition(frames=pictures[1], index=2),  # of latents: frames 5 to 8
        ]
        return {"conditions": at}
    return dict(zip(("image", "last_image"), pictures, strict=False))


def test_frames_and_sound_are_those_of_the_plain_pipeline(kind, fresh, order_for, kinds):
    order = order_for(kind)
    expected = plain(kind, order, kinds[kind])
    sounds = [one for one in fresh if isinstance(one, Sound)]
    frames = np.stack([one for one in fresh if not isinstance(one, Sound)])
    assert frames.shape == (order.frames, order.height, order.width, 3)
    assert len(np.unique(frames)) > 16  # not a clip of one grey
    assert (frames == (expected.frames[0] * 255).round().astype(np.uint8)).all()
    for sound in sounds:
        heard = expected.audio[0].float().numpy()[:, : sound.samples.shape[1]]
        assert (sound.samples == heard).all()
    assert len(sounds) == kind.startswith("ltx-2")


def test_progress_only_ever_goes_forward_and_reaches_the_end(kind, engine, order_for, watching):
    order, watch = order_for(kind, prompt="counted"), watching()
    list(engine.render(order, watch))
    assert watch.last[Stage.DENOISE] == (order.steps, order.steps)
    assert watch.last[Stage.DECODE] == (order.frames, order.frames)
    # Every step is told of, and more than once: a stop need not wait for its end.
    assert watch.seen[Stage.DENOISE] > 2 * order.steps
    stages = [Stage.PROMPT, Stage.DENOISE, Stage.DECODE]
    told = [(stages.index(stage), step) for stage, step, _ in watch.trail]
    assert told == sorted(told)


def test_a_stop_anywhere_leaves_the_next_job_as_on_a_fresh_engine(
    kind, engine, fresh, order_for, watching
):
    expected = digest(fresh)

    def other():
        # Never the same words twice: what was read once need not be read again.
        return order_for(kind, prompt=f"snow {next(ORDINAL):04d}", seed=11)

    list(engine.render(other(), whole := watching()))
    for stage in (Stage.PROMPT, Stage.DENOISE, Stage.DECODE):
        for nth in (whole.seen[stage] // 2 + 1, whole.seen[stage]):
            watch = watching((stage, nth))
            with pytest.raises(Stopped):
                list(engine.render(other(), watch))
            if stage is Stage.DENOISE:
                assert Stage.DECODE not in watch.seen  # a stopped clip is never decoded
        assert digest(engine.render(order_for(kind), watching())) == expected
    models = [part for part in engine._pipe.components.values() if hasattr(part, "modules")]
    assert not any(m._forward_pre_hooks for model in models for m in model.modules())


def test_a_preview_is_a_small_picture_of_the_clip_and_changes_nothing(
    kind, engine, fresh, order_for, watching
):
    class Looking(watching):
        def __init__(self):
            super().__init__()
            self.pictures = []

        def wants_preview(self):
            return True

        def preview(self, picture):
            self.pictures.append(picture)

    order, watch = order_for(kind), Looking()
    assert digest(engine.render(order, watch)) == digest(fresh)
    assert len(watch.pictures) == order.steps
    assert {picture.shape[0] * order.width for picture in watch.pictures} == {
        picture.shape[1] * order.height for picture in watch.pictures
    }


@pytest.mark.parametrize("one", RICHEST)
def test_a_style_changes_the_clip_and_leaves_nothing_behind(
    one, order_for, engine_of, frames_of, tmp_path
):
    import torch
    from safetensors.torch import save_file

    engine = engine_of(order_for(one).checkpoint)
    layer, module = next(
        (name, module)
        for name, module in engine._pipe.transformer.named_modules()
        if name.endswith("attn1.to_q")
    )
    path = tmp_path / "style.safetensors"
    tensors = {
        f"transformer.{layer}.lora_A.weight": torch.ones(2, module.in_features),
        f"transformer.{layer}.lora_B.weight": torch.ones(module.out_features, 2),
    }
    save_file(tensors, path, metadata={"format": "pt"})
    style = StyleWeight(path=path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    plain = frames_of(engine, order_for(one))
    styled = frames_of(engine, order_for(one, styles=(style,)))
    assert (styled != plain).any()
    assert (frames_of(engine, order_for(one)) == plain).all()


def test_another_process_makes_the_same_bits(order_for, watching):
    orders = [order_for(one) for one in RICHEST]
    there = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, json.dumps([order.as_dict() for order in orders])],
        capture_output=True,
        text=True,
        check=True,
    )
    here = []
    for order in orders:
        engine = DiffusersEngine()
        engine.load(order.checkpoint)
        here.append(digest(engine.render(order, watching())))
        engine.close()
    assert there.stdout.split() == here
    assert len(set(here)) == len(here)


@pytest.mark.parametrize(("name", "takes"), list(TAKE_STRENGTH.items()))
def test_a_strength_counts_or_is_refused(name, takes, order_for, engine_of, frames_of):
    order = order_for(name)
    weaker = replace(
        order, conditions=tuple(replace(one, strength=0.25) for one in order.conditions)
    )
    engine = engine_of(order.checkpoint)
    assert engine.capabilities(order.checkpoint).takes_strength == takes
    if takes:
        assert (frames_of(engine, weaker) != frames_of(engine, order)).any()
        return
    with pytest.raises(OrderRefused) as refused:
        frames_of(engine, weaker)
    assert (refused.value.code, refused.value.field) == ("strength_not_offered", "conditions")
