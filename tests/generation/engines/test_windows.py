"""A clip longer than its model makes at a time, and a file larger than what it generates."""

import hashlib
import json
import shutil
import signal
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from generation.engines.local.diffusers_engine import DiffusersEngine
from generation.engines.order import Condition, OrderRefused, StyleWeight
from generation.engines.protocol import EngineFailure, FailureCode, Stage, Stopped

pytestmark = [pytest.mark.torch, pytest.mark.slow]

CHILD = """
import json, os, signal, sys
from pathlib import Path
from generation.engines.order import order_from
from generation.engines.local.diffusers_engine import DiffusersEngine
from generation.engines.protocol import Watch as AnyWatch

class Dying(AnyWatch):
    def tick(self, stage, step, steps):
        if (stage.value, step) == (sys.argv[3], int(sys.argv[4])):
            os.kill(os.getpid(), signal.SIGKILL)

order = order_from(json.loads(sys.argv[1]))
engine = DiffusersEngine(keeps_answers_above_s=float(sys.argv[5]))
engine.load(order.checkpoint)
list(engine.render(order, Dying(), kept=Path(sys.argv[2])))
"""
SIGMAS = [1000, 2000 / 3, 1000 / 3]


@pytest.fixture(scope="module")
def folder(tiny_folder, tmp_path_factory):
    """Nine frames at a time, 64 × 64 and nothing else, up to eight times enlarged."""
    made = shutil.copytree(tiny_folder, tmp_path_factory.mktemp("windows") / "tiny")
    told = json.loads((made / "greenroom.json").read_text())
    told |= {"window_frames": 9, "native": [64, 64], "enlarge_at_most": 8, "most_side": 512}
    told |= {"most_pixels": 512 * 512}
    (made / "greenroom.json").write_text(json.dumps(told))
    return made


@pytest.fixture(scope="module")
def engine(folder):
    with closing(DiffusersEngine()) as made:
        made.load(folder)
        yield made


@pytest.fixture
def order(order_of, folder):
    def made(**changes):
        usual = {"checkpoint": folder, "width": 64, "height": 64, "frames": 25, "steps": 3}
        return order_of(**(usual | changes))

    return made


