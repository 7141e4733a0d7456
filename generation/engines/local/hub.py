"""Weights from a hub, at one commit, where the operator says so. Nothing else here reaches out."""

from __future__ import annotations

import re
from pathlib import Path

from generation.engines.protocol import EngineFailure, FailureCode

_COMMIT = re.compile(r"[0-9a-f]{40}")
_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_WANTED = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]


def is_hub_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def fetched(hub_id: str, revision: str, into: Path) -> Path:
    """The files of that commit in ``into``: configurations, tokenizers, safetensors. No pickles.

    Raises ``EngineFailure`` for a revision that is no commit (a branch would move), for a hub that
    is away and for one that does not know it.
    """
    if not _COMMIT.fullmatch(revision):
        raise EngineFailure(FailureCode.CHECKPOINT_MISSING, f"{revision!r} is not a whole commit")
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(hub_id, revision=revision, local_dir=into, allow_patterns=_WANTED)
    except Exception as error:  # the library raises of its own, of its client and of the system
        detail = f"{type(error).__name__}: {error}"[:500]
        raise EngineFailure(FailureCode.CHECKPOINT_MISSING, detail) from error
    return into
