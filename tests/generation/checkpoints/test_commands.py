"""From a folder of weights to a model that may be ordered: added, checked, offered, retired."""

from __future__ import annotations

import json
import struct
from fractions import Fraction
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.people.models import PersonalDetail
from core.errors import InvalidOrder, TooLate
from core.ids import shown
from generation.catalogue.models import VideoModel
from generation.catalogue.rules import TerritoryExcluded
from generation.checkpoints.commands import (
    NewModel,
    add_model,
    check_model,
    offer_added,
    retire_model,
)
from generation.checkpoints.models import ModelCheck
from generation.checkpoints.rules import EUROPEAN_UNION, TerritoryUnknown, licence_of, usual_prices
from generation.engines.local.measuring import keep_measured
from generation.engines.local.tiers import Measured
from generation.engines.protocol import EngineFailure, FailureCode
from generation.engines.still import StillEngine
from generation.jobs.models import Job
from generation.worker import rendering
from stage.builders import NoHeartbeat, a_job, a_model, claim_of

APACHE = licence_of("apache-2.0")
pytestmark = pytest.mark.django_db
ORDER = {"prompt": "a harbour", "model": "mine", "size": "128x128", "seconds": 1}
QUOTE = {name: ORDER[name] for name in ("model", "size", "seconds")}


@pytest.fixture
def models_folder(settings, tmp_path):
    settings.MODELS_FOLDER = tmp_path / "models"
    return settings.MODELS_FOLDER


@pytest.fixture
def folder(tmp_path, models_folder):
    """The still engine needs no weights, so any folder is one of its."""
    made = tmp_path / "mine"
    made.mkdir()
    (made / "card.txt").write_text("a card")
    return made


@pytest.fixture
def weights(tmp_path, models_folder):
    """Looks like LTX-Video from outside: whole configurations, a few bytes of weights."""
    made = tmp_path / "ltx"
    parts = {
        "transformer": ["diffusers", "LTXVideoTransformer3DModel"],
        "vae": ["diffusers", "AutoencoderKLLTXVideo"],
        "text_encoder": ["transformers", "T5EncoderModel"],
    }
    head = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    for part in parts:
        (made / part).mkdir(parents=True)
        (made / part / "model.safetensors").write_bytes(
            struct.pack("<Q", len(head)) + head + b"\0" * 4
        )
    index = {"_class_name": "LTXConditionPipeline", **parts}
    (made / "model_index.json").write_text(json.dumps(index))
    vae = {"spatio_temporal_scaling": [True, True, True, False], "patch_size": 4, "patch_size_t": 1}
    (made / "vae" / "config.json").write_text(json.dumps(vae))
    return made


def new(folder, **changes):
    usual = {
        "folder": folder,
        "slug": "mine",
        "name": "Mine",
        "revision": "1",
        "licence": APACHE,
        "rate": Fraction(8),
        "source": "a folder",
        "engine": "still",
    }
    return NewModel(**(usual | changes))


def offered(folder, **changes):
    model = add_model(new(folder, **changes))
    assert check_model(model=model).has_passed
    return offer_added(slug="mine", revision=model.revision)


def manage(*words):
    out = StringIO()
    call_command("model", *words, stdout=out)
    return out.getvalue()


def test_a_model_is_added_checked_and_offered_and_then_takes_orders(tester, folder):
    model = add_model(new(folder))
    assert (model.state, model.checkpoint) == ("added", "mine/1")
    refused = tester.api.post("/api/v1/jobs", ORDER)
    assert (refused.status_code, refused.json()["code"]) == (422, "model_unknown")
    with pytest.raises(TooLate, match=r"manage\.py model check mine"):
        offer_added(slug="mine")
    check = check_model(model=model)
    assert (check.has_passed, check.device, check.facts["frames"]) == (True, "cpu", 1)
    assert offer_added(slug="mine").state == "offered"
    assert tester.api.post("/api/v1/jobs", ORDER).status_code == 201


def test_the_files_are_kept_below_the_models_folder_and_survive_their_source(folder, models_folder):
    add_model(new(folder))
    (folder / "card.txt").unlink()
    assert (models_folder / "mine" / "1" / "card.txt").read_text() == "a card"
    assert [path.name for path in models_folder.glob("mine/*")] == ["1"]


