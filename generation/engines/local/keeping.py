"""What a later attempt at the same clip goes on from: latents before decoding, and on long jobs
every answer of the denoisers.

Replaying answers is exact for any scheduler and any pipeline: all that is cheap (noise, guidance,
steps) runs again as it did, and only the denoisers' arithmetic is skipped. Each file says of which
order, weights, device and libraries it is, and carries a checksum; whatever does not fit, or was
half written, is removed and computed anew.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation.engines.order import Order

if TYPE_CHECKING:
    import torch
    from torch import nn

    from generation.engines.local.family import Latents

log = logging.getLogger("greenroom.engines")

MOST_BYTES = 8 * 2**30
"""Of one job's denoiser answers; what comes after is computed again. Latents always fit: a clip's
are a few thousandths of its frames."""
_LATENTS = "latents.safetensors"
_LATENTS_OF = "latents-{:03d}.safetensors"
_ANSWER = "answer-{:06d}.safetensors"
_GENERATOR = "generator"


def digest_of(order: Order, facts: dict[str, Any]) -> str:
    """Of everything that makes the bits of a clip. ``facts`` names weights, device, libraries and
    levers; where files stand on this machine is none of it, their hashes are in the order."""
    plain = order.as_dict() | {"checkpoint": None}
    for field in ("conditions", "styles"):
        plain[field] = [{**one, "path": None} for one in plain[field]]
    told = json.dumps({"order": plain, "facts": facts}, sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()


class Kept:
    """The folder of one job, as far as it is of this very order. ``digest`` is asked for once, when
    there is a file to judge or to write: the weights' hashes may still be on their way."""

    def __init__(
        self, folder: Path, digest: Callable[[], str], *, most_bytes: int = MOST_BYTES
    ) -> None:
        self._folder = folder
        self._digest = cache(digest)
        self._most_bytes = most_bytes
        self._latents = _LATENTS

    def of_window(self, number: int, after: str) -> Kept:
        """The same folder, for one window of a clip that has several. It begins with the picture
        whose hash ``after`` is, and what is kept of it goes with no other."""

        def digest() -> str:
            return hashlib.sha256(f"{self._digest()} {number} {after}".encode()).hexdigest()

        own = Kept(self._folder, digest, most_bytes=self._most_bytes)
        own._latents = _LATENTS_OF.format(number)
        return own

    def latents(self, device: str) -> tuple[Latents, torch.Tensor] | None:
        """Those of an earlier attempt, and the state of its generator after denoising."""
        tensors = self._read(self._latents)
        if tensors is None or _GENERATOR not in tensors:
            return None
        state = tensors.pop(_GENERATOR)
        return {name: value.to(device) for name, value in tensors.items()}, state

    def keep_latents(self, latents: Latents, state: torch.Tensor) -> None:
        """On the disk when this returns; the answers that led to them are dropped."""
        try:
            self._write(self._latents, {**latents, _GENERATOR: state})
            self._drop_answers()
        except OSError:  # a full disk ends no clip
            log.warning("latents_not_kept", exc_info=True)

    @contextmanager
    def answers(self, denoisers: tuple[nn.Module, ...]) -> Iterator[None]:
        """For the length of one denoising: replays what is kept, keeps what is computed."""
        with _Answers(self, denoisers):
            yield

    def _read(self, name: str) -> dict[str, torch.Tensor] | None:
        path = self._folder / name
        if not path.is_file():
            return None
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="pt") as opened:
                told = opened.metadata() or {}
                # Copies: the file may go, and pipelines may write into what they get.
                tensors = {key: opened.get_tensor(key).clone() for key in opened.keys()}  # noqa: SIM118
            if told.get("digest") == self._digest() and told.get("sha256") == _sum(tensors):
                return tensors
        except (OSError, SafetensorError) as error:
            log.warning("kept_file_damaged", extra={"error": str(error)[:200]})
        path.unlink(missing_ok=True)
        return None

    def _write(self, name: str, tensors: dict[str, torch.Tensor]) -> int:
        from safetensors.torch import save

        whole = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
        content = save(whole, metadata={"digest": self._digest(), "sha256": _sum(whole)})
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / f".{name}.partial"
        with partial.open("wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        partial.rename(self._folder / name)
        _sync_folder(self._folder)
        return len(content)

    def _size(self) -> int:
        return sum(path.stat().st_size for path in self._folder.glob("answer-*.safetensors"))

    def _drop_answers(self) -> None:
        for path in self._folder.glob("*answer-*"):
            path.unlink(missing_ok=True)


class _Answers:
    """Stands in for the denoisers' ``forward``; numbers their calls, whichever of them it is."""

    def __init__(self, kept: Kept, denoisers: tuple[nn.Module, ...]) -> None:
        self._kept = kept
        self._denoisers = outermost(denoisers)
        self._number = 0
        self._bytes = 0
        self._keeps = True
        self._writing: Future[int] | None = None
        self._before: list[tuple[nn.Module, Any]] = []

    def __enter__(self) -> None:
        self._bytes = self._kept._size()  # noqa: SLF001 - two halves of one thing
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="answers")
        for denoiser in self._denoisers:
            self._before.append((denoiser, denoiser.__dict__.get("forward")))
            denoiser.forward = self._standing_in(denoiser.forward)

    def __exit__(self, *_: object) -> None:
        for denoiser, forward in self._before:
            if forward is None:
                del denoiser.forward  # the class's own shows again
            else:
                denoiser.forward = forward
        self._wait()
        self._writer.shutdown()

    def _standing_in(self, forward: Callable[..., Any]) -> Callable[..., Any]:
        def answer(*args: Any, **kwargs: Any) -> Any:
            number, self._number = self._number, self._number + 1
            name = _ANSWER.format(number)
            tensors = self._kept._read(name)  # noqa: SLF001
            if tensors is not None:
                return _rebuilt(tensors, _device_of((*args, *kwargs.values())))
            made = forward(*args, **kwargs)
            if self._keeps:
                self._keep(name, made)
            return made

        return answer

    def _keep(self, name: str, made: Any) -> None:
        tensors = _flat(made)
        size = sum(value.nbytes for value in tensors.values()) if tensors else 0
        if tensors is None or self._bytes + size > self._kept._most_bytes:  # noqa: SLF001
            self._keeps = False
            return
        self._bytes += size
        # To the host here, since pipelines may write into it; to the disk beside the next step.
        copied = {key: value.detach().to("cpu", copy=True) for key, value in tensors.items()}
        self._wait()
        self._writing = self._writer.submit(self._kept._write, name, copied)  # noqa: SLF001

    def _wait(self) -> None:
        """One file at a time, so that at most two answers are in host memory."""
        writing, self._writing = self._writing, None
        try:
            if writing is not None:
                writing.result()
        except OSError:
            log.warning("answers_not_kept", exc_info=True)
            self._keeps = False


