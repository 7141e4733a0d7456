"""What a job has on the disk until it is over: what a later attempt resumes from, and its preview.

Never a clip's file: those belong to attempts. Workers and web see it where they share the media
folder; elsewhere a job simply starts anew and shows no preview.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import UUID

from django.conf import settings

from generation.jobs.models import Job
from generation.jobs.rules import FOLDER, OVER, PREVIEW, State

RESUME = "resume"


def job_folder(job_id: UUID) -> Path:
    return Path(settings.MEDIA_FOLDER) / FOLDER / str(job_id)


def has_preview(job: Job) -> bool:
    return job.state == State.RUNNING and (job_folder(job.id) / PREVIEW).is_file()


def clear_if_over(job_id: UUID) -> bool:
    """Kept while the job waits for another attempt or for its owner's word."""
    folder = job_folder(job_id)
    if not folder.exists() or not Job.objects.filter(id=job_id, state__in=OVER).exists():
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True


def clear_all_that_are_over() -> int:
    """Jobs that ended elsewhere: cancelled while they waited, failed by the watchdog, erased."""
    root = Path(settings.MEDIA_FOLDER) / FOLDER
    if not root.is_dir():
        return 0
    folders = {found: folder for folder in root.iterdir() if (found := _id_in(folder.name))}
    live = Job.objects.filter(id__in=folders).exclude(state__in=OVER)
    gone = set(folders) - set(live.values_list("id", flat=True))
    for job_id in gone:
        shutil.rmtree(folders[job_id], ignore_errors=True)
    return len(gone)


def _id_in(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
