"""Table of contents: Django looks for models here."""

from generation.catalogue.models import AllowedModels, PriceRow, VideoModel
from generation.checkpoints.models import ModelCheck, ModelTier
from generation.clips.models import Clip, Removal, Viewing
from generation.jobs.models import Attempt, Job
from generation.renditions.models import Opening, Rendition
from generation.threads.models import Thread

__all__ = [
    "AllowedModels",
    "Attempt",
    "Clip",
    "Job",
    "ModelCheck",
    "ModelTier",
    "Opening",
    "PriceRow",
    "Removal",
    "Rendition",
    "Thread",
    "VideoModel",
    "Viewing",
]
