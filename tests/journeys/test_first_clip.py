"""From the sign-in page to the playing clip, through the portal and through the API."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from accounts.quotas.queries import discrepancies
from core.ids import read_id, shown
from core.outbox.commands import deliver
from generation.catalogue.commands import offer_still_model
from generation.clips.models import Clip
from generation.engines import registry
from generation.jobs.models import Job
from generation.media.probing import probe
from generation.renditions.models import Rendition
from generation.shipped.commands import offer_shipped_model
from generation.worker.identity import this_worker
from generation.worker.rendering import render_next
from stage.cast import Member

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_tester_makes_a_clip_in_the_portal(tester: Member) -> None:
    offer_still_model()
    browser = Client(headers={"host": "localhost:8000"})
    page = browser.post(
        "/account/login/", {"login": tester.email, "password": tester.password}, follow=True
    )
    assert "Your clips will stand here" in page.text

    form = browser.get("/clips/new").text
    key = _hidden(form, "key")
    order = {
        "prompt": "A harbour before sunrise",
        "model": "still",
        "size": "640x360",
        "seconds": "3",
        "tier": "standard",
        "seed": "7",
        "key": key,
    }
    priced = browser.post("/clips/new/price", order).text
    assert _hidden(priced, "shown_credits") == "3"

    sent = browser.post("/clips/new", {**order, "shown_credits": "3"})
    again = browser.post("/clips/new", {**order, "shown_credits": "3"})
    assert sent.status_code == again.status_code == 302
    assert sent["Location"] == again["Location"], "sent twice, made once"

    assert "place 1 in the queue" in browser.get(sent["Location"]).text
    assert render_next(this_worker())
    job = Job.objects.select_related("clip").get()
    page = browser.get(sent["Location"])
    assert "Watch the clip" in page.text

    clip = browser.get(f"/clips/{_clip_id(page.text)}").text
    assert "A harbour before sunrise" in clip
    assert job.clip.master_sha256 in clip
    deliver("notices")
    assert "ready" in browser.get("/").text
    assert discrepancies() == []


def test_the_file_is_what_was_ordered(tester: Member) -> None:
    offer_still_model()
    made = tester.api.post(
        "/api/v1/jobs",
        {
            "prompt": "A stair",
            "model": "still",
            "size": "640x360",
            "seconds": 3,
            "seed": 11,
        },
        headers={"Idempotency-Key": "journey-1"},
    )
    assert made.status_code == 201
    assert render_next(this_worker())
    shown_job = tester.api.get(made["Location"]).json()
    assert shown_job["state"] == "finished"

    clip = Clip.objects.get(job_id=read_id("job", shown_job["id"]))
    master = Rendition.objects.get(clip=clip, kind="master")
    facts = probe(Path(settings.MEDIA_FOLDER) / master.storage_key)
    assert (facts.frames, facts.width, facts.height) == (72, 640, 360)
    assert facts.rate == clip.rate
    assert clip.recipe["seed"] == 11
    kinds = {one.kind for one in clip.renditions.all()}
    assert kinds == {"master", "poster", "sprite", "index", "proxy"}
    assert discrepancies() == []


def test_a_model_whose_engine_is_not_there_yet_is_refused_and_the_page_says_so(
    tester: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_still_model()
    monkeypatch.setattr(registry, "_is_complete", lambda package: package != "torch")
    offer_shipped_model()  # its files are there, the packages of its engine are still to come
    assert 'value="still" selected' in tester.client.get("/clips/new").text
    order = {"prompt": "anything", "model": "shapes", "size": "64x64", "seconds": 2}
    refused = tester.api.post("/api/v1/jobs", order)
    assert (refused.status_code, refused.json()["code"]) == (503, "engine_not_installed")
    assert not Job.objects.exists()
    assert discrepancies() == []
    assert "The video engine is still being installed" in tester.client.get("/").text


@pytest.mark.torch
def test_a_clip_comes_from_the_real_pipeline(tester: Member) -> None:
    call_command("model", "demo")
    page = tester.client.get("/clips/new").text
    assert 'value="shapes" selected' in page, "what shows what was asked comes first"
    made = tester.api.post(
        "/api/v1/jobs",
        {
            "prompt": "a big red circle moves left over a cream background, flat style",
            "model": "shapes",
            "size": "512x512",
            "seconds": 4,
            "tier": "turbo",
        },
    )
    assert made.status_code == 201, made.json()
    assert render_next(this_worker())
    clip = Clip.objects.get()
    assert made.json()["frames"] == clip.frames == 33, "the length is one the model can make"
    assert (clip.width, clip.generated_width) == (512, 64)
    assert clip.recipe["windows"] == {"count": 2, "frames": 17}
    assert clip.recipe["resized"] == {"method": "lanczos"}
    page = tester.client.get(f"/clips/{shown('clip', clip.id)}").text
    assert "Made in 2 windows of 17 frames, each beginning with the last frame of the one" in page
    assert "generated at 64 × 64, resized to 512 × 512" in page
    assert clip.recipe["engine"]["engine"] == "diffusers"
    assert clip.recipe["engine"]["weights"]


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    assert found, name
    return found[1]


def _clip_id(page: str) -> str:
    found = re.search(r"clp_[0-9a-z]{26}", page)
    assert found
    return found[0]