def test_a_revision_that_is_refused_leaves_no_files(folder, models_folder):
    with pytest.raises(InvalidOrder, match="no tier"):
        add_model(new(folder, prices=(price("quality"),)))
    assert not list(models_folder.glob("mine/*"))
    assert not VideoModel.objects.filter(slug="mine").exists()


def price(tier):
    (line,) = usual_prices(StillEngine().capabilities(None), {tier: 8})[-1:]
    return line


def test_two_revisions_live_side_by_side_and_each_job_says_whose_it_is(tester, folder):
    first = offered(folder)
    before = tester.api.post("/api/v1/jobs", ORDER).json()["id"]
    second = offered(folder, revision="2")
    after = tester.api.post("/api/v1/jobs", ORDER).json()["id"]
    assert before != after
    first.refresh_from_db()
    assert (first.state, second.state) == ("retired", "offered")
    revisions = Job.objects.order_by("queue_number").values_list("model__revision", "state")
    assert list(revisions) == [("1", "queued"), ("2", "queued")]


def test_the_same_revision_again_changes_nothing_but_other_files_are_another(weights, folder):
    usual = {"engine": "diffusers", "rate": Fraction(24)}
    first = add_model(new(weights, **usual))
    assert add_model(new(weights, **usual)).id == first.id
    (weights / "transformer" / "config.json").write_text("{}")
    with pytest.raises(TooLate, match="Name another revision"):
        add_model(new(weights, **usual))


def test_what_a_checkpoint_says_is_kept(weights):
    model = add_model(new(weights, engine="diffusers", rate=Fraction(24)))
    assert model.family == "ltx-video"
    assert set(model.weights) == {
        "model_index.json",
        "vae/config.json",
        *(f"{part}/model.safetensors" for part in ("transformer", "vae", "text_encoder")),
    }
    assert model.modes == ["text", "image", "first_last", "keyframes"]
    tiers = {tier.tier: tier.levers for tier in model.tiers.all()}
    assert tiers == {"turbo": {"steps": 8}, "standard": {"steps": 30}}
    generated = model.prices.filter(width=1920).values_list("generated_height", flat=True)
    assert set(generated) == {1088}


