"""Table of contents: Celery looks for tasks here."""

from review.desk.tasks import decide, watch

__all__ = ["decide", "watch"]
