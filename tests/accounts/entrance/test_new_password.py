"""A forgotten password: a letter with a link that opens once, and nobody learns who is here."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.contrib.auth import tokens
from django.core import mail as outbox
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.credentials.models import Credential
from accounts.credentials.queries import actor_by_session
from accounts.entrance.commands import LetterGone, close_account, reset_password
from accounts.notices.models import Notice
from accounts.people.models import Person, PersonalDetail
from accounts.post.commands import send_due, tell
from accounts.post.models import Mail
from core.audit.models import AuditEvent
from core.clock import now
from core.ids import shown
from core.outbox.models import OutboxMessage
from greenroom.mailbox.queries import letters_kept
from stage.cast import ADDRESS, PASSWORD, an_administrator, api_of

pytestmark = pytest.mark.django_db

RESET = "/account/password/reset/"
NEW = "a wholly new rehearsal"


@pytest.fixture
def browser():
    return Client(headers={"host": ADDRESS})


def asked(browser, address):
    return browser.post(RESET, {"email": address}, follow=True)


def heard():
    """What the post hears: in the house a worker reads the outbox."""
    for message in OutboxMessage.objects.filter(kind__startswith="password.").order_by("id"):
        tell(message)


def letter_of(member, browser):
    asked(browser, member.email)
    heard()
    assert send_due() == 1
    return outbox.outbox[-1]


def link_in(letter):
    (link,) = set(re.findall(r"https?://\S+/password/reset/key/\S+", letter.body))
    return link.removeprefix(settings.PUBLIC_ADDRESS)


def followed(browser, link, password=NEW):
    page = browser.get(link, follow=True)
    place = page.request["PATH_INFO"]
    return page, browser.post(place, {"password1": password, "password2": password}, follow=True)


def signs_in(browser, member, password):
    browser.post("/account/login/", {"login": member.email, "password": password})
    return "greenroom_session" in browser.cookies and bool(
        actor_by_session(browser.cookies["greenroom_session"].value)
    )


def test_the_sign_in_leads_to_it(browser):
    assert f'href="{RESET}"' in browser.get("/account/login/").content.decode()
    assert "Mail me a link" in browser.get(RESET).content.decode()


def test_a_letter_brings_a_link_that_sets_it(tester, browser):
    letter = letter_of(tester, browser)
    assert letter.to == [tester.email]
    assert "within 30 minutes" in letter.body
    page, done = followed(browser, link_in(letter))
    assert link_in(letter) not in page.request["PATH_INFO"], "the key leaves the address bar"
    assert "Your new password is set" in done.content.decode()
    assert not signs_in(Client(headers={"host": ADDRESS}), tester, PASSWORD)
    assert signs_in(Client(headers={"host": ADDRESS}), tester, NEW)


def test_whoever_asks_hears_the_same_whether_somebody_is_there(tester, browser):
    known, unknown = asked(browser, tester.email), asked(browser, "nobody@lab.example")
    assert known.redirect_chain == unknown.redirect_chain
    assert _words(known) == _words(unknown)
    heard()
    assert Mail.objects.count() == 1
    noted = AuditEvent.objects.filter(kind="password.letter_asked")
    assert noted.count() == 2, "either costs the same"


def _words(answer):
    """The page without what is another in each answer: the token of a form."""
    return re.sub(r'(csrfmiddlewaretoken" value=")\w+', r"\1", answer.content.decode())


def test_the_link_opens_once(tester, browser):
    link = link_in(letter_of(tester, browser))
    followed(browser, link)
    page = browser.get(link, follow=True).content.decode()
    assert "This link opens nothing any more" in page
    assert "password1" not in page


def test_two_who_hold_it_at_once_set_one_password(tester):
    """Both looked at the link before either used it."""
    first, second = (Person.objects.get(pk=tester.person.pk) for _ in range(2))
    reset_password(person=first, password=NEW)
    with pytest.raises(LetterGone):
        reset_password(person=second, password="another rehearsal")
    assert Person.objects.get(pk=tester.person.pk).check_password(NEW)


def test_the_link_lasts_half_an_hour(tester, browser, monkeypatch):
    link = link_in(letter_of(tester, browser))
    later = tokens.PasswordResetTokenGenerator._now
    late = timedelta(minutes=31)
    monkeypatch.setattr(tokens.PasswordResetTokenGenerator, "_now", lambda self: later(self) + late)
    assert "This link opens nothing any more" in browser.get(link, follow=True).content.decode()


def test_every_session_is_revoked_and_the_owner_hears_of_it(tester, browser):
    signed_in = tester.client
    assert signed_in.get("/settings").status_code == 200
    token = api_of(tester.token())
    followed(browser, link_in(letter_of(tester, browser)))
    assert signed_in.get("/settings").status_code == 302
    sessions = Credential.objects.filter(party_id=tester.party_id, kind="session")
    assert {one.state for one in sessions} == {"revoked"}
    assert {one.ended_reason for one in sessions} == {"password_reset"}
    assert token.get("/api/v1/quota").status_code == 200, "tokens go on"
    assert AuditEvent.objects.filter(kind="password.reset", subject_id=tester.party_id).exists()
    tell(OutboxMessage.objects.get(kind="password.reset"))
    assert Notice.objects.get(kind="password.reset").party_id == tester.party_id


def test_a_second_step_is_asked_as_before(tester, browser):
    TOTP.activate(tester.person, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(tester.person)
    followed(browser, link_in(letter_of(tester, browser)))
    step = browser.post("/account/login/", {"login": tester.email, "password": NEW})
    assert step.url == "/account/2fa/authenticate/"
    assert browser.get("/settings").status_code == 302, "the password alone opens nothing"
    codes = Authenticator.objects.get(user=tester.person, type="recovery_codes").wrap()
    browser.post("/account/2fa/authenticate/", {"code": codes.get_unused_codes()[0]})
    assert browser.get("/settings").status_code == 200


def test_a_passkey_is_asked_as_before(tester, browser):
    Authenticator.objects.create(user=tester.person, type="webauthn", data={"name": "A key"})
    followed(browser, link_in(letter_of(tester, browser)))
    step = browser.post("/account/login/", {"login": tester.email, "password": NEW})
    assert step.url == "/account/2fa/authenticate/"
    assert browser.get("/settings").status_code == 302, "the password alone opens nothing"
    assert Authenticator.objects.filter(user=tester.person, type="webauthn").exists()


def test_it_works_in_a_browser_that_is_signed_in(tester):
    letter = letter_of(tester, tester.client)
    _page, done = followed(tester.client, link_in(letter))
    assert done.status_code == 200
    assert "Your new password is set" in done.content.decode()
    assert tester.client.get("/settings").status_code == 302


def test_nothing_that_opens_a_door_is_kept(tester, browser):
    letter = letter_of(tester, browser)
    key = link_in(letter).rpartition("-")[2].strip("/")
    kept = [*Mail.objects.values(), *OutboxMessage.objects.values(), *AuditEvent.objects.values()]
    assert key not in str(kept)
    assert tester.email not in str(kept)


def test_three_letters_an_hour_and_no_more(tester, browser, clock):
    for _ in range(5):
        asked(browser, tester.email)
        heard()
        send_due()
    told = OutboxMessage.objects.filter(kind="password.letter_asked")
    assert told.count() == 3
    clock.advance(minutes=61)
    asked(browser, tester.email)
    assert told.count() == 4


def test_a_letter_that_could_not_leave_in_time_is_dropped(tester, browser, clock):
    asked(browser, tester.email)
    heard()
    clock.advance(minutes=31)
    assert send_due() == 0
    mail = Mail.objects.get()
    assert (mail.state, mail.failure) == ("dropped", "asked_too_long_ago")


def test_a_closed_account_gets_no_letter_and_opens_by_none(tester, browser):
    link = link_in(letter_of(tester, browser))
    close_account(person=tester.person)
    asked(browser, tester.email)
    assert OutboxMessage.objects.filter(kind="password.letter_asked").count() == 1
    followed(browser, link)
    assert Person.objects.get(pk=tester.person.pk).check_password(PASSWORD)


def test_mail_that_bounced_once_keeps_nobody_out(tester, browser):
    PersonalDetail.objects.filter(person=tester.person).update(mail_bounced_at=now())
    assert link_in(letter_of(tester, browser))


def test_whoever_has_no_password_is_told_so_and_gets_no_link(tester, browser, settings):
    settings.OPENID = {"name": "The lab"}
    tester.person.set_unusable_password()
    tester.person.save(update_fields=["password"])
    letter = letter_of(tester, browser)
    assert "password/reset/key" not in letter.body
    assert "It has none" in letter.body
    assert "The lab" in letter.body


def test_managers_do_not_read_it_in_the_mailbox(
    programme, tester, manager, browser, settings, tmp_path
):
    letter_of(tester, browser)
    mail = Mail.objects.get(kind="password")
    kept = tmp_path / f"{shown('mail', mail.id)}.eml"
    kept.write_bytes(outbox.outbox[-1].message().as_bytes())
    settings.MAIL_FOLDER = tmp_path
    assert letters_kept(manager.actor) == []
    (letter,) = letters_kept(an_administrator(programme, "keeper").actor)
    assert letter.to == tester.email


def test_a_weak_or_mistyped_password_is_refused_and_the_link_stays(tester, browser):
    link = link_in(letter_of(tester, browser))
    _page, weak = followed(browser, link, password="12345678")
    assert "Choose a new password" in weak.content.decode()
    followed(browser, link)
    assert Person.objects.get(pk=tester.person.pk).check_password(NEW)


def test_the_operator_mails_one_too(tester, capsys):
    call_command("person", "mail-password", tester.email)
    assert "on its way" in capsys.readouterr().out
    heard()
    assert Mail.objects.get().kind == "password"
    for _ in range(2):
        call_command("person", "mail-password", tester.email)
    with pytest.raises(CommandError):
        call_command("person", "mail-password", tester.email)
