"""A clip's recipe: everything that makes it again."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from core.ids import shown
from generation.jobs.models import Job
from generation.jobs.queries import conditions_of, extended_file_of, job_styles_of


def recipe_of(job: Job, engine_facts: dict[str, Any], encoding: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": {"slug": job.model.slug, "revision": job.model.revision},
        "tier": job.tier,
        "steps": job.steps,
        "seed": job.seed,
        "frames": job.frames,
        "rate": f"{job.rate_num}/{job.rate_den}",
        "size": [job.width, job.height],
        "generated": [job.generated_width, job.generated_height],
        # What a reader must know who takes the file for what the model made.
        **{name: engine_facts[name] for name in ("windows", "resized") if name in engine_facts},
        **_what_it_extends(job),
        **_shown_pictures(job),
        **_used_styles(job),
        "engine": engine_facts,
        "encoding": encoding,
        "greenroom": _own_version(),
    }


def _what_it_extends(job: Job) -> dict[str, Any]:
    """By the hash of the clip whose frames come first; the recipe's own ``frames`` are the new."""
    if job.extends_id is None:
        return {}
    _key, sha256 = extended_file_of(job)
    return {
        "extends": {
            "clip": shown("clip", job.extends_id),
            "master_sha256": sha256,
            "frames": job.frames_before,
            "whole_frames": job.whole_frames,
        }
    }


def _shown_pictures(job: Job) -> dict[str, Any]:
    """By the hashes of what was sent and of what the engine got of it."""
    pictures = [
        {
            "frame": one.frame,
            "strength": one.strength,
            "reference_sha256": one.reference.sha256,
            "reference_frame": one.still.frame,
            "picture_sha256": one.still.sha256,
        }
        for one in conditions_of(job)
    ]
    return {"conditions": pictures} if pictures else {}


def _used_styles(job: Job) -> dict[str, Any]:
    styles = [
        {
            "slug": one.style.slug,
            "revision": one.style.revision,
            "sha256": one.style.sha256,
            "weight": one.weight,
        }
        for one in job_styles_of(job)
    ]
    return {"styles": styles} if styles else {}


def _own_version() -> str:
    try:
        return version("greenroom")
    except PackageNotFoundError:
        return "uninstalled"
