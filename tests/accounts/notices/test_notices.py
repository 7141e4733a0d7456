"""What is worth telling is told once, in words, and can be put away."""

import re
from uuid import uuid5

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from django.utils.html import escape

from accounts.agreements.commands import publish_agreement
from accounts.notices.commands import dismiss_notice, write_notices
from accounts.notices.models import Notice
from accounts.notices.rules import TOPICS, Topic
from accounts.notices.words import WORDS, shown_notice
from accounts.programmes.commands import add_member, close_programme, open_programme
from accounts.programmes.models import Role
from core.clock import now
from core.ids import PREFIXES, new_id, shown
from core.outbox.models import OutboxMessage
from stage.builders import a_job
from stage.cast import ADDRESS, Member, a_member, accept, give_credits

pytestmark = pytest.mark.django_db


def a_notice(member, kind="job.finished", thing="job"):
    write_notices(
        OutboxMessage(
            id=new_id(),
            at=member.programme.made_at,
            kind=kind,
            party_id=member.party_id,
            subject_kind=thing,
            subject_id=new_id(),
        )
    )
    return Notice.objects.get(party_id=member.party_id, kind=kind)


def test_every_kind_worth_telling_has_words():
    assert set(WORDS) == set(TOPICS)


@pytest.mark.parametrize("kind", sorted(TOPICS))
def test_every_notice_leads_somewhere(tester, kind):
    noun = kind.partition(".")[0]
    notice = a_notice(tester, kind, noun if noun in PREFIXES else "credential")
    said = shown_notice(notice)
    assert said.text
    public_id = shown(notice.subject_kind, notice.subject_id)
    assert said.page.endswith(public_id) == WORDS[kind].takes_subject
    assert resolve(said.page).url_name == WORDS[kind].page
    for page in ("/", "/inbox"):
        assert escape(said.text) in tester.client.get(page).content.decode()


def test_a_notice_put_away_is_gone(tester):
    notice = a_notice(tester)
    assert tester.client.post(shown_notice(notice).dismiss_url).url == "/"
    assert tester.client.post(shown_notice(notice).dismiss_url).status_code == 302
    assert "A clip is ready" not in tester.client.get("/").content.decode()


def test_htmx_gets_an_empty_answer(tester):
    notice = a_notice(tester)
    answer = tester.client.post(shown_notice(notice).dismiss_url, headers={"hx-request": "true"})
    assert (answer.status_code, answer.content) == (200, b"")


def test_somebody_elses_notice_is_absent(tester, second_tester):
    notice = a_notice(second_tester)
    for path in (shown_notice(notice).dismiss_url, f"/notices/{shown('notice', new_id())}/dismiss"):
        assert tester.client.post(path).status_code == 404
    assert tester.client.post("/notices/nonsense/dismiss").status_code == 404
    notice.refresh_from_db()
    assert notice.read_at is None


def a_message(kind, thing="programme", party=None, **facts):
    return OutboxMessage(
        id=new_id(), at=now(), kind=kind, party_id=party, subject_kind=thing,
        subject_id=facts.pop("subject_id", new_id()), facts=facts,
    )  # fmt: skip


def hearers(message):
    write_notices(message)
    return set(Notice.objects.values_list("party_id", flat=True))


def test_a_new_agreement_is_told_to_testers_but_not_to_its_publisher(tester, reviewer, stranger):
    programme = tester.programme
    also = a_member(programme, Role.MANAGER, Role.TESTER, name="playing manager")
    publish_agreement(programme_id=programme.id, text="T", summary="S", actor=also.party_id)
    message = OutboxMessage.objects.filter(kind="agreement.published").latest("id")
    assert hearers(message) == {tester.party_id}


def test_testers_hear_that_their_programme_is_open(tester, reviewer, stranger):
    close_programme(programme_id=tester.programme.id)
    open_programme(programme_id=tester.programme.id)
    message = OutboxMessage.objects.filter(kind="programme.opened").latest("id")
    assert hearers(message) == {tester.party_id}
    said = shown_notice(Notice.objects.get())
    assert said.text == "The programme “Studio” is open. You can make clips now."
    assert (said.page, said.topic) == ("/", Topic.NEWS)


def test_a_members_word_is_told_to_those_who_manage_the_programme_but_not_to_its_author(
    tester, manager, stranger
):
    also = a_member(tester.programme, Role.MANAGER, Role.TESTER, name="playing manager")
    facts = {"programme": str(tester.programme.id), "without": str(also.party_id)}
    assert hearers(a_message("remark.written", "conversation", **facts)) == {manager.party_id}


def test_an_answer_is_told_to_the_member_alone(tester, manager):
    facts = {"programme": str(tester.programme.id)}
    message = a_message("remark.written", "conversation", tester.party_id, **facts)
    assert hearers(message) == {tester.party_id}


def test_what_is_of_no_interest_to_anybody_is_told_to_nobody(tester):
    assert hearers(a_message("job.claimed", "job", tester.party_id)) == set()


def test_a_notice_has_the_id_of_what_happened_or_one_made_of_that_and_its_reader(tester):
    alone = a_message("payout.paid", "payout", tester.party_id)
    together = a_message("agreement.published", "agreement", programme=str(tester.programme.id))
    also = a_member(tester.programme, Role.TESTER, name="also")
    write_notices(alone)
    write_notices(together)
    assert set(Notice.objects.values_list("id", flat=True)) == {
        alone.id,
        uuid5(together.id, str(tester.party_id)),
        uuid5(together.id, str(also.party_id)),
    }


