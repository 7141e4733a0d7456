"""The catalogue over the native API: everything one needs to write an order that is taken."""

from __future__ import annotations

from generation.catalogue.models import VideoModel
from stage.builders import a_model

MODELS = "/api/v1/models"


def test_a_model_is_shown_with_its_limits_and_prices(tester, model):
    (shown,) = tester.api.get(MODELS).json()["items"]
    lengths = shown.pop("lengths")
    assert shown == {
        "slug": "still",
        "name": "Still",
        "revision": "1",
        "licence": "Apache-2.0",
        "licence_address": "",
        "territories_excluded": [],
        "provenance_duty": False,
        "modes": ["text"],
        "most_conditions": 0,
        "takes_strength": False,
        "has_sound": False,
        "losses": {},
        "frame_rate": "8/1",
        "sizes": ["256x144", "128x96"],
        "tiers": ["standard", "turbo"],
        "prices": [
            _price("standard", 256, 144, 4, 4),
            _price("standard", 128, 96, 4, 1),
            _price("turbo", 128, 96, 2, 2),
        ],
        "shows_noise": False,
        "words": [],
        "examples": [],
        "installed": True,
    }
    assert lengths[0] == {"frames": 1, "seconds": 0.125}
    assert lengths[-1] == {"frames": 80, "seconds": 10.0}
    assert len(lengths) == 80


def test_every_length_and_price_that_is_shown_is_taken_as_it_stands(tester):
    a_model(
        "odd",
        frame_step=8,
        frame_offset=1,
        min_frames=9,
        max_frames=41,
        rate_num=24000,
        rate_den=1001,
    )
    (shown,) = tester.api.get(MODELS).json()["items"]
    assert [length["frames"] for length in shown["lengths"]] == [9, 17, 25, 33, 41]
    assert shown["frame_rate"] == "24000/1001"
    for price in shown["prices"]:
        for length in shown["lengths"]:
            wish = {
                "model": "odd",
                "size": price["size"],
                "tier": price["tier"],
                "seconds": length["seconds"],
            }
            quoted = tester.api.post("/api/v1/quotes", wish).json()
            assert (quoted["frames"], quoted["steps"]) == (length["frames"], price["steps"])


def test_whole_seconds_are_offered_where_the_model_makes_a_frame_more(tester):
    a_model("odd", frame_step=16, frame_offset=1, min_frames=17, max_frames=65)
    wish = {"model": "odd", "size": "128x96"}
    made = {
        seconds: tester.api.post("/api/v1/quotes", wish | {"seconds": seconds}).json()["frames"]
        for seconds in (2, 4, 6, 8)
    }
    assert made == {2: 17, 4: 33, 6: 49, 8: 65}
    for seconds in (1.8, 8.3):
        refused = tester.api.post("/api/v1/quotes", wish | {"seconds": seconds})
        assert refused.json()["code"] == "length_not_offered"


def test_a_retired_model_and_an_engine_nobody_has_are_told(tester):
    a_model("old", state=VideoModel.State.RETIRED)
    a_model("dream", engine="unheard-of")
    (shown,) = tester.api.get(MODELS).json()["items"]
    assert (shown["slug"], shown["installed"]) == ("dream", False)


def _price(tier, width, height, steps, credits_per_second):
    return {
        "tier": tier,
        "size": f"{width}x{height}",
        "width": width,
        "height": height,
        "generated_width": width,
        "generated_height": height,
        "is_resized": False,
        "steps": steps,
        "credits_per_second": credits_per_second,
    }
