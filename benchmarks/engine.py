"""Ours against plain diffusers and its own exporter: same weights, order and seed, in turn.

``python benchmarks/engine.py [--quick] [--keep NAME] [--only MODEL]``. The last line is one JSON
object. On a CPU a tiny pipeline shows what we add; with CUDA, full-size configurations with random
weights (dense speed does not depend on what the weights are; adaptive caches and likeness are left
out for that reason) show ratio, levers, turbo, and how near the arithmetic floor each comes.

What is added is measured at two lengths, so that steps and clip are told apart: the least of ours
minus the least of theirs, on a CPU in processor time, which neighbours on the machine stretch less,
and without the encoders, the subject of media.py. ``plain_s``, ``ours_s`` and ``ratio`` are by the
clock and whole, each with its own encoder at its own settings, as somebody would use it.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, redirect_stderr
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import numpy.typing as npt

from generation.engines.local.diffusers_engine import DiffusersEngine
from generation.engines.order import Order
from generation.engines.protocol import Frame, Sound, Stage, Watch
from generation.media.writer import ClipWriter

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "demo_model" / "weights"
Frames = npt.NDArray[np.uint8]

STEP_BAR_MS, CLIP_BAR_MS, RATIO_BAR = 3.0, 150.0, 1.02
PEAK_FLOPS = 790e12
"""Dense bfloat16 of one H200, as measured with large matrices; the floor's denominator."""
PROMPT = "a lighthouse at dusk, waves breaking on the rocks"
# Student's t, two-sided 95 %, by degrees of freedom; beyond ten the normal's is near enough.
T95 = {2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}


class Unwatched(Watch):
    def tick(self, stage: Stage, step: int, steps: int) -> None:
        """Nobody looks."""


@dataclass(frozen=True)
class Case:
    """One model. ``write`` makes its folder; ``call`` are the pipeline's own arguments beside
    those that every one has; ``levers`` and ``turbo`` say what greenroom.json says for them."""

    model: str
    write: Callable[[Path], None]
    width: int
    height: int
    frames: int
    rate: int
    steps: tuple[int, int]
    guidance: float
    call: Callable[[int, int], dict[str, Any]]
    preset: dict[str, Any] = field(default_factory=dict)
    levers: dict[str, Any] = field(default_factory=dict)
    turbo: dict[str, Any] = field(default_factory=dict)
    turbo_steps: int = 4


def main() -> None:
    options = parsed()
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    chosen = full_size() if device == "cuda" else tiny(quick=options.quick)
    runs = []
    for case in chosen:
        if options.only in (None, case.model):
            runs.append(run(case, device, pairs=3 if options.quick else 10))
            show(runs[-1])
    figures = {"runs": runs, "load_before": round(os.getloadavg()[0], 1)}
    if device == "cpu":
        print("No GPU here: full-size figures need one (the script is the same).")
    if options.keep:
        keep(options.keep, figures)
    print(json.dumps(figures))


def parsed() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="three short pairs instead of ten")
    options.add_argument("--only", metavar="MODEL", help="one model alone")
    options.add_argument("--keep", metavar="NAME", help="also write results/engine-NAME.json")
    return options.parse_args()


def keep(name: str, figures: dict[str, Any]) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    machine = {"commit": commit, "machine": platform.platform(), "cores": os.cpu_count()}
    path = ROOT / "benchmarks" / "results" / f"engine-{name}.json"
    path.write_text(json.dumps({**machine, **figures}, indent=2) + "\n")
    print(f"kept in {path.relative_to(ROOT)}")


def run(case: Case, device: str, *, pairs: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="greenroom-engine-") as kept:
        folder = Path(kept) / "model"
        case.write(folder)
        say_preset(folder, case.preset)
        figures = compared(case, folder, device, pairs)
        if case.levers:
            say_preset(folder, {**case.preset, **case.levers})
            with loaded(folder) as engine:
                order = order_of(case, folder, case.steps[1])
                whole_ours(engine, order)  # compiled for these sizes
                taken = median(timed(whole_ours, engine, order) for _ in range(3))
                figures["levers_s"] = round(taken, 3)
                figures["levers_ratio"] = round(taken / figures["plain_s"], 3)
                figures["levers"] = {
                    name: engine.describe()[name] for name in ("attention", "compiled")
                }
        if case.turbo:
            tiers = {"standard": {}, "turbo": case.turbo}
            say_preset(folder, {**case.preset, **case.levers, "tiers": tiers})
            with loaded(folder) as engine:
                turbo = order_of(case, folder, case.turbo_steps, tier="turbo")
                whole_ours(engine, turbo)
                taken = median(timed(whole_ours, engine, turbo) for _ in range(3))
                figures["turbo_s"] = round(taken, 3)
                figures["turbo_floor_s"] = round(floor_s(engine, turbo, device), 4)
    return figures