def outermost(modules: tuple[nn.Module, ...]) -> tuple[nn.Module, ...]:
    """Without those that are inside another of them."""
    inner = {id(part) for module in modules for part in module.modules() if part is not module}
    return tuple(module for module in modules if id(module) not in inner)


def _flat(made: Any) -> dict[str, torch.Tensor] | None:
    """By name and place; None for a form that cannot be rebuilt, as every pipeline of diffusers
    asks for plain tuples."""
    import torch

    if isinstance(made, torch.Tensor):
        return {"alone": made}
    if type(made) is not tuple:
        return None
    parts = {f"{place:03d}": part for place, part in enumerate(made)}
    return parts if all(isinstance(part, torch.Tensor) for part in made) else None


def _rebuilt(tensors: dict[str, torch.Tensor], device: Any) -> Any:
    if "alone" in tensors:
        return tensors["alone"].to(device)
    return tuple(tensors[name].to(device) for name in sorted(tensors))


def _device_of(values: tuple[Any, ...]) -> Any:
    import torch

    return next((value.device for value in values if isinstance(value, torch.Tensor)), "cpu")


def _sum(tensors: dict[str, torch.Tensor]) -> str:
    import torch

    summed = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].contiguous()
        summed.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        summed.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return summed.hexdigest()


def _sync_folder(folder: Path) -> None:
    """A rename is on the disk only when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
