"""What a trouble of torch means to the one who waits for a clip."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from generation.engines.local.watching import Ticker
from generation.engines.order import OrderRefused
from generation.engines.protocol import EngineFailure, FailureCode


@contextmanager
def failures(ticker: Ticker | None, otherwise: FailureCode) -> Iterator[None]:
    """Whatever is neither a refusal nor the watch's own becomes an ``EngineFailure``."""
    try:
        yield
    except EngineFailure as failure:
        _tidy(failure.code)
        raise
    except OrderRefused:  # some limits show only in the loaded model
        raise
    except Exception as error:
        if ticker is not None and error is ticker.raised:
            raise
        code = code_of(error) or otherwise
        _tidy(code)
        raise EngineFailure(code, f"{type(error).__name__}: {error}"[:2000]) from error


def code_of(error: Exception) -> FailureCode | None:
    import torch

    text = str(error).lower()
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        isinstance(error, RuntimeError) and ("allocate memory" in text or "out of memory" in text)
    ):
        return FailureCode.OUT_OF_MEMORY
    if isinstance(error, torch.AcceleratorError) or "cuda error" in text:
        return FailureCode.DEVICE_LOST
    return None


def free_device() -> None:
    gc.collect()
    torch = sys.modules.get("torch")  # closing an engine that never loaded must not import it
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _tidy(code: FailureCode) -> None:
    if code is FailureCode.OUT_OF_MEMORY:
        free_device()