def compared(case: Case, folder: Path, device: str, pairs: int) -> dict[str, Any]:
    with loaded(folder) as engine:
        few, many = case.steps
        clips = {steps: order_of(case, folder, steps) for steps in (few, many)}
        same = frames_are_equal(engine, case, clips[few])
        whole = in_turn(
            lambda: whole_plain(engine, case, clips[many]),
            lambda: whole_ours(engine, clips[many]),
            time.perf_counter,
            pairs,
        )
        # Without the encoders, which are media.py's subject.
        clock = time.process_time if device == "cpu" else time.perf_counter
        bare = {
            steps: in_turn(
                lambda order=order: frames_of_plain(engine, case, order),
                lambda order=order: frames_of_ours(engine, order),
                clock,
                pairs,
            )
            for steps, order in clips.items()
        }
        floor = floor_s(engine, clips[many], device)
    # The least of each: neighbours can only make a run dearer, never cheaper.
    added = {
        steps: min(b for _, b in pair) - min(a for a, _ in pair) for steps, pair in bare.items()
    }
    per_step = (added[many] - added[few]) / (many - few)
    ratios = [b / a for a, b in whole]
    ours_s = median(b for _, b in whole)
    return {
        "model": case.model,
        "device": device_name(),
        "frames_equal": same,
        "pairs": pairs,
        "steps": many,
        "plain_s": round(median(a for a, _ in whole), 3),
        "ours_s": round(ours_s, 3),
        "ratio": round(median(ratios), 4),
        "ratio_upper95": round(upper95(ratios), 4),
        "engine_ratio": round(min(b for _, b in bare[many]) / min(a for a, _ in bare[many]), 4),
        "added_ms_per_step": round(per_step * 1000, 3),
        "added_ms_per_clip": round((added[few] - few * per_step) * 1000, 3),
        "floor_s": round(floor, 5),
        "fraction_of_floor": round(floor / ours_s, 4),
    }


def in_turn(
    first: Callable[[], Any], second: Callable[[], Any], clock: Callable[[], float], pairs: int
) -> list[tuple[float, float]]:
    """Forwards and backwards in turn: whoever comes second must not always be the same. One turn
    more than asked, and the first thrown away."""
    taken = []
    for turn in range(pairs + 1):
        ways = {0: first, 1: second}
        spent = {}
        for number in (0, 1) if turn % 2 else (1, 0):
            began = clock()
            ways[number]()
            spent[number] = clock() - began
        taken.append((spent[0], spent[1]))
    return taken[1:]


def whole_plain(engine: DiffusersEngine, case: Case, order: Order) -> None:
    """The pipeline as its documentation shows it, then its exporter."""
    from diffusers.utils import export_utils

    frames = called(engine, case, order)
    with tempfile.TemporaryDirectory() as folder, redirect_stderr(io.StringIO()):
        export_utils.encode_video(frames, case.rate, str(Path(folder) / "clip.mp4"))


def whole_ours(engine: DiffusersEngine, order: Order) -> None:
    """Every frame to our encoder as it comes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        size = {"width": order.width, "height": order.height}
        with ClipWriter(path, **size, rate=order.rate) as writer:
            for frame in frames_of(engine, order):
                writer.write(frame)


def frames_of_plain(engine: DiffusersEngine, case: Case, order: Order) -> Frames:
    """To eight bits as the exporter does it."""
    return (called(engine, case, order) * 255).round().astype("uint8")


def frames_of_ours(engine: DiffusersEngine, order: Order) -> None:
    for _ in frames_of(engine, order):
        pass


def called(engine: DiffusersEngine, case: Case, order: Order) -> Any:
    import torch

    forget_prompts(engine)
    pipe = engine._pipe  # noqa: SLF001 - the very weights that ours runs on
    return pipe(
        prompt=order.prompt,
        negative_prompt="",
        width=case.width,
        height=-(-case.height // 32) * 32,
        num_frames=order.frames,
        num_inference_steps=order.steps,
        guidance_scale=case.guidance,
        generator=torch.Generator("cpu").manual_seed(order.seed),
        output_type="np",
        **case.call(order.steps, case.rate),
    ).frames[0]


def frames_of(engine: DiffusersEngine, order: Order) -> Iterator[Frame]:
    forget_prompts(engine)
    with closing(engine.render(order, Unwatched())) as made:
        for one in made:
            if not isinstance(one, Sound):
                yield one


def forget_prompts(engine: DiffusersEngine) -> None:
    """Plain diffusers remembers none, and ours is not to profit from a prompt asked ten times."""
    resident = engine._loaded  # noqa: SLF001
    if resident is not None and resident.prompts is not None:
        resident.prompts.clear()


def timed(way: Callable[..., Any], *arguments: Any) -> float:
    began = time.perf_counter()
    way(*arguments)
    return time.perf_counter() - began


def frames_are_equal(engine: DiffusersEngine, case: Case, order: Order) -> bool:
    """Speed of something else would be no speed. Rows that ours crops are left out."""
    theirs = frames_of_plain(engine, case, order)
    top = (theirs.shape[1] - order.height) // 2
    made = np.stack(list(frames_of(engine, order)))
    return bool((made == theirs[:, top : top + order.height]).all())


def floor_s(engine: DiffusersEngine, order: Order, device: str) -> float:
    """Every multiplication of the clip, counted, at the rate of large dense matrices: the H200's
    known one, or this CPU's own, measured now."""
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with counter, uncompiled(device):
        frames_of_ours(engine, order)
    rate = PEAK_FLOPS if device == "cuda" else matrix_rate()
    return counter.get_total_flops() / rate


