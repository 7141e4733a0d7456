"""A release is its owner's act after an approval, earns once, and ends at once."""

import hashlib
from datetime import timedelta

import pytest
from django.db import connection

from accounts.rates.commands import publish_rate
from accounts.rates.rules import ActKind
from core.audit.models import AuditEvent
from core.clock import now
from core.errors import Absent, InvalidOrder, WrongScope
from core.idempotency.models import KeptAnswer
from core.ids import new_id, shown
from core.outbox.models import OutboxMessage
from review.ledger.models import Act, LedgerTransaction
from review.ledger.queries import ledger_discrepancies, owed_to
from review.releases.commands import (
    AlreadyReleased,
    NotApproved,
    NotReleased,
    make_share_link,
    release_clip,
    revoke_share_link,
    take_down_release,
)
from review.releases.models import Release, ShareLink
from review.releases.queries import release_by_link, release_shown, showcase
from stage.builders import a_clip
from stage.cast import api_of
from stage.review import a_decision, a_submission, an_approved_clip, open_review

pytestmark = pytest.mark.django_db

MICRO = 1_000_000


@pytest.fixture
def clip(programme, tester, reviewer, clock):
    open_review(programme)
    return an_approved_clip(tester, reviewer, clock)


def clip_id(clip):
    return shown("clip", clip.id)


def public_id(release):
    return shown("release", release.id)


def a_release(member, clip, **wanted):
    usual = {"title": "A paper boat", "shows_prompt": False, "is_listed": True}
    return release_clip(actor=member.actor, clip_id=clip_id(clip), **(usual | wanted))


def taken_down(member, release):
    return take_down_release(actor=member.actor, release_id=public_id(release))


def a_rate(programme, euros=5):
    publish_rate(
        programme_id=programme.id,
        kind=ActKind.RELEASE,
        amount_micro=euros * MICRO,
    )


def earned(member):
    return owed_to(member.party_id, member.programme.id).earned.amount_micro


# Releasing


def test_an_approved_clip_is_on_the_showcase_once_its_owner_releases_it(tester, clip):
    assert not showcase().exists()
    release = a_release(tester, clip)
    assert list(showcase()) == [release]
    assert release.master_sha256 == clip.master_sha256
    assert release.decision.outcome == "approved"


def test_what_was_not_approved_is_not_released(programme, tester, reviewer, clock):
    open_review(programme)
    never_put_forward = a_clip(tester)
    with pytest.raises(NotApproved) as refused:
        a_release(tester, never_put_forward)
    assert refused.value.code == "not_approved"
    waiting = a_submission(tester).clip
    with pytest.raises(NotApproved):
        a_release(tester, waiting)
    a_decision(reviewer, clock, "declined")
    with pytest.raises(NotApproved):
        a_release(tester, waiting)
    assert not Release.objects.exists()


def test_a_clip_has_one_live_release(tester, clip):
    first = a_release(tester, clip)
    with pytest.raises(AlreadyReleased) as refused:
        a_release(tester, clip)
    assert (refused.value.code, refused.value.http_status) == ("already_released", 409)
    taken_down(tester, first)
    again = a_release(tester, clip, is_listed=False)
    assert (again.id != first.id, list(showcase())) == (True, [])


def test_a_clip_is_released_by_its_owner_alone(tester, second_tester, reviewer, stranger, clip):
    for other in (second_tester, reviewer, stranger):
        with pytest.raises(Absent):
            a_release(other, clip)


@pytest.mark.parametrize("title", ["", "   ", "x" * 121, "bell\a", "turn\u202eed"])
def test_a_title_can_be_read(tester, clip, title):
    with pytest.raises(InvalidOrder) as refused:
        a_release(tester, clip, title=title)
    assert (refused.value.code, refused.value.field) == ("title_invalid", "title")


def test_a_release_is_one_audit_line_and_one_outbox_line(tester, clip):
    release = a_release(tester, clip)
    taken_down(tester, release)
    taken_down(tester, release)
    for lines in (AuditEvent, OutboxMessage):
        kinds = lines.objects.filter(subject_id=release.id).values_list("kind", flat=True)
        assert sorted(kinds) == ["release.published", "release.taken_down"]


