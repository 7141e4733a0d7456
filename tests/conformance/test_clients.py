"""The stock SDKs of OpenAI work unchanged: every method, every kind of error, every retry. And a
Python client that anybody may generate from our description completes the journey."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from conformance.conftest import DRIVERS, ENVIRONMENTS, HERE, Driver, House, Told, begin

from core.ids import read_id, shown
from generation.jobs.models import Job
from generation.jobs.rules import State
from greenroom.api.schema import document

# Its first test waits for all drivers.
pytestmark = [pytest.mark.conformance, pytest.mark.django_db, pytest.mark.timeout(1300)]

CHECKS = [
    pytest.param(driver.name, check, id=f"{driver.name}-{check}")
    for driver in DRIVERS
    for check in driver.checks
]


@pytest.mark.parametrize(("driver", "check"), CHECKS)
def test_what_the_sdk_promises_is_so(told: Told, driver: str, check: str) -> None:
    said = told.of(driver, check)
    assert said["ok"], said["said"]
    facts = said["facts"]
    if "prompt" in facts:
        made = Job.objects.filter(prompt=facts["prompt"])
        assert made.count() == facts.get("jobs", 1)
        assert facts.get("job", shown("job", made[0].id)) == shown("job", made[0].id)
    if "cancelled" in facts:
        job = Job.objects.get(id=read_id("job", facts["cancelled"]))
        assert job.state == State.CANCELLED


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.name)
def test_no_driver_makes_a_check_that_is_not_counted(told: Told, driver: Driver) -> None:
    assert set(told.said[driver.name]) == set(driver.checks)


ENVIRONMENT = ENVIRONMENTS / "client/bin"
PATIENCE_S = 900


@pytest.fixture(scope="module")
def generated(house: House, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of the package, and what its maker said."""
    folder = tmp_path_factory.mktemp("generated")
    description = folder / "openapi.json"
    description.write_bytes(house.web.ask("GET", "/api/openapi.json").content)
    maker = [str(ENVIRONMENT / "openapi-python-client"), "generate", "--meta", "none"]
    maker += ["--config", str(HERE / "generator.yaml")]
    words = [*maker, "--path", str(description), "--output-path", str(folder / "greenroom_client")]
    process = begin(words, PATH=f"{ENVIRONMENT}:/usr/bin:/bin")
    said, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said + errors
    return folder, said


def test_the_client_can_ask_whatever_is_described(generated: tuple[Path, str]) -> None:
    folder, said = generated
    assert "will not be generated" not in said, said
    made = [
        path for path in (folder / "greenroom_client/api").glob("*/*.py") if path.stem != "__init__"
    ]
    described = [each for methods in document()["paths"].values() for each in methods]
    assert len(made) == len(described) > 100


def test_it_goes_from_a_quote_to_the_earnings(generated: tuple[Path, str], house: House) -> None:
    process = begin(
        [str(ENVIRONMENT / "python"), str(HERE / "journey.py")], PYTHONPATH=str(generated[0])
    )
    world = {"address": house.web.address, "token": house.world.traveller}
    try:
        said, errors = process.communicate(json.dumps(world), timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 0, errors[-3000:]
    found = json.loads(said)
    assert {"still", "later"} <= set(found["models"])
    assert (found["price"], found["charged"]) == (1, 1)
    assert found["is_one_order"]
    assert found["listed"] == [found["job"]]
    assert found["clip"].startswith("clp_")
    assert found["part"] == [206, "ftyp"]
    assert found["bytes"][0] == found["bytes"][1] > 1000
    assert found["submission"] == "queued"
    assert found["spent"] == 1
    assert (found["owed_micro"], found["lines"]) == (0, 0)
    assert found["refused"] == [404, "not_found"]