@pytest.fixture
def picture(tmp_path):
    def made(shade, frame, strength=1.0):
        path = tmp_path / f"{shade}.png"
        whole = np.full((96, 96, 3), shade, np.uint8)
        whole[30:60, 20:50] = (250, 20, 40)
        Image.fromarray(whole).save(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return Condition(path=path, sha256=digest, frame=frame, strength=strength)

    return made


@pytest.fixture
def runs(engine):
    """How often a first block ran: latents that were kept run none."""
    seen = []
    block = engine._pipe.transformer.transformer_blocks[0]
    handle = block.register_forward_hook(lambda *_: seen.append(1))
    yield seen
    handle.remove()


@pytest.fixture(scope="module")
def known():
    return {}


@pytest.fixture
def alone(engine, order, watching, known):
    """The clip as nothing disturbed it: the same for every test here, so it is made once."""
    if not known:
        known["digest"] = digest(engine.render(order(), watching()))
    return known["digest"]


def digest(frames):
    return hashlib.sha256(b"".join(frame.tobytes() for frame in frames)).hexdigest()


def chained(engine, order, windows, given):
    """The same windows asked of diffusers alone, one call each, pictures passed on as PNG."""
    import torch
    from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition

    generator = torch.Generator("cpu").manual_seed(order.seed)
    frames, last = [], None
    for number in range(windows):
        shown = [] if last is None else [(last, 0, 1.0)]
        shown += given.get(number, [])
        conditions = [
            LTXVideoCondition(image=image, frame_index=frame, strength=strength)
            for image, frame, strength in shown
        ]
        made = engine._pipe(
            prompt=order.prompt,
            negative_prompt="",
            width=64,
            height=64,
            num_frames=9,
            frame_rate=25,
            num_inference_steps=3,
            timesteps=SIGMAS,
            guidance_scale=3.0,
            generator=generator,
            output_type="np",
            **({"conditions": conditions} if conditions else {}),
        ).frames[0]
        levels = (made * 255).round().astype(np.uint8)
        frames += list(levels if last is None else levels[1:])
        last = Image.fromarray(levels[-1])
    return np.stack(frames)


def test_windows_are_those_that_one_would_chain_by_hand(engine, order, watching):
    ours = np.stack(list(engine.render(order(), watching())))
    assert ours.shape == (25, 64, 64, 3)
    assert (ours == chained(engine, order(), 3, {})).all()
    assert engine.describe()["windows"] == {"count": 3, "frames": 9}


def test_pictures_go_to_the_windows_they_fall_into(engine, order, picture, watching):
    """Where two windows meet, a picture ends the earlier one: the later begins with what came."""
    shown = (picture(10, 0), picture(90, 8), picture(120, 12, 0.5), picture(200, 24))
    ours = np.stack(list(engine.render(order(conditions=shown), watching())))
    images = [Image.open(one.path).resize((64, 64), Image.Resampling.LANCZOS) for one in shown]
    given = {
        0: [(images[0], 0, 1.0), (images[1], 8, 1.0)],
        1: [(images[2], 4, 0.5)],
        2: [(images[3], 8, 1.0)],
    }
    assert (ours == chained(engine, order(), 3, given)).all()


def test_one_window_is_the_plain_call_and_says_nothing_of_windows(engine, order, watching):
    short = order(frames=9)
    ours = np.stack(list(engine.render(short, watching())))
    assert (ours == chained(engine, short, 1, {})).all()
    assert "windows" not in engine.describe()


def test_lengths_follow_the_windows(engine, folder, order, watching):
    able = engine.capabilities(folder)
    assert [able.frames.snap(frames) for frames in (9, 12, 14, 26)] == [9, 9, 17, 25]
    with pytest.raises(OrderRefused) as refused:
        list(engine.render(order(frames=13), watching()))
    assert refused.value.code == "frames_off_grid"


def test_progress_counts_the_steps_of_every_window(engine, order, watching):
    watch = watching()
    list(engine.render(order(), watch))
    steps = [step for stage, step, _ in watch.trail if stage is Stage.DENOISE]
    assert steps == sorted(steps)
    assert watch.last[Stage.DENOISE] == (9, 9)
    frames = [(step, of) for stage, step, of in watch.trail if stage is Stage.DECODE]
    assert frames == sorted(frames)
    assert frames[-1] == (25, 25)
    assert {step for step, _ in frames} == {*range(25), 25}


@pytest.mark.parametrize("nth", [1, 30, 60], ids=["first", "second", "third"])
@pytest.mark.parametrize("stage", [Stage.DENOISE, Stage.DECODE])
def test_it_stops_in_every_stage_of_every_window(engine, order, watching, alone, stage, nth):
    whole = watching()
    list(engine.render(order(), whole))
    watch = watching((stage, max(1, whole.seen[stage] * nth // 61)))
    with pytest.raises(Stopped):
        list(engine.render(order(), watch))
    assert watch.last[stage][0] < whole.last[stage][0]
    assert digest(engine.render(order(), watching())) == alone


@pytest.mark.parametrize(
    ("stage", "step", "above_s", "computed"),
    [
        ("decode", 12, 60, 3),  # the second window's latents are there: the third is left
        ("denoise", 7, 60, 3),
        ("denoise", 5, 0, None),  # in the middle of the second, with its answers
    ],
)
def test_killed_in_a_window_it_goes_on_there(
    engine, order, watching, alone, runs, tmp_path, stage, step, above_s, computed
):
    wanted, whole = order(), 3 * 3
    told = [json.dumps(wanted.as_dict()), str(tmp_path / "kept"), stage, str(step), str(above_s)]
    ended = subprocess.run([sys.executable, "-c", CHILD, *told], capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()[-2000:]
    runs.clear()
    watch = watching()
    assert digest(engine.render(wanted, watch, kept=tmp_path / "kept")) == alone
    if computed is None:
        assert 3 <= len(runs) < whole
    else:
        assert len(runs) == whole // 3 * (computed // 3)
    assert watch.last[Stage.DENOISE] == (9, 9)


def test_latents_of_a_window_that_began_with_another_picture_are_made_anew(
    engine, order, watching, runs, tmp_path
):
    kept = tmp_path / "kept"
    alone = digest(engine.render(order(), watching(), kept=kept))
    assert sorted(path.name for path in kept.iterdir()) == [
        f"latents-{number:03d}.safetensors" for number in range(3)
    ]
    digest(engine.render(order(seed=8), watching(), kept=tmp_path / "other"))
    shutil.copy(tmp_path / "other" / "latents-000.safetensors", kept / "latents-001.safetensors")
    runs.clear()
    assert digest(engine.render(order(), watching(), kept=kept)) == alone
    assert runs  # the middle one, and no other


def test_previews_come_from_every_window_and_change_no_bit(engine, order, watching, alone):
    class Showing(watching):
        def __init__(self):
            super().__init__()
            self.at = []

        def wants_preview(self):
            return True

        def preview(self, picture):
            assert picture.shape == (8, 8, 3)
            self.at.append(self.last[Stage.DENOISE][0])

    watch = Showing()
    assert digest(engine.render(order(), watch)) == alone
    assert watch.at == list(range(9))


def test_a_style_is_seen_in_every_window_and_gone_with_its_clip(
    engine, order, watching, alone, tmp_path
):
    import torch
    from safetensors.torch import save_file

    layer, noise = "transformer.transformer_blocks.0.attn1.to_q", torch.Generator().manual_seed(1)
    path = tmp_path / "style.safetensors"
    tensors = {
        f"{layer}.lora_A.weight": torch.randn(4, 192, generator=noise) * 0.5,
        f"{layer}.lora_B.weight": torch.randn(192, 4, generator=noise) * 0.5,
    }
    save_file(tensors, path)
    style = StyleWeight(path=path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    ours = np.stack(list(engine.render(order(styles=(style,)), watching())))
    engine._pipe.load_lora_weights(str(path), adapter_name="by_hand")
    try:
        expected = chained(engine, order(), 3, {})
    finally:
        engine._pipe.unload_lora_weights()
    assert (ours == expected).all()
    assert digest(ours) != alone
    assert digest(engine.render(order(), watching())) == alone


def test_memory_short_in_the_first_window_makes_tiles_of_them_all(
    engine, order, watching, monkeypatch
):
    import torch

    plain, calls = engine._pipe.vae.decode, []

    def short(*args, **kwargs):
        calls.append(engine._pipe.vae.use_tiling)
        if len(calls) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(*args, **kwargs)

    monkeypatch.setattr(engine._pipe.vae, "decode", short)
    assert len(list(engine.render(order(), watching()))) == 25
    assert calls == [False, True, True, True]
    assert engine.describe()["decoding"] == "tiled"


def test_a_window_that_is_not_a_number_is_a_failure(engine, order, watching, monkeypatch):
    plain, calls = engine._pipe.vae.decode, []

    def spoilt(*args, **kwargs):
        calls.append(1)
        made = plain(*args, **kwargs)
        return (made[0] * float("nan"),) if len(calls) == 2 else made

    monkeypatch.setattr(engine._pipe.vae, "decode", spoilt)
    with pytest.raises(EngineFailure) as failed:
        list(engine.render(order(), watching()))
    assert failed.value.code is FailureCode.BLACK_CLIP


def test_a_larger_file_is_what_was_generated_resized_frame_by_frame(engine, order, watching):
    small = list(engine.render(order(), watching()))
    large = list(engine.render(order(width=512, height=512), watching()))
    assert engine.describe()["resized"] == {"method": "lanczos"}
    for made, file in zip(small, large, strict=True):
        by_hand = Image.fromarray(made).resize((512, 512), Image.Resampling.LANCZOS)
        assert (file == np.asarray(by_hand)).all()
        assert file.flags.c_contiguous


def test_at_its_own_size_nothing_is_resized(engine, order, watching):
    list(engine.render(order(), watching()))
    assert "resized" not in engine.describe()


@pytest.mark.parametrize("size", [(96, 96), (128, 64), (576, 576), (32, 32)])
def test_only_whole_enlargements_are_offered(engine, order, watching, size):
    with pytest.raises(OrderRefused) as refused:
        list(engine.render(order(width=size[0], height=size[1]), watching()))
    assert refused.value.code in ("size_not_offered", "size_out_of_range")


@pytest.mark.parametrize(
    "told",
    [
        {"window_frames": 8},
        {"window_frames": "9"},
        {"window_frames": 1},
        {"native": [60, 64]},
        {"native": [64]},
        {"native": 64},
        {"native": None, "enlarge_at_most": 2},
        {"enlarge_at_most": 0},
        {"words": "red"},
        {"words": ["red", 3]},
        {"examples": [""]},
        {"modes": []},
        {"modes": ["sideways"]},
    ],
)
def test_what_makes_no_sense_in_the_file_is_refused(folder, tmp_path, told):
    copy = shutil.copytree(folder, tmp_path / "copy")
    plain = json.loads((copy / "greenroom.json").read_text())
    (copy / "greenroom.json").write_text(json.dumps(plain | told))
    with pytest.raises(EngineFailure) as failed:
        DiffusersEngine().capabilities(copy)
    assert failed.value.code is FailureCode.CHECKPOINT_FOREIGN


def test_a_model_that_begins_with_no_picture_has_no_windows(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    index = json.loads((copy / "model_index.json").read_text())
    (copy / "model_index.json").write_text(json.dumps(index | {"_class_name": "LTXPipeline"}))
    with pytest.raises(EngineFailure) as failed:
        DiffusersEngine().capabilities(copy)
    assert failed.value.code is FailureCode.CHECKPOINT_FOREIGN


def test_words_and_examples_are_told_with_the_rest(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    plain = json.loads((copy / "greenroom.json").read_text())
    told = {"words": ["red", "circle"], "examples": ["a red circle"]}
    (copy / "greenroom.json").write_text(json.dumps(plain | told))
    found = DiffusersEngine().inspect(copy)
    assert (found.words, found.examples) == (("red", "circle"), ("a red circle",))


@pytest.mark.parametrize(
    ("told", "most"), [(["text"], 0), (["text", "image"], 1), (["text", "image", "first_last"], 2)]
)
def test_a_model_takes_no_pictures_it_was_not_trained_for(folder, tmp_path, told, most):
    copy = shutil.copytree(folder, tmp_path / "copy")
    plain = json.loads((copy / "greenroom.json").read_text())
    (copy / "greenroom.json").write_text(json.dumps(plain | {"modes": told}))
    able = DiffusersEngine().capabilities(copy)
    assert (able.modes, able.most_conditions) == (tuple(told), most)
