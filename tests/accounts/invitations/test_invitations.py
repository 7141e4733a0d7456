"""One link, one address, one seat."""

import re
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from accounts.administrators.commands import make_administrator
from accounts.arrivals.commands import (
    InvitationGone,
    accept_as_member,
    accept_as_new_person,
)
from accounts.cohorts.commands import end_cohort, make_cohort
from accounts.cohorts.queries import parties_in_cohort
from accounts.credentials.peppers import PepperUnknown
from accounts.entrance.commands import close_account, make_person
from accounts.invitations.commands import (
    AlreadyInvited,
    SentAMomentAgo,
    end_expired_invitations,
    invite_many,
    invite_member,
    invite_person,
    resend_invitation,
    revoke_invitation,
)
from accounts.invitations.models import Invitation
from accounts.invitations.queries import invitation_link
from accounts.invitations.rules import MOST_SENT_AGAIN
from accounts.people.models import Person
from accounts.programmes.commands import ParticularsWish, make_programme
from accounts.programmes.models import Membership, Programme, Role
from accounts.programmes.queries import membership_of, roles_in
from accounts.quotas.commands import grant_budget
from accounts.quotas.models import Budget
from accounts.quotas.models import Kind as BudgetKind
from accounts.roles.commands import end_role
from accounts.roles.commands import grant_role as give_role
from core.audit.models import AuditEvent
from core.clock import now
from core.errors import Absent, InvalidOrder
from core.ids import read_id
from core.outbox.models import OutboxMessage
from stage.cast import a_member

pytestmark = pytest.mark.django_db

EMAIL = "newcomer@example.org"
WORDS = "a long rehearsal"
FORM = {"display_name": "Newcomer", "password": WORDS, "again": WORDS}


@pytest.fixture
def link(programme):
    return path_of(invite_person(programme_id=programme.id, email=EMAIL, role=Role.TESTER))


def path_of(invitation):
    return invitation_link(invitation).partition("localhost:8000")[2]


