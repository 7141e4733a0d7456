"""Webhooks in the portal: readable on a phone, made with the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from accounts.webhooks.commands import make_webhook
from accounts.webhooks.delivering import deliver_due
from accounts.webhooks.models import WebhookDelivery
from core.ids import shown
from stage.builders import a_job
from stage.cast import Member
from stage.receiver import Receiver, answer, happened
from stage.rooms import DESKTOP, Visit

PHONE = {"width": 360, "height": 740}


def fits(page: Page) -> bool:
    return not page.evaluate("() => document.documentElement.scrollWidth > innerWidth")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_form_the_log_and_a_delivery_fit_and_are_open_to_everybody(
    visit: Callable[..., Visit], tester: Member, receiver: Receiver, size: dict[str, int]
) -> None:
    endpoint, _secret = make_webhook(
        actor=tester.actor,
        name="render farm",
        address=receiver.url,
        event_types=["video.failed", "video.held"],
    )
    receiver.usual = answer(410, body=b"x" * 300)
    for _number in range(2):
        happened(tester, "job.failed", "job", a_job(tester).id, code="engine_error", charged=0)
    deliver_due()
    webhook = shown("webhook_endpoint", endpoint.id)
    delivery = shown("webhook_delivery", WebhookDelivery.objects.order_by("number")[0].id)
    here = visit(viewport=size)
    here.sign_in_by_form(tester)
    for path in (
        "",
        "/new",
        f"/{webhook}",
        f"/{webhook}/change",
        f"/{webhook}/deliveries/{delivery}",
    ):
        page = here.go(f"/webhooks{path}")
        assert here.axe() == [], path
        assert fits(page), path


def test_a_webhook_is_made_with_the_keyboard_alone(
    visit: Callable[..., Visit], tester: Member, receiver: Receiver
) -> None:
    here = visit()
    here.sign_in_by_form(tester)
    page = here.go("/webhooks/new")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("my tool")
    page.keyboard.press("Tab")
    page.keyboard.type(receiver.url)
    page.keyboard.press("Enter")
    page.locator("#secret").wait_for()
    assert page.locator("#secret").input_value().startswith("whsec_")
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
