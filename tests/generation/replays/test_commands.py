"""A clip rendered again from its record: the same where nothing changed, and measured where not."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from core.clock import now
from core.errors import TooLate
from core.ids import shown
from generation.clips.commands import announce_removal, finish_removal
from generation.clips.models import Removal
from generation.engines import still
from generation.engines.landscape import Landscape
from generation.replays.commands import replay_clip
from stage.builders import a_clip


@pytest.fixture
def clip(tester):
    return a_clip(tester)


def manage(clip, *words):
    out = StringIO()
    call_command("replay", shown("clip", clip.id), *words, stdout=out)
    return out.getvalue()


def test_an_untouched_house_makes_the_same_file_again(clip):
    replay = replay_clip(clip=clip)
    assert replay.is_same_file
    assert (replay.ssim, replay.worst_ssim, replay.differences) == (
        pytest.approx(1),
        pytest.approx(1),
        (),
    )
    assert "to the byte" in manage(clip)


def test_another_drawing_is_measured_and_named(clip, monkeypatch):
    drawn = Landscape.drawn
    monkeypatch.setattr(Landscape, "drawn", lambda self, at: drawn(self, at)[:, ::-1].copy())
    monkeypatch.setattr(still, "DRAWING", "2")
    replay = replay_clip(clip=clip)
    assert not replay.is_same_file
    assert 0 < replay.worst_ssim <= replay.ssim < 0.95
    assert ("drawing", "1", "2") in replay.differences
    assert "drawing: 1 then, 2 now" in manage(clip)
    assert json.loads(manage(clip, "--json"))["is_same_file"] is False
    with pytest.raises(CommandError, match="Less alike"):
        manage(clip, "--ssim", "0.98")


def test_a_clip_whose_files_are_gone_is_said_to_be(clip):
    removal = announce_removal(clip=clip, why=Removal.Why.OWNER, due_at=now())
    finish_removal(removal=removal)
    with pytest.raises(TooLate, match="removed"):
        replay_clip(clip=clip)


@pytest.mark.django_db
def test_no_clip_of_this_name_is_said_plainly():
    with pytest.raises(CommandError, match="no clip of this name"):
        call_command("replay", "clip_nothing", stdout=StringIO())