def body(answer):
    """Without what differs from load to load for everybody."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())


def test_a_guest_becomes_a_signed_in_member(link, programme, browser):
    assert browser.get(link).url == "/invitation"
    page = browser.get("/invitation").content.decode()
    assert EMAIL in page
    assert "At least eight characters" in page
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
    clock.advance(minutes=5)
    resend_invitation(invitation_id=Invitation.objects.get().id)
    return link


def revoked(link, programme, browser_of, clock):
    revoke_invitation(invitation_id=Invitation.objects.get().id)
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
    "spoilt", [used, replaced, revoked, expired, of_a_closed_programme, made_up, mistyped]
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
    invited = invite_person(programme_id=programme.id, email=stranger.email, role=Role.REVIEWER)
    browser.get(path_of(invited))
    page = browser.get("/invitation").content.decode()
    assert "Sign in" in page
    assert 'type="password"' not in page
    browser.post("/invitation", FORM)
    assert Person.objects.get(pk=stranger.person.pk).check_password(stranger.password)
    assert membership_of(programme.id, stranger.party_id) is None


def test_somebody_with_an_account_signs_in_and_joins(stranger, programme, browser, sign_in):
    invited = invite_person(programme_id=programme.id, email=stranger.email, role=Role.REVIEWER)
    browser.get(path_of(invited))
    sign_in(stranger.email, client=browser)
    assert "Join" in browser.get("/invitation").content.decode()
    browser.post("/invitation")
    assert roles_in(programme.id, stranger.party_id) == {"reviewer"}


def test_somebody_elses_invitation_cannot_be_taken(link, stranger, programme):
    wrong_address = stranger.client.get(link)
    plain = stranger.client.get("/invitation/x")
    assert wrong_address.status_code == plain.status_code == 404
    assert body(wrong_address).replace(link, "") == body(plain).replace("/invitation/x", "")
    assert stranger.client.post("/invitation", FORM).status_code == 404
    assert membership_of(programme.id, stranger.party_id) is None
    assert Invitation.objects.get().ended_at is None


def test_whoever_took_it_in_hand_and_then_signed_in_as_another_has_nothing(link, stranger, browser):
    browser.get(link)
    browser.force_login(stranger.person)
    assert browser.get("/invitation").status_code == 404


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
        ("UPDATE accounts_invitation SET email = 'b@example.org'", "invitation_is_sent_anew"),
        (
            "UPDATE accounts_invitation SET ended_at = core_now()",
            "an_ended_invitation_keeps_no_address",
        ),
        ("DELETE FROM accounts_invitation", "accounts_invitation_is_never_deleted"),
        ("TRUNCATE accounts_invitation CASCADE", "accounts_invitation_is_never_emptied"),
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


# The link ---------------------------------------------------------------------------------------


def test_the_link_is_the_same_each_time_and_stands_nowhere(link, programme):
    kept = Invitation.objects.get()
    assert path_of(kept) == link
    secret = link.rpartition("/")[2]
    assert len(secret) == 43
    assert secret not in str(Invitation.objects.values())


def test_without_its_pepper_there_is_no_link(link, settings):
    settings.PEPPERS = lambda: {"another": "key"}
    with pytest.raises(PepperUnknown):
        invitation_link(Invitation.objects.get())


@pytest.mark.django_db(transaction=True)
def test_sent_again_it_has_another_link_and_another_week(link, browser, clock):
    before = Invitation.objects.get()
    clock.advance(days=6)
    again = resend_invitation(invitation_id=before.id)
    assert (again.number, again.email) == (2, EMAIL)
    assert again.expires_at > before.expires_at
    assert browser.get(link).status_code == 404
    assert browser.get(path_of(again)).url == "/invitation"


@pytest.mark.django_db(transaction=True)
def test_one_that_ran_out_can_be_sent_again_until_it_is_tidied_away(link, clock):
    kept = Invitation.objects.get()
    clock.advance(days=8)
    assert resend_invitation(invitation_id=kept.id).expires_at > clock.now()
    clock.advance(days=8)
    end_expired_invitations()
    with pytest.raises(Absent):
        resend_invitation(invitation_id=kept.id)


def test_it_is_not_sent_again_at_once_and_the_refusal_says_when_it_may_be(link, clock):
    kept, sent_at = Invitation.objects.get(), clock.stop()
    resend = partial(resend_invitation, invitation_id=kept.id)
    with pytest.raises(SentAMomentAgo) as refused:
        resend()
    assert refused.value.code == "invitation_sent_a_moment_ago"
    assert refused.value.http_status == 429
    assert "in 5 minutes." in refused.value.sentence
    clock.set(datetime.fromisoformat(refused.value.facts["may_be_sent_at"]))
    assert resend().number == 2
    clock.advance(minutes=4, seconds=59)
    with pytest.raises(SentAMomentAgo, match=r"in 1 minute\.$"):
        resend()
    clock.advance(seconds=1)
    assert resend().number == 3
    assert clock.now() > sent_at


def test_a_programme_sends_thirty_again_at_a_time_and_then_waits(programme, clock):
    made = [
        invite_person(programme_id=programme.id, email=f"{number}@x.org", role=Role.TESTER)
        for number in range(MOST_SENT_AGAIN + 1)
    ]
    clock.stop()
    clock.advance(minutes=5)
    for each in made[:-1]:
        resend_invitation(invitation_id=each.id)
    clock.advance(minutes=2)
    with pytest.raises(SentAMomentAgo, match="in 3 minutes"):
        resend_invitation(invitation_id=made[-1].id)
    clock.advance(minutes=3)
    assert resend_invitation(invitation_id=made[-1].id).number == 2


def test_one_that_was_withdrawn_keeps_no_address_and_opens_no_more(link):
    kept = Invitation.objects.get()
    revoke_invitation(invitation_id=kept.id)
    kept.refresh_from_db()
    assert (kept.email, kept.accepted_by_id) == ("", None)
    for deed in (resend_invitation, revoke_invitation):
        with pytest.raises(Absent):
            deed(invitation_id=kept.id)


def test_who_is_invited_already_is_told_of_the_open_one(link, programme):
    with pytest.raises(AlreadyInvited) as refused:
        invite_person(programme_id=programme.id, email=EMAIL.upper(), role=Role.REVIEWER)
    assert read_id("invitation", refused.value.facts["invitation"]) == Invitation.objects.get().id


@pytest.mark.django_db(transaction=True)
def test_one_that_ran_out_does_not_stand_in_the_way_of_another(link, programme, clock):
    clock.advance(days=8)
    invite_person(programme_id=programme.id, email=EMAIL, role=Role.REVIEWER)
    assert Invitation.objects.filter(ended_at=None).get().role == "reviewer"


@pytest.mark.django_db(transaction=True)
def test_whoever_hears_is_told_which_sending_it_is(link, clock):
    kept = Invitation.objects.get()
    clock.advance(minutes=5)
    resend_invitation(invitation_id=kept.id)
    said = OutboxMessage.objects.filter(subject_id=kept.id).order_by("id")
    assert sorted((each.kind, each.facts["number"]) for each in said) == [
        ("invitation.made", 1),
        ("invitation.resent", 2),
    ]
    assert not OutboxMessage.objects.filter(facts__icontains="example.org").exists()


# What the seat brings along ---------------------------------------------------------------------


def budget_of(programme, person):
    return Budget.objects.filter(programme=programme, party_id=person.party_id).values_list(
        "limit", flat=True
    )


def come(invitation):
    return accept_as_new_person(invitation_id=invitation.id, password=WORDS, display_name="")


def test_a_programme_that_is_not_open_yet_invites_and_seats(db):
    programme = make_programme(slug="early", wish=ParticularsWish("Early", credits_per_tester=70))
    person = come(invite_person(programme_id=programme.id, email=EMAIL, role=Role.TESTER))
    assert roles_in(programme.id, person.party_id) == {"tester"}
    assert list(budget_of(programme, person)) == [70]


def test_a_new_tester_has_the_credits_of_the_particulars_and_a_reviewer_none(programme):
    tester = come(invite_person(programme_id=programme.id, email=EMAIL, role=Role.TESTER))
    reviewer = come(
        invite_person(programme_id=programme.id, email="r@example.org", role=Role.REVIEWER)
    )
    assert list(budget_of(programme, tester)) == [400]
    assert list(budget_of(programme, reviewer)) == []


def test_who_has_a_budget_already_keeps_it(programme, stranger):
    grant_budget(
        programme_id=programme.id, kind=BudgetKind.CREDITS, limit=5, party_id=stranger.party_id
    )
    invited = invite_person(programme_id=programme.id, email=stranger.email, role=Role.TESTER)
    accept_as_member(invitation_id=invited.id, person=stranger.person)
    assert list(budget_of(programme, stranger)) == [5]


def test_the_seat_is_in_the_cohort_while_that_is_there(programme):
    kept, gone = (make_cohort(programme_id=programme.id, name=name) for name in ("kept", "gone"))
    first, second = (
        invite_person(
            programme_id=programme.id,
            email=f"{cohort.name}@example.org",
            role=Role.TESTER,
            cohort_id=cohort.id,
        )
        for cohort in (kept, gone)
    )
    end_cohort(cohort_id=gone.id)
    in_kept, in_none = come(first), come(second)
    assert list(parties_in_cohort(kept.id)) == [in_kept.party_id]
    assert roles_in(programme.id, in_none.party_id) == {"tester"}


def test_a_cohort_of_another_programme_is_no_cohort(programme, other_programme):
    theirs = make_cohort(programme_id=other_programme.id, name="theirs")
    with pytest.raises(InvalidOrder) as refused:
        invite_person(programme_id=programme.id, email=EMAIL, role=Role.TESTER, cohort_id=theirs.id)
    assert refused.value.code == "cohort_unknown"


# Languages --------------------------------------------------------------------------------------


def test_the_first_page_is_in_the_language_of_the_invitation(programme, browser):
    invited = invite_person(
        programme_id=programme.id, email=EMAIL, role=Role.TESTER, language="en-XA"
    )
    browser.get(path_of(invited))
    page = browser.get("/invitation")
    assert page.headers["Content-Language"] == "en-xa"
    assert '<html lang="en-xa"' in page.content.decode()
    answer = browser.post("/invitation", FORM)
    assert answer.cookies["django_language"].value == "en-xa"
    assert Person.objects.get(email=EMAIL).detail.language == "en-xa"


def test_what_the_reader_chose_wins(programme, browser):
    invited = invite_person(
        programme_id=programme.id, email=EMAIL, role=Role.TESTER, language="en-XA"
    )
    browser.post("/language", {"language": "en"})
    browser.get(path_of(invited))
    assert browser.get("/invitation").headers["Content-Language"] == "en"


@pytest.mark.parametrize("language", ["xx-", "deutsch", "en_GB"])
def test_what_is_no_language_is_refused(programme, language):
    with pytest.raises(InvalidOrder):
        invite_person(programme_id=programme.id, email=EMAIL, role=Role.TESTER, language=language)


def test_a_language_without_pages_is_kept_and_the_page_is_in_the_readers(programme, browser):
    invited = invite_person(
        programme_id=programme.id, email=EMAIL, role=Role.TESTER, language="pt-BR"
    )
    browser.get(path_of(invited))
    assert browser.get("/invitation").headers["Content-Language"] == "en"


# Who may ----------------------------------------------------------------------------------------


def test_managers_invite_and_others_find_nothing_there(manager, tester, auditor):
    invited = invite_member(actor=manager.actor, email=EMAIL, role=Role.TESTER)
    assert invited.made_by_id == manager.party_id
    for member in (tester, auditor):
        with pytest.raises(Absent):
            invite_member(actor=member.actor, email="b@example.org", role=Role.TESTER)
        with pytest.raises(Absent):
            resend_invitation(invitation_id=invited.id, actor=member.actor)
        with pytest.raises(Absent):
            revoke_invitation(invitation_id=invited.id, actor=member.actor)


def test_a_manager_does_not_touch_another_programmes_invitations(manager, other_programme):
    theirs = invite_person(programme_id=other_programme.id, email=EMAIL, role=Role.TESTER)
    for deed in (resend_invitation, revoke_invitation):
        with pytest.raises(Absent):
            deed(invitation_id=theirs.id, actor=manager.actor)
    assert Invitation.objects.get().ended_at is None


def test_who_invites_a_second_address_of_their_own_gains_nothing(manager, browser):
    invited = invite_member(actor=manager.actor, email=EMAIL, role=Role.REVIEWER)
    Person.objects.filter(pk=manager.person.pk).update(email=EMAIL)
    manager.person.refresh_from_db()
    Membership.objects.filter(party_id=manager.party_id).update(ended_at=invited.made_at)
    with pytest.raises(InvitationGone):
        accept_as_member(invitation_id=invited.id, person=manager.person)
    assert membership_of(manager.programme.id, manager.party_id) is None


@pytest.mark.parametrize("ends", ["role", "time"])
def test_what_a_manager_offered_ends_with_them(programme, manager, clock, ends):
    other = a_member(programme, Role.MANAGER, name="other")
    if ends == "time":
        until = now() + timedelta(days=1)
        give_role(
            programme_id=programme.id, party_id=other.party_id, role=Role.MANAGER, expires_at=until
        )
    invited = invite_member(actor=other.actor, email=EMAIL, role=Role.MANAGER)
    if ends == "time":
        clock.advance(days=2)  # nobody has written the end yet
    else:
        end_role(programme_id=programme.id, party_id=other.party_id, role=Role.MANAGER)
        assert Invitation.objects.get().ended_at is not None
    with pytest.raises(InvitationGone):
        come(invited)
    assert not Person.objects.filter(email=EMAIL).exists()


def test_what_an_administrator_offered_stays_when_they_manage_no_more(programme):
    chief = a_member(programme, Role.MANAGER, name="chief")
    make_administrator(party_id=chief.party_id, granted_by=None)
    invited = invite_member(actor=chief.actor, email=EMAIL, role=Role.REVIEWER)
    end_role(programme_id=programme.id, party_id=chief.party_id, role=Role.MANAGER)
    assert roles_in(programme.id, come(invited).party_id) == {"reviewer"}


def test_a_link_opened_before_it_was_sent_again_is_in_hand_no_more(programme, browser, clock):
    invited = invite_person(programme_id=programme.id, email=EMAIL, role=Role.FINANCE)
    assert browser.get(path_of(invited)).status_code == 302
    clock.advance(minutes=5)
    again = resend_invitation(invitation_id=invited.id)
    assert browser.get("/invitation").status_code == 404
    assert browser.post("/invitation", FORM).status_code == 404
    with pytest.raises(InvitationGone):  # sent again between the page's look and the taking
        accept_as_new_person(
            invitation_id=invited.id, number=invited.number, password=WORDS, display_name=""
        )
    assert not Person.objects.filter(email=EMAIL).exists()
    browser.get(path_of(again))
    assert browser.post("/invitation", FORM).status_code == 302


def test_an_account_that_was_closed_takes_no_seat(programme, stranger):
    invited = invite_person(programme_id=programme.id, email=stranger.email, role=Role.TESTER)
    person = Person.objects.get(pk=stranger.person.pk)
    close_account(person=person)
    with pytest.raises(InvitationGone):
        accept_as_member(invitation_id=invited.id, person=person)
    assert membership_of(programme.id, stranger.party_id) is None


@pytest.mark.parametrize("address", ["\u212aate@example.org", "\u0131da@example.org"])
def test_an_address_that_only_looks_like_anothers_is_none(programme, address):
    for deed in (
        lambda: invite_person(programme_id=programme.id, email=address, role=Role.TESTER),
        lambda: make_person(email=address, password=WORDS),
    ):
        with pytest.raises(InvalidOrder) as refused:
            deed()
        assert refused.value.code == "email_invalid"


def test_a_list_refuses_such_an_address_too(manager):
    result = invite_many(
        actor=manager.actor, csv_bytes="\u212aate@example.org\n".encode(), role=Role.TESTER
    )
    assert (result.invited, [fault.code for fault in result.faults]) == ([], ["email_invalid"])