def uncompiled(device: str) -> Any:
    """The counter sees operators, and compiled blocks have none."""
    import torch

    return torch.compiler.set_stance("force_eager") if device == "cuda" else nullcontext()


def matrix_rate(side: int = 1024) -> float:
    import torch

    one, other = torch.randn(2, side, side)
    took = []
    for _ in range(6):
        began = time.process_time()
        one @ other
        took.append(time.process_time() - began)
    return 2 * side**3 / min(took[1:])


def upper95(ratios: list[float]) -> float:
    """Of the mean ratio, by Student's t on the pairs."""
    t = T95.get(len(ratios) - 1, 2.0)
    return mean(ratios) + t * stdev(ratios) / len(ratios) ** 0.5


def order_of(case: Case, folder: Path, steps: int, *, tier: str = "standard") -> Order:
    return Order(
        prompt=PROMPT,
        seed=7,
        frames=case.frames,
        rate=Fraction(case.rate),
        width=case.width,
        height=case.height,
        steps=steps,
        guidance=case.guidance if tier == "standard" else None,
        tier=tier,
        checkpoint=folder,
    )


@contextmanager
def loaded(folder: Path) -> Iterator[DiffusersEngine]:
    """Levers of random weights cannot be measured, so they are let pass unmeasured."""
    with closing(DiffusersEngine(unmeasured=True)) as engine:
        engine.load(folder)
        yield engine
    gc.collect()


def say_preset(folder: Path, preset: dict[str, Any]) -> None:
    (folder / "greenroom.json").write_text(json.dumps(preset))


def device_kind() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def device_name() -> str:
    import torch

    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return f"cpu, {torch.get_num_threads()} thread(s)"


def show(figures: dict[str, Any]) -> None:
    print(f"\n{figures['model']} on {figures['device']}, frames equal: {figures['frames_equal']}")
    bars = {"added_ms_per_step": STEP_BAR_MS, "added_ms_per_clip": CLIP_BAR_MS}
    if device_kind() == "cuda":
        bars["ratio_upper95"] = RATIO_BAR
    for name, figure in figures.items():
        if name in ("model", "device", "frames_equal"):
            continue
        bar = bars.get(name)
        verdict = "" if bar is None else f"bar {bar:g}  {'holds' if figure <= bar else 'MISSED'}"
        print(f"  {name:20} {figure!s:>12}  {verdict}".rstrip())


# The models ---------------------------------------------------------------------------------


def at_rate(_steps: int, rate: int) -> dict[str, Any]:
    return {"frame_rate": rate}


def as_usual(_steps: int, _rate: int) -> dict[str, Any]:
    return {}


def evenly(steps: int, _rate: int) -> dict[str, Any]:
    return {"frame_rate": 25, "timesteps": [1000 * (steps - n) / steps for n in range(steps)]}


def copied_shipped_model(folder: Path) -> None:
    """Without what it says of itself: nine frames at a time are asked of it here."""
    if not folder.exists():
        shutil.copytree(SHIPPED, folder)


def tiny(*, quick: bool) -> list[Case]:
    preset = {"schedule": "even", "coordinate_rate": 25, "most_steps": 50}
    return [
        Case(
            model="shapes",
            write=copied_shipped_model,
            # What is added does not depend on the size of the picture, its noise does.
            width=64,
            height=64,
            frames=9,
            rate=25,
            steps=(2, 8) if quick else (2, 12),
            guidance=3.0,
            call=evenly,
            preset=preset,
            turbo={"guidance": 1.0},
        )
    ]


