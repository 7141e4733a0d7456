"""The small model that comes along: offered without its engine, rendered with it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.management import call_command

from core.ids import shown
from generation.catalogue.models import PriceRow, VideoModel
from generation.catalogue.queries import checkpoint_folder
from generation.checkpoints.commands import retire_model
from generation.checkpoints.models import ModelCheck, ModelTier
from generation.clips.models import Clip
from generation.engines import registry
from generation.engines.local.checkpoint import file_hashes
from generation.engines.local.diffusers_engine import DiffusersEngine
from generation.engines.local.measuring import psnr
from generation.engines.order import Mode, Order
from generation.engines.protocol import EngineFailure, FailureCode, Stage, Watch
from generation.media.decoding import frames_of
from generation.renditions.models import Rendition
from generation.shipped import commands
from generation.shipped.commands import (
    check_shipped_model,
    offer_shipped_model,
    offer_shipped_styles,
)
from generation.shipped.rules import FOLDER, RATE, revision_of
from generation.styles.queries import styles_of
from stage.builders import a_clip

pytestmark = pytest.mark.django_db

ELSEWHERE = """
import hashlib, json, sys
from generation.engines.order import order_from
from generation.engines.local.diffusers_engine import DiffusersEngine
from generation.engines.protocol import Watch as AnyWatch
class Watch(AnyWatch):
    def tick(self, stage, step, steps): pass
