"""Nobody invites themselves: it is said at the form, in the list and by the command, not when the
link is opened."""

from __future__ import annotations

import pytest

from accounts.invitations.commands import (
    NoSelfInvitation,
    invite_many,
    invite_member,
    invite_person,
)
from accounts.invitations.models import Invitation
from accounts.programmes.models import Role

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", list(Role))
def test_an_administrator_invites_nobody_of_their_own_address(administrator, role):
    with pytest.raises(NoSelfInvitation) as refused:
        invite_member(
            actor=administrator.actor, email=f" {administrator.email.upper()} ", role=role
        )
    assert (refused.value.code, refused.value.field) == ("no_self_invitation", "email")
    assert not Invitation.objects.exists()


def test_somebody_else_may_and_so_may_the_machine(administrator, second_administrator, programme):
    invite_member(actor=second_administrator.actor, email=administrator.email, role=Role.MANAGER)
    invite_person(programme_id=programme.id, email=second_administrator.email, role=Role.MANAGER)
    assert Invitation.objects.filter(ended_at=None).count() == 2


def test_the_form_says_it_beside_the_address_and_keeps_what_was_typed(administrator):
    typed = {"email": administrator.email, "role": "manager"}
    answer = administrator.client.post("/people/invitations/one", typed | {"language": ""})
    assert answer.status_code == 403
    said = answer.content.decode()
    assert "That is your own address" in said
    assert f'value="{administrator.email}"' in said
    assert not Invitation.objects.exists()


def test_of_a_list_only_that_line_is_passed_over(administrator):
    raw = f"a@x.org\n{administrator.email}\nb@x.org".encode()
    result = invite_many(actor=administrator.actor, csv_bytes=raw, role=Role.TESTER)
    assert [(fault.line, fault.code) for fault in result.faults] == [(2, "no_self_invitation")]
    assert "That is your own address" in result.faults[0].sentence
    assert sorted(each.email for each in result.invited) == ["a@x.org", "b@x.org"]


def test_the_api_refuses_it_with_its_code(administrator):
    answer = administrator.client.post(
        "/api/v1/invitations",
        {"email": administrator.email, "role": "manager"},
        content_type="application/json",
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "no_self_invitation")