def full_size() -> list[Case]:
    fast = {"compile": True, "attention": ["_flash_3", "flash", "_native_cudnn", "_native_flash"]}
    large = {"most_steps": 50}
    return [
        Case(
            model="ltx-video-2b",
            write=write_ltx,
            width=1920,
            height=1080,
            frames=241,
            rate=24,
            steps=(2, 8),
            guidance=1.0,
            call=at_rate,
            preset=large,
            levers=fast,
            turbo={"guidance": 1.0, "two_stage": True, "refine_steps": 3},
            turbo_steps=8,
        ),
        Case(
            model="wan-2.1-1.3b",
            write=lambda folder: write_wan(folder, "1.3B"),
            width=832,
            height=480,
            frames=81,
            rate=16,
            steps=(4, 20),
            guidance=1.0,
            call=as_usual,
            preset=large,
            levers=fast,
            turbo={"guidance": 1.0},
        ),
        Case(
            model="wan-2.2-5b",
            write=lambda folder: write_wan(folder, "5B"),
            width=1280,
            height=704,
            frames=121,
            rate=24,
            steps=(4, 12),
            guidance=1.0,
            call=as_usual,
            preset=large,
            levers=fast,
            turbo={"guidance": 1.0},
        ),
    ]


def write_ltx(folder: Path, *, device: str = "cuda") -> None:
    """LTX-Video 2B as published: the class defaults are its configuration."""
    import diffusers
    from diffusers.pipelines.ltx.modeling_latent_upsampler import LTXLatentUpsamplerModel

    tokenizer, encoder = text_parts("T5", device)
    with built_on(device):
        pipe = diffusers.LTXConditionPipeline(
            scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
            vae=diffusers.AutoencoderKLLTXVideo(),
            text_encoder=encoder,
            tokenizer=tokenizer,
            transformer=diffusers.LTXVideoTransformer3DModel(),
        )
        upsampler = LTXLatentUpsamplerModel(
            in_channels=128, mid_channels=512, num_blocks_per_stage=4, dims=3
        )
    save(pipe, folder)
    upsampler.to(dtype=half()).save_pretrained(folder / "upsampler")


WAN_TRANSFORMERS: dict[str, dict[str, Any]] = {
    "1.3B": {"num_attention_heads": 12, "ffn_dim": 8960, "num_layers": 30},
    "5B": {
        "num_attention_heads": 24,
        "ffn_dim": 14336,
        "num_layers": 30,
        "in_channels": 48,
        "out_channels": 48,
    },
}
WAN_VAES: dict[str, dict[str, Any]] = {
    "1.3B": {},
    "5B": {
        "base_dim": 160,
        "decoder_base_dim": 256,
        "z_dim": 48,
        "in_channels": 12,
        "out_channels": 12,
        "patch_size": 2,
        "is_residual": True,
        "scale_factor_spatial": 16,
        "latents_mean": [0.0] * 48,
        "latents_std": [1.0] * 48,
    },
}


def write_wan(folder: Path, size: str, *, device: str = "cuda") -> None:
    import diffusers

    tokenizer, encoder = text_parts("UMT5", device)
    with built_on(device):
        pipe = diffusers.WanPipeline(
            scheduler=diffusers.UniPCMultistepScheduler(
                prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
            ),
            vae=diffusers.AutoencoderKLWan(**WAN_VAES[size]),
            text_encoder=encoder,
            tokenizer=tokenizer,
            transformer=diffusers.WanTransformer3DModel(**WAN_TRANSFORMERS[size]),
            expand_timesteps=size == "5B",
        )
    save(pipe, folder)


def text_parts(kind: str, device: str) -> tuple[Any, Any]:
    """An XXL encoder of random weights behind a tokenizer of letters: it costs what the real one
    costs."""
    import transformers

    config = getattr(transformers, f"{kind}Config")(
        vocab_size=32128 if kind == "T5" else 256384,
        d_model=4096,
        d_kv=64,
        d_ff=10240,
        num_layers=24,
        num_heads=64,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
    )
    with built_on(device):
        words = transformers.PreTrainedTokenizerFast.from_pretrained(SHIPPED / "tokenizer")
        return words, getattr(transformers, f"{kind}EncoderModel")(config).eval()


@contextmanager
def built_on(device: str) -> Iterator[None]:
    """On the accelerator, where ten billion random numbers take a second."""
    import torch

    torch.manual_seed(0)
    with torch.device(device):
        yield


def save(pipe: Any, folder: Path) -> None:
    """In half precision, as such models are published."""
    pipe.to(dtype=half())
    pipe.save_pretrained(folder, safe_serialization=True)
    del pipe
    gc.collect()


def half() -> Any:
    import torch

    return torch.bfloat16


if __name__ == "__main__":
    main()
