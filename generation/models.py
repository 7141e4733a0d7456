"""Table of contents: Django looks for models here."""

from generation.catalogue.models import AllowedModels, PriceRow, VideoModel
from generation.checkpoints.models import ModelCheck, ModelTier
from generation.clips.models import Clip, FilesBefore, HeldBack, Removal, Viewing
from generation.jobs.models import (
    Attempt,
    DeletedVideo,
    Job,
    JobCondition,
    JobRequest,
    JobStyle,
)
from generation.machines.models import WorkerCredential
from generation.placement.models import Device, Placement
from generation.references.models import Reference, ReferenceStill
from generation.renditions.models import Opening, Rendition
from generation.styles.models import Style, StyleFit
from generation.threads.models import Thread

__all__ = [
    "AllowedModels",
    "Attempt",
    "Clip",
    "DeletedVideo",
    "Device",
    "FilesBefore",
    "HeldBack",
    "Job",
    "JobCondition",
    "JobRequest",
    "JobStyle",
    "ModelCheck",
    "ModelTier",
    "Opening",
    "Placement",
    "PriceRow",
    "Reference",
    "ReferenceStill",
    "Removal",
    "Rendition",
    "Style",
    "StyleFit",
    "Thread",
    "VideoModel",
    "Viewing",
    "WorkerCredential",
]
