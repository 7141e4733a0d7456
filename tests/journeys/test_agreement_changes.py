"""Version 2 of the agreement: worked past, declined, accepted. What each answer stops, and not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from journeys.forms import Forms, send

from core.ids import read_id, shown
from generation.catalogue.commands import offer_still_model
from generation.clips.models import Clip
from generation.worker.identity import this_worker
from generation.worker.rendering import render_next
from greenroom.checkout import CHECKOUT
from stage.cast import Member
from stage.clock import Clock
from stage.money import a_contribution, a_rate, an_earning

pytestmark = pytest.mark.django_db(transaction=True)

ORDER = {"prompt": "A harbour", "model": "still", "size": "640x360", "seconds": "1"}
CHANGES = "You may also make songs."


def test_a_new_version_is_worked_past_declined_and_accepted(
    tester: Member, reviewer: Member, manager: Member, clock: Clock, tmp_path: Path
) -> None:
    offer_still_model()
    a_rate(tester.programme.id)
    artist = tester.client
    first = order(artist)
    an_earning(tester, reviewer)

    publish(manager, clock)
    studio = artist.get("/").text
    assert "Version 2 of the programme's agreement is out" in studio
    # Nothing is in the way: the old version governs.
    second = order(artist)
    assert [made_under(each) for each in (first, second)] == [1, 1]
    page = artist.get("/agreement").text
    assert CHANGES in page
    assert re.search(r"<ins>.*songs.*</ins>", page, re.DOTALL)

    declined = send(artist, "/agreement", "/agreement/decline")
    assert "You declined version 2" in declined.text
    assert refused(artist) == 403
    assert contribution_by(tester).status_code == 403
    nothing_else_stopped(tester, first)

    accepted = send(artist, "/agreement", "/agreement/accept")
    assert "You have accepted the agreement" in accepted.text
    assert made_under(order(artist)) == 2
    a_contribution(tester)

    receipts_verify_offline(tester, tmp_path)


def publish(manager: Member, clock: Clock) -> None:
    wish = {
        "text": "You may make clips and songs. You may say what you think of them.",
        "summary": "Make clips and songs, speak freely.",
        "changes": CHANGES,
        "answer_by": (clock.now() + timedelta(days=10)).isoformat(),
        "seen": 1,
    }
    made = manager.api.post("/api/v1/agreement/versions", wish)
    assert made.status_code == 200, made.json()


def filled(artist: Client) -> dict[str, str]:
    """The form of a new clip with its price, as a browser without scripts has it."""
    form = {"tier": "standard", "seed": "7", **ORDER}
    priced = send(artist, "/clips/new", "/clips/new", status=422, **form)
    fields = next(fields for action, fields in Forms(priced.text).found if action == "/clips/new")
    return {**fields, **form}


def order(artist: Client) -> str:
    made = artist.post("/clips/new", filled(artist), follow=True)
    assert render_next(this_worker())
    found = re.search(r"clp_[0-9a-z]{26}", artist.get(made.redirect_chain[-1][0]).text)
    assert found
    return found[0]


def refused(artist: Client) -> int:
    form = {"tier": "standard", "seed": "7", **ORDER}
    answer = artist.post("/clips/new", {"key": "one-of-its-own", **form})
    assert "accept the programme" in answer.text
    return answer.status_code


def contribution_by(tester: Member) -> Any:
    wish = {"kind": "bug_report", "title": "The lamp flickers", "words": "In frames 2 and 3."}
    return tester.api.post("/api/v1/contributions", wish)


def made_under(clip: str) -> int:
    found = Clip.objects.select_related("job__acceptance__version")
    return next(
        each.job.acceptance.version.number for each in found if shown("clip", each.id) == clip
    )


def nothing_else_stopped(tester: Member, clip: str) -> None:
    artist = tester.client
    for page in (f"/clips/{clip}", "/", "/exports", "/credits", "/consents", "/agreement/history"):
        assert artist.get(page).status_code == 200, page
    assert "25.00" in artist.get("/earnings").text
    # What the router asks before it sends a file.
    files = tester.api.get(f"/api/v1/clips/{clip}").json()["renditions"]
    assert files
    for file in files:
        asked = [read_id("rendition", file["id"]), tester.party_id]
        with connection.cursor() as cursor:
            cursor.execute("SELECT is_owner FROM rendition_for(%s, %s)", asked)
            assert cursor.fetchone() == (True,)


def receipts_verify_offline(tester: Member, folder: Path) -> None:
    """By the program that is handed out, in a Python that cannot see this house."""
    artist = tester.client
    keys = folder / "keys.json"
    keys.write_bytes(artist.get("/.well-known/greenroom-keys.json").content)
    urls = re.findall(
        r"/agreement/acts/acp_[0-9a-z]{26}/receipt", artist.get("/agreement/history").text
    )
    assert len(set(urls)) == 3
    said = []
    for number, url in enumerate(sorted(set(urls))):
        receipt = folder / f"receipt-{number}.json"
        receipt.write_bytes(artist.get(url).content)
        keys.write_bytes(artist.get("/.well-known/greenroom-keys.json").content)
        assert verified(receipt, keys), url
        document = json.loads(receipt.read_text())
        said.append((document["agreement"]["number"], document["act"]["act"]))
        for field, other in (("text", "You may make nothing."), ("published_at", "2020-01-01")):
            receipt.write_text(
                json.dumps({**document, "agreement": {**document["agreement"], field: other}})
            )
            assert not verified(receipt, keys)
        changed = {**document, "act": {**document["act"], "at": "2020-01-01T00:00:00.000000Z"}}
        receipt.write_text(json.dumps(changed))
        assert not verified(receipt, keys)
    assert sorted(said) == [(1, "accepted"), (2, "accepted"), (2, "declined")]


def verified(receipt: Path, keys: Path) -> bool:
    program = [sys.executable, "-I", str(CHECKOUT / "docs/verify_receipt.py")]
    found = subprocess.run(
        [*program, str(receipt), str(keys)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=receipt.parent,
    )
    assert found.stdout.startswith(("Verified", "NOT VERIFIED")), found.stderr
    return found.returncode == 0
