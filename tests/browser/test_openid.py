"""Through the button, to another address, and back: under the policy of the house."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from accounts.credentials.models import Credential
from stage.cast import Member
from stage.rooms import Visit


@pytest.mark.parametrize("scripts", [True, False])
def test_staff_sign_in_through_the_labs_own_provider(
    visit: Callable[..., Visit], reviewer: Member, scripts: bool
) -> None:
    here = visit(java_script_enabled=scripts)
    provider = here.room.openid
    assert provider is not None
    provider.who = reviewer.email
    page = here.go("/account/login/?next=/desk")
    here.picture("openid-button")
    page.get_by_role("button", name="Sign in with: The lab").click()
    page.wait_for_url(f"{here.room.address}/desk")
    session = Credential.objects.get(party_id=reviewer.party_id, kind="session")
    assert session.minted_auth_method == "oidc"
    assert provider.asked[-1]["code_challenge_method"] == "S256"


def test_a_tester_reads_what_to_do_instead(visit: Callable[..., Visit], tester: Member) -> None:
    here = visit()
    provider = here.room.openid
    assert provider is not None
    provider.who = tester.email
    page = here.go("/account/login/")
    page.get_by_role("button", name="Sign in with: The lab").click()
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    expect(page.get_by_text("Testers sign in with their own password or passkey.")).to_be_visible()
    assert here.axe() == []
    page.get_by_role("link", name="To the sign-in").click()
    here.sign_in_by_form(tester)
