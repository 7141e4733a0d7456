"""What everybody can read without signing in, and what nobody can."""

import logging
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from accounts.people.models import PersonalDetail
from accounts.rates.commands import publish_rate
from accounts.rates.rules import ActKind
from core.clock import now
from core.ids import shown
from greenroom.logs import JsonLines
from review.credits.commands import answer_credit, name_person
from review.credits.rules import DisplayForm
from review.policies.commands import publish_policy
from review.releases.commands import (
    make_share_link,
    release_clip,
    revoke_share_link,
    take_down_release,
)
from stage.cast import ADDRESS
from stage.releases import copies_of
from stage.review import CLAUSES, a_decision, a_submission, open_review

pytestmark = pytest.mark.django_db

MICRO = 1_000_000


@pytest.fixture
def visitor():
    """A browser that never signed in."""
    return Client(headers={"host": ADDRESS})


@pytest.fixture
def released(programme, tester, reviewer, clock):
    open_review(programme)
    PersonalDetail.objects.filter(person=tester.person).update(display_name="Ada Byron")

    def release(**wanted):
        clip = a_submission(tester, display_form=DisplayForm.NAME).clip
        a_decision(reviewer, clock)
        usual = {"title": "Boat, at dusk"}
        return release_clip(actor=tester.actor, clip_id=shown("clip", clip.id), **(usual | wanted))

    return release


def public_id(release):
    return shown("release", release.id)


def page(client, path, status=200):
    answer = client.get(path)
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


def a_link(member, release):
    return make_share_link(actor=member.actor, release_id=public_id(release))


def test_an_empty_showcase_says_what_will_be_there(visitor):
    said = page(visitor, "/showcase")
    assert "Nothing is shown yet" in said


def test_a_release_is_on_the_showcase_for_everybody(visitor, stranger, tester, released):
    release = released()
    for client in (visitor, stranger.client, tester.client):
        said = page(client, "/showcase")
        assert f"/showcase/{public_id(release)}" in said
        assert "Boat, at dusk" in said
        assert "Ada Byron" in said
        assert re.search(r"/media/ren_\w{26}", said)


def test_the_page_of_a_release_says_what_was_chosen_and_no_more(visitor, tester, released):
    release = released()
    said = page(visitor, f"/showcase/{public_id(release)}")
    clip = release.clip
    for words in (
        "Boat, at dusk",
        "Made by",
        "Ada Byron",
        "Still",
        "128 × 96",
        "8 frames",
        "Approved under policy version 1",
        "<video",
    ):
        assert words in said
    for hidden in (
        clip.prompt,
        str(clip.seed) + "</dd>",
        tester.email,
        shown("clip", clip.id),
        shown("party", tester.party_id),
        clip.master_sha256,
    ):
        assert hidden not in said


def test_the_prompt_is_shown_where_its_owner_chose_that(visitor, released):
    release = released(shows_prompt=True)
    assert release.clip.prompt in page(visitor, f"/showcase/{public_id(release)}")


def test_a_credit_is_shown_after_a_yes_and_in_the_form_chosen(
    visitor, tester, second_tester, released
):
    release = released()
    PersonalDetail.objects.filter(person=second_tester.person).update(credit_name="C. R.")
    line = name_person(
        actor=tester.actor,
        clip_id=shown("clip", release.clip_id),
        party=shown("party", second_tester.party_id),
        role="composer",
    )
    path = f"/showcase/{public_id(release)}"
    assert "Music by" not in page(visitor, path)
    answer_credit(
        actor=second_tester.actor,
        credit_line_id=shown("credit_line", line.id),
        move="accept",
        display_form="pseudonym",
    )
    assert re.search(r"Music by</span>\s*<span class=\"said\">C\. R\.", page(visitor, path))
    card = " ".join(re.sub(r"<[^>]*>", "", page(visitor, "/showcase")).split())
    assert "Made by Ada Byron, Music by C. R." in card


def test_what_was_taken_down_is_gone_with_the_next_request(visitor, tester, released):
    release = released()
    _link, secret = a_link(tester, release)
    paths = [f"/showcase/{public_id(release)}", f"/shared/{secret}"]
    for path in paths:
        page(visitor, path)
    take_down_release(actor=tester.actor, release_id=public_id(release))
    for path in paths:
        page(visitor, path, 404)
        page(tester.client, path, 404)
    assert "Boat" not in page(visitor, "/showcase")


def test_nothing_public_may_be_kept_by_a_cache(visitor, tester, released):
    release = released()
    _link, secret = a_link(tester, release)
    for path in ("/showcase", f"/showcase/{public_id(release)}", f"/shared/{secret}"):
        assert visitor.get(path).headers["Cache-Control"] == "private, no-store"


def test_a_release_by_link_is_nowhere_else(visitor, tester, released):
    release = released(is_listed=False)
    _link, secret = a_link(tester, release)
    assert "Boat" not in page(visitor, "/showcase")
    page(visitor, f"/showcase/{public_id(release)}", 404)
    answer = visitor.get(f"/shared/{secret}")
    said = answer.content.decode()
    assert "Boat, at dusk" in said
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert re.search(rf"/shared/{secret}/ren_\w{{26}}", said)
    assert "/media/" not in said


