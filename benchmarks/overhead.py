"""What the platform adds to a clip: submit to finish, against engine and encoder alone.

``python benchmarks/overhead.py [--quick] [--keep NAME]``. The last line is one JSON object. Both
ways run in turn in one warm worker process and make the same files (what poster and sheet cost is
in media.py). The platform's time begins before the submit and ends when the finish is committed.
``ratio`` is the worse of the two engines'.

On the way two figures of the same clips: ``claim_to_file_s``, from the claim to the playable file
by the database's clock, is what we quote; ``first_preview_s`` is how long after the first denoising
step a first preview lay on the disk and was told to live pages, the slower engine's median.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from uuid import uuid4

from workbench import (
    Bar,
    conclude,
    parsed,
    running_database,
    seeded_programme,
    seeded_tester,
)

# isort: split

from django.conf import settings

from accounts.credentials.queries import Actor
from generation.catalogue.commands import offer_still_model
from generation.engines.order import Order
from generation.engines.protocol import Stage, Watch
from generation.engines.registry import is_installed
from generation.jobs.commands import submit_job
from generation.jobs.folder import job_folder
from generation.jobs.models import Attempt, Job
from generation.jobs.orders import Wish
from generation.jobs.queries import lanes_waiting
from generation.jobs.rules import PREVIEW
from generation.media.recording import Shape, record
from generation.shipped.commands import offer_shipped_model
from generation.worker import rendering, watch
from generation.worker.commands import Claim, tell_progress
from generation.worker.identity import this_worker
from generation.worker.rendering import lanes_served, render_next
from generation.worker.waiting import wait_for_ring
from generation.worker.watch import LeaseWatch

BARS = {"ratio": Bar(1.05), "first_preview_s": Bar(2.0)}
LATEST_START_S = 0.1  # by then the worker is at its ear


@dataclass(frozen=True)
class Case:
    name: str
    wish: Wish
    pairs: int


class Unwatched(Watch):
    def tick(self, stage: Stage, step: int, steps: int) -> None:
        """Nobody looks."""


def main() -> None:
    options = parsed(__doc__, "two seconds of still, four steps of diffusers, few pairs")
    with running_database():
        actor = seeded_tester(seeded_programme(), 1)
        figures: dict[str, Any] = {}
        for case in cases(quick=options.quick):
            figures |= compared(actor, case)

    def worst(kind: str) -> float:
        return max(value for name, value in figures.items() if name.startswith(kind))

    told = {"ratio": worst("ratio_"), "first_preview_s": worst("first_preview_")}
    conclude({**told, "claim_to_file_s": worst("claim_to_file_"), **figures}, BARS, options)


def cases(*, quick: bool) -> list[Case]:
    offer_still_model()
    wish = Wish("a quiet harbour", "still", 1280, 720, Fraction(2 if quick else 4), seed=1)
    found = [Case("still", wish, 4 if quick else 15)]
    if not is_installed("diffusers"):
        print("diffusers is not installed: only the still engine is measured")
        return found
    model = offer_shipped_model()
    # As long as it makes them: a clip of half a second would measure the doors around it.
    tier = "turbo" if quick else "quality"
    wish = Wish(model.examples[0], model.slug, 512, 512, Fraction(8), tier=tier, seed=1)
    return [*found, Case("diffusers", wish, 2 if quick else 10)]


def compared(actor: Actor, case: Case) -> dict[str, Any]:
    ours, theirs = get_context("spawn").Pipe()
    worker = get_context("spawn").Process(target=work, args=(theirs,))
    worker.start()
    theirs.close()
    through_the_platform(ours, actor, case.wish)  # loads the model and warms up
    direct, platform, previews, files = [], [], [], []
    for pair in range(case.pairs):
        if pair % 2:
            direct.append(called_directly(ours))
        took, preview_s = through_the_platform(ours, actor, case.wish)
        platform.append(took)
        previews.append(preview_s)
        files.append(claim_to_file_s())
        if not pair % 2:
            direct.append(called_directly(ours))
    ours.send("go home")
    worker.join()
    pairs = [ours / alone for ours, alone in zip(platform, direct, strict=True)]
    wish = case.wish
    print(
        f"{case.name:10} {wish.width}x{wish.height}, {float(wish.seconds):g} s, {case.pairs} pairs:"
        f" directly {median(direct):.3f} s, through the platform {median(platform):.3f} s"
    )
    return {
        f"ratio_{case.name}": round(median(pairs), 3),
        f"direct_{case.name}_s": round(median(direct), 3),
        f"platform_{case.name}_s": round(median(platform), 3),
        f"first_preview_{case.name}_s": round(median(previews), 3),
        f"claim_to_file_{case.name}_s": round(median(files), 3),
    }


def through_the_platform(worker: Any, actor: Actor, wish: Wish) -> tuple[float, float]:
    """How long it took, and the first preview of it."""
    worker.send("serve")
    time.sleep(LATEST_START_S)
    began = time.monotonic()
    submit_job(actor=actor, wish=wish)
    ended, preview_s = worker.recv()
    return ended - began, preview_s


def claim_to_file_s() -> float:
    """Of the job that finished last."""
    job = Job.objects.latest("queue_number")
    attempt = Attempt.objects.get(job=job, outcome=Attempt.Outcome.FINISHED)
    assert job.finished_at is not None
    return (job.finished_at - attempt.began_at).total_seconds()


class Timed(LeaseWatch):
    """The worker's own watch, and when its first step was done and its first preview told."""

    stepped_at: ClassVar[float | None] = None
    told_at: ClassVar[float | None] = None

    def tick(self, stage: Stage, step: int, steps: int) -> None:
        super().tick(stage, step, steps)
        if stage is Stage.DENOISE and step and Timed.stepped_at is None:
            Timed.stepped_at = time.monotonic()


