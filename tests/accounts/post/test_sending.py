"""A mail is composed when it leaves, arrives once as its reader sees it, and is tried again while
the server is down."""

import re
import threading

import pytest
from django.core import mail as outbox
from django.db import connection, transaction
from django.test import Client

from accounts.entrance.commands import close_account
from accounts.invitations.commands import invite_person
from accounts.invitations.models import Invitation
from accounts.notices.commands import dismiss_notice
from accounts.notices.models import Notice
from accounts.people.models import Person, PersonalDetail
from accounts.post import letters
from accounts.post.commands import mail_again, send_due, tell, try_all_again
from accounts.post.letters import message_id
from accounts.post.models import Mail
from accounts.post.outlet import Answer, Outlet
from accounts.post.rules import TRIED_FOR, State
from accounts.programmes.commands import ParticularsWish, publish_particulars
from accounts.programmes.models import Role
from core.clock import CoreNow
from core.ids import shown
from core.outbox.commands import deliver
from core.outbox.models import OutboxMessage
from stage.builders import a_job
from stage.cast import ADDRESS, a_member
from stage.post import told
from stage.together import wait_until

pytestmark = pytest.mark.django_db
transactional = pytest.mark.django_db(transaction=True)


@pytest.fixture
def invitation(programme):
    made = invite_person(programme_id=programme.id, email="new@studio.example", role=Role.TESTER)
    tell(OutboxMessage.objects.get(kind="invitation.made", subject_id=made.id))
    return made


def states():
    return sorted(Mail.objects.values_list("state", flat=True))


def sent():
    """The one message that left."""
    (letter,) = outbox.outbox
    return letter


def html_of(letter):
    ((content, kind),) = letter.alternatives
    assert kind == "text/html"
    return content


# What it says ------------------------------------------------------------------------------------


def test_a_notice_says_what_happened_and_has_one_link_that_puts_it_away(tester):
    job = a_job(tester, prompt="a paper boat")
    notice = told(tester, "job.held", "job", subject_id=job.id)
    assert send_due() == 1
    letter = sent()
    assert letter.to == [tester.email]
    assert "“a paper boat”" in letter.subject
    assert "cannot be turned off" in letter.body
    link = f"http://localhost:8000/inbox/{shown('notice', notice.id)}"
    assert letter.body.count(link) == html_of(letter).count(link) == 1
    assert tester.client.get(link).status_code == 302
    notice.refresh_from_db()
    assert notice.read_at is not None


def test_an_invitation_brings_the_one_link_that_opens_it(invitation):
    assert send_due() == 1
    letter = sent()
    assert letter.to == ["new@studio.example"]
    assert letter.subject == "You are invited to “Studio”"
    (link,) = set(re.findall(r"http://localhost:8000(/invitation/\w+)", letter.body))
    assert link in html_of(letter)
    visitor = Client(headers={"host": ADDRESS})
    page = visitor.get(link, follow=True).content.decode()
    assert "new@studio.example" in page
    assert "List-Unsubscribe" not in letter.extra_headers


def test_headers_keep_it_quiet_and_make_it_known_again(tester):
    programme = tester.programme
    wish = ParticularsWish("Studio", contact="people@studio.example")
    publish_particulars(programme_id=programme.id, wish=wish)
    told(tester)
    (mail,) = Mail.objects.all()
    send_due()
    letter = sent()
    headers = letter.message()
    assert headers["Message-ID"] == f"<{shown('mail', mail.id)}@localhost>" == message_id(mail.id)
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["List-Unsubscribe"] == "<http://localhost:8000/settings/post>"
    assert headers["Reply-To"] == "people@studio.example"
    assert headers["From"] == "Greenroom <post@localhost>"
    assert "people@studio.example" in letter.body


