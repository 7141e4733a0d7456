"""A delivery report ends the mail to a reader who is not there; all else is let be."""

import io
from email.message import EmailMessage
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from django.core.management import CommandError, call_command

from accounts.people.models import PersonalDetail
from accounts.post.commands import send_due
from accounts.post.letters import message_id
from accounts.post.models import Mail
from accounts.post.rules import State, says_nobody_there, status_says_nobody_there
from core.ids import new_id
from stage.post import told

pytestmark = pytest.mark.django_db


def a_report(mail_id, *, action="failed", status="5.1.1", whole=False, said=None):
    """As RFC 3464 has it: words for people, the machine's part, what was returned."""
    report = MIMEMultipart("report", **{"report-type": "delivery-status"})
    report["From"] = "MAILER-DAEMON@mx.example"
    report.attach(MIMEText("It could not be delivered."))
    status_part = MIMEBase("message", "delivery-status")
    host, reader = EmailMessage(), EmailMessage()
    host["Reporting-MTA"] = "dns; mx.example"
    reader["Final-Recipient"] = "rfc822; tester@studio.example"
    reader["Action"] = action
    reader["Status"] = status
    status_part.set_payload([host, reader])
    report.attach(status_part)
    said = said or message_id(mail_id)
    if whole:
        returned = EmailMessage()
        returned["Message-ID"] = said
        returned.set_content("You were paid.")
        part = MIMEBase("message", "rfc822")
        part.attach(returned)
    else:
        part = MIMEText(f"Subject: You were paid.\nMessage-ID: {said}\n", "rfc822-headers")
    report.attach(part)
    return report.as_bytes()


@pytest.fixture
def sent_mail(tester):
    told(tester)
    send_due()
    (mail,) = Mail.objects.all()
    assert mail.state == State.SENT
    return mail


@pytest.fixture
def take_in(monkeypatch, capsys):
    def take(raw):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
        call_command("mail", "bounced")
        return capsys.readouterr().out

    return take


@pytest.mark.parametrize("whole", [True, False])
def test_a_report_of_a_reader_who_is_not_there_ends_their_mail(sent_mail, tester, take_in, whole):
    assert "Written down" in take_in(a_report(sent_mail.id, whole=whole))
    sent_mail.refresh_from_db()
    assert (sent_mail.state, sent_mail.failure) == (State.BOUNCED, "reported: 5.1.1")
    assert PersonalDetail.objects.get(person=tester.person).mail_bounced_at is not None
    assert "known already" in take_in(a_report(sent_mail.id))


@pytest.mark.parametrize(
    "said",
    [
        {"action": "delayed", "status": "4.4.1"},
        {"action": "failed", "status": "4.4.1"},
        {"action": "delivered", "status": "2.0.0"},
        {"action": "failed", "status": "5.7.1"},
        {"action": "failed", "status": "nonsense"},
        {"said": "<mai_00000000000000000000000000@elsewhere.example>"},
        {"said": "<something@localhost>"},
    ],
)
def test_what_is_not_final_or_not_ours_changes_nothing(sent_mail, take_in, said):
    assert "Nothing was changed" in take_in(a_report(sent_mail.id, **said))
    sent_mail.refresh_from_db()
    assert sent_mail.state == State.SENT


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\x00", b"Subject: hello\n\nI am on holiday.", b"a: b\n" * 9]
)
def test_whatever_else_comes_in_is_let_be(sent_mail, take_in, raw):
    assert "Nothing was changed" in take_in(raw)


def test_a_report_about_a_mail_that_never_was_changes_nothing(sent_mail, take_in):
    assert "no such mail" in take_in(a_report(new_id()))


def test_a_mail_that_is_quoted_in_words_is_not_the_one_that_came_back(sent_mail, take_in):
    other = a_report(new_id(), said="<other@mx.example>")
    raw = other.replace(b"It could not", f"{message_id(sent_mail.id)} It could not".encode())
    assert "Nothing was changed" in take_in(raw)


@pytest.mark.parametrize(
    ("code", "words", "nobody"),
    [
        (550, "5.1.1 no such user", True),
        (550, "no such user", True),
        (552, "5.2.2 mailbox full", True),
        (450, "4.2.1 later", False),
        (550, "5.7.1 relaying denied", False),
        (554, "5.7.26 not authenticated", False),
        (553, "5.3.0 system", False),
        (250, "fine", False),
    ],
)
def test_only_what_is_said_of_the_address_and_for_good_is_said_of_the_reader(code, words, nobody):
    assert says_nobody_there(code, words) is nobody
    if "." in words:
        assert status_says_nobody_there(words.split()[0]) is nobody


# manage.py mail ----------------------------------------------------------------------------------


def test_the_list_shows_what_waits_and_no_address(tester, capsys):
    told(tester)
    call_command("mail", "list")
    said = capsys.readouterr().out
    assert "notice" in said
    assert "1 mails are waiting" in said
    assert tester.email not in said


def test_a_test_message_says_what_the_server_answered(mail_server, capsys):
    call_command("mail", "test", "operator@studio.example")
    assert "It was taken" in capsys.readouterr().out
    mail_server.refuses["operator@studio.example"] = "550 5.1.1 no"
    with pytest.raises(CommandError, match="recipient_refused: 550"):
        call_command("mail", "test", "operator@studio.example")
    assert len(mail_server.received) == 1
