"""Administrators come by invitation, one by one, and one always stays."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from accounts.administrators.commands import (
    LastAdministrator,
    end_administrator,
    make_administrator,
)
from accounts.administrators.queries import administrators_now
from accounts.arrivals.commands import (
    InvitationGone,
    accept_as_member,
    accept_as_new_person,
)
from accounts.invitations.commands import (
    AlreadyInvited,
    invite_administrator,
    revoke_invitation,
)
from accounts.invitations.models import Invitation
from accounts.people.models import Person
from accounts.roles.commands import DutiesAreSeparate
from core.audit.models import AuditEvent
from core.errors import Absent, InvalidOrder
from stage.cast import ADDRESS

pytestmark = pytest.mark.django_db

FORM = {"display_name": "Root", "password": "a long rehearsal", "again": "a long rehearsal"}


def parties():
    return set(administrators_now().values_list("party_id", flat=True))


def link_in(capsys):
    return capsys.readouterr().out.split()[-1].partition(ADDRESS)[2]


def test_the_first_comes_in_by_a_link_that_the_machine_prints(db, browser, capsys):
    call_command("first_admin", "Root@example.org")
    link = link_in(capsys)
    browser.get(link)
    assert "administrator" in browser.get("/invitation").content.decode()
    assert browser.post("/invitation", FORM).status_code == 302
    person = Person.objects.get(email="root@example.org")
    assert parties() == {person.party_id}
    assert browser.get(link).status_code == 404
    with pytest.raises(CommandError, match="administrator already"):
        call_command("first_admin", "second@example.org")


def test_run_again_before_it_is_taken_the_earlier_link_opens_no_more(db, browser, capsys):
    call_command("first_admin", "root@example.org")
    first = link_in(capsys)
    call_command("first_admin", "other@example.org")
    second = link_in(capsys)
    assert browser.get(first).status_code == 404
    assert browser.get(second).url == "/invitation"
    assert Invitation.objects.filter(ended_at=None).get().email == "other@example.org"


def test_the_command_refuses_what_is_no_address(db):
    with pytest.raises(CommandError, match="e-mail"):
        call_command("first_admin", "root")


def test_an_administrator_invites_another(administrator):
    invited = invite_administrator(actor=administrator.actor, email="next@example.org")
    with pytest.raises(AlreadyInvited):
        invite_administrator(actor=administrator.actor, email="next@example.org")
    person = accept_as_new_person(
        invitation_id=invited.id, password=FORM["password"], display_name=""
    )
    assert parties() == {administrator.party_id, person.party_id}
    with pytest.raises(InvalidOrder):
        invite_administrator(actor=administrator.actor, email="next@example.org")


@pytest.mark.parametrize("who", ["manager", "auditor", "tester"])
def test_nobody_else_invites_one_or_touches_such_an_invitation(request, who, administrator):
    actor = request.getfixturevalue(who).actor
    with pytest.raises(Absent):
        invite_administrator(actor=actor, email="next@example.org")
    invited = invite_administrator(actor=administrator.actor, email="next@example.org")
    with pytest.raises(Absent):
        revoke_invitation(invitation_id=invited.id, actor=actor)
    with pytest.raises(Absent):
        end_administrator(party_id=administrator.party_id, actor=actor)
    assert parties() == {administrator.party_id}


def test_the_last_one_stays(administrator, second_administrator):
    end_administrator(party_id=administrator.party_id, actor=second_administrator.actor)
    end_administrator(party_id=administrator.party_id, actor=second_administrator.actor)
    assert parties() == {second_administrator.party_id}
    assert AuditEvent.objects.filter(kind="administrator.ended").count() == 1
    with pytest.raises(LastAdministrator):
        end_administrator(party_id=second_administrator.party_id, actor=second_administrator.actor)


def test_an_invitation_of_who_is_an_administrator_no_more_opens_nothing(
    administrator, second_administrator
):
    invited = invite_administrator(actor=administrator.actor, email="next@example.org")
    end_administrator(party_id=administrator.party_id, actor=second_administrator.actor)
    with pytest.raises(InvitationGone):
        accept_as_new_person(invitation_id=invited.id, password=FORM["password"], display_name="")
    assert not Person.objects.filter(email="next@example.org").exists()


def test_who_pays_or_audits_does_not_become_one(administrator, finance, auditor):
    for member in (finance, auditor):
        invited = invite_administrator(actor=administrator.actor, email=member.email)
        with pytest.raises(DutiesAreSeparate):
            accept_as_member(invitation_id=invited.id, person=member.person)
    assert parties() == {administrator.party_id}


def test_being_made_one_twice_is_being_one(administrator):
    again = make_administrator(party_id=administrator.party_id, granted_by=None)
    assert again.party_id == administrator.party_id
    assert administrators_now().count() == 1