order = order_from(json.loads(sys.argv[1]))
engine = DiffusersEngine()
engine.load(order.checkpoint)
frames = engine.render(order, Watch())
print(hashlib.sha256(b"".join(f.tobytes() for f in frames)).hexdigest())
"""


class Unwatched(Watch):
    def tick(self, stage: Stage, step: int, steps: int) -> None:
        """Nobody looks."""


@pytest.fixture(autouse=True)
def models_folder(settings, tmp_path):
    settings.MODELS_FOLDER = tmp_path / "models"
    return settings.MODELS_FOLDER


@pytest.fixture
def without_torch(monkeypatch):
    monkeypatch.setattr(registry, "_is_complete", lambda package: package != "torch")


def test_it_is_offered_while_its_engine_is_still_to_come(without_torch):
    model = offer_shipped_model()
    assert (model.state, model.engine, model.licence) == ("offered", "diffusers", "Apache-2.0")
    folder = checkpoint_folder(model.checkpoint)
    assert model.weights == file_hashes(folder) == file_hashes(FOLDER)
    assert model.revision == revision_of(model.weights)
    assert not model.shows_noise
    assert offer_shipped_model() == model
    assert VideoModel.objects.count() == 1


def test_it_says_what_it_can_do():
    model = offer_shipped_model()
    rows = {(row.tier, row.width): row for row in PriceRow.objects.filter(model=model)}
    assert {tier for tier, _ in rows} == {"turbo", "standard", "quality"}
    assert {width for _, width in rows} == {64, 256, 512}
    steps = {tier: row.steps for (tier, _), row in rows.items()}
    assert steps == {"turbo": 4, "standard": 8, "quality": 24}
    assert {row.generated_width for row in rows.values()} == {64}
    assert rows["turbo", 512].enlarged_by == 8
    assert set(model.modes) == {Mode.TEXT, Mode.IMAGE, Mode.FIRST_LAST}
    assert model.most_conditions == 2
    assert model.words
    assert model.examples
    lengths = range(model.min_frames, model.max_frames + 1, model.frame_step)
    assert [round(frames / RATE) for frames in lengths] == [2, 4, 6, 8]
    assert ModelTier.objects.filter(model=model).count() == 3


def test_its_examples_are_made_of_words_it_knows():
    from generation.catalogue.rules import unknown_words

    model = offer_shipped_model()
    assert [unknown_words(example, model.words) for example in model.examples] == [
        [] for _ in model.examples
    ]


def test_an_earlier_database_left_its_files_and_that_is_fine(models_folder):
    revision = revision_of(file_hashes(FOLDER))
    shutil.copytree(FOLDER, models_folder / "shapes" / revision)
    model = offer_shipped_model()
    assert (model.revision, model.state) == (revision, "offered")


def test_other_files_under_its_name_are_not_taken_for_it(models_folder):
    revision = revision_of(file_hashes(FOLDER))
    strange = models_folder / "shapes" / revision
    strange.mkdir(parents=True)
    (strange / "model_index.json").write_text("{}")
    with pytest.raises(Exception, match="Something else lies"):
        offer_shipped_model()


def test_other_weights_are_another_revision_and_the_older_one_retires(monkeypatch, tmp_path):
    first = offer_shipped_model()
    other = shutil.copytree(FOLDER, tmp_path / "other")
    told = json.loads((other / "greenroom.json").read_text())
    (other / "greenroom.json").write_text(json.dumps(told | {"guidance": 2.0}))
    monkeypatch.setattr(commands, "FOLDER", other)
    second = offer_shipped_model()
    first.refresh_from_db()
    assert (first.state, second.state) == ("retired", "offered")
    assert second.revision != first.revision


def test_who_retired_it_finds_it_retired():
    offer_shipped_model()
    retire_model(slug="shapes")
    assert offer_shipped_model().state == "retired"


def test_missing_files_are_said(monkeypatch, tmp_path):
    monkeypatch.setattr(commands, "FOLDER", tmp_path / "nowhere")
    with pytest.raises(EngineFailure) as failed:
        offer_shipped_model()
    assert failed.value.code is FailureCode.CHECKPOINT_MISSING
    assert not VideoModel.objects.exists()


def test_its_styles_come_with_it():
    model = offer_shipped_model()
    styles = offer_shipped_styles()
    told = FOLDER / "styles" / "styles.json"
    wanted = json.loads(told.read_text()) if told.is_file() else []
    assert sorted(style.slug for style in styles) == sorted(one["slug"] for one in wanted)
    assert set(styles_of(model)) == set(styles)
    assert [style.id for style in offer_shipped_styles()] == [style.id for style in styles]


@pytest.mark.torch
@pytest.mark.django_db(transaction=True)  # no transaction stays open while torch is imported
def test_it_is_tried_here_once():
    call_command("model", "demo")
    model = VideoModel.objects.get(slug="shapes")
    check = ModelCheck.objects.get(model=model)
    assert check.has_passed
    assert check.facts["frames"] == 17
    call_command("model", "demo")
    assert ModelCheck.objects.count() == 1
    assert check_shipped_model(model) is None


@pytest.mark.torch
@pytest.mark.django_db(transaction=True)  # no transaction stays open while torch is imported
def test_the_same_seed_gives_the_same_pictures_in_another_process():
    model = offer_shipped_model()
    order = Order(
        prompt=model.examples[0],
        seed=7,
        frames=33,
        rate=RATE,
        width=64,
        height=64,
        steps=4,
        tier="turbo",
        checkpoint=checkpoint_folder(model.checkpoint),
    )
    with closing(DiffusersEngine()) as engine:
        engine.load(order.checkpoint)
        frames = list(engine.render(order, Unwatched()))
    here = hashlib.sha256(b"".join(frame.tobytes() for frame in frames)).hexdigest()
    there = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, json.dumps(order.as_dict())],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(commands.__file__).parents[2],
    )
    assert there.stdout.strip() == here
    assert np.stack(frames).shape == (33, 64, 64, 3)


@pytest.mark.torch
@pytest.mark.django_db(transaction=True)  # no transaction stays open while torch is imported
def test_a_clip_of_it_goes_on_from_its_last_frame(tester):
    """The same order begins elsewhere by itself, and where the clip ends when it extends it."""
    call_command("model", "demo")
    wish = {"model": "shapes", "width": 64, "height": 64, "seconds": Fraction(17) / RATE}
    source = a_clip(tester, **wish, prompt="a big red circle moves left over a white background")
    other = wish | {"prompt": source.prompt, "seed": 8}
    alone = a_clip(tester, **other)
    whole = a_clip(tester, **other, extends=shown("clip", source.id))
    assert (source.frames, whole.job.frames, whole.frames) == (17, 17, 33)
    was, begun_anew, is_now = (list(frames_of(master_of(one))) for one in (source, alone, whole))
    assert len(is_now) == 33
    assert min(psnr(one, again) for one, again in zip(was, is_now, strict=False)) > 35
    assert psnr(was[16], is_now[17]) > psnr(was[16], begun_anew[1]) + 4


def master_of(clip: Clip) -> Path:
    found = Rendition.objects.get(clip=clip, kind="master")
    return Path(settings.MEDIA_FOLDER) / found.storage_key
