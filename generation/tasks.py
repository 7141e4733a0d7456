"""Table of contents: Celery looks for tasks here."""

from generation.worker.tasks import lapse, render_waiting, sweep, watch

__all__ = ["lapse", "render_waiting", "sweep", "watch"]
