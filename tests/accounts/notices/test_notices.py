"""What is worth telling is told once, in words, and can be put away."""

import pytest
from django.urls import resolve

from accounts.notices.commands import WORTH_TELLING, write_notice
from accounts.notices.models import Notice
from accounts.notices.words import WORDS, shown_notice
from core.ids import PREFIXES, new_id, shown
from core.outbox.models import OutboxMessage

pytestmark = pytest.mark.django_db


def a_notice(member, kind="job.finished", thing="job"):
    write_notice(
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
    assert set(WORDS) == WORTH_TELLING


@pytest.mark.parametrize("kind", sorted(WORTH_TELLING))
def test_every_notice_leads_somewhere(tester, kind):
    noun = kind.partition(".")[0]
    notice = a_notice(tester, kind, noun if noun in PREFIXES else "credential")
    said = shown_notice(notice)
    assert said.text
    public_id = shown(notice.subject_kind, notice.subject_id)
    assert said.url.endswith(public_id) == WORDS[kind].takes_subject
    assert resolve(said.url).url_name == WORDS[kind].page
    page = tester.client.get("/").content.decode()
    assert said.text in page


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
