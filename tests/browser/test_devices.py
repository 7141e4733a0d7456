"""The room of the devices on a desk and on a phone, in short words and in the longest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from generation.placement.commands import announce_device, count_death, drain_device, place_model
from generation.placement.models import Device
from stage.builders import a_model
from stage.cast import Member
from stage.rooms import Room, Visit


@pytest.fixture
def several(room: Room) -> list[Device]:
    """One of each state, on machines with long names."""
    a_model()
    long = "render-room-two.studio-north"
    for name in ("cpu", "cuda:0", "cuda:1", "remote"):
        slots = 8 if name == "remote" else 1
        announce_device(machine=long, name=name, lanes=["still:standard"], slots=slots)
    found = {device.name: device for device in Device.objects.filter(machine=long)}
    place_model(device=found["cuda:0"], slug="still", tier="turbo", is_warm=True)
    drain_device(device=found["cuda:1"])
    for _death in range(3):
        count_death(found["cuda:0"].id, "engine_stalled")
    return list(found.values())


@pytest.mark.parametrize(("width", "language"), [(360, "en-XA"), (360, "en"), (1280, "en")])
def test_the_devices_fit_and_can_be_used(
    visit: Callable[..., Visit],
    manager: Member,
    several: list[Device],
    width: int,
    language: str,
) -> None:
    here = visit(
        viewport={"width": width, "height": 800}, extra_http_headers={"Accept-Language": language}
    )
    here.sign_in(manager)
    page = here.go("/devices")
    here.picture(f"devices-{width}-{language}")
    assert not page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
    assert here.axe() == []


def test_a_device_that_was_taken_out_serves_again_by_the_keyboard(
    visit: Callable[..., Visit], manager: Member, several: list[Device]
) -> None:
    here = visit(viewport={"width": 360, "height": 800})
    here.sign_in(manager)
    page = here.go("/devices")
    out = page.get_by_role("listitem").filter(has_text="Taken out")
    out.get_by_role("button", name="Serve again").press("Enter")
    page.get_by_text("It takes jobs again.").wait_for()
    assert not Device.objects.filter(state="out").exists()
