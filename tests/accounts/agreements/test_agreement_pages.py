"""Accepting is an explicit act on the version one was shown."""

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts.agreements.commands import publish_agreement
from accounts.agreements.models import Acceptance, AgreementView
from accounts.agreements.queries import agreement_in_force, governing_acceptance
from accounts.programmes.commands import (
    ParticularsWish,
    close_programme,
    publish_particulars,
)
from accounts.programmes.models import Role
from accounts.programmes.queries import why_not_working
from core.clock import now
from core.errors import AgreementMissing
from core.ids import shown
from core.seal.queries import is_signed_here
from core.seal.rules import read_signed
from stage.builders import a_job
from stage.cast import a_member, accept

pytestmark = pytest.mark.django_db


@pytest.fixture
def newcomer(programme):
    return a_member(programme, Role.TESTER, name="newcomer", has_accepted=False)


def a_newer_version(programme, **facts):
    return publish_agreement(
        programme_id=programme.id, text="Other words.", summary="Other.", **facts
    )


def says(member, deed, version=1):
    """Reads the page and presses, as a person does."""
    member.client.get("/agreement")
    return member.client.post(f"/agreement/{deed}", {"version": str(version)})


def test_the_page_shows_the_version_in_force(newcomer, programme):
    a_newer_version(programme)
    page = newcomer.client.get("/agreement").content.decode()
    assert "Version 2" in page
    assert "Other words." in page
    assert 'name="version" value="2"' in page


def test_who_makes_no_clips_reads_it_and_is_asked_for_nothing(programme, tester, manager):
    for one in (tester, manager):
        accept(one)
    a_newer_version(programme)
    page = manager.client.get("/agreement?whole=1").text
    assert "Other words." in page
    assert "nothing is asked of you" in page
    assert "New work asks for your yes" not in page
    assert "/agreement/accept" not in page
    assert manager.client.post("/agreement/accept", {"version": "2"}).status_code == 404
    assert "Version 2 of the programme" not in manager.client.get("/").text
    assert "Version 2 of the programme" in tester.client.get("/").text


def test_accepting_opens_the_studio(newcomer, programme):
    with pytest.raises(AgreementMissing):
        a_job(newcomer)
    answer = says(newcomer, "accept")
    assert answer.url == "/"
    assert governing_acceptance(programme.id, newcomer.party_id) is not None
    a_job(newcomer)


def test_the_act_names_the_credential_it_was_done_with(newcomer, programme):
    says(newcomer, "accept")
    act = Acceptance.objects.get(party_id=newcomer.party_id)
    request = newcomer.client.get("/agreement").wsgi_request
    assert act.credential_id == request.actor.credential_id


def test_looking_is_not_accepting(newcomer, programme):
    newcomer.client.get("/agreement")
    assert newcomer.client.get("/agreement/accept").status_code == 405
    assert governing_acceptance(programme.id, newcomer.party_id) is None


def test_a_version_that_is_no_longer_in_force_cannot_be_accepted(newcomer, programme):
    a_newer_version(programme)
    answer = newcomer.client.post("/agreement/accept", {"version": "1"}, follow=True)
    assert "newer version" in answer.content.decode()
    assert governing_acceptance(programme.id, newcomer.party_id) is None


@pytest.mark.parametrize("version", ["", "two", "-1", "1.0", "²", "9" * 30])
def test_nonsense_in_place_of_a_version_accepts_nothing(newcomer, programme, version):
    newcomer.client.post("/agreement/accept", {"version": version})
    assert not Acceptance.objects.filter(party_id=newcomer.party_id).exists()


def test_under_a_new_version_the_old_one_governs_until_one_answers(tester, programme):
    a_newer_version(programme)
    assert governing_acceptance(programme.id, tester.party_id).version.number == 1
    assert a_job(tester).acceptance.version.number == 1
    says(tester, "accept", 2)
    assert governing_acceptance(programme.id, tester.party_id).version.number == 2
    assert a_job(tester).acceptance.version.number == 2


def test_declining_a_new_version_stops_new_work_and_one_may_change_ones_mind(tester, programme):
    a_newer_version(programme)
    says(tester, "decline", 2)
    assert governing_acceptance(programme.id, tester.party_id) is None
    with pytest.raises(AgreementMissing):
        a_job(tester)
    assert "You declined version 2" in tester.client.get("/agreement").content.decode()
    assert "New clips wait for your yes" in tester.client.get("/clips/new").content.decode()
    says(tester, "accept", 2)
    a_job(tester)
    assert "New clips wait for your yes" not in tester.client.get("/clips/new").content.decode()


def test_after_its_day_an_unanswered_version_stops_new_work(tester, programme, clock):
    a_newer_version(programme, answer_by=clock.now() + timedelta(days=5))
    clock.advance(days=4)
    a_job(tester)
    clock.advance(days=2)
    with pytest.raises(AgreementMissing):
        a_job(tester)
    assert "The day to answer by has passed" in tester.client.get("/agreement").content.decode()


