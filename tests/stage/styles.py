"""Styles on the stage: files that look like LoRAs from outside, and rows of them."""

from __future__ import annotations

import json
import struct
from math import prod
from pathlib import Path
from typing import Any

from generation.catalogue.models import VideoModel
from generation.checkpoints.rules import licence_of
from generation.styles.commands import NewStyle, offer_style
from generation.styles.models import Style, StyleFit

LAYER = "transformer_blocks.0.attn1.to_q"
SIDE = 8
RANK = 2
PAIR = {
    f"transformer.{LAYER}.lora_A.weight": [RANK, SIDE],
    f"transformer.{LAYER}.lora_B.weight": [SIDE, RANK],
}


def safetensors(path: Path, shapes: dict[str, list[int]], dtype: str = "F32") -> Path:
    """A whole file with these tensors, all zero. No torch."""
    head: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, shape in shapes.items():
        size = prod(shape) * (4 if dtype == "F32" else 2)
        head[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    told = json.dumps(head).encode()
    path.write_bytes(struct.pack("<Q", len(told)) + told + b"\0" * at)
    return path


def a_checkpoint(folder: Path, *, side: int = SIDE) -> Path:
    """Looks like LTX-Video from outside: whole configurations, one layer of weights."""
    parts = {
        "transformer": ["diffusers", "LTXVideoTransformer3DModel"],
        "vae": ["diffusers", "AutoencoderKLLTXVideo"],
        "text_encoder": ["transformers", "T5EncoderModel"],
    }
    for part in parts:
        (folder / part).mkdir(parents=True)
        safetensors(folder / part / "model.safetensors", {f"{LAYER}.weight": [side, side]})
    index = {"_class_name": "LTXConditionPipeline", **parts}
    (folder / "model_index.json").write_text(json.dumps(index))
    vae = {"spatio_temporal_scaling": [True, True, True, False], "patch_size": 4, "patch_size_t": 1}
    (folder / "vae" / "config.json").write_text(json.dumps(vae))
    return folder


def a_new_style(file: Path, **changes: Any) -> NewStyle:
    usual: dict[str, Any] = {
        "file": file,
        "slug": "ink",
        "name": "Ink",
        "description": "Draws with ink on paper.",
        "models": ("still",),
        "licence": licence_of("Apache-2.0"),
    }
    return NewStyle(**(usual | changes))


def a_style(*models: VideoModel, slug: str = "ink", is_offered: bool = True, **facts: Any) -> Style:
    """A style without a file, for whoever only looks at the row."""
    usual = {
        "revision": 1,
        "name": slug.title(),
        "description": f"Draws like {slug}.",
        "licence": "Apache-2.0",
        "sha256": "ab" * 32,
        "bytes": 10,
    }
    style = Style.objects.create(slug=slug, **(usual | facts))
    for model in models:
        StyleFit.objects.create(style=style, model=model, layers=1, rank=4)
    return offer_style(slug=slug, revision=style.revision) if is_offered else style