def test_it_speaks_the_readers_language_and_their_time(tester, clock):
    clock.stop()
    PersonalDetail.objects.filter(person=tester.person).update(
        language="en-xa", time_zone="Asia/Tokyo"
    )
    told(tester)
    send_due()
    letter = sent()
    assert letter.subject.startswith("[Ý")
    assert "JST" in letter.body
    assert 'lang="en-xa"' in html_of(letter)


def every_kind_of_mail(tester, invitation):
    job = a_job(tester, prompt="☂")
    told(tester, "job.held", "job", subject_id=job.id)
    told(tester, "role.granted", "programme", subject_id=tester.programme.id, role="manager")
    send_due()
    told(tester, "payout.paid", "payout")
    send_due()
    return outbox.outbox


def test_no_word_of_any_mail_escapes_translation(tester, invitation, monkeypatch):
    monkeypatch.setattr("accounts.post.letters._language", lambda *_said: "en-xa")
    publish_particulars(programme_id=tester.programme.id, wish=ParticularsWish("☀"))
    letters = every_kind_of_mail(tester, invitation)
    assert len(letters) == 3
    for letter in letters:
        html = re.sub(r"<head>.*?</head>|<[^>]+>", " ", html_of(letter), flags=re.DOTALL)
        for text in (letter.subject, letter.body, html):
            known = re.sub(r"https?://\S+|Greenroom|\bCET\b|&\w+;|&#\d+;", " ", text)
            months = re.sub(r"\d{1,2} \[?\w+\]? \d{4}", " ", known)
            assert re.findall(r"[A-Za-z]{3,}", months) == []


def test_no_mail_carries_a_secret(tester, invitation):
    tester.token()
    for letter in every_kind_of_mail(tester, invitation):
        whole = letter.subject + letter.body + html_of(letter)
        assert "grm_" not in whole
        assert tester.password not in whole
        assert not re.search(r"<(img|script|link|iframe|form)\b|url\(", whole)


def test_a_prompt_is_text_in_a_mail_and_makes_no_header(tester):
    job = a_job(tester, prompt="<b>boat</b>\r\nBcc: everybody@studio.example")
    told(tester, "job.held", "job", subject_id=job.id)
    send_due()
    letter = sent()
    assert "<b>boat</b> Bcc:" in letter.subject
    assert "<b>boat</b>" in letter.body
    assert "&lt;b&gt;boat&lt;/b&gt;" in html_of(letter)
    assert letter.recipients() == [tester.email]


# What is not sent any more -----------------------------------------------------------------------


def test_it_goes_to_the_address_that_its_reader_has_by_now(tester):
    told(tester)
    Person.objects.filter(id=tester.person.id).update(email="moved@studio.example")
    send_due()
    assert sent().to == ["moved@studio.example"]


def dropped(why):
    assert send_due() == 0
    assert outbox.outbox == []
    (mail,) = Mail.objects.all()
    assert (mail.state, mail.failure) == (State.DROPPED, why)
    return True


def test_whose_account_is_closed_gets_nothing(tester):
    told(tester)
    close_account(person=tester.person)
    assert dropped("reader_gone")


def test_what_was_read_meanwhile_is_not_mailed(tester):
    notice = told(tester)
    dismiss_notice(actor=tester.actor, notice_id=notice.id)
    assert dropped("already_read")


def test_a_warning_is_mailed_though_somebody_read_it_with_a_session_of_theirs(tester):
    notice = told(tester, "token.minted", "credential")
    dismiss_notice(actor=tester.actor, notice_id=notice.id)
    assert send_due() == 1


def test_an_invitation_that_ended_is_not_sent(invitation):
    Invitation.objects.filter(id=invitation.id).update(ended_at=CoreNow(), email="")
    assert dropped("invitation_gone")


# Servers -----------------------------------------------------------------------------------------


def test_a_batch_goes_over_one_connection(tester, second_tester, mail_server):
    for member in (tester, second_tester):
        told(member)
    assert send_due() == 2
    assert (len(mail_server.received), mail_server.connections) == (2, 1)
    plain = mail_server.received[0].get_body(("plain",))
    assert plain is not None
    assert "You were paid" in plain.get_content()