def test_declining_stops_new_clips_and_one_may_change_ones_mind(tester, programme):
    says(tester, "decline")
    assert governing_acceptance(programme.id, tester.party_id) is None
    page = tester.client.get("/agreement").content.decode()
    assert "You declined version 1" in page
    says(tester, "accept")
    assert governing_acceptance(programme.id, tester.party_id) is not None


def test_what_was_never_on_the_screen_cannot_be_answered(newcomer, programme):
    answer = newcomer.client.post("/agreement/accept", {"version": "1"}, follow=True)
    assert "read this version of the agreement first" in answer.content.decode()
    assert governing_acceptance(programme.id, newcomer.party_id) is None


def test_a_first_look_is_kept_once(newcomer, programme):
    for _again in range(2):
        newcomer.client.get("/agreement")
    (view,) = AgreementView.objects.filter(party_id=newcomer.party_id)
    assert view.version.number == 1


def test_the_page_marks_what_changed_for_eyes_and_ears(tester, programme):
    a_newer_version(programme, changes="Other words, that is all.")
    page = tester.client.get("/agreement").content.decode()
    assert "Other words, that is all." in page
    assert "<ins>" in page
    assert "[gone:" in page
    assert "Version 1, which you accepted, governs you until you answer." in page
    whole = tester.client.get("/agreement?whole=1").content.decode()
    assert "<ins>" not in whole
    assert "Other words." in whole


def test_who_has_accepted_nothing_sees_the_text_without_marks(newcomer, programme):
    a_newer_version(programme)
    assert "<ins>" not in newcomer.client.get("/agreement").content.decode()


def test_the_studio_tells_of_a_newer_version_and_stays_open(tester, programme):
    a_newer_version(programme)
    page = tester.client.get("/").content.decode()
    assert "Version 2 of the programme's agreement is out" in page
    assert "Before your first clip" not in page
    says(tester, "decline", 2)
    page = tester.client.get("/").content.decode()
    assert "agreement is out" not in page
    assert "/agreement" in page


def test_history_shows_every_version_and_every_act_with_its_receipt(tester, programme):
    a_newer_version(programme)
    says(tester, "decline", 2)
    says(tester, "accept", 2)
    page = tester.client.get("/agreement/history").content.decode()
    receipts = set(re.findall(r'href="(/agreement/acts/acp_\w+/receipt)"', page))
    assert len(receipts) == 3
    for url in receipts:
        answer = tester.client.get(url)
        assert "attachment" in answer.headers["Content-Disposition"]
        assert is_signed_here(read_signed(answer.content.decode()))
    assert "You may make clips." in tester.client.get("/agreement/versions/1").content.decode()
    assert tester.client.get("/agreement/versions/3").status_code == 404
    assert tester.client.get(f"/agreement/versions/{9 * 10**30}").status_code == 404


def test_a_receipt_is_its_partys_alone(tester, second_tester, stranger):
    act = shown("acceptance", Acceptance.objects.get(party_id=tester.party_id).id)
    for other in (second_tester, stranger):
        assert other.client.get(f"/agreement/acts/{act}/receipt").status_code == 404
    assert tester.client.get("/agreement/acts/acp_nonsense/receipt").status_code == 404


def test_a_programme_without_an_agreement_says_so(bare):
    assert "There is no agreement yet" in bare.client.get("/agreement").content.decode()
    assert bare.client.get("/agreement/history").status_code == 200


def test_strangers_have_their_own_agreement(stranger, programme):
    assert agreement_in_force(programme.id).programme_id != stranger.programme.id
    stranger.client.post("/agreement/accept", {"version": "1"})
    assert governing_acceptance(programme.id, stranger.party_id) is None


def test_who_is_not_signed_in_is_asked_to(browser):
    assert browser.get("/agreement").url == "/account/login/?next=%2Fagreement"
    assert browser.post("/agreement/accept", {"version": "1"}).status_code == 302


def test_a_day_to_answer_by_is_told_as_the_day_that_somebody_wrote(tester, programme):
    day = now().date() + timedelta(days=9)
    zone = ZoneInfo(programme.time_zone)
    midnight = datetime.combine(day + timedelta(days=1), time(), zone)
    a_newer_version(programme, answer_by=midnight)
    for page in ("/agreement", "/"):
        text = re.sub(r"<[^>]+>", "", tester.client.get(page).text)
        assert f"Please answer by the end of {day.day} {day:%b %Y}" in text, page


def test_before_it_begins_a_yes_promises_no_open_studio(newcomer, programme):
    begins = now().date() + timedelta(days=9)
    wish = ParticularsWish(programme.name, opens_on=begins)
    publish_particulars(programme_id=programme.id, wish=wish)
    newcomer.client.get("/agreement")
    page = newcomer.client.post("/agreement/accept", {"version": "1"}, follow=True).text
    assert "You have accepted the agreement. The programme begins on" in page
    assert "The studio is open to you" not in page
    close_programme(programme_id=programme.id)
    assert "Its first day is to be" in why_not_working(programme.id)