# Earning


def test_the_first_release_earns_the_rate_in_force(programme, tester, clip):
    a_rate(programme)
    release = a_release(tester, clip)
    act = Act.objects.get()
    assert (act.subject_id, act.party_id) == (clip.id, tester.party_id)
    assert (act.amount_micro, act.occurred_at) == (5 * MICRO, release.released_at)
    assert earned(tester) == 5 * MICRO
    assert ledger_discrepancies() == []


def test_a_clip_earns_once_however_often_it_is_released(programme, tester, clip, clock):
    a_rate(programme)
    taken_down(tester, a_release(tester, clip))
    clock.advance(seconds=60)
    a_rate(programme, euros=50)
    clock.advance(seconds=1)
    a_release(tester, clip)
    assert earned(tester) == 5 * MICRO
    assert LedgerTransaction.objects.count() == 1


def test_without_a_rate_a_release_earns_nothing_and_says_so(tester, clip):
    page = tester.client.get(f"/releases/new?clip={clip_id(clip)}").content.decode()
    assert "Nothing is earned" in page
    a_release(tester, clip)
    assert not Act.objects.exists()


def test_a_rate_that_is_published_for_later_pays_nothing_before(programme, tester, clip, clock):
    publish_rate(
        programme_id=programme.id,
        kind=ActKind.RELEASE,
        amount_micro=MICRO,
        applies_from=now() + timedelta(days=1),
    )
    taken_down(tester, a_release(tester, clip))
    assert not Act.objects.exists()
    clock.advance(seconds=86_401)
    a_release(tester, clip)
    assert earned(tester) == MICRO


def test_a_refused_release_earns_nothing(programme, tester, clip):
    a_rate(programme)
    a_release(tester, clip)
    with pytest.raises(AlreadyReleased):
        a_release(tester, clip)
    assert earned(tester) == 5 * MICRO


# Taking down, links


def test_taking_down_ends_everything_at_once_and_twice_is_fine(tester, clip):
    release = a_release(tester, clip)
    _link, secret = make_share_link(actor=tester.actor, release_id=public_id(release))
    assert release_by_link(secret) == release
    ended = taken_down(tester, release).ended_at
    assert taken_down(tester, release).ended_at == ended
    for question in (lambda: release_shown(public_id(release)), lambda: release_by_link(secret)):
        with pytest.raises(Absent):
            question()
    with pytest.raises(NotReleased):
        make_share_link(actor=tester.actor, release_id=public_id(release))


def test_only_the_owner_takes_down_and_handles_links(
    tester, second_tester, reviewer, manager, stranger, clip
):
    release = a_release(tester, clip)
    link, _secret = make_share_link(actor=tester.actor, release_id=public_id(release))
    for other in (second_tester, reviewer, manager, stranger):
        with pytest.raises(Absent):
            taken_down(other, release)
        with pytest.raises(Absent):
            make_share_link(actor=other.actor, release_id=public_id(release))
        with pytest.raises(Absent):
            revoke_share_link(actor=other.actor, link_id=shown("share_link", link.id))
    assert release_shown(public_id(release)) == release


def test_a_link_is_kept_as_a_fingerprint_and_dies_alone(tester, clip):
    release = a_release(tester, clip, is_listed=False)
    first, one = make_share_link(actor=tester.actor, release_id=public_id(release), name="jury")
    _second, other = make_share_link(actor=tester.actor, release_id=public_id(release))
    assert len(one) == 43
    assert one != other
    assert bytes(first.digest) == hashlib.sha256(one.encode()).digest()
    revoked = revoke_share_link(actor=tester.actor, link_id=shown("share_link", first.id))
    again = revoke_share_link(actor=tester.actor, link_id=shown("share_link", first.id))
    assert revoked.revoked_at == again.revoked_at is not None
    assert release_by_link(other) == release
    with pytest.raises(Absent):
        release_by_link(one)
    with pytest.raises(Absent):
        release_shown(public_id(release))


