"""A mail arrives once as its reader sees it: whoever is killed, and however many send at once."""

import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from django.db import transaction
from django.db.models import F

from accounts.post import commands
from accounts.post.commands import send_due, send_unless_somebody_does
from accounts.post.models import Mail
from accounts.post.rules import LEASE, State
from accounts.programmes.models import Role
from core.clock import now
from core.outbox.commands import deliver
from greenroom.mailbox.queries import letters_kept
from stage.cast import a_member
from stage.post import told

pytestmark = pytest.mark.django_db(transaction=True)

KILLED = Path(__file__).with_name("killed_sender.py")


@pytest.fixture
def waiting(tester):
    """One mail; what the stage itself had to tell is out of the way."""
    while deliver("notices"):
        pass
    Mail.objects.update(state=State.DROPPED, ended_at=now())
    with transaction.atomic():
        return told(tester).mail


def kill_one(database, port):
    done = subprocess.run(
        [sys.executable, str(KILLED), str(port)],
        env=database.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.slow
def test_killed_after_the_server_took_it_the_same_mail_goes_again_under_the_same_id(
    waiting, database, mail_server, clock
):
    kill_one(database, mail_server.port)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts) == (State.WAITING, 1)
    assert send_due() == 0, "while the lease lasts nobody knows that the sender is dead"
    clock.advance(LEASE)
    assert send_due() == 1
    first, second = mail_server.ids()
    assert first == second
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts) == (State.SENT, 2)


def test_kept_and_not_written_down_the_mailbox_shows_it_once(
    waiting, administrator, settings, clock, tmp_path, monkeypatch
):
    settings.EMAIL_BACKEND, settings.MAIL_FOLDER = "greenroom.post_box.KeptMail", tmp_path

    def killed(*_said):
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(commands, "_end", killed)
        send_due()
    clock.advance(LEASE)
    assert send_due() == 1
    (kept,) = letters_kept(administrator.actor)
    assert kept.subject == "You were paid."
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_who_was_late_writes_nothing_about_a_mail_that_another_has_in_hand(waiting, clock):
    late = commands.claim_mail()
    clock.advance(LEASE)
    current = commands.claim_mail()
    assert (late.id, late.attempts, current.attempts) == (current.id, 1, 2)
    assert not commands._end(late, commands.Move.SEND)
    commands._try_later(late, "server_away")
    waiting.refresh_from_db()
    assert (waiting.state, waiting.failure) == (State.WAITING, "")
    assert commands._end(current, commands.Move.SEND)


# Two senders -------------------------------------------------------------------------------------

MAILS = 8


@pytest.fixture
def eight(waiting, programme):
    for number in range(MAILS - 1):
        with transaction.atomic():
            told(a_member(programme, Role.TESTER, name=f"reader {number}"))


@pytest.mark.race
def test_of_two_senders_at_once_each_mail_is_sent_by_one(eight, mail_server, at_once):
    assert sum(at_once(2, lambda _number: send_due())) == MAILS
    assert set(Counter(mail_server.ids()).values()) == {1}
    assert len(mail_server.received) == MAILS


@pytest.mark.race
def test_without_the_lock_two_senders_send_the_same(eight, mail_server, at_once, monkeypatch):
    """The control: both look before either has written that it took the mail."""
    both_have_looked = threading.Barrier(2)

    def look_first():
        mail = (
            Mail.objects.filter(state=State.WAITING, due_at__lte=now()).order_by("due_at").first()
        )
        both_have_looked.wait(60)
        Mail.objects.filter(id=mail.id).update(attempts=F("attempts") + 1)
        mail.attempts = 2
        both_have_looked.wait(60)
        return mail

    monkeypatch.setattr(commands, "claim_mail", look_first)
    at_once(2, lambda _number: send_due(limit=1))
    assert set(Counter(mail_server.ids()).values()) == {2}


def test_a_round_of_the_house_waits_for_nobody_who_sends(eight, mail_server, database):
    with database.connect() as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('post', 0))")
        assert send_unless_somebody_does() == 0
        other.execute("SELECT pg_advisory_unlock(hashtextextended('post', 0))")
    assert send_unless_somebody_does() == MAILS
