"""What the composer gives as a program orders what stands in the composer."""

from __future__ import annotations

import html
import json
import re
from fractions import Fraction

import pytest
from django.urls import reverse

from generation.jobs.conditions import WishedCondition
from generation.jobs.orders import Wish
from generation.jobs.programs import body_of
from generation.jobs.styles import WishedStyle

FORM = {
    "prompt": "it's a paper boat",
    "model": "still",
    "size": "128x96",
    "seconds": "2.5",
    "tier": "turbo",
    "seed": "12",
    "key": "a-key",
}


def test_the_program_makes_the_job_that_the_form_would_make(tester, model):
    page = tester.client.post(reverse("order-programs"), FORM)
    assert page.status_code == 200
    (text,) = re.findall(r'<pre id="program-javascript"[^>]*>(.*?)</pre>', page.text, re.DOTALL)
    program = html.unescape(text)
    assert "http://localhost:8000/api/v1/jobs" in program
    said = json.loads(re.search(r"JSON\.stringify\((.*)\),\n}\);", program, re.DOTALL)[1])
    answer = tester.api.post("/api/v1/jobs", said).json()
    tester.client.post("/clips/new", FORM)
    by_form, by_program = tester.api.get("/api/v1/jobs").json()["items"]
    own = {"id", "url", "thread", "place", "eta_s", "queued_at"}
    assert by_program["id"] == answer["id"]
    assert {k: v for k, v in by_form.items() if k not in own} == {
        k: v for k, v in by_program.items() if k not in own
    }


def test_a_form_that_is_not_whole_says_what_is_missing_and_gives_no_program(tester, model):
    page = tester.client.post(reverse("order-programs"), {**FORM, "prompt": ""})
    assert page.status_code == 422
    assert "program-curl" not in page.text


def test_everything_that_a_wish_may_hold_is_in_its_body():
    wish = Wish(
        prompt="a boat",
        model="ltx@2",
        width=640,
        height=360,
        seconds=Fraction(2),
        tier="turbo",
        seed=3,
        continues="thr_1",
        extends="clp_1",
        conditions=(
            WishedCondition("ref_1", "last", strength=0.5),
            WishedCondition("ref_2", 24, moment=None),
            WishedCondition("ref_3", Fraction(3, 2), moment=Fraction(1, 2)),
        ),
        styles=(WishedStyle("ink", 0.8), WishedStyle("chalk")),
    )
    assert body_of(wish) == {
        "prompt": "a boat",
        "model": "ltx@2",
        "size": "640x360",
        "seconds": 2,
        "tier": "turbo",
        "seed": 3,
        "thread": "thr_1",
        "extends": "clp_1",
        "conditions": [
            {"reference": "ref_1", "at": "last", "strength": 0.5},
            {"reference": "ref_2", "frame": 24, "from_end": True},
            {"reference": "ref_3", "seconds": 1.5, "moment": 0.5},
        ],
        "styles": [{"style": "ink", "weight": 0.8}, {"style": "chalk"}],
    }


@pytest.mark.parametrize("language", ["curl", "python", "javascript"])
def test_no_program_holds_a_token(tester, model, language):
    page = tester.client.post(reverse("order-programs"), FORM).text
    (text,) = re.findall(rf'<pre id="program-{language}"[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert "GREENROOM_TOKEN" in text
    assert "grm_" not in text