@pytest.mark.parametrize("secret", ["", "short", "x" * 43, "ä" * 43, "x" * 44])
def test_what_is_no_secret_opens_nothing(tester, clip, secret):
    make_share_link(actor=tester.actor, release_id=public_id(a_release(tester, clip)))
    with pytest.raises(Absent):
        release_by_link(secret)


def test_a_name_of_a_link_can_be_read(tester, clip):
    release = a_release(tester, clip)
    for name in ("x" * 81, "bell\a"):
        with pytest.raises(InvalidOrder, match="80"):
            make_share_link(actor=tester.actor, release_id=public_id(release), name=name)


def test_the_scope_is_asked(tester, clip):
    release, reading = a_release(tester, clip), tester.token_actor("releases:read")
    with pytest.raises(WrongScope):
        take_down_release(actor=reading, release_id=public_id(release))
    with pytest.raises(WrongScope):
        make_share_link(actor=reading, release_id=public_id(release))


# Pages


def wish(client, clip, **wanted):
    form = client.get(f"/releases/new?clip={clip_id(clip)}").context["form"]
    usual = {"title": "A paper boat", "place": "showcase", "once": form["once"].value()}
    return usual | wanted


def test_the_owner_releases_on_a_page_and_a_second_press_makes_no_second(programme, tester, clip):
    a_rate(programme)
    path = f"/releases/new?clip={clip_id(clip)}"
    page = tester.client.get(path).content.decode()
    assert "5.00" in page
    assert "at any time" in page
    form = wish(tester.client, clip, shows_prompt="on")
    for _ in range(2):
        assert tester.client.post(path, form).url == f"/clips/{clip_id(clip)}"
    release = Release.objects.get()
    assert (release.shows_prompt, release.is_listed) == (True, True)


def test_a_refused_release_comes_back_with_its_form(tester, clip):
    path = f"/releases/new?clip={clip_id(clip)}"
    blank = tester.client.post(path, wish(tester.client, clip, title="  "))
    assert blank.status_code == 422
    long = tester.client.post(path, wish(tester.client, clip, title="x" * 121))
    assert (long.status_code, "x" * 121 in long.content.decode()) == (422, True)
    form = wish(tester.client, clip)
    a_release(tester, clip)
    again = tester.client.post(path, form)
    assert again.status_code == 409
    assert "released already" in again.content.decode()


def test_the_page_of_what_is_not_approved_offers_no_button(programme, tester):
    clip = a_clip(tester)
    page = tester.client.get(f"/releases/new?clip={clip_id(clip)}").content.decode()
    assert "not approved" in page
    assert "Release it</button>" not in page


def test_a_link_is_shown_once(tester, clip):
    release = a_release(tester, clip)
    path = f"/releases/{public_id(release)}/links"
    once = tester.client.get(path).context["form"]["once"].value()
    made = tester.client.post(path, {"name": "the jury", "once": once})
    assert made.status_code == 201
    address = made.context["address"]
    secret = address.rpartition("/shared/")[2]
    assert address in made.content.decode()
    assert release_by_link(secret) == release
    again = tester.client.post(path, {"name": "the jury", "once": once})
    assert again.url == f"/clips/{clip_id(clip)}"
    assert ShareLink.objects.count() == 1
    kept = str(list(KeptAnswer.objects.values_list("body", flat=True)))
    assert secret not in kept


def test_taking_down_and_revoking_on_pages(tester, second_tester, clip):
    release = a_release(tester, clip)
    link, _secret = make_share_link(actor=tester.actor, release_id=public_id(release))
    revoke = f"/links/{shown('share_link', link.id)}/revoke"
    down = f"/releases/{public_id(release)}/take-down"
    for path in (revoke, down):
        assert second_tester.client.post(path).status_code == 404
        assert tester.client.get(path).status_code == 405
        assert tester.client.post(path).url == f"/clips/{clip_id(clip)}"
    assert ShareLink.objects.get().revoked_at
    assert Release.objects.get().ended_at


def test_strangers_find_no_form(second_tester, stranger, clip, tester):
    release = a_release(tester, clip)
    for other in (second_tester, stranger):
        for path in (
            f"/releases/new?clip={clip_id(clip)}",
            f"/releases/{public_id(release)}/links",
            "/releases/new",
            "/releases/new?clip=nonsense",
        ):
            assert other.client.get(path).status_code == 404


