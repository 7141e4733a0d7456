"""Which models a programme lets its testers use."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.programmes.commands import (
    ChangedMeanwhile,
    ParticularsWish,
    close_programme,
    publish_particulars,
)
from accounts.programmes.queries import ProgrammeNotBegun, ProgrammeOver
from core.clock import now
from core.errors import InvalidOrder, NotAllowed
from generation.catalogue.commands import allow_models
from generation.catalogue.models import AllowedModels, VideoModel
from generation.catalogue.queries import models_allowed
from generation.jobs.commands import submit_job
from generation.jobs.models import Job
from stage.builders import a_model, a_wish

ORDER = {"prompt": "A boat", "model": "still", "size": "128x96", "seconds": 1}


@pytest.fixture
def other(model) -> VideoModel:
    return a_model("other")


def slugs(programme) -> set[str]:
    return {each.slug for each in models_allowed(programme.id)}


def test_without_a_list_every_model_that_is_offered_may_be_used(programme, model, other):
    assert slugs(programme) == {"still", "other"}


def test_the_newest_list_counts_in_its_own_programme_alone(
    programme, other_programme, manager, model, other
):
    first = allow_models(
        programme_id=programme.id, slugs=["still", "still"], actor=manager.party_id
    )
    allow_models(programme_id=programme.id, slugs=["other"], seen=1)
    assert (first.number, first.slugs) == (1, ["still"])
    assert slugs(programme) == {"other"}
    assert slugs(other_programme) == {"still", "other"}


def test_what_is_allowed_and_not_offered_any_more_is_not_there(programme, model, other):
    allow_models(programme_id=programme.id, slugs=["still", "other"])
    VideoModel.objects.filter(slug="other").update(state=VideoModel.State.RETIRED)
    assert slugs(programme) == {"still"}


@pytest.mark.parametrize(
    ("wanted", "code"), [([], "models_missing"), (["still", "made-up"], "model_unknown")]
)
def test_a_list_of_nothing_or_of_what_is_not_there_is_refused(programme, model, wanted, code):
    with pytest.raises(InvalidOrder) as refused:
        allow_models(programme_id=programme.id, slugs=wanted)
    assert (refused.value.code, refused.value.field) == (code, "slugs")
    assert not AllowedModels.objects.exists()


def test_who_writes_second_sees_what_the_first_changed(programme, model, other):
    allow_models(programme_id=programme.id, slugs=["still"], seen=0)
    with pytest.raises(ChangedMeanwhile) as refused:
        allow_models(programme_id=programme.id, slugs=["other"], seen=0)
    assert refused.value.facts["changes"] == [{"field": "slugs", "before": "", "after": "still"}]


# At every door ---------------------------------------------------------------------------------


def test_a_model_that_is_not_allowed_is_neither_offered_nor_priced_nor_ordered(tester, other):
    allow_models(programme_id=tester.programme.id, slugs=["other"])
    offered = tester.api.get("/api/v1/models").json()["items"]
    assert [model["slug"] for model in offered] == ["other"]
    quote = {name: ORDER[name] for name in ("model", "size", "seconds")}
    for path, body in (("quotes", quote), ("jobs", ORDER)):
        answer = tester.api.post(f"/api/v1/{path}", body)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["code"]) == (422, "model_not_allowed"), path
        assert answer.json()["allowed"] == ["other"]
    page = tester.client.get("/clips/new").content.decode()
    assert 'value="other"' in page
    assert 'value="still"' not in page
    assert not Job.objects.exists()


def test_what_was_made_with_a_model_of_yesterday_begins_anew_with_one_of_today(tester, other):
    job = tester.api.post("/api/v1/jobs", ORDER).json()
    allow_models(programme_id=tester.programme.id, slugs=["other"])
    answer = tester.client.get(f"/clips/new?again={job['id']}")
    assert answer.status_code == 200
    form = answer.context["form"]
    assert (form["model"].value(), form["prompt"].value()) == ("other", "A boat")


# While it works --------------------------------------------------------------------------------


def move(programme, **days) -> None:
    publish_particulars(programme_id=programme.id, wish=ParticularsWish("Studio", **days))


def test_a_closed_programme_says_that_it_is_closed(tester, model):
    close_programme(programme_id=tester.programme.id)
    answer = tester.api.post("/api/v1/jobs", ORDER)
    assert (answer.status_code, answer.json()["code"]) == (403, "programme_closed")
    page = tester.client.get("/clips/new/price", ORDER, headers={"HX-Request": "true"})
    assert "closed at the moment" in page.content.decode()


def test_before_its_first_day_and_after_its_last_a_programme_says_so(tester, model):
    today = now().date()
    move(tester.programme, opens_on=today + timedelta(days=2))
    with pytest.raises(ProgrammeNotBegun) as refused:
        submit_job(actor=tester.actor, wish=a_wish())
    assert refused.value.facts["opens_on"] == (today + timedelta(days=2)).isoformat()
    move(tester.programme, closes_on=today - timedelta(days=2))
    with pytest.raises(ProgrammeOver) as over:
        submit_job(actor=tester.actor, wish=a_wish())
    assert over.value.code == "programme_over"
    assert isinstance(over.value, NotAllowed)
    move(tester.programme, opens_on=today - timedelta(days=2), closes_on=today + timedelta(days=2))
    assert submit_job(actor=tester.actor, wish=a_wish()).state == "queued"
