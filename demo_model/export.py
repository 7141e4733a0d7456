"""``python -m demo_model.export --from DIR``: the trained weights as a folder that diffusers loads.

Written to ``demo_model/weights`` unless ``--to`` says otherwise, as bf16 safetensors beside
``greenroom.json``, which says how the model is used and which words it knows.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch

from demo_model import codec
from demo_model.codec import Codec
from demo_model.looks import ABOUT
from demo_model.network import COORDINATE_RATE, GUIDANCE
from demo_model.scenes import FRAMES, LOOKS, RATE, SIDE, known_words
from demo_model.words import tokenizer

WEIGHTS = Path(__file__).parent / "weights"
EXAMPLES = (
    "a big red circle moves right over a navy background, flat style",
    "a small yellow star orbits over a black background, neon style",
    "a big green triangle spins over a cream background, pencil style",
    "a small blue square bounces over a pink background, watercolour style",
    "a big orange star grows over a forest gradient background, flat style",
    "a small white circle moves up over a brown background, neon style",
)
PRESET: dict[str, Any] = {
    "schedule": "even",
    "coordinate_rate": COORDINATE_RATE,
    "guidance": GUIDANCE,
    "modes": ["text", "image", "first_last"],
    "longest_s": "8.2",
    "most_steps": 50,
    "window_frames": FRAMES,
    "native": [SIDE, SIDE],
    "enlarge_at_most": 8,
    "words": known_words(),
    "examples": list(EXAMPLES),
    "tiers": {"turbo": {"steps": 4}, "standard": {"steps": 8}, "quality": {"steps": 24}},
}


def pipeline(networks: Any, found: Codec) -> Any:
    """An ``LTXConditionPipeline`` of these networks; they are shared, not copied."""
    from diffusers import FlowMatchEulerDiscreteScheduler, LTXConditionPipeline

    made = LTXConditionPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=codec.build(found),
        text_encoder=networks.text_encoder,
        tokenizer=tokenizer(),
        transformer=networks.transformer,
    )
    made.set_progress_bar_config(disable=True)
    return made


def write(networks: Any, found: Codec, folder: Path) -> None:
    """Whole or not at all. Styles and the card beside the weights stay."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".weights-", dir=folder.parent))
    try:
        made = pipeline(networks, found)
        for part in (made.vae, made.text_encoder, made.transformer):
            part.to(torch.bfloat16)
        made.save_pretrained(partial, safe_serialization=True)
        (partial / "greenroom.json").write_text(json.dumps(PRESET, indent=2) + "\n")
        folder.mkdir(exist_ok=True)
        for path in partial.iterdir():
            there = folder / path.name
            if there.is_dir():
                shutil.rmtree(there)
            path.replace(there)
        for path in folder.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_looks(source: Path, folder: Path) -> None:
    """The LoRA weights that were trained, and ``styles.json``, which says what each is."""
    trained = [look for look in LOOKS if (source / f"{look}.safetensors").is_file()]
    if not trained:
        return
    folder.mkdir(exist_ok=True)
    about = []
    for look in trained:
        file = f"{look}.safetensors"
        shutil.copyfile(source / file, folder / file)
        name, description = ABOUT[look]
        plain = {"slug": look, "name": name, "description": description, "file": file}
        about.append({**plain, "trigger": "", "weight": 1.0})
    (folder / "styles.json").write_text(json.dumps(about, indent=2) + "\n")


def main() -> None:
    from demo_model.train import begun, resume, saved_codec

    parser = argparse.ArgumentParser(prog="python -m demo_model.export", description=__doc__)
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="DIR")
    parser.add_argument("--to", type=Path, default=WEIGHTS, metavar="DIR")
    asked = parser.parse_args()
    if not (asked.source / "state.pt").is_file():
        parser.error(f"there is no state.pt in {asked.source}")
    found = saved_codec(asked.source)
    training = begun(found, "cpu")
    resume(training, asked.source / "state.pt")
    write(training.average, found, asked.to)
    write_looks(asked.source / "styles", asked.to / "styles")
    size = sum(path.stat().st_size for path in asked.to.rglob("*") if path.is_file())
    print(f"{asked.to}: {size / 1e6:.1f} MB, at {RATE} frames a second")  # noqa: T201


if __name__ == "__main__":
    main()
