"""What the programme's people tell a cohort, or everybody, reaches exactly those."""

import re

import pytest
from django.core import mail as outbox
from django.db import IntegrityError, transaction

from accounts.announcements.commands import announce
from accounts.announcements.models import Announcement
from accounts.cohorts.models import Cohort, CohortSeat
from accounts.notices.models import Notice
from accounts.notices.rules import Topic
from accounts.post.commands import choose_ways, send_due, tell
from accounts.post.rules import Way
from accounts.programmes.models import Membership
from core.clock import CoreNow
from core.errors import Absent, InvalidOrder
from core.ids import new_id, shown
from core.outbox.models import OutboxMessage
from stage.cast import api_of

pytestmark = pytest.mark.django_db

ANNOUNCEMENTS = "/api/v1/announcements"


def a_cohort(*members):
    cohort = Cohort.objects.create(programme=members[0].programme, name="First wave")
    for member in members:
        CohortSeat.objects.create(
            cohort=cohort,
            membership=Membership.objects.get(party_id=member.party_id),
            programme=member.programme,
        )
    return cohort


def said(actor, **wanted):
    made = announce(actor=actor, **({"title": "News", "words": "Clause 4 is shorter."} | wanted))
    tell(OutboxMessage.objects.get(kind="announcement.made", subject_id=made.id))
    return made


def hearers():
    return set(Notice.objects.filter(kind="announcement.made").values_list("party_id", flat=True))


def test_everybody_in_the_programme_hears_it_but_its_author(tester, reviewer, manager, stranger):
    said(manager.actor)
    assert hearers() == {tester.party_id, reviewer.party_id}


def test_a_cohort_hears_what_is_for_it_and_nobody_else_can_read_it(
    tester, second_tester, manager, auditor, stranger
):
    made = said(manager.actor, cohort_id=a_cohort(tester).id)
    assert hearers() == {tester.party_id}
    url = f"/announcements/{shown('announcement', made.id)}"
    for member, status in ((tester, 200), (manager, 200), (auditor, 200), (second_tester, 404)):
        assert member.client.get(url).status_code == status
        assert member.api.get(f"/api/v1{url}").status_code == status
    assert stranger.client.get(url).status_code == 404


def test_who_left_the_cohort_before_is_not_told(tester, second_tester, manager):
    cohort = a_cohort(tester, second_tester)
    CohortSeat.objects.filter(membership__party_id=tester.party_id).update(ended_at=CoreNow())
    said(manager.actor, cohort_id=cohort.id)
    assert hearers() == {second_tester.party_id}


def test_its_words_come_with_its_mail(tester, manager):
    choose_ways(actor=tester.actor, ways={Topic.NEWS: Way.MAIL})
    said(manager.actor, title="Clause 4", words="It is <shorter>.\n\nRead it.")
    send_due()
    (letter,) = outbox.outbox
    assert letter.subject == "Announcement: Clause 4"
    assert "It is <shorter>.\n\nRead it." in letter.body
    assert "It is &lt;shorter&gt;." in letter.alternatives[0][0]


@pytest.mark.parametrize(
    "wanted",
    [
        {"title": " "},
        {"title": "one\ntwo"},
        {"title": "x" * 121},
        {"words": ""},
        {"words": "x" * 5001},
        {"words": "turned \u202e round"},
    ],
)
def test_an_announcement_says_something_that_can_be_read(manager, wanted):
    with pytest.raises(InvalidOrder):
        said(manager.actor, **wanted)
    assert Announcement.objects.count() == 0


def test_a_cohort_of_another_programme_is_not_there(manager, stranger):
    cohort = a_cohort(stranger)
    with pytest.raises(Absent):
        said(manager.actor, cohort_id=cohort.id)
    with pytest.raises(IntegrityError), transaction.atomic():
        Announcement.objects.create(
            programme=manager.programme, cohort=cohort, title="t", words="w",
            made_by_id=manager.party_id,
        )  # fmt: skip


def test_testers_reviewers_and_auditors_announce_nothing(tester, reviewer, auditor):
    for member in (tester, reviewer, auditor):
        with pytest.raises(Absent):
            said(member.actor)
        wish = {"title": "News", "words": "None."}
        assert member.client.post("/announcements", wish).status_code == 404
        assert member.api.post(ANNOUNCEMENTS, wish).status_code == 404
    assert "Say it" not in tester.client.get("/announcements").content.decode()


# The page ----------------------------------------------------------------------------------------


def test_the_page_says_before_the_press_how_many_will_hear_it(
    tester, second_tester, reviewer, manager
):
    a_cohort(tester, second_tester)
    page = manager.client.get("/announcements").content.decode()
    assert "Everybody in the programme: 3 readers" in page
    assert "Cohort “First wave”: 2 readers" in page


def test_pressing_twice_says_it_once(tester, manager):
    page = manager.client.get("/announcements").content.decode()
    (once,) = re.findall(r'name="once" value="(\w+)"', page)
    wish = {"title": "News", "words": "Clause 4 is shorter.", "readers": "everybody", "once": once}
    first = manager.client.post("/announcements", wish)
    again = manager.client.post("/announcements", wish)
    assert first.url == again.url
    assert Announcement.objects.count() == 1
    assert "Clause 4 is shorter." in tester.client.get(first.url).content.decode()


def test_what_cannot_be_sent_comes_back_with_its_reason(manager, tester):
    cohort = shown("cohort", a_cohort(tester).id)
    answer = manager.client.post(
        "/announcements", {"title": "", "words": "What I wrote", "readers": cohort}
    )
    assert answer.status_code == 422
    assert "What I wrote" in answer.content.decode()
    unknown = shown("cohort", new_id())
    answer = manager.client.post("/announcements", {"title": "a", "words": "b", "readers": unknown})
    assert answer.status_code == 422


# Programs ----------------------------------------------------------------------------------------


def test_a_program_announces_once_and_lists_what_was_for_it(tester, second_tester, manager):
    cohort = shown("cohort", a_cohort(tester).id)
    wish = {"title": "News", "words": "Only for you.", "cohort": cohort}
    key = {"HTTP_IDEMPOTENCY_KEY": "once"}
    first = manager.api.post(ANNOUNCEMENTS, wish, **key)
    again = manager.api.post(ANNOUNCEMENTS, wish, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.json()["cohort"] == cohort
    assert tester.api.get(ANNOUNCEMENTS).json()["items"] == [first.json()]
    assert second_tester.api.get(ANNOUNCEMENTS).json()["items"] == []
    assert tester.api.get(first.json()["url"]).json() == first.json()


def test_announcing_is_a_scope_of_its_own(manager):
    reader = api_of(manager.token("notices:read"))
    answer = reader.post(ANNOUNCEMENTS, {"title": "News", "words": "None."})
    assert answer.json()["code"] == "wrong_scope"