def test_a_server_that_ends_the_connection_after_each_mail_gets_all_of_them(
    tester, second_tester, reviewer, mail_server
):
    mail_server.ends_after = 1
    for member in (tester, second_tester, reviewer):
        told(member)
    assert send_due() == 3
    assert len(set(mail_server.ids())) == 3


def test_after_an_hour_without_a_server_everything_arrives_once(programme, mail_server, clock):
    members = [a_member(programme, Role.TESTER, name=f"tester {each}") for each in range(5)]
    for member in members:
        told(member)
    clock.stop()
    mail_server.stop()
    for _minute in range(60):
        assert send_due() == 0
        clock.advance(minutes=1)
    tries = sum(Mail.objects.values_list("attempts", flat=True))
    assert 15 <= tries <= 30, "neither forgotten nor hammered"
    assert states() == ["waiting"] * 5
    mail_server.start()
    clock.advance(hours=1)
    for _turn in range(3):
        send_due()
    assert states() == ["sent"] * 5
    assert len(mail_server.received) == len(set(mail_server.ids())) == 5


def test_when_the_server_is_back_nothing_waits_for_its_own_pause(
    tester, second_tester, mail_server, clock
):
    clock.stop()
    told(tester)
    mail_server.stop()
    for _turn in range(4):
        send_due()
        clock.advance(minutes=30)
    send_due()
    mail_server.start()
    told(second_tester)
    assert send_due() == 1
    assert send_due() == 1
    assert states() == ["sent", "sent"]


def test_after_three_days_it_is_given_up_and_that_is_said(tester, mail_server, clock):
    told(tester)
    mail_server.stop()
    clock.advance(TRIED_FOR)
    assert send_due() == 0
    (mail,) = Mail.objects.all()
    assert mail.state == State.FAILED
    assert mail.failure.startswith("server_away")
    assert OutboxMessage.objects.filter(kind="mail.failed", subject_id=mail.id).exists()


def test_the_operator_may_try_everything_at_once(tester, mail_server):
    told(tester)
    mail_server.stop()
    send_due()
    assert send_due() == 0
    mail_server.start()
    assert try_all_again() == 1
    assert send_due() == 1


def test_a_server_that_is_busy_with_one_reader_is_asked_again_and_the_others_get_theirs(
    tester, second_tester, mail_server, clock
):
    mail_server.refuses[tester.email] = "450 4.2.1 come back"
    for member in (tester, second_tester):
        told(member)
    assert send_due() == 1
    clock.advance(seconds=61)
    mail_server.refuses.clear()
    assert send_due() == 1


def test_a_policy_that_refuses_us_says_nothing_about_the_reader(tester, mail_server):
    mail_server.refuses[tester.email] = "550 5.7.1 relaying denied"
    told(tester)
    send_due()
    assert states() == ["waiting"]
    assert PersonalDetail.objects.get(person=tester.person).mail_bounced_at is None


def test_a_message_that_a_server_will_not_have_is_given_up(tester, mail_server):
    mail_server.answers_data = "554 5.6.0 not this"
    told(tester)
    send_due()
    assert states() == ["failed"]
    assert PersonalDetail.objects.get(person=tester.person).mail_bounced_at is None


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("552 5.3.4 larger than we take", Answer.NEVER),
        ("451 4.3.0 not at the moment", Answer.NOT_NOW),
        ("421 4.7.0 enough for one connection", Answer.AWAY),
        ("530 5.7.0 sign in first", Answer.AWAY),
    ],
)
def test_a_refused_sender_is_of_the_message_unless_the_connection_is_meant(
    mail_server, said, answer
):
    mail_server.answers_sender = said
    letter = outbox.EmailMessage("Hello", "Words", "house@lab.example", ["a@studio.example"])
    with Outlet() as way_out:
        assert way_out.send(letter).answer is answer


