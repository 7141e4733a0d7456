"""Where the web is another machine: what an order needs is fetched before it is rendered, and what
was made is sent before the job is finished. Where both share the media folder nothing is carried.

All of it lies in a folder of the attempt's own, ``carried/<attempt>`` below this machine's media
folder, which goes when the attempt is over.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

from django.conf import settings

from core.errors import StorageFull
from generation.engines.protocol import EngineFailure, Stage
from generation.engines.remote.line import ServerAway
from generation.engines.remote.wire import Answer, AnswerGarbled
from generation.jobs.folder import clear_all_that_are_over
from generation.jobs.models import Attempt
from generation.jobs.queries import NeededFile, files_needed
from generation.media.failure import MediaCode
from generation.media.recording import Recorded
from generation.worker.commands import Claim
from generation.worker.identity import Worker
from generation.worker.watch import LeaseWatch
from generation.worker.web import NoCredential, the_web

log = logging.getLogger("greenroom.worker")

FOLDER = "carried"
FETCHING = ".fetching-"
AWAY_S = 120.0  # how long a web that does not answer is asked again, for each file
PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
BREATH_S = 0.1
SIGN_OF_LIFE_S = 5.0
PASSING = (408, 425, 429, 500, 502, 503, 504)


class NotCarried(Exception):
    """The web does not answer, or does not take what it is given. Nothing of the clip is lost but
    this attempt."""

    def __init__(self, *, code: str, told: str, may_pass: bool = True) -> None:
        super().__init__(f"{code}: {told}")
        self.code = code
        self.may_pass = may_pass


def is_carried() -> bool:
    return bool(settings.FILES_ADDRESS)


def own_folder(attempt_id: UUID) -> Path:
    return Path(settings.MEDIA_FOLDER) / FOLDER / str(attempt_id)


def is_welcome(worker: Worker) -> bool:
    """Whether the web would take a clip from here now. Else no job is claimed: it would be rendered
    for nothing, and lose an attempt."""
    told = "" if not is_carried() else why_not_welcome(worker.host)
    if told:
        log.warning("not_welcome", extra={"machine": worker.host, "told": told})
    return not told


def why_not_welcome(machine: str) -> str:
    """Empty where all is well; else what is wrong, for the operator."""
    try:
        answer, named = the_web().machine(_nobody_waits)
    except (NoCredential, ServerAway, AnswerGarbled) as error:
        return f"{settings.FILES_ADDRESS}: {error}"
    if not answer.is_fine:
        return f"{settings.FILES_ADDRESS}: {_told(answer)}"
    if named != machine:
        return f"this is the credential of {named or 'nobody'}, and here is {machine}"
    return ""


def fetch_needed(claim: Claim, watch: LeaseWatch) -> Path:
    """The folder under which the order's pictures lie by their storage keys. Raises ``NotCarried``,
    and ``EngineFailure`` where the web has one of its files no more."""
    root = own_folder(claim.attempt_id) / "needed"
    for file in files_needed(claim.job.id):
        if file.below == "media":
            _fetch(claim, watch, file, root / file.storage_key)
        else:
            _fetch_once(claim, watch, file, Path(settings.MODELS_FOLDER) / file.storage_key)
    return root


def _fetch_once(claim: Claim, watch: LeaseWatch, file: NeededFile, path: Path) -> None:
    """A style's file is named by its hash and stays, like a checkpoint."""
    if not path.is_file():
        partial = path.with_name(f"{FETCHING}{claim.attempt_id}")
        _fetch(claim, watch, file, partial)
        partial.rename(path)


def _fetch(claim: Claim, watch: LeaseWatch, file: NeededFile, path: Path) -> None:
    pause = _sign_of_life(watch, Stage.LOAD)
    path.parent.mkdir(parents=True, exist_ok=True)

    def once() -> Answer:
        with path.open("wb") as opened:
            return the_web().get(
                (claim.attempt_id, claim.fence),
                file.sha256,
                file=opened,
                most_bytes=file.size_bytes,
                pause=pause,
            )

    answer = _carried(once, pause)
    missing = file.missing
    if answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise EngineFailure(missing, file.storage_key)
    _must_be_fine(answer)
    with path.open("rb") as opened:
        if hashlib.file_digest(opened, "sha256").hexdigest() != file.sha256:
            raise EngineFailure(missing, f"{file.storage_key} came damaged")


def send_made(claim: Claim, watch: LeaseWatch, files: list[Recorded]) -> None:
    """Each whole and under its own name on the web's disk after this. Raises ``NotCarried``."""
    for file in files:
        _send(claim, watch, file)


def _send(claim: Claim, watch: LeaseWatch, file: Recorded) -> None:
    pause = _sign_of_life(watch, Stage.ENCODE)
    place = (claim.attempt_id, claim.fence)
    _must_be_fine(
        _carried(lambda: the_web().put(place, file.path, file.facts.sha256, pause), pause)
    )


def forget(claim: Claim) -> None:
    """What this attempt fetched and made here: the web has it, or nobody needs it."""
    if is_carried():
        shutil.rmtree(own_folder(claim.attempt_id), ignore_errors=True)


def clear_own_folder() -> None:
    """What killed workers of this machine left. Never touches what the web keeps."""
    if not is_carried():
        return
    clear_all_that_are_over()
    open_ones = {
        str(one) for one in Attempt.objects.filter(ended_at=None).values_list("id", flat=True)
    }
    for folder in (Path(settings.MEDIA_FOLDER) / FOLDER).glob("*"):
        if folder.name not in open_ones:
            shutil.rmtree(folder, ignore_errors=True)
    for partial in Path(settings.MODELS_FOLDER).glob(f"*/{FETCHING}*"):
        if partial.name.removeprefix(FETCHING) not in open_ones:
            partial.unlink(missing_ok=True)


def _carried(once: Callable[[], Answer], pause: Callable[[], None]) -> Answer:
    """The first answer that another try would not change."""
    until, pause_s = time.monotonic() + AWAY_S, PAUSE_S
    while True:
        try:
            answer = once()
        except NoCredential as error:
            raise NotCarried(code="web_refused", told=str(error)) from error
        except (ServerAway, AnswerGarbled) as error:
            told = str(error)
        else:
            if answer.status not in PASSING:
                return answer
            told = _told(answer)
        if time.monotonic() > until:
            raise NotCarried(code="web_away", told=told)
        log.warning("web_away", extra={"told": told})
        _wait(pause_s, pause)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def _must_be_fine(answer: Answer) -> None:
    if answer.status == HTTPStatus.INSUFFICIENT_STORAGE:
        # The next attempt would find the same disk, from this machine or another.
        raise NotCarried(code=MediaCode.DISK_FULL, told=StorageFull.code, may_pass=False)
    if not answer.is_fine:
        raise NotCarried(code="web_refused", told=_told(answer))


def _told(answer: Answer) -> str:
    return f"HTTP {answer.status} {answer.body[:200].decode('utf-8', 'replace')}".strip()


def _wait(seconds: float, pause: Callable[[], None]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pause()
        time.sleep(BREATH_S)


def _sign_of_life(watch: LeaseWatch, stage: Stage) -> Callable[[], None]:
    """Carrying has limits of its own, so it never counts as standing still; a cancel is heard."""
    began = time.monotonic()

    def breathe() -> None:
        number = 1 + int((time.monotonic() - began) / SIGN_OF_LIFE_S)
        watch.tick(stage, number, number)

    return breathe


def _nobody_waits() -> None:
    """No job is under way yet."""