# API


def test_the_api_does_what_the_pages_do(programme, tester, clip, anybody):
    a_rate(programme)
    order = {"clip": clip_id(clip), "title": "A paper boat", "is_listed": True}
    key = {"Idempotency-Key": "k"}
    made = tester.api.post("/api/v1/releases", order, headers=key)
    again = tester.api.post("/api/v1/releases", order, headers=key)
    assert (made.status_code, again.json()) == (201, made.json())
    url = made.json()["url"]
    assert made["Location"] == url
    assert made.json()["public_address"].endswith(f"/showcase/{made.json()['id']}")
    assert tester.api.post("/api/v1/releases", order).json()["code"] == "already_released"
    assert tester.api.get("/api/v1/releases").json()["items"] == [made.json()]
    down = tester.api.post(f"{url}/take-down")
    assert (down.status_code, down.json()["is_live"]) == (200, False)
    assert tester.api.get(url).json() == down.json()
    assert earned(tester) == 5 * MICRO


def test_the_api_shows_a_link_in_one_answer_only(tester, clip):
    release = a_release(tester, clip)
    address = f"/api/v1/releases/{public_id(release)}/links"
    key = {"Idempotency-Key": "k"}
    made = tester.api.post(address, {"name": "jury"}, headers=key)
    secret = made.json()["address"].rpartition("/shared/")[2]
    assert (made.status_code, release_by_link(secret)) == (201, release)
    again = tester.api.post(address, {"name": "jury"}, headers=key)
    assert again.json() == {**made.json(), "address": None}
    (listed,) = tester.api.get(address).json()["items"]
    assert secret not in str(listed)
    assert tester.api.get(made.json()["url"]).json() == listed
    revoked = tester.api.post(f"{listed['url']}/revoke")
    assert (revoked.status_code, revoked.json()["is_live"]) == (200, False)


def test_the_api_asks_its_scopes_and_shows_strangers_nothing(tester, second_tester, clip):
    release = a_release(tester, clip)
    link, _secret = make_share_link(actor=tester.actor, release_id=public_id(release))
    url = f"/api/v1/releases/{public_id(release)}"
    link_url = f"/api/v1/links/{shown('share_link', link.id)}"
    reading, writing = (api_of(tester.token(f"releases:{each}")) for each in ("read", "create"))
    for path in (url, link_url, f"{url}/links", "/api/v1/releases"):
        assert reading.get(path).status_code == 200
        assert writing.get(path).status_code == 403
    for path in (f"{url}/take-down", f"{url}/links", f"{link_url}/revoke"):
        assert reading.post(path, {}).status_code == 403
        assert second_tester.api.post(path, {}).status_code == 404
    assert second_tester.api.get(url).status_code == 404
    absent = tester.api.get(f"/api/v1/releases/{shown('release', new_id())}")
    assert second_tester.api.get(url).content == absent.content


def test_lists_cost_as_much_for_many_as_for_few(tester, clip):
    def cost():
        count = 0

        def counted(execute, *arguments):
            nonlocal count
            count += 1
            return execute(*arguments)

        tester.api.get("/api/v1/releases")
        with connection.execute_wrapper(counted):
            tester.api.get("/api/v1/releases")
        return count

    taken_down(tester, a_release(tester, clip))
    few = cost()
    for _ in range(6):
        release = a_release(tester, clip)
        make_share_link(actor=tester.actor, release_id=public_id(release))
        taken_down(tester, release)
    assert cost() == few


def test_every_file_of_a_release_is_named_after_its_kind(tester, clip):
    release = a_release(tester, clip)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.kind, f.filename FROM generation_rendition r,"
            " LATERAL released_rendition(r.id, NULL) f WHERE r.clip_id = %s",
            [clip.id],
        )
        names = dict(cursor.fetchall())
    whose = public_id(release)
    assert names == {
        "master": f"{whose}.mp4",
        "proxy": f"{whose}-proxy.mp4",
        "poster": f"{whose}-poster.webp",
        "sprite": f"{whose}-sprite.webp",
        "index": f"{whose}-index.vtt",
    }
