"""Table of contents: Django looks for models here."""

from generation.catalogue.models import PriceRow, VideoModel
from generation.clips.models import Clip, Viewing
from generation.jobs.models import Attempt, Job
from generation.renditions.models import Opening, Rendition
from generation.threads.models import Thread

__all__ = [
    "Attempt",
    "Clip",
    "Job",
    "Opening",
    "PriceRow",
    "Rendition",
    "Thread",
    "VideoModel",
    "Viewing",
]
