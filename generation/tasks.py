"""Table of contents: Celery looks for tasks here."""

from generation.references.tasks import sweep_references
from generation.worker.tasks import lapse, render_waiting, sweep, watch

__all__ = ["lapse", "render_waiting", "sweep", "sweep_references", "watch"]
