"""docs/own_programme.md, word by word: an empty installation to a tester's first clip."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from greenroom.checkout import CHECKOUT
from stage.houses import READY_LIMIT_S, OwnHouse, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
GUIDE = CHECKOUT / "docs/own_programme.md"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[OwnHouse]:
    made = OwnHouse(tmp_path / "var", GREENROOM_EMPTY="1")
    try:
        made.start()
        until(lambda: "Greenroom is ready at" in made.said or made.is_ready(), READY_LIMIT_S)
        yield made
    finally:
        made.end()


def commands() -> str:
    """Everything the guide tells its reader to type in the second terminal, in order."""
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE))


def test_the_guide_leads_from_nothing_to_a_first_clip(house: OwnHouse) -> None:
    until(lambda: "first_admin" in house.said)
    assert "Sign in as" not in house.said
    assert not (house.folder / "demo.json").exists()
    environment = {**house.environment, "GREENROOM_ADDRESS": f"http://localhost:{house.port}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands()],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing is wrong" in done.stdout
    assert '"state":"finished"' in done.stdout.replace(" ", "")
    letters = house.folder / "mail"
    until(lambda: len(list(letters.glob("*.eml"))) >= 3, 120)
    invited = "".join(each.read_text() for each in letters.glob("*.eml"))
    assert "artist@example.org" in invited
    assert "second-guest@example.org" in invited
    # A secret stands on the screen that makes it, and nowhere else.
    assert "grm_" not in invited
