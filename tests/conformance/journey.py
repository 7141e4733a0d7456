"""A journey with a client that was generated from our description, in an environment of its own.

``python journey.py`` finds the generated package on its path, reads where the house is from
standard input, and prints one JSON object: what it found on its way.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from greenroom_client import AuthenticatedClient
from greenroom_client.api.clips import clips_read
from greenroom_client.api.earnings import earnings_lines_list, earnings_read
from greenroom_client.api.jobs import jobs_create, jobs_list, jobs_read
from greenroom_client.api.media import media_read
from greenroom_client.api.models import models_list
from greenroom_client.api.quota import quota_read
from greenroom_client.api.quotes import quotes_create
from greenroom_client.api.submissions import submissions_create, submissions_read
from greenroom_client.models import (
    JobWishRequest,
    NewSubmissionRequest,
    Problem,
    QuoteWishRequest,
)

PATIENCE_S = 300
SIZE = {"model": "still", "size": "640x360", "seconds": 1}


def main() -> None:
    world = json.load(sys.stdin)
    client = AuthenticatedClient(
        base_url=world["address"], token=world["token"], raise_on_unexpected_status=True
    )
    names = [model.slug for model in good(models_list.sync(client=client)).items]
    quote = good(quotes_create.sync(client=client, body=QuoteWishRequest(**SIZE)))
    wish = JobWishRequest(prompt="a journey", seed=7, **SIZE)
    order = good(jobs_create.sync(client=client, body=wish, idempotency_key="journey"))
    again = good(jobs_create.sync(client=client, body=wish, idempotency_key="journey"))
    job = followed(client, order.id)
    clip = good(clips_read.sync(job.clip, client=client))
    master = next(each for each in clip.renditions if each.kind == "master")
    part = media_read.sync_detailed(master.id, client=client, range_="bytes=4-7")
    whole = media_read.sync_detailed(master.id, client=client)
    wished = NewSubmissionRequest(clip=clip.id, note="Nothing to see but fog.")
    submission = good(submissions_create.sync(client=client, body=wished))
    earnings = good(earnings_read.sync(client=client))
    refused = jobs_read.sync("job_" + "0" * 26, client=client)
    assert isinstance(refused, Problem)
    found: dict[str, Any] = {
        "models": names,
        "price": quote.price_credits,
        "charged": job.charged_credits,
        "is_one_order": order.id == again.id,
        "listed": [each.id for each in good(jobs_list.sync(client=client)).items],
        "job": job.id,
        "clip": clip.id,
        "part": [part.status_code, part.content.decode()],
        "bytes": [len(whole.content), clip.bytes_],
        "submission": good(submissions_read.sync(submission.id, client=client)).state,
        "spent": good(quota_read.sync(client=client)).spent,
        "owed_micro": earnings.owed_micro,
        "lines": len(good(earnings_lines_list.sync(client=client)).items),
        "refused": [refused.status, refused.code],
    }
    print(json.dumps(found, default=str))


def followed(client: AuthenticatedClient, job_id: str) -> Any:
    over = time.monotonic() + PATIENCE_S
    while time.monotonic() < over:
        job = good(jobs_read.sync(job_id, client=client))
        if job.state not in {"queued", "running"}:
            return job
        time.sleep(0.1)
    raise AssertionError(f"{job_id} never came to an end")


def good(answer: Any) -> Any:
    """What was asked for, and no problem."""
    assert answer is not None
    assert not isinstance(answer, Problem), answer
    return answer


if __name__ == "__main__":
    main()
