"""Staff say why before they look, and whoever lost the role looks no more."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts.programmes.models import Role, RoleGrant
from core.audit.models import AuditEvent
from core.clock import now
from core.errors import Absent, InvalidOrder
from core.ids import new_id, shown
from core.outbox.models import OutboxMessage
from generation.clips.commands import say_why
from generation.clips.models import Viewing
from generation.clips.queries import clip_for, clip_to_view, seen_by
from generation.clips.rules import VIEWING_LASTS, VIEWING_ROLES, Why, viewing_role
from stage.builders import a_clip
from stage.cast import a_member


@pytest.fixture
def clip(tester):
    return a_clip(tester)


@pytest.fixture
def shown_id(clip):
    return shown("clip", clip.id)


def test_a_reason_counts_for_half_an_hour_and_is_on_record(clip, shown_id, tester, reviewer):
    viewing = say_why(actor=reviewer.actor, shown_id=shown_id, why=Why.REVIEW)
    assert viewing.until - viewing.at == VIEWING_LASTS
    assert (viewing.role, viewing.why) == ("reviewer", "review")
    line = AuditEvent.objects.get(kind="viewing.begun")
    assert (line.subject_id, line.actor_party_id) == (clip.id, reviewer.party_id)
    assert line.facts == {"role": "reviewer", "why": "review"}
    heard = OutboxMessage.objects.get(kind="viewing.begun")
    assert (heard.party_id, heard.facts) == (tester.party_id, line.facts)


def test_who_holds_several_roles_looks_in_the_first(programme, shown_id):
    both = a_member(programme, Role.MANAGER, Role.REVIEWER, name="both")
    assert clip_to_view(both.actor, shown_id)[1] == VIEWING_ROLES[0] == "reviewer"
    assert [viewing_role(frozenset({role})) for role in VIEWING_ROLES] == list(VIEWING_ROLES)
    assert viewing_role(frozenset({"tester", "finance"})) is None


@pytest.mark.parametrize("why", ["", "curiosity", "other", "REVIEW"])
def test_a_reason_off_the_list_opens_nothing(why, shown_id, reviewer):
    with pytest.raises(InvalidOrder) as refused:
        say_why(actor=reviewer.actor, shown_id=shown_id, why=why)
    assert refused.value.code == "why_unknown"
    assert not Viewing.objects.exists()
    with pytest.raises(Absent):
        clip_for(reviewer.actor, shown_id)


@pytest.mark.parametrize("outsider", ["tester", "second_tester", "stranger", "finance"])
def test_whoever_may_not_look_is_told_nothing(outsider, request, shown_id):
    """The owner too: one's own clip needs no reason."""
    other = request.getfixturevalue(outsider)
    for wanted in (shown_id, shown("clip", new_id()), "clp_x"):
        with pytest.raises(Absent):
            say_why(actor=other.actor, shown_id=wanted, why="review")
    assert not Viewing.objects.exists()


def test_a_reviewer_of_another_programme_is_a_stranger(other_programme, shown_id):
    elsewhere = a_member(other_programme, Role.REVIEWER, name="reviewer")
    with pytest.raises(Absent):
        say_why(actor=elsewhere.actor, shown_id=shown_id, why="review")


def test_a_reason_ends_with_the_role(shown_id, reviewer):
    say_why(actor=reviewer.actor, shown_id=shown_id, why="review")
    assert clip_for(reviewer.token_actor(), shown_id)
    RoleGrant.objects.filter(membership__party_id=reviewer.party_id).update(ended_at=now())
    with pytest.raises(Absent):
        clip_for(reviewer.token_actor(), shown_id)


def test_one_persons_reason_opens_nothing_to_another(shown_id, reviewer, second_reviewer):
    say_why(actor=reviewer.actor, shown_id=shown_id, why="review")
    with pytest.raises(Absent):
        clip_for(second_reviewer.actor, shown_id)


def test_files_opened_in_one_half_hour_are_one_look(clip, shown_id, reviewer, manager, clock):
    from django.db import connection

    clock.stop()
    for viewer, why in ((reviewer, "review"), (manager, "question")):
        say_why(actor=viewer.actor, shown_id=shown_id, why=why)
        with connection.cursor() as cursor:
            for rendition in list(clip.renditions.all()) * 2:
                cursor.execute(
                    "SELECT record_opening(%s, %s, %s)",
                    [rendition.id, viewer.party_id, viewer.actor.credential_id],
                )
        clock.advance(seconds=1)
    assert [(look.role, look.why) for look in seen_by(clip)] == [
        ("reviewer", "review"),
        ("manager", "question"),
    ]


@pytest.mark.parametrize("facts", [{"why": "other"}, {"role": "tester"}, {"role": "finance"}])
def test_the_database_knows_the_lists_too(facts, clip, reviewer):
    usual = {"role": "reviewer", "why": "review"}
    moment = now()
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Viewing.objects.create(
            clip=clip,
            viewer_id=reviewer.party_id,
            at=moment,
            until=moment + VIEWING_LASTS,
            **(usual | facts),
        )
    constraint = refused.value.__cause__.diag.constraint_name
    assert constraint == "a_viewing_has_a_reason_and_a_role_that_looks"
