"""Removing files and reading storage, by page and by program."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from accounts.retention.models import RetentionVersion
from core.clock import now
from core.ids import shown
from generation.clips.models import Removal
from review.retention.commands import warn_owners
from review.retention.tasks import retain
from stage.builders import a_clip
from stage.cast import Member

pytestmark = pytest.mark.usefixtures("review_open")


@pytest.fixture
def clip(tester):
    return a_clip(tester)


@pytest.fixture
def shown_id(clip):
    return shown("clip", clip.id)


def an_old_clip(tester, clock, *, days: int):
    """Made so long ago; a browser's session goes by the machine's clock and must be of today."""
    clock.advance(days=-days)
    clip = a_clip(Member(tester.person, tester.programme))
    clock.advance(days=days)
    return clip


def page(client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_owner_removes_a_clip_in_the_portal_and_takes_it_back(tester, shown_id):
    asked = page(tester.client, f"/clips/{shown_id}/remove")
    assert "Its record stays" in asked
    sent = tester.client.post(f"/clips/{shown_id}/remove", follow=True).content.decode()
    assert "Its files go in a day." in sent
    assert "You asked for it." in sent
    assert "Its files go, unless you keep them:" in page(tester.client, "/")
    kept = tester.client.post(f"/clips/{shown_id}/keep", follow=True).content.decode()
    assert "Its files stay." in kept
    assert "You asked for it." not in kept


def test_a_clip_whose_files_are_gone_keeps_its_page_without_picture_or_download(
    tester, reviewer, clip, shown_id, clock
):
    tester.client.post(f"/clips/{shown_id}/remove")
    clock.advance(days=1)
    retain()
    text = page(tester.client, f"/clips/{shown_id}")
    assert "The files of this clip are gone." in text
    assert "They were removed by its owner" in text
    for gone in ("<video", "/media/", "Remove its files", "Put it forward"):
        assert gone not in text
    assert clip.prompt in text
    assert "Its files were removed by its owner. The record stays." in text
    studio = page(tester.client, "/")
    assert "/media/" not in studio
    assert "Its files were removed; its record stays." in studio
    reviewer.client.post(f"/clips/{shown_id}/why", {"why": "review"})
    assert "The files of this clip are gone." in page(reviewer.client, f"/clips/{shown_id}")


def test_a_warned_owner_reads_when_the_files_go_and_what_keeps_them(programme, tester, clock):
    shown_id = shown("clip", an_old_clip(tester, clock, days=50).id)
    RetentionVersion.objects.create(programme=programme, number=1, draft_days=60)
    assert "not without a warning" in page(tester.client, f"/clips/{shown_id}")
    warn_owners()
    text = page(tester.client, f"/clips/{shown_id}")
    assert "The programme's terms give them no longer." in text
    assert "Put the clip forward to keep them." in text
    assert "Keep its files" not in text


def test_what_is_under_review_offers_no_removal(tester, clip, shown_id):
    from stage.review import a_submission

    a_submission(tester, clip)
    assert "Remove its files" not in page(tester.client, f"/clips/{shown_id}")
    refused = tester.client.post(f"/clips/{shown_id}/remove")
    assert refused.status_code == 409
    assert "under review" in refused.content.decode()


def test_a_program_removes_and_keeps_and_reads_what_becomes_of_it(tester, shown_id, clock):
    address = f"/api/v1/clips/{shown_id}"
    assert tester.api.get(address).json()["removal"] is None
    answer = tester.api.post(f"{address}/remove")
    assert answer.status_code == 200
    removal = tester.api.get(address).json()["removal"]
    assert removal["due_at"] == answer.json()["due_at"]
    assert (removal["why"], removal["done_at"]) == ("owner", None)
    assert tester.api.post(f"{address}/keep").json()["due_at"] is None
    tester.api.post(f"{address}/remove")
    clock.advance(days=1)
    retain()
    found = tester.api.get(address).json()
    assert found["renditions"] == []
    assert found["removal"]["done_at"] is not None
    refused = tester.api.post(f"{address}/keep")
    assert (refused.status_code, refused.json()["code"]) == (409, "removal_stays")


def test_a_stranger_and_staff_find_nothing_to_remove(stranger, reviewer, second_tester, shown_id):
    for outsider in (stranger, reviewer, second_tester):
        assert outsider.client.get(f"/clips/{shown_id}/remove").status_code == 404
        assert outsider.client.post(f"/clips/{shown_id}/keep").status_code == 404
        assert outsider.api.post(f"/api/v1/clips/{shown_id}/remove").status_code == 404
    assert not Removal.objects.exists()


def test_storage_is_a_page_of_its_roles(programme, tester, manager, auditor, finance, clock):
    a_clip(tester)
    young = page(manager.client, "/storage")
    assert "Too little to say yet." in young
    assert "everything is kept" in young
    an_old_clip(tester, clock, days=40)
    RetentionVersion.objects.create(programme=programme, number=1, draft_days=60)
    text = page(manager.client, "/storage")
    assert "Too little to say yet." not in text
    assert "The warning comes 14 days ahead." in text
    counted = re.search(r'Counted just now:\s*<time datetime="([^"]+)"', text)
    assert counted is not None
    assert datetime.fromisoformat(counted[1]) == now()
    assert page(auditor.client, "/storage")
    for outsider in (tester, finance):
        assert outsider.client.get("/storage").status_code == 404


def test_a_program_reads_the_same_figures(programme, tester, manager):
    clip = a_clip(tester)
    RetentionVersion.objects.create(programme=programme, number=1, draft_days=20)
    answer = manager.api.get("/api/v1/programme/storage")
    assert answer.status_code == 200
    found = answer.json()
    size = sum(clip.renditions.values_list("bytes", flat=True))
    assert found["terms"]["draft_days"] == 20
    assert found["states"][0] == {
        "state": "draft",
        "clips": 1,
        "bytes": size,
        "going": [{"days": days, "clips": 1, "bytes": size} for days in (30, 60, 90)],
    }
    assert found["forecasts"] is None
    assert tester.api.get("/api/v1/programme/storage").status_code == 404


def test_the_beat_knows_the_sweep():
    from greenroom.celery import app
    from greenroom.schedule import beat_schedule

    app.loader.import_default_modules()
    assert beat_schedule["remove-what-is-due"]["task"] in app.tasks
