"""Web and workers end before they serve or work, where production would be unsafe."""

import subprocess
import sys

import pytest

from accounts.people.models import Person
from greenroom.checkout import CHECKOUT
from greenroom.environment import PLACEHOLDER_KEY

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

WEB = "import greenroom.asgi"
WORKER = (
    "import greenroom.celery, django; django.setup();"
    "from celery.signals import worker_init; worker_init.send(sender=None)"
)


def start(database, program, **environment):
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=CHECKOUT,
        env={
            **database.environment(),
            "GREENROOM_MODE": "production",
            "GREENROOM_HOSTS": "greenroom.example",
            "GREENROOM_ADDRESS": "https://greenroom.example",
            "GREENROOM_SECRET_KEY": "k" * 64,
            "GREENROOM_PEPPERS": '{"1": "p"}',
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("program", [WEB, WORKER])
def test_a_production_start_with_demonstration_people_is_refused(database, program):
    Person.objects.create_user("tester@example.org", "x", is_demonstration=True)
    refused = start(database, program)
    assert refused.returncode == 1
    assert "demonstration people" in refused.stderr


@pytest.mark.parametrize("program", [WEB, WORKER])
def test_a_placeholder_secret_is_refused(database, program):
    refused = start(database, program, GREENROOM_SECRET_KEY=PLACEHOLDER_KEY)
    assert refused.returncode == 1
    assert "placeholder" in refused.stderr


@pytest.mark.parametrize("program", [WEB, WORKER])
def test_an_orderly_production_starts(database, program):
    started = start(database, program)
    assert started.returncode == 0, started.stderr


def test_the_demonstration_itself_starts_with_its_people(database):
    Person.objects.create_user("tester@example.org", "x", is_demonstration=True)
    assert start(database, WEB, GREENROOM_MODE="demo").returncode == 0
