"""A style is seen in the clip that was ordered with it, on its record, and in no other clip."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from core.ids import shown
from generation.catalogue.commands import Introduction, offer_model
from generation.catalogue.rules import Offered
from generation.clips.models import Clip
from generation.engines.local.diffusers_engine import DiffusersEngine
from generation.engines.protocol import EngineFailure, FailureCode
from generation.jobs.styles import WishedStyle
from generation.replays.commands import replay_clip
from generation.styles.commands import add_style, offer_style
from generation.styles.models import Style
from generation.styles.queries import style_file
from generation.worker import rendering
from stage.builders import NoHeartbeat, a_clip, a_job, claim_of
from stage.review import a_claim_of, a_submission, open_review
from stage.styles import LAYER, a_new_style
from stage.tiny import write_tiny_pipeline

pytestmark = pytest.mark.torch

WISH = {"model": "tiny", "width": 64, "height": 64, "seconds": Fraction(1), "seed": 7}
INK = WishedStyle("ink", 0.8)


def a_lora(path: Path, *, seed: int) -> Path:
    import torch
    from safetensors.torch import save_file

    noise = torch.Generator().manual_seed(seed)
    side = 192
    tensors = {
        f"transformer.{LAYER}.lora_A.weight": torch.randn(4, side, generator=noise) * 0.2,
        f"transformer.{LAYER}.lora_B.weight": torch.randn(side, 4, generator=noise) * 0.2,
    }
    save_file(tensors, path)
    return path


@pytest.fixture(scope="module")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def engine(models_folder: Path) -> Iterator[DiffusersEngine]:
    """Loaded before any transaction begins: the database ends those that wait for half a minute."""
    write_tiny_pipeline(models_folder / "tiny")
    with closing(DiffusersEngine()) as made:
        made.load(models_folder / "tiny")
        yield made


@pytest.fixture
def ink(
    engine: DiffusersEngine,
    models_folder: Path,
    db: None,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Style:
    """A style of the small true pipeline, which renders in this process."""
    settings.MODELS_FOLDER = models_folder
    offer_model(
        Introduction(
            slug="tiny",
            revision="1",
            name="Tiny",
            engine="diffusers",
            licence="Apache-2.0",
            rate=Fraction(8),
            longest=Fraction(2),
            prices=(Offered("standard", 64, 64, 2, 1),),
            checkpoint="tiny",
        )
    )
    for slug, seed in (("ink", 1), ("oil", 2)):
        file = a_lora(tmp_path / f"{slug}.safetensors", seed=seed)
        add_style(a_new_style(file, slug=slug, name=slug.title(), models=("tiny",)))
        offer_style(slug=slug)
    monkeypatch.setattr(rendering, "ENGINES", {"diffusers": engine})
    return Style.objects.get(slug="ink")


def a_made(member: Any, *styles: WishedStyle) -> Clip:
    return a_clip(member, styles=styles, **WISH)


def test_a_style_changes_its_own_clip_to_the_bit_and_no_other(tester: Any, ink: Style) -> None:
    plain = a_made(tester).master_sha256
    styled = a_made(tester, INK).master_sha256
    assert styled != plain
    assert a_made(tester).master_sha256 == plain
    assert a_made(tester, INK).master_sha256 == styled
    weaker, both = WishedStyle("ink", 0.3), (INK, WishedStyle("oil"))
    assert len({plain, styled, *(a_made(tester, *o).master_sha256 for o in ((weaker,), both))}) == 4


def test_the_record_says_which_styles_made_a_clip_and_makes_it_again(
    tester: Any, reviewer: Any, ink: Style
) -> None:
    open_review(tester.programme)
    clip = a_made(tester, INK)
    told = {"slug": "ink", "revision": 1, "sha256": ink.sha256, "weight": 0.8}
    assert clip.recipe["styles"] == [told]
    assert clip.recipe["engine"]["styles"] == [{"sha256": ink.sha256, "weight": 0.8}]
    shown_id = shown("clip", clip.id)
    (whole,) = tester.api.get(f"/api/v1/clips/{shown_id}").json()["styles"]
    assert {name: whole[name] for name in ("style", "revision", "sha256", "weight")} == {
        "style": "ink",
        "revision": 1,
        "sha256": ink.sha256,
        "weight": 0.8,
    }
    assert "Ink × 0.8" in tester.client.get(f"/clips/{shown_id}").content.decode()
    a_submission(tester, clip)
    case = a_claim_of(reviewer)
    page = reviewer.client.get(f"/desk/cases/{shown('case', case.id)}").content.decode()
    assert "Ink × 0.8" in page
    assert replay_clip(clip=Clip.objects.get(id=clip.id)).is_same_file


def test_another_file_than_was_approved_renders_nothing(tester: Any, ink: Style) -> None:
    claim = claim_of(a_job(tester, styles=(INK,), **WISH))
    kept = style_file(ink.sha256)
    kept.unlink()  # the file of its source is the same one on the disk
    a_lora(kept, seed=3)
    assert hashlib.sha256(kept.read_bytes()).hexdigest() != ink.sha256
    watch: Any = NoHeartbeat()
    with pytest.raises(EngineFailure) as refused:
        rendering._recorded(claim, watch, rendering.attempt_folder(claim))
    assert refused.value.code is FailureCode.STYLE_FOREIGN
