"""The garbage collector, kept from looking through torch, diffusers and transformers every time."""

from __future__ import annotations

import gc


def spare_what_is_imported() -> None:
    """Each closed engine collects, which among these libraries takes a quarter of a second."""
    gc.collect()
    gc.freeze()
