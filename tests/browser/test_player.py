"""The player: pictures at the scrubber, the two copies of a clip, its sound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from PIL import Image
from playwright.sync_api import Page, expect

from core.ids import shown
from generation.clips.commands import say_why
from generation.clips.models import Clip
from generation.engines.protocol import Frames, Sound
from generation.engines.still import StillEngine
from generation.renditions.models import Opening
from stage.builders import a_clip
from stage.cast import Member
from stage.rooms import DESKTOP, Room, Visit

PIXELS = """canvas => [canvas.width, canvas.height, ...canvas.getContext("2d")
    .getImageData(0, 0, canvas.width, canvas.height).data]"""


def opened(here: Visit, clip: Clip) -> Page:
    page = here.go(f"/clips/{shown('clip', clip.id)}")
    expect(page.locator("clip-player [data-part=scrub]")).to_be_visible()
    return page


def tiles_of(clip: Clip) -> list[Any]:
    """The pictures of the contact sheet as they were written, one for each of eight frames."""
    sprite = clip.renditions.get(kind="sprite")
    with Image.open(Path(settings.MEDIA_FOLDER) / sprite.storage_key) as opened_sheet:
        sheet = np.asarray(opened_sheet.convert("RGB"))
    wide, high = sprite.recipe["tile_width"], sprite.recipe["tile_height"]
    return [
        sheet[one["y"] : one["y"] + high, one["x"] : one["x"] + wide]
        for one in sprite.recipe["tiles"]
    ]


@pytest.mark.parametrize("size", [DESKTOP, {"width": 360, "height": 740}], ids=["desktop", "phone"])
def test_pointing_at_the_scrubber_shows_the_picture_of_that_frame(
    visit: Callable[..., Visit], tester: Member, size: dict[str, int]
) -> None:
    clip = a_clip(tester)
    here = visit(viewport=size)
    here.sign_in(tester)
    page = opened(here, clip)
    scrub, thumb = page.locator("clip-player .scrub"), page.locator("clip-player .thumb")
    box = scrub.bounding_box()
    assert box is not None
    for share, frame in ((0.99, 7), (0.01, 0), (0.57, 4)):
        scrub.hover(position={"x": box["width"] * share, "y": box["height"] / 2})
        expect(thumb).to_have_attribute("data-time", str(frame / 8).removesuffix(".0"))
        expect(thumb).to_be_visible()
        width, height, *values = thumb.evaluate(PIXELS)
        picture = np.array(values, np.uint8).reshape(height, width, 4)[..., :3]
        apart = [np.abs(picture - tile.astype(int)).mean() for tile in tiles_of(clip)]
        assert int(np.argmin(apart)) == frame
        assert apart[frame] < 3
    here.picture(f"player-thumb-{size['width']}")
    page.mouse.move(1, 1)
    expect(thumb).to_have_count(0)
    assert here.complaints == []


def test_staff_begin_with_the_light_copy_and_the_master_is_a_press_away(
    visit: Callable[..., Visit], tester: Member, reviewer: Member
) -> None:
    clip = a_clip(tester)
    say_why(actor=reviewer.actor, shown_id=shown("clip", clip.id), why="question")
    here = visit()
    here.sign_in(reviewer)
    page = opened(here, clip)
    player, video = page.locator("clip-player"), page.locator("clip-player video")
    proxy, master = (clip.renditions.get(kind=kind) for kind in ("proxy", "master"))
    assert shown("rendition", proxy.id) in (video.get_attribute("src") or "")
    page.locator("clip-player [data-part=frame]").fill("5")
    page.keyboard.press("Enter")
    expect(player).to_have_attribute("data-frame", "5")
    assert here.axe() == []

    page.get_by_role("link", name="Play the master").press("Enter")
    expect(page.get_by_text("This is the master")).to_be_visible()
    expect(page.get_by_role("link", name="Play the light copy")).to_be_focused()
    assert shown("rendition", master.id) in (video.get_attribute("src") or "")
    page.wait_for_function("() => document.querySelector('clip-player video').currentTime > 0.6")
    expect(player).to_have_attribute("data-frame", "5")
    here.picture("player-master")
    seen = Opening.objects.filter(rendition__clip=clip).values_list("rendition__kind", flat=True)
    assert {"proxy", "master"} <= set(seen)
    assert here.complaints == []


def test_a_clip_with_sound_has_a_waveform_and_a_switch(
    visit: Callable[..., Visit],
    room: Room,
    tester: Member,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = StillEngine.render

    def with_sound(self: StillEngine, *order: Any, **kept: Any) -> Frames:
        wave = np.sin(np.arange(24_000, dtype=np.float32) / 30) * np.linspace(0, 1, 24_000)
        yield Sound(samples=np.stack([wave, wave[::-1]]).astype(np.float32), rate=24_000)
        yield from real(self, *order, **kept)

    monkeypatch.setattr(StillEngine, "render", with_sound)
    with room.rest():
        clip = a_clip(tester)
    here = visit()
    here.sign_in(tester)
    page = opened(here, clip)
    expect(page.get_by_role("img", name="Waveform of the sound")).to_be_visible()
    video, switch = page.locator("clip-player video"), page.get_by_role("button", name="Sound")
    expect(switch).to_have_attribute("aria-pressed", "true")
    switch.click()
    assert video.evaluate("video => video.muted")
    expect(switch).to_have_attribute("aria-pressed", "false")
    here.picture("player-sound")
    assert here.axe() == []
    assert here.complaints == []
