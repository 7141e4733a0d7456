"""In the demonstration every mail is kept, and its people read it in the portal. Nowhere else."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, get_connection

from accounts.invitations.commands import invite_administrator, invite_person
from accounts.post.commands import send_due, tell
from accounts.programmes.models import Role
from core.outbox.models import OutboxMessage
from greenroom.checks import mail_can_leave
from greenroom.environment import mail_from, mail_server
from greenroom.mailbox.queries import letters_kept
from stage.post import told

pytestmark = pytest.mark.django_db


@pytest.fixture
def demonstration(settings, tmp_path):
    settings.MODE = "demo"
    settings.EMAIL_BACKEND = "greenroom.post_box.KeptMail"
    settings.MAIL_FOLDER = tmp_path / "mail"
    return settings.MAIL_FOLDER


@pytest.fixture
def letter(demonstration, programme, manager):
    made = invite_person(programme_id=programme.id, email="new@studio.example", role=Role.TESTER)
    tell(OutboxMessage.objects.get(kind="invitation.made", subject_id=made.id))
    assert send_due() == 1
    (kept,) = letters_kept(manager.actor)
    return kept


def test_an_invitation_can_be_followed_from_the_mailbox(letter, manager, browser_of_nobody):
    page = manager.client.get("/mailbox").content.decode()
    assert "new@studio.example" in page
    assert "GREENROOM_MAIL_URL" in page
    one = manager.client.get(f"/mailbox/{letter.name}")
    link = one.content.decode().partition('href="http://localhost:8000/invitation/')[2]
    secret = link.partition('"')[0]
    assert browser_of_nobody.get(f"/invitation/{secret}").status_code == 302


@pytest.fixture
def browser_of_nobody():
    from django.test import Client

    from stage.cast import ADDRESS

    return Client(headers={"host": ADDRESS})


def test_only_who_looks_after_the_demonstration_reads_it(letter, tester, reviewer, finance):
    for member in (tester, reviewer, finance):
        for path in ("/mailbox", f"/mailbox/{letter.name}", f"/mailbox/{letter.name}/html"):
            assert member.client.get(path).status_code == 404


def test_a_manager_reads_what_is_their_programmes_and_no_administrators_invitation(
    demonstration, programme, other_programme, administrator, manager, tester, stranger
):
    for number, place in enumerate((programme, other_programme)):
        invite_person(programme_id=place.id, email=f"{number}@studio.example", role=Role.MANAGER)
    invite_administrator(actor=administrator.actor, email="boss@studio.example")
    for message in OutboxMessage.objects.filter(kind="invitation.made"):
        tell(message)
    told(tester)
    told(stranger)
    assert send_due() == 5
    everything = letters_kept(administrator.actor)
    mine = {letter.name for letter in letters_kept(manager.actor)}
    assert len(everything) == 5
    for letter in everything:
        is_mine = letter.to in {"0@studio.example", tester.email}
        assert (letter.name in mine) is is_mine
        for path in (f"/mailbox/{letter.name}", f"/mailbox/{letter.name}/html"):
            assert manager.client.get(path).status_code == (200 if is_mine else 404)
            assert administrator.client.get(path).status_code == 200


@pytest.mark.parametrize("mode", ["production", "test"])
def test_outside_the_demonstration_there_is_no_mailbox(letter, manager, settings, mode):
    settings.MODE = mode
    for path in ("/mailbox", f"/mailbox/{letter.name}", f"/mailbox/{letter.name}/html"):
        assert manager.client.get(path).status_code == 404


@pytest.mark.parametrize("name", ["..", "mai_0", ".hidden", "a%2f..%2fb"])
def test_nothing_but_kept_mail_is_read(letter, manager, name):
    assert manager.client.get(f"/mailbox/{name}").status_code == 404


def test_the_html_is_shown_in_a_frame_that_may_do_nothing(letter, manager):
    page = manager.client.get(f"/mailbox/{letter.name}")
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    html = manager.client.get(f"/mailbox/{letter.name}/html")
    policy = html["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "script" not in policy
    assert html["X-Frame-Options"] == "SAMEORIGIN"


def test_kept_mail_is_for_the_owners_eyes_and_whole(demonstration):
    letter = EmailMessage("Hello", "Words", to=["a@b.example"], headers={"Message-ID": "<x@y>"})
    for _twice in range(2):
        assert get_connection().send_messages([letter]) == 1
    (file,) = demonstration.iterdir()
    assert file.name == "x.eml"
    assert file.stat().st_mode & 0o777 == 0o600
    assert demonstration.stat().st_mode & 0o777 == 0o700


def test_a_message_without_an_id_of_ours_is_kept_too(demonstration, administrator, manager):
    for words in ("../../a@b", "other"):
        letter = EmailMessage("Hello", words, to=["a@b.example"])
        letter.extra_headers["Message-ID"] = f"<{words}@b.example>"
        get_connection().send_messages([letter])
    assert len(letters_kept(administrator.actor)) == 2
    assert letters_kept(manager.actor) == []


# What the environment says -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "facts"),
    [
        ("", ("", 587, "", False, True)),
        ("smtp://us%40er:p%2Fw@mx.example:2525", ("mx.example", 2525, "us@er", False, True)),
        ("smtps://user:pw@mx.example", ("mx.example", 465, "user", True, False)),
        ("smtp://localhost:25", ("localhost", 25, "", False, False)),
    ],
)
def test_a_mail_server_is_named_by_one_address(monkeypatch, url, facts):
    monkeypatch.setenv("GREENROOM_MAIL_URL", url)
    server = mail_server()
    found = (server.host, server.port, server.user, server.speaks_tls, server.starts_tls)
    assert found == facts
    assert "pw" not in repr(server)


@pytest.mark.parametrize("url", ["mx.example", "http://mx.example", "smtp://", "smtp:mx"])
def test_what_is_no_mail_server_is_refused(monkeypatch, url):
    monkeypatch.setenv("GREENROOM_MAIL_URL", url)
    with pytest.raises(ImproperlyConfigured, match="GREENROOM_MAIL_URL"):
        mail_server()


def test_mail_is_from_the_house_unless_the_operator_says_otherwise(monkeypatch):
    assert mail_from("https://lab.example:8443") == "Greenroom <post@lab.example>"
    monkeypatch.setenv("GREENROOM_MAIL_FROM", "Lab <hello@lab.example>")
    assert mail_from("https://lab.example") == "Lab <hello@lab.example>"


def test_production_without_a_mail_server_is_warned(settings):
    assert mail_can_leave(None) == []
    settings.MAIL_LEAVES = False
    assert [found.id for found in mail_can_leave(None)] == ["greenroom.W001"]
