"""Table of contents: Django looks for models here."""

from generation.catalogue.models import AllowedModels, PriceRow, VideoModel
from generation.checkpoints.models import ModelCheck, ModelTier
from generation.clips.models import Clip, Removal, Viewing
from generation.jobs.models import Attempt, Job, JobCondition
from generation.placement.models import Device, Placement
from generation.references.models import Reference, ReferenceStill
from generation.renditions.models import Opening, Rendition
from generation.threads.models import Thread

__all__ = [
    "AllowedModels",
    "Attempt",
    "Clip",
    "Device",
    "Job",
    "JobCondition",
    "ModelCheck",
    "ModelTier",
    "Opening",
    "Placement",
    "PriceRow",
    "Reference",
    "ReferenceStill",
    "Removal",
    "Rendition",
    "Thread",
    "VideoModel",
    "Viewing",
]
