"""The longest and largest clip there is, from the claim to the row, measured."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from django.conf import settings

from generation.clips.models import Clip
from generation.media.probing import probe
from stage.builders import a_job, a_model, a_price

RENDERING = """
import django
django.setup()
from pathlib import Path
from generation.worker.identity import this_worker
from generation.worker.rendering import lanes_served, render_next

def resident_mb(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name + ":"))

lanes_served()
before = resident_mb("VmRSS")
assert render_next(this_worker())
print(resident_mb("VmHWM") - before)
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.django_db(transaction=True)
def test_ten_seconds_of_1080p_become_a_finished_clip_within_250_mb(database, tester):
    model = a_model("wide", rate_num=24, max_frames=240)
    a_price(model, "standard", 1920, 1080, credits_per_second=1).save()
    job = a_job(tester, model="wide", width=1920, height=1080, seconds=Fraction(10))
    done = subprocess.run(
        [sys.executable, "-c", RENDERING],
        env={**database.environment(), "GREENROOM_MEDIA": str(settings.MEDIA_FOLDER)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    job.refresh_from_db()
    assert (job.state, job.failure_code) == ("finished", "")

    clip = Clip.objects.get(job=job)
    files = {one.kind: one for one in clip.renditions.all()}
    assert set(files) == {"master", "poster", "sprite", "index", "proxy"}
    sizes = {"master": (1920, 1080), "proxy": (854, 480)}
    for kind, size in sizes.items():
        facts = probe(Path(settings.MEDIA_FOLDER) / files[kind].storage_key)
        assert (facts.frames, facts.rate, facts.is_faststart) == (240, Fraction(24), True)
        assert (facts.width, facts.height) == (files[kind].width, files[kind].height) == size
    assert files["proxy"].bytes < files["master"].bytes
    assert float(done.stdout) < 250