def tell_progress_timed(claim: Claim) -> None:
    tell_progress(claim)
    if Timed.told_at is None and (job_folder(claim.job.id) / PREVIEW).is_file():
        Timed.told_at = time.monotonic()


def called_directly(worker: Any) -> float:
    """The same order: the worker knows it from the job it finished last."""
    time.sleep(LATEST_START_S)  # as idle before as the other way
    worker.send("direct")
    took: float = worker.recv()
    return took


def work(commands: Any) -> None:
    """In a process of its own, until told to go home."""
    rendering.LeaseWatch, watch.tell_progress = Timed, tell_progress_timed  # type: ignore[misc]
    with TemporaryDirectory(dir=settings.VAR) as folder:
        while (command := commands.recv()) != "go home":
            if command == "serve":
                Timed.stepped_at = Timed.told_at = None
                serve_one()
                commands.send((time.monotonic(), first_preview_s()))
            else:
                commands.send(render_directly(Path(folder) / uuid4().hex))


def serve_one() -> None:
    worker = this_worker()
    while not render_next(worker):
        wait_for_ring(60, is_there_work=lambda: bool(lanes_waiting(lanes_served())))


def first_preview_s() -> float:
    """Where the clip itself was there before the next heartbeat, that is what one saw first."""
    assert Timed.stepped_at is not None, "no step was told"
    return (Timed.told_at or time.monotonic()) - Timed.stepped_at


def render_directly(folder: Path) -> float:
    order = last_order()
    engine = next(iter(rendering.ENGINES.values()))  # the one the worker has loaded
    began = time.monotonic()
    engine.load(order.checkpoint)
    shape = Shape(frames=order.frames, width=order.width, height=order.height, rate=order.rate)
    with closing(engine.render(order, Unwatched())) as frames:
        record(frames, folder, shape)
    return time.monotonic() - began


def last_order() -> Order:
    job = Job.objects.select_related("model").latest("queue_number")
    assert job.state == "finished", job.failure_code
    model = job.model
    return Order(
        prompt=job.prompt,
        seed=job.seed,
        frames=job.frames,
        rate=model.rate,
        width=job.width,
        height=job.height,
        steps=job.steps,
        tier=job.tier,
        checkpoint=Path(settings.MODELS_FOLDER) / model.checkpoint if model.checkpoint else None,
    )


if __name__ == "__main__":
    main()
