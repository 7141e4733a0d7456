"""The room of the devices, its API and its command, without scripts."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.notices.commands import write_notices
from accounts.notices.models import Notice
from accounts.notices.words import shown_notice
from core.audit.models import AuditEvent
from core.ids import shown
from core.outbox.models import OutboxMessage
from generation.placement.models import Device, Placement
from generation.worker.commands import lose_attempt
from generation.worker.identity import this_worker
from stage.builders import a_claim, a_job, claim_of
from stage.cast import Member

pytestmark = pytest.mark.django_db


def the_device() -> Device:
    return Device.objects.get()


def its_id() -> str:
    return shown("device", the_device().id)


def test_the_room_shows_what_a_device_renders_and_never_what_was_asked(
    manager: Member, administrator: Member, tester: Member
) -> None:
    claim = a_claim(tester)
    for member in (manager, administrator):
        page = member.client.get("/devices").content.decode()
        for said in (this_worker().host, "still", "still:standard", "0 of 4 steps", "Serving"):
            assert said in page, said
        assert claim.job.prompt not in page


@pytest.mark.parametrize("who", ["tester", "reviewer", "finance", "auditor", "stranger"])
def test_nobody_else_finds_the_room(request: pytest.FixtureRequest, who: str) -> None:
    member: Member = request.getfixturevalue(who)
    a_claim(request.getfixturevalue("tester"))
    assert member.client.get("/devices").status_code == 404
    assert member.client.post(f"/devices/{its_id()}/drain").status_code == 404
    assert member.api.get("/api/v1/devices").status_code == 404
    assert member.api.post(f"/api/v1/devices/{its_id()}/drain").status_code == 404
    assert the_device().state == "serving"


def test_a_manager_drains_a_device_and_lets_it_serve_again(manager: Member, tester: Member) -> None:
    a_claim(tester)
    page = manager.client.post(f"/devices/{its_id()}/drain", follow=True).content.decode()
    assert "Finishing" in page
    assert the_device().state == "draining"
    page = manager.client.post(f"/devices/{its_id()}/serve", follow=True).content.decode()
    assert the_device().state == "serving"
    kinds = AuditEvent.objects.filter(subject_kind="device").order_by("at", "id")
    assert list(kinds.values_list("kind", "actor_party_id")) == [
        ("device.drained", manager.party_id),
        ("device.served", manager.party_id),
    ]


def out_of_service(tester: Member) -> None:
    job = a_job(tester)
    for _time in range(3):
        lose_attempt(claim_of(job), code="engine_stalled")


def test_who_looks_after_devices_hears_of_one_that_went_out_and_serves_it_again(
    manager: Member, administrator: Member, tester: Member
) -> None:
    out_of_service(tester)
    write_notices(OutboxMessage.objects.get(kind="device.out"))
    heard = Notice.objects.filter(kind="device.out")
    assert set(heard.values_list("party_id", flat=True)) == {
        manager.party_id,
        administrator.party_id,
    }
    assert shown_notice(heard[0]).page == "/devices"
    page = manager.client.get("/devices").content.decode()
    assert "Taken out" in page
    assert "Rendering stood still" in page
    assert manager.client.post(f"/devices/{its_id()}/drain").status_code == 409
    manager.client.post(f"/devices/{its_id()}/serve")
    assert (the_device().state, the_device().deaths_in_a_row) == ("serving", 0)


def test_the_same_over_the_api(manager: Member, tester: Member) -> None:
    a_claim(tester)
    (listed,) = manager.api.get("/api/v1/devices").json()["items"]
    assert listed == manager.api.get(f"/api/v1/devices/{its_id()}").json()
    assert (listed["state"], listed["models"], listed["is_seen"]) == ("serving", ["still"], True)
    assert listed["renders"][0]["lane"] == "still:standard"
    drained = manager.api.post(f"/api/v1/devices/{its_id()}/drain")
    assert (drained.status_code, drained.json()["state"]) == (200, "draining")
    served = manager.api.post(f"/api/v1/devices/{its_id()}/serve")
    assert (served.status_code, served.json()["state"]) == (200, "serving")
    assert manager.api.get("/api/v1/devices/dev_unknown").status_code == 404


def test_an_operator_lists_places_and_drains_at_the_machine(tester: Member) -> None:
    a_claim(tester)
    name = f"{this_worker().host}/cpu"
    call_command("device", "place", name, "still:turbo", "--warm")
    assert Placement.objects.get().is_warm
    call_command("device", "drain", name)
    said = StringIO()
    call_command("device", "list", stdout=said)
    assert said.getvalue() == f"{name}  draining  slots 1  still:turbo (warm)\n"
    call_command("device", "unplace", name, "still:turbo")
    call_command("device", "serve", name)
    said = StringIO()
    call_command("device", "list", stdout=said)
    assert said.getvalue() == f"{name}  serving  slots 1  every model that is ready\n"
    for words in (["drain", "nowhere/cpu"], ["place", name, "unknown"], ["unplace", name, "still"]):
        with pytest.raises(CommandError):
            call_command("device", *words)
