"""What the catalogue keeps of a checkpoint: family, hashes of its files, and its tiers."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from generation.engines.local.checkpoint import file_hashes
from generation.engines.local.reading import read_checkpoint
from generation.engines.local.tiers import Tier, is_lossy
from generation.engines.protocol import Inspection, TierFacts

USUAL_STEPS = {"turbo": 8, "standard": 30, "quality": 50}
"""Where a checkpoint does not say; never more than it allows."""


def inspected(folder: Path | None) -> Inspection:
    """Reads every file once. Raises ``EngineFailure``."""
    found = read_checkpoint(folder)
    most = found.preset.most_steps
    return Inspection(
        family=found.family,
        weights=file_hashes(found.folder),
        tiers={name: _facts(name, tier, most) for name, tier in found.preset.tiers.items()},
        words=found.preset.words,
        examples=found.preset.examples,
    )


def _facts(name: str, tier: Tier, most_steps: int) -> TierFacts:
    said = tier.steps or (len(tier.sigmas) if tier.sigmas else None)
    return TierFacts(
        steps=said or min(USUAL_STEPS[name], most_steps),
        levers=tier.levers(),
        is_lossy=is_lossy(name, tier),
        measured={} if tier.measured is None else asdict(tier.measured),
    )
