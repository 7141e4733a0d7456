"""What a small model knows and makes, wherever somebody orders from it or looks at its clips."""

from __future__ import annotations

import pytest

from core.ids import shown
from generation.catalogue.models import PriceRow
from generation.catalogue.rules import unknown_words
from generation.catalogue.words import generated_words, unknown_sentence, windows_words
from generation.jobs.models import Job
from stage.builders import a_clip, a_model

WORDS = ["red", "circle", "moves", "left", "a"]
EXAMPLES = ["a red circle moves left", "a circle"]
QUOTE = {"model": "small", "size": "512x512", "seconds": 2}
FORM = {**QUOTE, "seconds": "2", "tier": "standard", "key": "a-key"}


@pytest.fixture
def small(db):
    """It generates 64 × 64, and its file may be eight times as large."""
    model = a_model("small", name="Small", words=WORDS, examples=EXAMPLES)
    PriceRow.objects.create(
        model=model,
        tier="standard",
        width=512,
        height=512,
        generated_width=64,
        generated_height=64,
        enlarged_by=8,
        steps=4,
        credits_per_second=1,
    )
    return model


@pytest.mark.parametrize(
    ("prompt", "unknown"),
    [
        ("a red circle moves left", []),
        ("A RED Circle, moves: left!", []),
        ("a red dragon over a castle, a dragon", ["dragon", "over", "castle"]),
        ("two 2 circles_left", ["two", "circles"]),
        ("", []),
        ("… 12 ___", []),
    ],
)
def test_words_are_compared_in_lower_case_and_by_their_letters(prompt, unknown):
    assert unknown_words(prompt, ["Red", "circle", "moves left", "a"]) == unknown


def test_a_model_that_names_no_words_takes_any():
    assert unknown_words("a dragon", []) == []
    assert unknown_sentence([]) == ""


def test_words_that_a_style_was_trained_with_are_known_where_it_is_chosen():
    assert unknown_words("a blueprint circle", WORDS) == ["blueprint"]
    assert unknown_words("a blueprint circle", WORDS, ["Blueprint style"]) == []
    assert unknown_words("a blueprint circle", [], ["x"]) == []


def test_a_long_list_of_unknown_words_is_cut():
    sentence = unknown_sentence([f"w{number}" for number in range(40)])
    assert "w11 …" in sentence
    assert "w12" not in sentence


def test_a_crop_is_no_enlargement_and_the_same_size_is_nothing_to_say():
    assert generated_words(64, 64, (64, 64)) == ""
    assert generated_words(1920, 1080, (1920, 1088)) == "generated at 1920 × 1088"
    assert generated_words(512, 512, (64, 64)) == "generated at 64 × 64, resized to 512 × 512"
    assert windows_words({}) == ""


def test_the_catalogue_says_words_examples_and_what_is_generated(tester, small):
    (shown,) = tester.api.get("/api/v1/models").json()["items"]
    assert (shown["words"], shown["examples"]) == (WORDS, EXAMPLES)
    large = next(price for price in shown["prices"] if price["size"] == "512x512")
    assert (large["generated_width"], large["generated_height"]) == (64, 64)
    assert large["is_resized"]


def test_a_quote_and_an_order_warn_of_words_and_are_taken_all_the_same(tester, small):
    prompt = {"prompt": "a red dragon moves left"}
    wanted = [
        {
            "code": "words_unknown",
            "sentence": "This model does not know: dragon. It may ignore them.",
            "words": ["dragon"],
        }
    ]
    quoted = tester.api.post("/api/v1/quotes", QUOTE | prompt)
    assert (quoted.status_code, quoted.json()["warnings"]) == (200, wanted)
    made = tester.api.post("/api/v1/jobs", QUOTE | prompt)
    assert (made.status_code, made.json()["warnings"]) == (201, wanted)
    assert tester.api.get(made["Location"]).json()["warnings"] == wanted


def test_nothing_is_warned_of_known_words_or_without_any(tester, small, model):
    known = {"prompt": EXAMPLES[0]}
    assert tester.api.post("/api/v1/quotes", QUOTE | known).json()["warnings"] == []
    assert tester.api.post("/api/v1/quotes", QUOTE).json()["warnings"] == []
    other = {"model": "still", "size": "128x96", "seconds": 2, "prompt": "a dragon"}
    assert tester.api.post("/api/v1/quotes", other).json()["warnings"] == []
    assert tester.api.post("/api/v1/jobs", other).json()["warnings"] == []


def test_the_composer_offers_what_the_model_knows(tester, small):
    page = tester.client.get("/clips/new").text
    for example in EXAMPLES:
        assert f'name="example" value="{example}"' in page
    assert page.count('name="word"') == len(WORDS)
    assert "Words that <span data-said>Small</span> knows" in page
    assert "512 × 512 (Small, resized from 64 × 64)" in page


def test_another_model_has_none_of_it(tester, model):
    page = tester.client.get("/clips/new").text
    assert "prompt-words" not in page
    assert "data-words" not in page


def test_without_a_script_a_button_fills_the_words_in(tester, small):
    page = tester.client.post("/clips/new/price", {**FORM, "prompt": "x", "example": EXAMPLES[0]})
    assert f">\n{EXAMPLES[0]}</textarea>" in page.text
    page = tester.client.post("/clips/new/price", {**FORM, "prompt": "a red", "word": "circle"})
    assert ">\na red circle</textarea>" in page.text
    page = tester.client.post("/clips/new/price", {**FORM, "prompt": "", "word": "circle"})
    assert ">\ncircle</textarea>" in page.text
    assert not Job.objects.exists()


def test_the_price_says_which_words_are_not_known_and_what_is_generated(tester, small):
    piece = tester.client.post(
        "/clips/new/price",
        {**FORM, "prompt": "a red dragon & castle"},
        headers={"HX-Request": "true"},
    ).text
    assert "This model does not know: dragon, castle. It may ignore them." in piece
    assert "generated at 64 × 64, resized to 512 × 512" in piece
    assert "data-words" in piece


def test_a_size_between_is_refused_with_those_it_makes(tester, small):
    refused = tester.api.post("/api/v1/quotes", QUOTE | {"size": "500x500"})
    assert (refused.status_code, refused.json()["code"]) == (422, "size_not_offered")


def test_a_resized_clip_says_so_wherever_it_is_shown(tester, small):
    clip = shown("clip", a_clip(tester, model="small", width=512, height=512).id)
    assert tester.api.get(f"/api/v1/clips/{clip}").json()["is_resized"]
    page = tester.client.get(f"/clips/{clip}").text
    assert "512 × 512 <span" in page
    assert "(generated at 64 × 64, resized to 512 × 512)" in page
    assert "Every frame was generated at 64 × 64, resized to 512 × 512." in page
    job = Job.objects.get()
    assert (job.generated_width, job.width) == (64, 512)
