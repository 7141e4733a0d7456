"""A clip is ordered with styles by program and by form, or refused with a code."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from accounts.quotas.models import Kind
from accounts.quotas.queries import quota_of
from core.errors import InvalidOrder
from core.ids import read_id, shown
from generation.catalogue.commands import allow_models
from generation.jobs.models import Job, JobStyle
from generation.jobs.styles import WishedStyle, chosen_styles, write_styles
from generation.styles.commands import retire_style
from generation.styles.queries import style_file
from generation.worker.rendering import order_of
from greenroom.exports.of_work import jobs as exported_jobs
from stage.builders import a_job, a_model
from stage.styles import a_style

JOBS = "/api/v1/jobs"
ORDER = {"prompt": "a paper boat", "model": "still", "size": "128x96", "seconds": 1, "seed": 7}
FORM = {
    "prompt": "a paper boat",
    "model": "still",
    "size": "128x96",
    "seconds": "1",
    "tier": "standard",
    "key": "a-key",
}


@pytest.fixture
def drawn(db: None) -> Any:
    """A model with four styles."""
    model = a_model(takes_styles=True)
    for slug in ("ink", "oil", "wool", "clay"):
        a_style(model, slug=slug, trigger=f"made of {slug}")
    return model


def used(job: Job) -> list[tuple[str, float]]:
    return [(one.style.slug, one.weight) for one in job.styles.order_by("number")]


def test_the_styles_one_may_order_with_are_listed(tester: Any, drawn: Any) -> None:
    other = a_model("other", takes_styles=True)
    a_style(other, slug="glass", usual_weight=0.5, least_weight=-1.0)
    a_style(drawn, slug="sand", is_offered=False)
    retire_style(slug="clay")
    items = tester.api.get("/api/v1/styles").json()["items"]
    assert [one["slug"] for one in items] == ["glass", "ink", "oil", "wool"]
    assert items[0]["models"] == ["other"]
    assert items[0]["weight"] == {"usual": 0.5, "least": -1.0, "most": 1.5}
    assert items[1]["trigger"] == "made of ink"
    allow_models(programme_id=tester.programme.id, slugs=["still"])
    items = tester.api.get("/api/v1/styles").json()["items"]
    assert [one["slug"] for one in items] == ["ink", "oil", "wool"]


def test_a_clip_is_ordered_with_styles_in_their_order(tester: Any, drawn: Any) -> None:
    styles = [{"style": "wool", "weight": 0.6}, {"style": "ink"}]
    answer = tester.api.post(JOBS, ORDER | {"styles": styles})
    assert answer.status_code == 201, answer.json()
    told = answer.json()["styles"]
    assert [(one["style"], one["name"], one["weight"]) for one in told] == [
        ("wool", "Wool", 0.6),
        ("ink", "Ink", 1.0),
    ]
    job = Job.objects.get(id=read_id("job", answer.json()["id"]))
    assert used(job) == [("wool", 0.6), ("ink", 1.0)]
    first, second = order_of(job).styles
    assert (first.weight, first.sha256) == (0.6, "ab" * 32)
    assert first.path == second.path == style_file("ab" * 32)
    (row,) = exported_jobs(tester.actor)
    assert [(one["style"], one["weight"]) for one in row["styles"]] == [("wool", 0.6), ("ink", 1.0)]
    assert tester.api.get(answer["Location"]).json() == answer.json()


def test_the_price_is_the_same_and_a_quote_refuses_what_an_order_would(
    tester: Any, drawn: Any
) -> None:
    asked = {name: ORDER[name] for name in ("model", "size", "seconds")}
    plain = tester.api.post("/api/v1/quotes", asked).json()
    styled = tester.api.post("/api/v1/quotes", asked | {"styles": [{"style": "ink"}]}).json()
    assert styled == plain
    refused = tester.api.post("/api/v1/quotes", asked | {"styles": [{"style": "tin"}]})
    assert refused.json()["code"] == "style_unknown"


REFUSED: list[tuple[Any, str]] = [
    ([{"style": "tin"}], "style_unknown"),
    ([{"style": "sand"}], "style_unknown"),
    ([{"style": "clay"}], "style_not_offered"),
    ([{"style": "glass"}], "style_not_for_model"),
    ([{"style": "ink", "weight": 1.51}], "style_weight_out_of_range"),
    ([{"style": "ink", "weight": -0.01}], "style_weight_out_of_range"),
    ([{"style": "ink"}, {"style": "ink"}], "style_named_twice"),
    ([{"style": slug} for slug in ("ink", "oil", "wool", "glass")], "too_many_styles"),
    ([{"weight": 1}], "fields_invalid"),
    ([{"style": "ink", "weight": "strong"}], "fields_invalid"),
    ([{"style": "ink", "strength": 1}], "fields_invalid"),
    ("ink", "fields_invalid"),
]


@pytest.mark.parametrize(("styles", "code"), REFUSED)
def test_what_cannot_be_is_refused_with_a_code_and_changes_nothing(
    tester: Any, drawn: Any, styles: Any, code: str
) -> None:
    a_style(a_model("other", takes_styles=True), slug="glass")
    a_style(drawn, slug="sand", is_offered=False)
    retire_style(slug="clay")
    answer = tester.api.post(JOBS, ORDER | {"styles": styles})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not Job.objects.exists()
    left = quota_of(
        programme_id=tester.programme.id,
        party_id=tester.party_id,
        lineage_id=tester.actor.lineage_id,
        kind=Kind.CREDITS,
    )
    assert left.reserved == 0


def test_a_model_that_takes_no_styles_says_so(tester: Any, drawn: Any) -> None:
    a_model("words")
    answer = tester.api.post(JOBS, ORDER | {"model": "words", "styles": [{"style": "ink"}]})
    assert answer.json()["code"] == "styles_not_offered"


def test_trying_again_with_other_styles_is_another_order(tester: Any, drawn: Any) -> None:
    key = {"Idempotency-Key": "once"}
    wish = ORDER | {"styles": [{"style": "ink", "weight": 0.5}]}
    first = tester.api.post(JOBS, wish, headers=key)
    assert tester.api.post(JOBS, wish, headers=key).json() == first.json()
    other = ORDER | {"styles": [{"style": "ink", "weight": 0.6}]}
    assert tester.api.post(JOBS, other, headers=key).status_code == 422
    assert Job.objects.count() == 1


def test_what_was_ordered_is_rendered_although_the_style_retires(tester: Any, drawn: Any) -> None:
    job = a_job(tester, styles=(WishedStyle("ink", 0.4),))
    retire_style(slug="ink")
    a_style(drawn, slug="ink", revision=2, sha256="cd" * 32)
    (style,) = order_of(job).styles
    assert (style.sha256, style.weight) == ("ab" * 32, 0.4)


def test_one_that_retires_while_it_is_ordered_is_refused_by_the_database(
    tester: Any, drawn: Any
) -> None:
    job = a_job(tester)
    chosen = chosen_styles([WishedStyle("ink"), WishedStyle("oil")], drawn)
    retire_style(slug="oil")
    with pytest.raises(InvalidOrder) as refused, transaction.atomic():
        write_styles(job, chosen)
    assert refused.value.code == "style_not_offered"
    assert not JobStyle.objects.exists()


# The form --------------------------------------------------------------------------------------


def make(member: Any, **fields: Any) -> Any:
    return member.client.post("/clips/new", FORM | fields)


def test_the_form_offers_the_styles_of_the_chosen_model_alone(tester: Any, drawn: Any) -> None:
    a_style(a_model("other", takes_styles=True), slug="glass")
    page = tester.client.get("/clips/new").content.decode()
    chosen = tester.client.get("/clips/new").context["form"]["model"].value()
    assert ('value="ink"' in page) == (chosen == "still")
    asked = {**FORM, "model": "other"}
    piece = tester.client.post("/clips/new/price", asked, headers={"HX-Request": "true"})
    words = piece.content.decode()
    assert 'id="styles" data-of-model="other"' in words
    assert 'value="glass"' in words
    assert 'value="ink"' not in words
    whole = tester.client.post("/clips/new/price", {**FORM, "model": "still"}).content.decode()
    assert "made of ink" in whole
    assert 'value="glass"' not in whole


def test_of_two_revisions_side_by_side_each_has_its_own_styles(tester: Any, drawn: Any) -> None:
    newer = a_model(takes_styles=True, revision="2")
    a_style(newer, slug="sand")
    for revision, there, not_there in (("1", "ink", "sand"), ("2", "sand", "ink")):
        asked = {**FORM, "model": f"still@{revision}"}
        piece = tester.client.post("/clips/new/price", asked, headers={"HX-Request": "true"})
        assert f'value="{there}"' in piece.content.decode()
        assert f'value="{not_there}"' not in piece.content.decode()
    order = ORDER | {"model": "still@1", "styles": [{"style": "sand"}]}
    assert tester.api.post(JOBS, order).json()["code"] == "style_not_for_model"
    assert tester.api.post(JOBS, order | {"model": "still"}).status_code == 201


def test_a_house_without_styles_shows_no_word_of_them(tester: Any, model: Any) -> None:
    assert "Styles" not in tester.client.get("/clips/new").content.decode()


def test_a_clip_is_made_with_styles_by_form_and_the_next_form_has_them(
    tester: Any, drawn: Any
) -> None:
    fields = {"styles": ["oil", "ink"], "weight-oil": "0.35", "weight-wool": "9"}
    made = make(tester, **fields)
    assert made.status_code == 302, made.content.decode()
    assert make(tester, **fields)["Location"] == made["Location"]  # sent twice, made once
    job = Job.objects.get()
    assert used(job) == [("oil", 0.35), ("ink", 1.0)]
    page = tester.client.get(made["Location"]).content.decode()
    assert "Oil × 0.35, Ink × 1" in page
    retire_style(slug="ink")
    for way in ("again", "continue"):
        form = tester.client.get(f"/clips/new?{way}={shown('job', job.id)}").context["form"]
        rows = {row.style.slug: row for row in form.style_rows}
        assert "ink" not in rows
        assert [slug for slug, row in rows.items() if row.is_chosen] == ["oil"]
        assert [rows[slug].weight for slug in ("oil", "wool")] == ["0.35", "1"]


def test_the_form_says_what_is_wrong_with_a_style(tester: Any, drawn: Any) -> None:
    a_style(a_model("other", takes_styles=True), slug="glass")
    page = make(tester, styles=["ink"], **{"weight-ink": "3"})
    assert page.status_code == 422
    assert "“Ink” is used with a weight from 0 to 1.5" in page.content.decode()
    page = make(tester, styles=["glass"])
    assert "“Glass” is not made for Still" in page.content.decode()
    page = make(tester, styles=["ink", "oil", "wool", "clay"])
    assert "A clip has 3 styles at most." in page.content.decode()
    assert page.content.decode().count(" checked") == 4
    assert not JobStyle.objects.exists()


def test_another_model_drops_the_styles_of_the_one_before_from_the_price(
    tester: Any, drawn: Any
) -> None:
    a_model("words")
    asked = {**FORM, "model": "words", "styles": ["ink"]}
    piece = tester.client.post("/clips/new/price", asked, headers={"HX-Request": "true"})
    assert piece.context["quote"].credits == 1
    assert "This model takes none." in piece.content.decode()
