"""``python -m demo_model.train --minutes N --out DIR``: trains, or goes on where it stopped.

DIR holds ``codec.pt`` (computed once), ``state.pt`` (weights, their running mean, both optimisers,
what chance has drawn) and ``log.jsonl``. ``--begin-with`` takes the weights of an exported folder
where there is no state yet. On CUDA everything is drawn and trained there. ``--look`` trains a LoRA
of one of ``scenes.LOOKS`` on the finished weights instead.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from demo_model import codec, network
from demo_model.codec import Codec
from demo_model.detector import Detector, detector
from demo_model.network import Batch, Networks, Source
from demo_model.scenes import LOOKS
from demo_model.words import tokenizer

_AVERAGE = 0.998
_RATE = 2e-3
_FLAT_SHARE = 0.5
_LAST_RATE = 0.02


@dataclass
class Training:
    codec: Codec
    networks: Networks
    average: Networks
    source: Source
    optimisers: list[torch.optim.Optimizer]
    chance: random.Random
    seen: int = 0
    losses: list[float] = field(default_factory=list)
    judge: Detector | None = None


def main() -> None:
    asked = _arguments()
    torch.set_num_threads(asked.threads)
    folder: Path = asked.out
    folder.mkdir(parents=True, exist_ok=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if asked.begin_with is not None:
        begin_with(asked.begin_with, folder)
    found = saved_codec(folder)
    if asked.look is not None:
        from demo_model.looks import train_look

        train_look(folder, found, asked.look, minutes=asked.minutes, device=device)
        return
    training = begun(found, device)
    resume(training, folder / "state.pt")
    train(training, asked, device)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo_model.train", description=__doc__)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--begin-with", type=Path, metavar="FOLDER")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--shift", type=float, default=0.5, help="more noise, more layout")
    parser.add_argument("--rate", type=float, default=_RATE, help="of learning, before it falls")
    parser.add_argument("--score-every", type=float, default=15, metavar="MINUTES", help="0: never")
    parser.add_argument("--look", choices=LOOKS)
    return parser.parse_args()


def saved_codec(folder: Path) -> Codec:
    path = folder / "codec.pt"
    if not path.exists():
        print("computing the autoencoder …", flush=True)  # noqa: T201
        torch.save(vars(codec.fit()), path)
    return Codec(**torch.load(path, weights_only=True))


def begun(found: Codec, device: str) -> Training:
    words = tokenizer()
    torch.manual_seed(0)
    networks = Networks(len(words)).to(device).train()
    average = Networks(len(words)).to(device).eval().requires_grad_(False)
    average.load_state_dict(networks.state_dict())
    return Training(
        codec=found,
        networks=networks,
        average=average,
        source=Source(found, codec.latents_std(found.std), words, device=device),
        optimisers=_optimisers(networks),
        chance=random.Random(7),  # noqa: S311 - scenes, no secrets
    )


def begin_with(exported: Path, folder: Path) -> None:
    """Writes a state of these weights, with optimisers that know nothing yet. One that is there
    stays."""
    from demo_model.score import load

    if (folder / "state.pt").exists():
        return
    pipe = load(exported)
    found = codec.read(pipe.vae)
    torch.save(vars(found), folder / "codec.pt")
    training = begun(found, "cpu")
    for networks in (training.networks, training.average):
        networks.text_encoder.load_state_dict(pipe.text_encoder.state_dict())
        networks.transformer.load_state_dict(pipe.transformer.state_dict())
    save(training, folder / "state.pt")


def _optimisers(networks: nn.Module) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the blocks, in which it learns in fewer samples; AdamW for all
    that is not a matrix inside a block."""
    matrices, others = network.trained_parameters(networks)
    return [
        torch.optim.Muon(
            matrices, lr=_RATE, weight_decay=0.0, momentum=0.95, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW(others, lr=_RATE, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def train(training: Training, asked: argparse.Namespace, device: str) -> None:
    started, scored = time.monotonic(), time.monotonic()
    for share in _shares(started, asked.minutes * 60):
        _step(training, asked.batch, asked.rate * _fallen(share), asked.shift, device)
        if len(training.losses) == 200:
            _tell(training, asked.out, minutes=(time.monotonic() - started) / 60)
        if asked.score_every and time.monotonic() - scored > asked.score_every * 60:
            save(training, asked.out / "state.pt")
            _tell_scores(training, asked.out)
            scored = time.monotonic()
    save(training, asked.out / "state.pt")
    if asked.score_every:
        _tell_scores(training, asked.out)


def _shares(started: float, seconds: float) -> Iterator[float]:
    while (gone := time.monotonic() - started) < seconds:
        yield gone / seconds


def _fallen(share: float) -> float:
    """Flat, then a cosine down to a fiftieth."""
    if share < _FLAT_SHARE:
        return 1.0
    down = (share - _FLAT_SHARE) / (1 - _FLAT_SHARE)
    return _LAST_RATE + (1 - _LAST_RATE) * (1 + math.cos(math.pi * down)) / 2


def _step(training: Training, count: int, rate: float, shift: float, device: str) -> None:
    batch, last = _examples(training, count)
    with network.half_precision(device):
        noise = network.noise_levels(shift, device)
        loss = network.loss_of(training.networks, batch, last, noise)
    loss.backward()
    nn.utils.clip_grad_norm_(training.networks.parameters(), 1.0)
    warm = min(1.0, (training.seen / count + 1) / 100)
    for optimiser in training.optimisers:
        for group in optimiser.param_groups:
            group["lr"] = rate * warm
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    with torch.no_grad():
        kept = min(_AVERAGE, (training.seen / count + 1) / (training.seen / count + 10))
        torch._foreach_lerp_(
            list(training.average.parameters()), list(training.networks.parameters()), 1 - kept
        )
    training.seen += count
    training.losses.append(loss.item())


def _examples(training: Training, count: int) -> tuple[Batch, Tensor | None]:
    if not network.gives_last(training.chance):
        return training.source.batch(count, training.chance), None
    return training.source.batch_with_last(count, training.chance)


def _tell(training: Training, folder: Path, **facts: float) -> None:
    line: dict[str, Any] = {
        "seen": training.seen,
        "loss": round(sum(training.losses) / len(training.losses), 4),
        **{name: round(value, 2) for name, value in facts.items()},
    }
    training.losses.clear()
    _write(folder, line)


def _tell_scores(training: Training, folder: Path) -> None:
    from demo_model.export import pipeline
    from demo_model.score import scores

    training.judge = training.judge or detector(training.codec)
    # What chance draws for the scores must not change what the training draws.
    with torch.random.fork_rng(devices=[]):
        pipe = pipeline(training.average, training.codec).to(training.average.transformer.device)
        _write(folder, {"seen": training.seen, **scores(pipe, training.judge, count=40)})


def _write(folder: Path, line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)  # noqa: T201
    with (folder / "log.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")


def save(training: Training, path: Path) -> None:
    partial = path.with_suffix(".partial")
    torch.save(
        {
            "networks": training.networks.state_dict(),
            "average": training.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in training.optimisers],
            "seen": training.seen,
            "drawn": torch.get_rng_state(),
        },
        partial,
    )
    partial.rename(path)


def resume(training: Training, path: Path) -> None:
    if not path.exists():
        return
    state = torch.load(path, map_location="cpu", weights_only=True)
    training.networks.load_state_dict(state["networks"])
    training.average.load_state_dict(state["average"])
    for optimiser, kept in zip(training.optimisers, state["optimisers"], strict=True):
        optimiser.load_state_dict(kept)
    training.seen = state["seen"]
    torch.set_rng_state(state["drawn"])
    # Scenes are drawn anew from here: the same ones again would only be seen twice.
    training.chance = random.Random(7 + training.seen)  # noqa: S311 - scenes, no secrets
    print(f"going on after {training.seen} clips", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
