"""What the studio says to whoever comes in: what is closed, what has ended, what was just done."""

from __future__ import annotations

import re
from datetime import date

import pytest

from accounts.notices.models import Notice
from accounts.programmes.commands import (
    ParticularsWish,
    add_member,
    close_programme,
    publish_particulars,
)
from accounts.programmes.models import Role
from accounts.programmes.queries import memberships_ended
from core.ids import new_id
from greenroom.offboarding.commands import offboard_member
from greenroom.offboarding.rules import Why
from stage.builders import a_model
from stage.cast import Member

pytestmark = pytest.mark.django_db


def page(member, path="/"):
    answer = member.client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def text_of(said):
    return " ".join(re.sub(r"<[^>]*>", " ", said.partition("<main")[2]).split())


def leave(member, manager):
    offboard_member(
        programme_id=member.programme.id,
        party_id=member.party_id,
        reason=Why.OVER,
        actor=manager.actor,
    )
    # Their sign-ins ended with it; this one is made after.
    return Member(member.person, member.programme)


# What has ended


def test_whoever_left_reads_when_what_stays_and_where_it_is(tester, manager):
    publish_particulars(
        programme_id=tester.programme.id,
        wish=ParticularsWish("Night studio", contact="stage@example.org"),
    )
    gone = leave(tester, manager)
    ended_at = memberships_ended(tester.party_id).get().ended_at
    said = page(gone)
    shown = text_of(said)
    assert f"Your membership of Night studio ended on {ended_at:%-d %b %Y}." in shown
    assert "what you earned stay yours, and what is owed to you is paid" in shown
    assert "stage@example.org" in shown
    assert "You are in no programme at present" not in shown
    ways = re.findall(r'<a href="([^"]+)"><span>', said.partition("<main")[2])
    assert ways == ["/exports", "/inbox"]
    there = f"/left/{tester.programme.slug}"
    assert f'href="{there}"' in said
    for way in (*ways, there):
        page(gone, way)


def test_whoever_came_back_reads_nothing_of_an_end(tester, manager):
    gone = leave(tester, manager)
    add_member(
        programme_id=tester.programme.id,
        party_id=tester.party_id,
        roles=[Role.TESTER],
        granted_by=manager.party_id,
    )
    assert not memberships_ended(tester.party_id)
    assert "ended on" not in text_of(page(gone))


def test_of_several_times_in_a_programme_the_last_is_said_once(tester, manager):
    leave(tester, manager)
    add_member(
        programme_id=tester.programme.id,
        party_id=tester.party_id,
        roles=[Role.TESTER],
        granted_by=manager.party_id,
    )
    gone = leave(tester, manager)
    assert memberships_ended(tester.party_id).count() == 1
    assert text_of(page(gone)).count("Your membership of") == 1


# What is closed


def offers_a_new_clip(said):
    return '<a class="button" href="/clips/new">' in said


def test_while_a_programme_is_closed_the_studio_says_so_and_offers_no_new_clip(tester):
    a_model()
    assert offers_a_new_clip(page(tester))
    close_programme(programme_id=tester.programme.id)
    said = page(tester)
    assert not offers_a_new_clip(said)
    assert "The programme is closed at the moment." in text_of(said)
    assert "Make the first one" not in said


def test_before_the_first_day_and_after_the_last_the_studio_says_which(tester):
    wish = {"name": "Night studio"}
    publish_particulars(
        programme_id=tester.programme.id, wish=ParticularsWish(opens_on=date(2100, 5, 1), **wish)
    )
    said = page(tester)
    assert "begins on May 1, 2100" in text_of(said)
    assert not offers_a_new_clip(said)
    publish_particulars(
        programme_id=tester.programme.id, wish=ParticularsWish(closes_on=date(2001, 5, 1), **wish)
    )
    assert "last day was May 1, 2001" in text_of(page(tester))


def test_staff_hear_of_a_closed_programme_in_their_own_rooms(reviewer):
    close_programme(programme_id=reviewer.programme.id)
    assert "New clips wait for that" not in text_of(page(reviewer))


# What was just done


def messages_on(said):
    return re.findall(r"<dialog class=\"say \w+\" open.*?</dialog>", said, re.DOTALL)


def test_of_several_deeds_the_last_one_speaks_once(manager):
    for deed in ("close", "open", "close"):
        manager.client.post(f"/setup/{deed}")
    said = page(manager, "/setup")
    (message,) = messages_on(said)
    assert "The programme is closed. No new work begins." in message
    assert '<form class="inline" method="dialog">' in message
    assert 'aria-label="Dismiss this message"' in message
    region = said[: said.index("<dialog")].rpartition("<div")[2]
    assert 'role="status"' in region
    assert messages_on(page(manager, "/setup")) == []


def test_a_few_notices_stand_in_the_studio_and_the_inbox_has_the_others(tester):
    for _ in range(5):
        Notice.objects.create(
            id=new_id(),
            party_id=tester.party_id,
            kind="token.minted",
            subject_kind="credential",
            subject_id=new_id(),
        )
    said = page(tester)
    assert said.count('id="notice-') == 3
    unread = Notice.objects.filter(party_id=tester.party_id, read_at=None).count()
    assert f"All {unread} that you have not read" in text_of(said)
    assert 'href="/inbox?show=unread"' in said
