"""What is told becomes mail by its reader's choice: exactly once, and without a word in the row."""

import pytest
from django.db import transaction

from accounts.invitations.commands import invite_person
from accounts.notices.models import Notice
from accounts.notices.rules import TOPICS, Topic
from accounts.post.commands import choose_ways
from accounts.post.models import Mail
from accounts.post.rules import ALWAYS_MAILED, USUAL, MailKind, State, Way
from accounts.programmes.models import Role
from core.errors import InvalidOrder
from core.ids import new_id
from core.outbox.commands import LISTENERS, deliver, say
from stage.post import told

pytestmark = pytest.mark.django_db
transactional = pytest.mark.django_db(transaction=True)


def deliver_all():
    while deliver("notices"):
        pass


@pytest.mark.parametrize("topic", Topic)
def test_without_a_choice_a_topic_comes_as_quietly_as_it_may(tester, topic):
    kind = next(kind for kind, of in TOPICS.items() if of is topic)
    notice = told(tester, kind)
    assert (notice.mail_id is not None) == (topic in ALWAYS_MAILED or USUAL[topic] is Way.MAIL)


def test_only_what_waits_for_an_answer_or_ends_is_mailed_at_once_by_itself():
    loud = {topic for topic, way in USUAL.items() if way is Way.MAIL}
    assert loud == {Topic.REVIEW, Topic.PAY, Topic.TALK, Topic.ACCESS, Topic.TERMS}


@pytest.mark.parametrize("way", Way)
def test_a_topic_comes_as_its_reader_chose(tester, way):
    choose_ways(actor=tester.actor, ways={Topic.CLIPS: way})
    notice = told(tester, "job.finished", "job")
    assert (notice.mail_id is not None) == (way is Way.MAIL)


@pytest.mark.parametrize("topic", sorted(ALWAYS_MAILED))
def test_what_opens_or_ends_for_somebody_cannot_be_turned_down(tester, topic):
    with pytest.raises(InvalidOrder, match="always mailed"):
        choose_ways(actor=tester.actor, ways={topic: Way.INBOX})


def test_several_things_at_once_go_with_one_mail(tester, second_tester):
    mine = [told(tester).mail_id for _number in range(3)]
    theirs = told(second_tester).mail_id
    assert len(set(mine)) == 1
    assert theirs not in mine


def test_a_mail_that_somebody_has_begun_to_send_takes_nothing_more_in(tester):
    first = told(tester).mail_id
    Mail.objects.filter(id=first).update(attempts=1)
    assert told(tester).mail_id != first


@transactional
def test_an_invitation_is_mailed_once_for_each_sending(programme, manager):
    invitation = invite_person(
        programme_id=programme.id, email="new@studio.example", role=Role.TESTER
    )
    deliver_all()
    deliver_all()
    (mail,) = Mail.objects.filter(kind=MailKind.INVITATION)
    assert (mail.invitation_id, mail.invitation_number) == (invitation.id, 1)
    assert (mail.state, mail.party_id) == (State.WAITING, None)


@transactional
def test_what_is_heard_again_after_a_fault_is_written_once(tester, clock, monkeypatch):
    hear, heard = LISTENERS["notices"], []

    def falters(message):
        hear(message)
        heard.append(message.kind)
        if heard == ["payout.paid"]:
            raise RuntimeError("the process is at fault")

    deliver_all()
    Mail.objects.update(attempts=1)  # none of these takes anything more in
    before = Mail.objects.count()
    monkeypatch.setitem(LISTENERS, "notices", falters)
    with transaction.atomic():
        say("payout.paid", subject=("payout", new_id()), party=tester.party_id)
    deliver_all()
    paid = Notice.objects.filter(kind="payout.paid")
    assert (paid.count(), Mail.objects.count()) == (0, before)
    clock.advance(minutes=1)
    deliver_all()
    assert heard == ["payout.paid", "payout.paid"]
    assert (paid.count(), Mail.objects.count()) == (1, before + 1)


def test_a_row_of_mail_holds_neither_address_nor_words(tester):
    told(tester)
    columns = {field.name for field in Mail._meta.get_fields() if getattr(field, "column", None)}
    (row,) = Mail.objects.values()
    assert tester.email not in str(row)
    assert columns == {
        "id", "kind", "party", "invitation", "invitation_number", "digest_day", "state",
        "attempts", "made_at", "due_at", "lease_until", "ended_at", "failure",
    }  # fmt: skip
