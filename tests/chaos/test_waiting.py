"""The process that waits for servers elsewhere, as the parent starts it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from chaos.conftest import Crew, wait_until

from generation.placement.models import Device

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_it_announces_its_slots_and_ends_in_order_when_it_is_asked(
    crew: Crew, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "greenroom.parent.worker", "remote", "3"]
    with (tmp_path / "remote.log").open("w") as log:
        process = subprocess.Popen(command, env=crew.environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: Device.objects.filter(name="remote", slots=3))
        process.terminate()
        assert process.wait(60) == 0, (tmp_path / "remote.log").read_text()
    finally:
        process.kill()
        process.wait()
