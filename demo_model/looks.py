"""Looks that the base model does not have, as LoRA weights of rank 4 beside it."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from demo_model import codec, network
from demo_model.codec import Codec
from demo_model.network import Networks, Source

RANK = 4
_LAYERS = ("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2")
_RATE = 3e-3
_BATCH = 24
_SHIFT = 0.5
ABOUT = {
    "blueprint": ("Blueprint", "White outlines on blue squared paper."),
    "sunset": ("Sunset", "A black shape before an evening sky."),
}


def train_look(folder: Path, found: Codec, look: str, *, minutes: float, device: str) -> None:
    """Writes ``DIR/styles/LOOK.safetensors``. The base weights stay as they are."""
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    from demo_model.train import begun, resume
    from demo_model.words import tokenizer

    training = begun(found, device)
    resume(training, folder / "state.pt")
    networks: Networks = training.average
    networks.requires_grad_(requires_grad=False)
    config = LoraConfig(r=RANK, lora_alpha=RANK, target_modules=list(_LAYERS))
    networks.transformer.add_adapter(config, adapter_name=look)
    source = Source(found, codec.latents_std(found.std), tokenizer(), device=device, look=look)
    loss = _trained(networks, source, minutes, device)
    layers = get_peft_model_state_dict(networks.transformer, adapter_name=look)
    path = folder / "styles" / f"{look}.safetensors"
    _write(layers, path)
    print(json.dumps({"look": look, "loss": round(loss, 4)}), flush=True)  # noqa: T201


def _trained(networks: Networks, source: Source, minutes: float, device: str) -> float:
    taught = [parameter for parameter in networks.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(taught, lr=_RATE, betas=(0.9, 0.98), weight_decay=0.0)
    chance = random.Random(31)  # noqa: S311 - scenes, no secrets
    noise = network.noise_levels(_SHIFT, device)
    losses: list[float] = []
    started = time.monotonic()
    while (gone := (time.monotonic() - started) / 60) < minutes:
        for group in optimiser.param_groups:
            group["lr"] = _RATE * min(1.0, (len(losses) + 1) / 20) * (1 - 0.95 * gone / minutes)
        with network.half_precision(device):
            loss = network.loss_of(networks, source.batch(_BATCH, chance), None, noise)
        loss.backward()
        nn.utils.clip_grad_norm_(taught, 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        losses.append(loss.item())
    return sum(losses[-100:]) / len(losses[-100:])


def _write(layers: dict[str, Any], path: Path) -> None:
    from diffusers import LTXConditionPipeline

    path.parent.mkdir(parents=True, exist_ok=True)
    LTXConditionPipeline.save_lora_weights(
        str(path.parent),
        transformer_lora_layers={name: value.bfloat16() for name, value in layers.items()},
        weight_name=path.name,
    )