def test_a_notice_names_the_clip_to_its_owner_and_to_nobody_else(tester, second_tester):
    job = a_job(tester, prompt="a paper boat\n\ncrosses a green room")
    for member in (tester, second_tester):
        write_notices(a_message("job.failed", "job", member.party_id, subject_id=job.id))
    mine, theirs = (
        shown_notice(Notice.objects.get(party_id=member.party_id))
        for member in (tester, second_tester)
    )
    assert "“a paper boat crosses a green room”" in mine.text
    assert "boat" not in theirs.text
    assert mine.programme == theirs.programme == "Studio"


def test_roles_and_days_are_said_in_words(tester):
    programme = tester.programme.id
    write_notices(
        a_message(
            "role.granted", "programme", tester.party_id, subject_id=programme, role="manager"
        )
    )
    said = shown_notice(Notice.objects.get())
    assert said.text == "You have the role programme manager in the programme “Studio” now."


def test_following_a_notice_leads_to_its_page_and_puts_it_away(tester, stranger):
    notice = a_notice(tester)
    url = shown_notice(notice).url
    assert stranger.client.get(url).status_code == 404
    assert Client().get(url, headers={"host": ADDRESS}).url.startswith("/account/login/")
    notice.refresh_from_db()
    assert notice.read_at is None
    assert tester.client.get(url).url == f"/jobs/{shown('job', notice.subject_id)}"
    notice.refresh_from_db()
    assert notice.read_at is not None


def test_following_a_notice_of_another_programme_of_ones_own_leads_into_that_programme(
    tester, other_programme
):
    add_member(programme_id=other_programme.id, party_id=tester.party_id, roles=[Role.TESTER])
    there = Member(tester.person, other_programme)
    give_credits(there, 100)
    accept(there)
    job = a_job(there)
    write_notices(a_message("job.failed", "job", tester.party_id, subject_id=job.id))
    assert tester.client.get(f"/jobs/{shown('job', job.id)}").status_code == 404
    answer = tester.client.get(shown_notice(Notice.objects.get()).url, follow=True)
    assert answer.status_code == 200


# The inbox ---------------------------------------------------------------------------------------


def test_the_inbox_keeps_what_was_read_and_says_what_was_not(tester, second_tester):
    old, new = a_notice(tester), a_notice(tester, "payout.paid", "payout")
    a_notice(second_tester, "case.decided", "submission")
    dismiss_notice(actor=tester.actor, notice_id=old.id)
    page = tester.client.get("/inbox").content.decode()
    assert "A clip is ready" in page
    assert "You were paid" in page
    assert "decision" not in page
    assert page.count('<span class="badge">New</span>') == 1
    assert '1<span class="sr"> unread</span>' in page
    only = tester.client.get("/inbox", {"show": "unread"}).content.decode()
    assert "You were paid" in only
    assert "A clip is ready" not in only
    assert new.read_at is None


def test_the_inbox_can_be_asked_for_one_topic(tester):
    a_notice(tester)
    a_notice(tester, "payout.paid", "payout")
    page = tester.client.get("/inbox", {"topic": "pay"}).content.decode()
    assert "You were paid" in page
    assert "A clip is ready" not in page
    assert tester.client.get("/inbox", {"topic": "nonsense"}).status_code == 200


def test_the_inbox_goes_on_page_after_page(tester):
    for _number in range(31):
        a_notice_more(tester)
    first = tester.client.get("/inbox").content.decode()
    (more,) = re.findall(r'href="(\?cursor=[^"]+)"', first)
    second = tester.client.get(f"/inbox{more}").content.decode()
    assert first.count("A clip is ready") // 2 == 30
    assert second.count("A clip is ready") // 2 == 1


def a_notice_more(member):
    write_notices(a_message("job.finished", "job", member.party_id))


def test_all_are_put_away_at_once_but_none_that_came_meanwhile(tester, second_tester, clock):
    seen, theirs = a_notice(tester), a_notice(second_tester)
    until = now().isoformat()
    clock.advance(minutes=1)
    write_notices(a_message("payout.paid", "payout", tester.party_id))
    assert tester.client.post("/inbox/dismiss", {"until": until}).url == "/inbox"
    unread = Notice.objects.filter(read_at=None).values_list("party_id", "kind")
    assert set(unread) == {(tester.party_id, "payout.paid"), (second_tester.party_id, theirs.kind)}
    seen.refresh_from_db()
    assert seen.read_at is not None


@pytest.mark.parametrize(
    "until", ["2026-99-99T00:00:00Z", "2026-01-01T00:00:00", "soon", "9999-12-31T23:59:59Z"]
)
def test_a_moment_that_cannot_be_read_puts_nothing_away(tester, until):
    a_notice(tester)
    assert tester.client.post("/inbox/dismiss", {"until": until}).status_code == 422
    assert Notice.objects.filter(read_at=None).exists()


def test_the_inbox_costs_the_same_for_one_and_for_many(tester, django_assert_num_queries):
    job = a_job(tester)
    write_notices(a_message("job.failed", "job", tester.party_id, subject_id=job.id))
    tester.client.get("/inbox")
    with CaptureQueriesContext(connection) as few:
        tester.client.get("/inbox")
    for _number in range(9):
        write_notices(a_message("job.failed", "job", tester.party_id, subject_id=job.id))
    with django_assert_num_queries(len(few)):
        tester.client.get("/inbox")


def test_every_topic_has_a_kind():
    assert set(TOPICS.values()) == set(Topic)
