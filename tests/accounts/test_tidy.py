"""Housekeeping runs through its task and needs nobody."""

import pytest

from accounts.credentials.models import Credential
from accounts.tasks import tidy
from greenroom.schedule import beat_schedule

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_task_of_the_schedule_ends_what_ran_out(tester, clock):
    token = tester.token(days=1)
    clock.advance(days=2)
    assert tidy.name == beat_schedule["tidy-accounts"]["task"]
    tidy()
    assert Credential.objects.get(key_id=token[6:18]).state == "expired"
