"""What the heartbeat tells of a run: in the steps that were ordered, whatever the engine counts."""

from __future__ import annotations

import pytest

from generation.engines.protocol import Stage
from generation.jobs.models import Job
from generation.jobs.rules import cost_when_cancelled
from generation.worker.watch import LeaseWatch
from stage.builders import a_job, claim_of


@pytest.mark.parametrize(
    ("step", "steps", "told"),
    [(0, 4, 0), (3, 4, 3), (4, 4, 4), (7, 16, 1), (8, 16, 2), (15, 16, 3), (16, 16, 4), (5, 7, 2)],
)
def test_a_clip_of_several_windows_is_told_in_the_steps_that_are_charged(tester, step, steps, told):
    job = a_job(tester)
    assert job.steps == 4
    watch = LeaseWatch(claim_of(job))
    watch.tick(Stage.DENOISE, step, steps)
    watch._renew()
    assert watch.steps_done == told
    assert Job.objects.get().steps_done == told
    charged = cost_when_cancelled(100, steps_done=watch.steps_done, steps=job.steps)
    assert charged == 25 * told