def test_a_pickle_is_never_let_near(weights):
    (weights / "transformer" / "extra.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(EngineFailure, match=r"extra\.bin is a pickle"):
        add_model(new(weights, engine="diffusers"))


def test_a_tier_that_changes_the_picture_says_by_how_much(weights):
    said = {"standard": {}, "turbo": {"cache": {"name": "first_block", "threshold": 0.1}}}
    (weights / "greenroom.json").write_text(json.dumps({"tiers": said}))
    with pytest.raises(EngineFailure, match="lever_unmeasured"):
        add_model(new(weights, engine="diffusers"))
    said["turbo"]["measured"] = {"ssim": 0.9, "psnr_db": 31, "against": "standard", "orders": 8}
    (weights / "greenroom.json").write_text(json.dumps({"tiers": said}))
    model = add_model(new(weights, engine="diffusers"))
    turbo = model.tiers.get(tier="turbo")
    assert turbo.is_lossy
    assert turbo.measured["ssim"] == 0.9


def test_the_files_of_an_added_revision_are_not_measured_any_more(weights, models_folder):
    add_model(new(weights, engine="diffusers"))
    added = models_folder / "mine" / "1"
    before = {path: path.read_bytes() for path in added.rglob("*") if path.is_file()}
    elsewhere = weights.parent / "a-link"
    elsewhere.symlink_to(added)
    for folder in (added, elsewhere, added / "transformer"):
        with pytest.raises(CommandError, match="the files of mine 1, which was added and never"):
            manage("measure", str(folder))
    assert before == {path: path.read_bytes() for path in before}


def test_measuring_the_source_leaves_what_was_added_as_it_is(weights, models_folder):
    said = {"standard": {}, "turbo": {"steps": 4}}
    (weights / "greenroom.json").write_text(json.dumps({"tiers": said}))
    add_model(new(weights, engine="diffusers"))
    kept = models_folder / "mine" / "1" / "greenroom.json"
    assert kept.samefile(weights / "greenroom.json"), "a hard link"
    before = kept.read_bytes()
    keep_measured(weights, "turbo", Measured(ssim=0.9, psnr_db=31.0, against="standard", orders=8))
    assert kept.read_bytes() == before
    assert b"measured" in (weights / "greenroom.json").read_bytes()


def test_a_check_that_fails_is_kept_with_its_reason_and_bars_the_offer(folder, monkeypatch):
    def black(*_args, **_more):
        raise EngineFailure(FailureCode.BLACK_CLIP)
        yield

    model = add_model(new(folder))
    assert check_model(model=model).has_passed
    with monkeypatch.context() as patched:
        patched.setattr(StillEngine, "render", black)
        failed = check_model(model=model)
    assert (failed.has_passed, failed.code) == (False, "black_clip")
    with pytest.raises(TooLate):
        offer_added(slug="mine")
    assert ModelCheck.objects.filter(model=model).count() == 2


def test_a_licence_that_does_not_hold_here_is_refused_before_anything_is_read(folder, settings):
    hunyuan = licence_of("Tencent Hunyuan Community")
    settings.TERRITORY = ""
    with pytest.raises(TerritoryExcluded, match="GREENROOM_TERRITORY"):
        add_model(new(folder, licence=hunyuan))
    settings.TERRITORY = "KR"
    with pytest.raises(TerritoryExcluded, match="KR"):
        add_model(new(folder, licence=hunyuan))


def test_testers_say_where_they_are_before_they_order_where_a_licence_has_limits(
    tester, folder, settings
):
    settings.TERRITORY = "US"
    offered(folder, licence=licence_of("Tencent Hunyuan Community"))
    asked = tester.api.post("/api/v1/jobs", ORDER)
    assert (asked.status_code, asked.json()["code"]) == (422, "country_unsaid")
    say_country(tester, "DE")
    assert tester.api.post("/api/v1/jobs", ORDER).json()["code"] == "territory_excluded"
    assert tester.api.post("/api/v1/quotes", QUOTE).json()["code"] == "territory_excluded"
    say_country(tester, "CA")
    assert tester.api.post("/api/v1/jobs", ORDER).status_code == 201
    settings.TERRITORY = "FR"
    assert tester.api.post("/api/v1/jobs", ORDER).json()["code"] == "territory_excluded"


def say_country(who, country):
    PersonalDetail.objects.filter(person__party_id=who.party_id).update(country=country)


def test_a_clip_of_other_files_than_were_added_is_never_kept(tester, tmp_path):
    a_model("swapped", weights={"card.txt": 64 * "0"})
    claim = claim_of(a_job(tester, model="swapped"))
    made = tmp_path / "made"
    with pytest.raises(EngineFailure, match="other files than were added"):
        rendering._recorded(claim, NoHeartbeat(), made)
    assert not made.exists()


def test_a_retired_model_takes_no_orders(tester, folder):
    offered(folder)
    assert [model.state for model in retire_model(slug="mine")] == ["retired"]
    assert tester.api.post("/api/v1/jobs", ORDER).json()["code"] == "model_unknown"
    with pytest.raises(TooLate, match="another revision"):
        offer_added(slug="mine", revision="1")
    with pytest.raises(InvalidOrder):
        retire_model(slug="mine")


def test_two_revisions_are_offered_side_by_side_where_the_operator_says_so(tester, folder):
    first = offered(folder)
    second = add_model(new(folder, revision="2"))
    assert check_model(model=second).has_passed
    offer_added(slug="mine", revision="2", beside=True)
    listed = [
        (one["slug"], one["revision"]) for one in tester.api.get("/api/v1/models").json()["items"]
    ]
    assert listed == [("mine", "2"), ("mine", "1")]

    def ordered(name):
        return tester.api.post("/api/v1/jobs", {**ORDER, "model": name}).json()

    assert ordered("mine")["revision"] == "2"
    older = ordered("mine@1")
    assert (older["model"], older["revision"]) == ("mine", "1")
    assert ordered("mine@3")["code"] == "model_unknown"
    assert ordered("mine@")["code"] == "model_unknown"
    assert [model.revision for model in retire_model(slug="mine", revision="2")] == ["2"]
    assert ordered("mine")["revision"] == "1"
    first.refresh_from_db()
    assert first.state == "offered"


def test_a_revision_that_is_offered_alone_takes_the_place_of_the_others(folder):
    offered(folder)
    for revision in ("2", "3"):
        model = add_model(new(folder, revision=revision))
        check_model(model=model)
        offer_added(slug="mine", revision=revision, beside=revision == "2")
    states = VideoModel.objects.order_by("revision").values_list("revision", "state")
    assert list(states) == [("1", "retired"), ("2", "retired"), ("3", "offered")]


def test_the_composer_names_the_revision_where_there_is_a_choice(tester, folder):
    model = offered(folder, longest=Fraction(4))
    page = tester.client.get("/clips/new")
    assert page.context["form"].fields["model"].choices == [("mine", "Mine")]
    check_model(model=add_model(new(folder, revision="2", longest=Fraction(4))))
    offer_added(slug="mine", revision="2", beside=True)
    form = tester.client.get("/clips/new").context["form"]
    assert form.fields["model"].choices == [("mine@2", "Mine · 2"), ("mine@1", "Mine · 1")]
    assert form["model"].value() == "mine@2"
    sent = {
        "prompt": "a harbour",
        "model": "mine@1",
        "size": "128x128",
        "seconds": "1",
        "tier": "standard",
        "key": "k",
    }
    made = tester.client.post("/clips/new", sent)
    assert made.status_code == 302, made.content.decode()
    job = Job.objects.get()
    assert job.model_id == model.id
    again = f"/clips/new?again={shown('job', job.id)}"
    assert tester.client.get(again).context["form"]["model"].value() == "mine@1"
    retire_model(slug="mine", revision="1")
    assert tester.client.get(again).context["form"]["model"].value() == "mine"


def test_both_are_rendered_each_by_its_own_files(tester, folder):
    offered(folder)
    (folder / "card.txt").write_text("another card")
    check_model(model=add_model(new(folder, revision="2")))
    offer_added(slug="mine", revision="2", beside=True)
    small = {"width": 128, "height": 128, "tier": "standard"}
    for name in ("mine@1", "mine"):
        claim = claim_of(a_job(tester, model=name, **small))
        assert rendering.order_of(claim.job).checkpoint.name == claim.job.model.revision
    revisions = Job.objects.order_by("queue_number").values_list("model__revision", flat=True)
    assert list(revisions) == ["1", "2"]


def test_what_is_known_of_a_licence_can_be_added_to_and_not_taken_away():
    known = licence_of("ltx-2 community", excluded=["uk", "EU"])
    assert known.provenance_duty
    assert set(known.excluded) == {*EUROPEAN_UNION, "GB"}
    own = licence_of("House licence", address="https://licence.example", provenance_duty=True)
    assert (own.name, own.excluded, own.provenance_duty) == ("House licence", (), True)
    with pytest.raises(TerritoryUnknown):
        licence_of("Apache-2.0", excluded=["Europe"])


def test_the_usual_prices_grow_with_pixels_and_steps():
    lines = usual_prices(StillEngine().capabilities(None), {"turbo": 4, "standard": 12})
    costs = {(line.tier, line.width): line.credits_per_second for line in lines}
    assert costs[("turbo", 1280)] == 1
    assert costs[("standard", 1280)] == 3
    assert costs[("standard", 1920)] > costs[("standard", 1280)] > costs[("standard", 640)] >= 1


def test_the_commands_lead_from_one_to_the_next(folder):
    said = manage(
        "add", str(folder), "--revision", "1", "--licence", "Apache-2.0", "--engine", "still"
    )
    assert "manage.py model check mine" in said
    assert "manage.py model offer mine" in manage("check", "mine")
    assert "is offered" in manage("offer", "mine")
    assert "mine 1: offered, still -, Apache-2.0, passed on" in manage("list")
    assert "has retired" in manage("retire", "mine")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["add", "nowhere", "--revision", "1", "--licence", "MIT"], "not where they should be"),
        (["add", ".", "--revision", "1 2", "--licence", "MIT"], "A revision is letters"),
        (["add", ".", "--revision", "1", "--licence", "MIT", "--slug", "A B"], "lower-case"),
        (["add", ".", "--revision", "1", "--licence", "MIT", "--price", "x"], "like standard:"),
        (["add", ".", "--revision", "1", "--licence", "MIT", "--exclude", "EUR"], "no territory"),
        (["add", ".", "--revision", "1", "--licence", "MIT", "--engine", "x"], "no engine called"),
        (["add", "a/b", "--revision", "main", "--licence", "MIT", "--from-hub"], "whole commit"),
        (["check", "nothing"], "no model of this name"),
        (["offer", "nothing"], "no model of this name"),
        (["retire", "nothing"], "no model of this name"),
    ],
)
def test_bad_words_get_a_plain_sentence(models_folder, words, sentence):
    with pytest.raises(CommandError, match=sentence):
        manage(*words)
    assert not VideoModel.objects.exists()