def test_one_mail_that_cannot_be_composed_holds_no_other_up(tester, second_tester, monkeypatch):
    first, _second = told(tester), told(second_tester)
    whole = letters._notices

    def broken(mail):
        if mail.id == first.mail_id:
            raise ValueError("no such thing")
        return whole(mail)

    monkeypatch.setattr(letters, "_notices", broken)
    assert send_due() == 1
    assert states() == ["sent", "waiting"]


def test_without_a_server_in_production_mail_waits(tester, settings):
    settings.MAIL_LEAVES = False
    told(tester)
    assert send_due() == 0
    (mail,) = Mail.objects.all()
    assert (mail.state, mail.attempts) == (State.WAITING, 0)


# Nobody there ------------------------------------------------------------------------------------


@pytest.fixture
def bounced(tester, manager, mail_server):
    mail_server.refuses[tester.email] = "550 5.1.1 no such mailbox"
    told(tester)
    send_due()
    return tester


def test_a_reader_who_is_not_there_is_mailed_nothing_more_and_told_in_the_portal(
    bounced, mail_server
):
    assert states() == ["bounced"]
    mail_server.refuses.clear()
    told(bounced)
    assert send_due() == 0
    assert states() == ["bounced", "dropped"]
    assert Notice.objects.filter(party_id=bounced.party_id).count() == 2
    assert "Mail to you does not arrive" in bounced.client.get("/").content.decode()


def test_the_programmes_people_hear_of_it_once(bounced, manager, mail_server):
    (said,) = OutboxMessage.objects.filter(kind="mail.bounced")
    tell(said)
    assert Notice.objects.filter(kind="mail.bounced").get().party_id == manager.party_id
    mail_again(actor=bounced.actor)
    told(bounced)
    send_due()
    assert OutboxMessage.objects.filter(kind="mail.bounced").count() == 2


def test_two_mails_on_their_way_to_nobody_are_told_once(tester, manager, mail_server):
    mail_server.refuses[tester.email] = "550 no such mailbox"
    told(tester)
    Mail.objects.update(attempts=1)
    told(tester)
    send_due()
    assert OutboxMessage.objects.filter(kind="mail.bounced").count() == 1


def test_the_reader_may_say_that_it_works_again(bounced, mail_server):
    mail_server.refuses.clear()
    assert bounced.client.post("/settings/post/again").url == "/inbox"
    assert "does not arrive" not in bounced.client.get("/").content.decode()
    told(bounced)
    assert send_due() == 1


def test_an_invitation_to_nobody_is_told_to_who_invited(manager, mail_server):
    programme = manager.programme
    made = invite_person(
        programme_id=programme.id,
        email="nobody@studio.example",
        role=Role.TESTER,
        invited_by=manager.party_id,
    )
    tell(OutboxMessage.objects.get(kind="invitation.made", subject_id=made.id))
    mail_server.refuses["nobody@studio.example"] = "550 5.1.1 no such mailbox"
    send_due()
    said = OutboxMessage.objects.get(kind="mail.bounced")
    assert said.party_id == manager.party_id


# No transaction while a server talks -------------------------------------------------------------


@transactional
def test_no_transaction_is_open_while_a_server_takes_its_time(tester, mail_server, database):
    while deliver("notices"):
        pass
    with transaction.atomic():
        told(tester)
    asked, go_on = threading.Event(), threading.Event()

    def slowly():
        asked.set()
        go_on.wait(60)

    mail_server.while_taking = slowly
    sending = threading.Thread(target=send_and_close, daemon=True)
    sending.start()
    wait_until(asked.is_set)
    (open_ones,) = database.superuser.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
    ).fetchone()
    go_on.set()
    sending.join(60)
    assert open_ones == 0
    assert "waiting" not in states()


def send_and_close():
    send_due()
    connection.close()