def test_every_dead_link_is_the_same_page(visitor, tester, released):
    release = released()
    revoked, one = a_link(tester, release)
    revoke_share_link(actor=tester.actor, link_id=shown("share_link", revoked.id))
    _link, other = a_link(tester, release)
    take_down_release(actor=tester.actor, release_id=public_id(release))
    pages = {
        re.sub(r"value=\"[^\"]*\"", "", page(visitor, f"/shared/{secret}", 404))
        for secret in (one, other, "x" * 43, "short", "ä" * 43)
    }
    assert len(pages) == 1


def test_the_secret_of_a_link_is_in_no_log_line(visitor, tester, released, caplog):
    caplog.set_level(logging.INFO)
    _link, secret = a_link(tester, released())
    page(visitor, f"/shared/{secret}")
    page(visitor, f"/shared/{secret}x", 404)
    visitor.post(f"/shared/{secret}")
    logged = "".join(JsonLines().format(record) for record in caplog.records)
    assert "Not Found: /shared/…" in logged
    assert secret not in logged
    assert secret[:-1] not in logged


def test_pages_can_only_be_read(visitor, released):
    release = released()
    for path in ("/showcase", f"/showcase/{public_id(release)}", "/programmes"):
        assert visitor.post(path).status_code == 405
        assert visitor.head(path).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_showcase_goes_on_by_cursor_and_costs_the_same_for_a_thousand(
    database, visitor, released
):
    release = released()

    def cost():
        count = 0

        def counted(execute, *arguments):
            nonlocal count
            count += 1
            return execute(*arguments)

        with connection.execute_wrapper(counted):
            said = page(visitor, "/showcase")
        return count, said.count('<article class="clip">')

    copies_of(database, release, range(1, 10))
    few = cost()
    copies_of(database, release, range(10, 1000))
    many = cost()
    assert few[1] == 10
    assert many == (few[0], 24)
    seen, path = set(), "/showcase"
    while path:
        said = page(visitor, path)
        found = re.findall(r"/showcase/(rel_\w{26})", said)
        assert not seen & set(found)
        seen |= set(found)
        more = re.search(r'href="(\?cursor=[^"]+)"', said)
        path = f"/showcase{more[1]}" if more else None
    assert len(seen) == 1000


# Programmes


def test_everybody_reads_the_terms(visitor, programme, clock):
    open_review(programme, hours=48)
    publish_rate(
        programme_id=programme.id,
        kind=ActKind.RELEASE,
        amount_micro=12_500_000,
        words="For each clip, once.",
    )
    clock.advance(seconds=1)
    publish_rate(
        programme_id=programme.id,
        kind=ActKind.FEEDBACK,
        amount_micro=3 * MICRO,
        applies_from=now() + timedelta(days=30),
    )
    assert programme.name in page(visitor, "/programmes")
    said = page(visitor, f"/programmes/{programme.slug}")
    for words in (
        "You may make clips. You may say what you think of them.",
        "Make clips, speak freely.",
        "12.50",
        "For each clip, once.",
        "3.00",
        "Nobody unasked",
        "A recognisable person who did not consent",
        "decided within 2 days",
        "no ground to decline it",
        "Silence is counted",
        "184 days",
    ):
        assert words in said, words


def test_a_programme_that_published_nothing_says_so(visitor, other_programme):
    said = page(visitor, f"/programmes/{other_programme.slug}")
    assert "Nothing is promised yet" in said
    assert "No clauses are published yet" in said
    assert "Nothing is paid" in said


def test_the_page_shows_the_version_in_force(visitor, programme):
    open_review(programme)
    publish_policy(programme_id=programme.id, introduction="Shorter now.", clauses=CLAUSES[:1])
    said = page(visitor, f"/programmes/{programme.slug}")
    assert "Policy, version 2" in said
    assert "Nobody unasked" in said
    assert "No gore" not in said


def test_everybody_reads_the_figures(visitor, programme, released):
    publish_rate(programme_id=programme.id, kind=ActKind.RELEASE, amount_micro=MICRO)
    released()
    said = page(visitor, f"/programmes/{programme.slug}/figures")
    for words in ("Put forward", "Decided late", "0 of 1", "On the showcase now", "1.00"):
        assert words in said, words


def test_what_does_not_exist_is_absent(visitor):
    for path in (
        "/programmes/nowhere",
        "/programmes/nowhere/figures",
        "/showcase/rel_nonsense",
        "/showcase/rel_00000000000000000000000000",
    ):
        page(visitor, path, 404)


def test_the_front_of_the_house_leads_there(visitor, tester):
    front = page(visitor, "/")
    for path in ("/showcase", "/programmes"):
        assert front.count(f'href="{path}"') >= 2
        assert f'href="{path}"' in page(tester.client, "/settings")
