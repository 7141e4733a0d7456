"""From a LoRA to a style that may be ordered: compared, kept by its hash, offered, retired."""

from __future__ import annotations

import hashlib
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from core.audit.models import AuditEvent
from core.errors import InvalidOrder, TooLate
from generation.catalogue.rules import TerritoryExcluded
from generation.checkpoints.rules import licence_of
from generation.engines.protocol import EngineFailure, FailureCode
from generation.styles.commands import add_style, fit_style, offer_style, retire_style
from generation.styles.models import Style, StyleFit
from generation.styles.queries import style_file
from stage.builders import a_model
from stage.styles import LAYER, PAIR, RANK, SIDE, a_checkpoint, a_new_style, a_style, safetensors

pytestmark = pytest.mark.django_db


@pytest.fixture
def drawn(settings, tmp_path):
    """A model that takes styles, and its checkpoint."""
    settings.MODELS_FOLDER = tmp_path / "models"
    a_checkpoint(tmp_path / "models" / "still-1")
    return a_model(takes_styles=True, checkpoint="still-1")


@pytest.fixture
def file(tmp_path):
    return safetensors(tmp_path / "ink.safetensors", PAIR)


def kinds():
    return list(
        AuditEvent.objects.filter(kind__startswith="style.")
        .order_by("id")
        .values_list("kind", flat=True)
    )


def manage(*words):
    out = StringIO()
    call_command("style", *words, stdout=out)
    return out.getvalue()


def test_a_style_is_added_with_what_it_fits_and_kept_by_its_hash(drawn, file):
    content = file.read_bytes()
    style = add_style(a_new_style(file, trigger="in ink", usual_weight=0.8))
    assert (style.state, style.revision, style.bytes) == ("added", 1, len(content))
    assert style.sha256 == hashlib.sha256(content).hexdigest()
    assert (style.trigger, style.usual_weight) == ("in ink", 0.8)
    fit = style.fits.get()
    assert (fit.model, fit.layers, fit.rank) == (drawn, 1, RANK)
    file.unlink()
    kept = style_file(style.sha256)
    assert kept.read_bytes() == content
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]
    assert kinds() == ["style.added", "style.fitted"]


def test_a_file_that_was_changed_since_is_put_right_by_adding_it_again(drawn, file):
    style = add_style(a_new_style(file))
    kept = style_file(style.sha256)
    content = kept.read_bytes()
    kept.unlink()
    kept.write_bytes(content[:-1])
    add_style(a_new_style(file))
    assert kept.read_bytes() == content


def test_doing_it_again_changes_nothing(drawn, file):
    first = add_style(a_new_style(file))
    offer_style(slug="ink")
    told = kinds()
    assert add_style(a_new_style(file)).id == first.id
    assert offer_style(slug="ink").id == first.id
    assert kinds() == told
    assert (Style.objects.count(), StyleFit.objects.count()) == (1, 1)


def test_other_words_or_another_file_are_another_revision(drawn, file, tmp_path):
    add_style(a_new_style(file))
    offer_style(slug="ink")
    worded = add_style(a_new_style(file, description="Draws with a pen."))
    other = safetensors(tmp_path / "more.safetensors", PAIR, dtype="BF16")
    redrawn = add_style(a_new_style(other))
    assert [worded.revision, redrawn.revision] == [2, 3]
    offer_style(slug="ink", revision=2)
    assert list(Style.objects.order_by("revision").values_list("state", flat=True)) == [
        "retired",
        "offered",
        "added",
    ]
    with pytest.raises(TooLate, match="retired"):
        offer_style(slug="ink", revision=1)


def test_a_style_goes_from_added_to_offered_to_retired(drawn, file):
    add_style(a_new_style(file))
    assert offer_style(slug="ink").state == "offered"
    assert retire_style(slug="ink").state == "retired"
    with pytest.raises(TooLate):
        retire_style(slug="ink")
    with pytest.raises(TooLate):
        offer_style(slug="ink")
    assert add_style(a_new_style(file)).state == "retired"
    with pytest.raises(InvalidOrder, match="no style"):
        offer_style(slug="oil")


HALF = {f"transformer.{LAYER}.lora_A.weight": [RANK, SIDE]}
FOREIGN = {
    "no such layer": {name.replace("blocks.0", "blocks.9"): s for name, s in PAIR.items()},
    "another width": PAIR | {f"transformer.{LAYER}.lora_A.weight": [RANK, 16]},
    "another height": PAIR | {f"transformer.{LAYER}.lora_B.weight": [16, RANK]},
    "two ranks": PAIR | {f"transformer.{LAYER}.lora_B.weight": [SIDE, 3]},
    "rank nothing": {name: [0 if side == RANK else side for side in s] for name, s in PAIR.items()},
    "half a pair": HALF,
    "words": PAIR | {"text_encoder.layers.0.q.lora_A.weight": [RANK, SIDE]},
    "whole weights": PAIR | {f"transformer.{LAYER}.weight": [SIDE, SIDE]},
    "no axes": PAIR | {f"transformer.{LAYER}.lora_A.weight": [RANK]},
    "nothing": {},
}


