"""Table of contents: Celery looks for tasks here."""

from review.desk.tasks import decide, watch
from review.retention.tasks import retain

__all__ = ["decide", "retain", "watch"]
