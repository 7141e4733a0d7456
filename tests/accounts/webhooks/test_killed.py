"""Whoever is killed between sending and writing that down: the event arrives again, as the same."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from accounts.webhooks.delivering import deliver_due
from accounts.webhooks.models import WebhookDelivery
from accounts.webhooks.rules import LEASE, State
from stage.builders import a_job
from stage.receiver import happened

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

KILLED = Path(__file__).with_name("killed_sender.py")


def test_killed_after_the_receiver_took_it_the_same_event_arrives_again_under_the_same_id(
    tester, hook, receiver, database, clock
):
    _, secret = hook(tester)
    happened(tester, "job.failed", "job", a_job(tester).id, code="engine_error", charged=0)
    done = subprocess.run(
        [sys.executable, str(KILLED)],
        env=database.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.attempts) == (State.WAITING, 1)
    assert deliver_due() == 0, "while the lease lasts nobody knows that the sender is dead"
    clock.advance(LEASE)
    assert deliver_due() == 1
    first, second = receiver.arrived
    assert (first.id, first.body) == (second.id, second.body)
    assert second.verified(secret)
