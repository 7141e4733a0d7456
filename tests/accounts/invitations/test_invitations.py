"""One link, one address, one seat."""

import re

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from accounts.invitations.commands import (
    InvitationGone,
    accept_as_new_person,
    end_expired_invitations,
    invite_person,
)
from accounts.invitations.models import Invitation
from accounts.people.models import Person
from accounts.programmes.models import Programme, Role
from accounts.programmes.queries import membership_of, roles_in
from core.audit.models import AuditEvent
from core.errors import Absent, InvalidOrder

pytestmark = pytest.mark.django_db

EMAIL = "newcomer@example.org"
WORDS = "a long rehearsal"
FORM = {"display_name": "Newcomer", "password": WORDS, "again": WORDS}


@pytest.fixture
def link(programme):
    _invitation, secret = invite_person(programme_id=programme.id, email=EMAIL, role=Role.TESTER)
    return f"/invitation/{secret}"


def body(answer):
    """Without what differs from load to load for everybody."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())


def test_a_guest_becomes_a_signed_in_member(link, programme, browser):
    assert browser.get(link).url == "/invitation"
    assert EMAIL in browser.get("/invitation").content.decode()
    assert browser.post("/invitation", FORM).url == "/"
    person = Person.objects.get(email=EMAIL)
    assert person.check_password(WORDS)
    assert person.detail.display_name == "Newcomer"
    assert person.emailaddress_set.get().verified
    assert roles_in(programme.id, person.party_id) == {"tester"}
    assert browser.get("/settings").status_code == 200


def test_the_guest_can_sign_in_later(link, browser, a_browser, sign_in):
    browser.get(link)
    browser.post("/invitation", FORM)
    sign_in(EMAIL, WORDS, client=a_browser())


def test_the_secret_is_neither_in_the_database_nor_in_the_session(link, browser):
    secret = link.rpartition("/")[2]
    browser.get(link)
    kept = Invitation.objects.get()
    assert secret.encode() not in bytes(kept.digest)
    assert secret not in str(dict(browser.session.items()))
    assert "no-store" in browser.get("/invitation").headers["Cache-Control"]


def used(link, programme, browser_of, clock):
    guest = browser_of()
    guest.get(link)
    guest.post("/invitation", FORM)
    return link


def replaced(link, programme, browser_of, clock):
    invite_person(programme_id=programme.id, email=EMAIL.upper(), role=Role.TESTER)
    return link


def expired(link, programme, browser_of, clock):
    clock.advance(days=7)
    return link


def of_a_closed_programme(link, programme, browser_of, clock):
    Programme.objects.filter(id=programme.id).update(is_open=False)
    return link


def made_up(link, programme, browser_of, clock):
    return "/invitation/" + "0" * 43


def mistyped(link, programme, browser_of, clock):
    return link[:-1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "spoilt", [used, replaced, expired, of_a_closed_programme, made_up, mistyped]
)
def test_every_link_that_does_not_open_gets_the_same_answer(
    spoilt, link, programme, a_browser, clock
):
    bad = spoilt(link, programme, a_browser, clock)
    before = Person.objects.count()
    answer = a_browser().get(bad)
    plain = a_browser().get("/invitation/x")
    assert answer.status_code == plain.status_code == 404
    assert body(answer).replace(bad, "") == body(plain).replace("/invitation/x", "")
    assert Person.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_an_invitation_in_hand_ends_with_its_time(link, browser, clock):
    browser.get(link)
    clock.advance(days=7)
    assert browser.post("/invitation", FORM).status_code == 404
    assert not Person.objects.filter(email=EMAIL).exists()


def test_nobody_comes_in_without_an_invitation_in_hand(browser):
    assert browser.get("/invitation").status_code == 404
    assert browser.post("/invitation", FORM).status_code == 404
    assert not Person.objects.exists()


def test_the_address_is_the_invitations_whatever_the_form_says(link, browser):
    browser.get(link)
    browser.post("/invitation", {**FORM, "email": "other@example.org"})
    assert list(Person.objects.values_list("email", flat=True)) == [EMAIL]


@pytest.mark.parametrize(
    "form",
    [
        {"password": "short", "again": "short"},
        {"password": WORDS, "again": "another one"},
        {"password": "12345678901234", "again": "12345678901234"},
        {"password": EMAIL, "again": EMAIL},
        {},
    ],
)
def test_a_poor_password_makes_nobody_and_keeps_the_invitation(link, browser, form):
    browser.get(link)
    assert browser.post("/invitation", form).status_code == 422
    assert not Person.objects.exists()
    assert browser.post("/invitation", FORM).status_code == 302


def test_a_link_sets_no_password_of_an_account_that_exists(stranger, programme, browser, a_browser):
    _invitation, secret = invite_person(
        programme_id=programme.id, email=stranger.email, role=Role.REVIEWER
    )
    browser.get(f"/invitation/{secret}")
    page = browser.get("/invitation").content.decode()
    assert "Sign in" in page
    assert 'type="password"' not in page
    browser.post("/invitation", FORM)
    assert Person.objects.get(pk=stranger.person.pk).check_password(stranger.password)
    assert membership_of(programme.id, stranger.party_id) is None


def test_somebody_with_an_account_signs_in_and_joins(stranger, programme, browser, sign_in):
    _invitation, secret = invite_person(
        programme_id=programme.id, email=stranger.email, role=Role.REVIEWER
    )
    browser.get(f"/invitation/{secret}")
    sign_in(stranger.email, client=browser)
    assert "Join" in browser.get("/invitation").content.decode()
    browser.post("/invitation")
    assert roles_in(programme.id, stranger.party_id) == {"reviewer"}


def test_somebody_elses_invitation_cannot_be_taken(link, stranger, programme):
    stranger.client.get(link)
    assert "another account" in stranger.client.get("/invitation").content.decode()
    stranger.client.post("/invitation", FORM)
    assert membership_of(programme.id, stranger.party_id) is None
    assert Invitation.objects.get().ended_at is None


def test_who_is_in_already_is_not_invited(tester):
    with pytest.raises(InvalidOrder, match="already"):
        invite_person(programme_id=tester.programme.id, email=tester.email, role=Role.TESTER)


@pytest.mark.parametrize("email", ["", "nobody", "a@b@c", "x" * 300 + "@example.org"])
def test_what_is_no_address_is_refused(programme, email):
    with pytest.raises(InvalidOrder):
        invite_person(programme_id=programme.id, email=email, role=Role.TESTER)


def test_a_closed_programme_invites_nobody(programme):
    Programme.objects.filter(id=programme.id).update(is_open=False)
    with pytest.raises(Absent):
        invite_person(programme_id=programme.id, email=EMAIL, role=Role.TESTER)


def test_an_invitation_that_ended_keeps_no_address(link, browser):
    browser.get(link)
    browser.post("/invitation", FORM)
    kept = Invitation.objects.get()
    person = Person.objects.get(email=EMAIL)
    assert (kept.email, kept.accepted_by_id) == ("", person.party_id)
    assert not AuditEvent.objects.filter(facts__icontains="example.org").exists()


@pytest.mark.django_db(transaction=True)
def test_tidying_forgets_the_addresses_of_old_invitations(link, clock):
    assert end_expired_invitations() == 0
    clock.advance(days=7)
    assert end_expired_invitations() == 1
    assert Invitation.objects.get().email == ""


@pytest.mark.race
def test_of_eight_who_open_one_link_at_once_one_comes_in(link, at_once, programme):
    invitation = Invitation.objects.get()
    answers = at_once(
        8,
        lambda _number: accept_as_new_person(
            invitation_id=invitation.id, password=WORDS, display_name=""
        ),
    )
    assert sum(isinstance(each, Person) for each in answers) == 1
    assert sum(isinstance(each, InvitationGone) for each in answers) == 7
    assert Person.objects.filter(email=EMAIL).count() == 1


@pytest.mark.race
def test_of_two_programmes_invitations_accepted_at_once_one_makes_the_person(
    link, at_once, other_programme
):
    invite_person(programme_id=other_programme.id, email=EMAIL, role=Role.TESTER)
    open_ones = list(Invitation.objects.all())
    answers = at_once(
        2,
        lambda number: accept_as_new_person(
            invitation_id=open_ones[number].id, password=WORDS, display_name=""
        ),
    )
    assert [type(each) for each in answers if not isinstance(each, Person)] == [InvitationGone]
    assert Person.objects.filter(email=EMAIL).count() == 1
    assert Invitation.objects.filter(ended_at=None).count() == 1, "the other opens still"


def open_twice(programme):
    kept = Invitation.objects.get()
    Invitation.objects.create(
        programme=programme,
        email=EMAIL,
        role="tester",
        digest=b"1" * 32,
        made_at=kept.made_at,
        expires_at=kept.expires_at,
    )


def test_the_database_allows_one_open_invitation_per_programme_and_address(link, programme):
    with (
        pytest.raises(IntegrityError, match="one_open_invitation_per_programme_and_address"),
        transaction.atomic(),
    ):
        open_twice(programme)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("attack", "name"),
    [
        ("UPDATE accounts_invitation SET role = 'auditor'", "invitation_is_what_it_was"),
        ("UPDATE accounts_invitation SET email = 'b@example.org'", "invitation_ends_once"),
        (
            "UPDATE accounts_invitation SET ended_at = core_now()",
            "an_ended_invitation_keeps_no_address",
        ),
        ("DELETE FROM accounts_invitation", "accounts_invitation_is_never_deleted"),
        ("TRUNCATE accounts_invitation", "accounts_invitation_is_never_emptied"),
    ],
)
def test_an_invitation_changes_only_by_ending_even_for_the_owner(link, as_owner, attack, name):
    import psycopg

    with pytest.raises(psycopg.Error) as refused:
        as_owner.execute(attack)
    assert refused.value.diag.constraint_name == name


@pytest.mark.django_db(transaction=True)
def test_the_application_may_not_move_an_invitation_to_another_role(link, as_application):
    import psycopg

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_application.execute("UPDATE accounts_invitation SET role = 'auditor'")


def test_the_command_prints_the_link_once(programme, browser, capsys):
    call_command("invite", EMAIL, programme="studio", role="reviewer")
    link = capsys.readouterr().out.split()[-1]
    assert link.startswith("http://localhost:")
    assert browser.get(link.partition("8000")[2]).url == "/invitation"


def test_the_command_says_what_is_wrong(programme):
    with pytest.raises(CommandError, match="no programme"):
        call_command("invite", EMAIL, programme="nowhere")
    with pytest.raises(CommandError, match="not an e-mail address"):
        call_command("invite", "nobody", programme="studio")
