"""One mail a day, at eight where its reader lives, and none when there is nothing new."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail as outbox

from accounts.entrance.commands import close_account
from accounts.notices.commands import dismiss_notice
from accounts.notices.rules import Topic
from accounts.people.models import PersonalDetail
from accounts.post.commands import choose_ways, make_digests, send_due
from accounts.post.models import Mail
from accounts.post.rules import MailKind, Way, digest_of
from stage.post import told

pytestmark = pytest.mark.django_db

MIDNIGHT = datetime(2026, 6, 10, 0, 0, tzinfo=UTC)


@pytest.fixture
def reader(tester, clock):
    """Lives in London's summer: one hour ahead of the clock of these tests."""
    live_in(tester, "Europe/London")
    clock.set(MIDNIGHT)
    return tester


def live_in(member, zone):
    PersonalDetail.objects.filter(person=member.person).update(time_zone=zone)


def digests():
    return list(Mail.objects.filter(kind=MailKind.DIGEST).order_by("digest_day"))


def test_it_comes_at_eight_with_what_is_new_and_once(reader, clock):
    told(reader, "credit.proposed", "credit_line")
    told(reader, "announcement.made", "announcement")
    clock.set(MIDNIGHT + timedelta(hours=6, minutes=59))
    assert make_digests() == 0
    clock.set(MIDNIGHT + timedelta(hours=7))
    assert make_digests() == 1
    assert make_digests() == 0
    assert send_due() == 1
    (letter,) = outbox.outbox
    assert letter.subject == "2 pieces of news from Studio"
    assert "Somebody wants to name you" in letter.body
    assert "at most once a day" in letter.body


def test_what_comes_after_eight_waits_for_the_next_morning(reader, clock):
    clock.set(MIDNIGHT + timedelta(hours=8))
    told(reader, "credit.proposed", "credit_line")
    assert make_digests() == 0
    clock.advance(days=1)
    assert make_digests() == 1
    assert str(digests()[0].digest_day) == "2026-06-11"


def test_over_a_whole_day_of_sweeps_readers_of_every_zone_get_one(
    tester, second_tester, reviewer, manager, clock
):
    zones = {
        tester.party_id: "Pacific/Kiritimati",
        second_tester.party_id: "Pacific/Pago_Pago",
        reviewer.party_id: "Asia/Kathmandu",
        manager.party_id: "America/New_York",
    }
    clock.set(MIDNIGHT)
    for member in (tester, second_tester, reviewer, manager):
        live_in(member, zones[member.party_id])
        told(member, "credit.proposed", "credit_line")
    for _half_an_hour in range(2 * 26):
        make_digests()
        clock.advance(minutes=30)
    assert len(digests()) == 4
    assert {mail.party_id for mail in digests()} == set(zones)
    for mail in digests():
        day, eight = digest_of(mail.made_at, zones[mail.party_id])
        assert (mail.digest_day, mail.made_at - eight < timedelta(minutes=30)) == (day, True)


def test_it_holds_nothing_that_was_read_mailed_or_not_wanted(reader, clock):
    read = told(reader, "credit.proposed", "credit_line")
    dismiss_notice(actor=reader.actor, notice_id=read.id)
    told(reader, "payout.paid", "payout")
    told(reader, "job.finished", "job")
    clock.set(MIDNIGHT + timedelta(hours=8))
    assert make_digests() == 0


def test_what_was_read_before_it_leaves_does_not_leave(reader, clock):
    notice = told(reader, "credit.proposed", "credit_line")
    clock.set(MIDNIGHT + timedelta(hours=8))
    assert make_digests() == 1
    dismiss_notice(actor=reader.actor, notice_id=notice.id)
    assert send_due() == 0
    assert digests()[0].failure == "already_read"


def test_a_topic_chosen_for_the_digest_is_in_it(reader, clock):
    choose_ways(actor=reader.actor, ways={Topic.CLIPS: Way.DIGEST, Topic.CREDITS: Way.INBOX})
    clip = told(reader, "job.finished", "job")
    told(reader, "credit.proposed", "credit_line")
    clock.set(MIDNIGHT + timedelta(hours=8))
    assert make_digests() == 1
    assert list(digests()[0].notices.values_list("id", flat=True)) == [clip.id]


def test_news_of_long_ago_does_not_come_when_somebody_changes_their_mind(reader, clock):
    told(reader, "job.finished", "job")
    clock.set(MIDNIGHT + timedelta(days=8, hours=8))
    choose_ways(actor=reader.actor, ways={Topic.CLIPS: Way.DIGEST})
    assert make_digests() == 0


def test_nothing_is_written_to_whom_no_mail_reaches(reader, second_tester, clock):
    for member in (reader, second_tester):
        told(member, "credit.proposed", "credit_line")
    PersonalDetail.objects.filter(person=reader.person).update(mail_bounced_at=MIDNIGHT)
    close_account(person=second_tester.person)
    clock.set(MIDNIGHT + timedelta(hours=20))
    assert make_digests() == 0


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_write_one(tester, clock, at_once):
    live_in(tester, "Europe/London")
    clock.set(MIDNIGHT)
    told(tester, "credit.proposed", "credit_line")
    clock.set(MIDNIGHT + timedelta(hours=8))
    for _round in range(5):
        assert sum(at_once(2, lambda _number: make_digests())) == 1
        clock.advance(days=1)
        told(tester, "credit.proposed", "credit_line")
        clock.advance(days=1)
    assert len(digests()) == 5


def test_eight_is_eight_on_the_days_when_clocks_change():
    before = datetime(2026, 3, 29, 6, 0, tzinfo=UTC)  # 08:00 in Berlin, already summer time
    assert digest_of(before - timedelta(seconds=1), "Europe/Berlin") is None
    day, eight = digest_of(before, "Europe/Berlin")
    assert (str(day), eight.astimezone(UTC)) == ("2026-03-29", before)
