"""States of endpoints and deliveries, how often sending is tried, and what it is bounded by."""

from __future__ import annotations

import random
from datetime import timedelta
from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

ENDPOINTS_PER_PARTY = 10  # the check a_party_has_ten_webhooks_at_most says the same
LONGEST_NAME = 80
LONGEST_URL = 500
LARGEST_BODY = 20_000  # the check a_webhook_body_is_small says the same
KEPT_OF_ANSWER = 300
LOG_KEPT = timedelta(days=30)  # the trigger webhook_log_stays says the same
OLD_SECRET_WORKS = timedelta(hours=24)
MOST_OLD_SECRETS = 2
MOST_REPLAYED = 500

# First, last and all waits of one attempt together; a test from a page waits less.
ANSWER_WITHIN_S = 15.0
TEST_ANSWERS_WITHIN_S = 8.0
# Longer than one attempt can take: looking the name up is given up with the rest of it.
LEASE = timedelta(seconds=60)

# After each attempt that failed; with the first at once, ten in a little over three days.
PAUSES = [
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
]
MOST_TRIES = len(PAUSES) + 1
JITTER = 0.1
LONGEST_ASKED_PAUSE = timedelta(hours=24)
# A whole endpoint rests after an attempt that nobody answered: what else waits for it is not tried
# in vain, one after another.
REST, LONGEST_REST = timedelta(seconds=5), timedelta(minutes=5)
# Nothing but failures for so long, and the endpoint is turned off.
GIVEN_UP_AFTER = timedelta(days=3)


class EndpointState(TextChoices):
    ENABLED = "enabled", _("On")
    DISABLED = "disabled", _("Off")


class Why(TextChoices):
    """Why an endpoint is off."""

    OWNER = "owner", _("You turned it off.")
    GONE = "gone", _("It answered 410: gone, for good.")
    NO_ANSWER = "no_answer", _("Nothing but failures for three days.")
    CREDENTIAL = (
        "credential_revoked",
        _("The token or sign-in that made or changed it was revoked."),
    )


class State(TextChoices):
    WAITING = "waiting", _("Waiting")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Given up")
    DROPPED = "dropped", _("Not sent")


class Move(StrEnum):
    DELIVER = "deliver"
    GIVE_UP = "give_up"
    DROP = "drop"
    REPLAY = "replay"


# The trigger webhook_delivery_law says the same.
MOVES: dict[tuple[State, Move], State] = {
    (State.WAITING, Move.DELIVER): State.DELIVERED,
    (State.WAITING, Move.GIVE_UP): State.FAILED,
    (State.WAITING, Move.DROP): State.DROPPED,
    (State.DELIVERED, Move.REPLAY): State.WAITING,
    (State.FAILED, Move.REPLAY): State.WAITING,
    (State.DROPPED, Move.REPLAY): State.WAITING,
}


def pause_after(tries: int, asked: timedelta | None = None) -> timedelta:
    """How long until the next try. ``asked`` is the server's own ``Retry-After``: it lengthens the
    pause, up to a day. A tenth of it at most is chance, so that what failed together does not come
    back together."""
    pause = PAUSES[min(tries, len(PAUSES)) - 1]
    if asked is not None:
        pause = max(pause, min(asked, LONGEST_ASKED_PAUSE))
    return pause * random.uniform(1, 1 + JITTER)  # noqa: S311  (no secret)


def rest_after(failures: int) -> timedelta:
    """How long a whole endpoint rests, by its failures in a row."""
    doubled: int = 2 ** min(failures - 1, 10)
    return min(REST * doubled, LONGEST_REST)