@pytest.mark.parametrize("which", FOREIGN)
def test_a_style_of_another_model_is_foreign_before_anybody_can_order_it(drawn, tmp_path, which):
    foreign = safetensors(tmp_path / "foreign.safetensors", FOREIGN[which])
    with pytest.raises(EngineFailure) as refused:
        add_style(a_new_style(foreign))
    assert refused.value.code is FailureCode.STYLE_FOREIGN
    assert not Style.objects.exists()
    assert not list(style_file("").parent.iterdir())


def test_the_names_of_its_authors_own_programs_fit_too(drawn, tmp_path):
    shapes = {name.replace("transformer.", "diffusion_model.", 1): s for name, s in PAIR.items()}
    shapes[f"diffusion_model.{LAYER}.alpha"] = [1]
    add_style(a_new_style(safetensors(tmp_path / "ink.safetensors", shapes)))


def test_a_pickle_a_stump_and_whole_numbers_are_refused(drawn, file, tmp_path):
    pickle = tmp_path / "ink.pt"
    pickle.write_bytes(b"\x80\x04K\x01.")
    renamed = tmp_path / "renamed.safetensors"
    renamed.write_bytes(pickle.read_bytes())
    stump = tmp_path / "stump.safetensors"
    stump.write_bytes(file.read_bytes()[:-4])
    numbers = safetensors(tmp_path / "numbers.safetensors", PAIR, dtype="I32")
    for bad in (pickle, renamed, stump, numbers, tmp_path / "absent.safetensors", tmp_path):
        with pytest.raises(EngineFailure) as refused:
            add_style(a_new_style(bad))
        assert refused.value.code is FailureCode.STYLE_FOREIGN, bad
    assert not Style.objects.exists()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": " "}, "text_missing"),
        ({"description": "two\nlines"}, "text_invalid"),
        ({"description": "x" * 301}, "text_invalid"),
        ({"slug": "No Slug"}, "slug_invalid"),
        ({"usual_weight": 0.0}, "style_weights_invalid"),
        ({"usual_weight": 1.8}, "style_weights_invalid"),
        ({"most_weight": 2.5}, "style_weights_invalid"),
        ({"usual_weight": float("nan")}, "style_weights_invalid"),
        ({"models": ("oil",)}, "model_unknown"),
        ({"models": ()}, "model_unknown"),
    ],
)
def test_facts_that_make_no_sense_are_refused(drawn, file, change, code):
    with pytest.raises(InvalidOrder) as refused:
        add_style(a_new_style(file, **change))
    assert refused.value.code == code
    assert not Style.objects.exists()


def test_a_model_that_takes_no_styles_gets_none(drawn, file):
    a_model("words")
    with pytest.raises(InvalidOrder) as refused:
        add_style(a_new_style(file, models=("words",)))
    assert refused.value.code == "styles_not_offered"


def test_a_licence_that_does_not_hold_here_is_refused(drawn, file, settings):
    settings.TERRITORY = "DE"
    with pytest.raises(TerritoryExcluded):
        add_style(a_new_style(file, licence=licence_of("Tencent Hunyuan Community")))


def test_a_newer_revision_of_a_model_is_compared_anew(drawn, file, settings):
    add_style(a_new_style(file))
    a_checkpoint(settings.MODELS_FOLDER / "still-2")
    model = a_model(takes_styles=True, checkpoint="still-2", revision="2", state="added")
    style = fit_style(slug="ink", model_slug="still")
    assert {fit.model for fit in style.fits.all()} == {drawn, model}
    a_checkpoint(settings.MODELS_FOLDER / "wide-1", side=16)
    a_model("wide", takes_styles=True, checkpoint="wide-1")
    with pytest.raises(EngineFailure):
        fit_style(slug="ink", model_slug="wide")


def test_it_goes_from_the_command_line(drawn, file):
    words = ("--model", "still", "--slug", "ink", "--name", "Ink", "--description", "Draws in ink.")
    more = ("--licence", "Apache-2.0", "--weight", "0.7", "--trigger", "in ink")
    assert "Offer it: manage.py style offer ink" in manage("add", str(file), *words, *more)
    assert "offered, for still 1, rank 2, weight 0.7 (0 to 1.5)" in manage("offer", "ink")
    assert manage("list") == manage("fit", "ink", "--model", "still")
    assert "retired" in manage("retire", "ink")
    with pytest.raises(CommandError, match="style_foreign"):
        manage("add", str(file.with_suffix(".pt")), *words, *more)
    with pytest.raises(CommandError, match="no style of this name"):
        manage("offer", "oil")


def test_a_house_without_styles_says_so():
    assert manage("list") == "No style is known here yet.\n"


def test_the_room_shows_managers_every_revision_and_nobody_else_anything(
    manager, tester, drawn, file
):
    empty = manager.client.get("/styles").content.decode()
    assert "There are no styles yet." in empty
    a_style(drawn, slug="oil", trigger="thick paint")
    add_style(a_new_style(file))
    page = manager.client.get("/styles").content.decode()
    for words in ("Offered", "Not offered yet", "thick paint", "Still 1", "Apache-2.0"):
        assert words in page
    assert tester.client.get("/styles").status_code == 404
