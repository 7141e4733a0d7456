"""The router as it runs: PostgreSQL, its functions, Django behind it, a real server before it."""

from __future__ import annotations

import json
import re
import threading
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction

from accounts.credentials.commands import end_credential
from accounts.credentials.models import Credential
from accounts.credentials.peppers import pepper
from accounts.credentials.rules import TOKEN_SCOPES
from accounts.exports.commands import ask_export, end_exports
from accounts.exports.models import Export
from accounts.programmes.commands import add_member
from accounts.programmes.models import Role
from core.ids import new_id, shown
from core.outbox.commands import say
from core.outbox.models import OutboxMessage
from generation.clips.commands import say_why
from generation.clips.queries import seen_by
from generation.clips.rules import Allows
from generation.clips.words import role_words, why_words
from generation.jobs.commands import cancel_job
from generation.jobs.rules import preview_key
from generation.renditions.models import Opening
from generation.worker.commands import fail_job
from greenroom import wsgi
from greenroom.api.schema import document
from greenroom.exports.commands import build_exports
from greenroom.openai.ids import VIDEO, id_here
from greenroom.openai.schema import document as door
from greenroom.router import hub as hub_module
from greenroom.router.app import application
from greenroom.router.database import Database, connection_parameters
from greenroom.router.health import migrations_on_disk
from greenroom.router.options import Options
from review.policies.commands import publish_policy
from review.releases.commands import (
    make_share_link,
    release_clip,
    revoke_share_link,
    take_down_release,
)
from stage.builders import a_claim, a_clip, a_job, a_reference
from stage.cast import Member
from stage.review import CLAUSES, a_decision, a_submission, an_approved_clip, open_review
from stage.together import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


class Real:
    """A served router over the test database."""

    def __init__(self, switchboard, served_type, house_type):
        pool = Database(connection_parameters(settings.DATABASES["default"]))
        router = application(
            wsgi.application, Options.from_settings(), database=pool, pepper=pepper
        )
        self.house = house_type(None, None, router, Path(settings.MEDIA_FOLDER), switchboard.loop)
        self.ask = served_type(self.house, switchboard.port).ask
        self.socket = served_type(self.house, switchboard.port).socket
        self.pool = pool


@pytest.fixture
def real(switchboard, serve, house, database, transactional_db):
    served_type, house_type = type(serve(house)), type(house)
    made = Real(switchboard, served_type, house_type)
    lifespan = made.house.router._lifespan()
    made.house.on_loop(lifespan.__aenter__())
    switchboard.router = made.house.router
    wait_until(lambda: _listening(database))
    yield made
    made.house.on_loop(lifespan.__aexit__(None, None, None))


def _listening(database):
    return database.superuser.execute(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'greenroom-router'"
        " AND query ~ '^(LISTEN|SELECT 1)' AND state = 'idle'"
    ).fetchone()


def _bearer(member, *scopes):
    return {"Authorization": f"Bearer {member.token(*scopes)}"}


def _cookie(member):
    return {"Cookie": f"greenroom_session={member.client.cookies['greenroom_session'].value}"}


def _master(clip):
    return clip.renditions.get(kind="master")


def _path(rendition):
    return f"/media/{shown('rendition', rendition.id)}"


class Following:
    def __init__(self, real, headers):
        self.socket = real.socket()
        lines = ["GET /events HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.received = self.whole = b""

    def until(self, pattern: bytes, within_s: float = 30.0) -> bytes:
        end = time.monotonic() + within_s
        while not (found := re.search(pattern, self.received)):
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            self.more()
        self.received = self.received[found.end() :]
        return found.group()

    def more(self) -> None:
        piece = self.socket.recv(65536)
        assert piece, self.received
        self.received += piece
        self.whole += piece

    def ends(self, within_s: float = 30.0) -> bool:
        self.socket.settimeout(within_s)
        while piece := self.socket.recv(65536):
            if piece.endswith(b"0\r\n\r\n"):
                break
        return True


@pytest.fixture
def follow(real):
    opened = []

    def start(headers):
        opened.append(Following(real, headers))
        return opened[-1]

    yield start
    for one in opened:
        one.socket.close()


def test_it_is_ready_on_a_migrated_database(real):
    assert real.ask("/health/ready").status == 200


def test_it_is_not_ready_on_one_that_lacks_a_migration(real):
    wanted = [*migrations_on_disk(), ("core", "9999_of_tomorrow")]

    assert real.house.on_loop(real.pool.is_migrated(migrations_on_disk()))
    assert not real.house.on_loop(real.pool.is_migrated(wanted))


def test_the_owner_opens_a_clip_by_token_and_by_session(real, tester):
    master = _master(a_clip(tester))
    by_token = real.ask(_path(master), **_bearer(tester))
    by_session = real.ask(_path(master), **_cookie(tester))

    assert by_token.status == by_session.status == 200
    assert by_token.content == by_session.content
    assert len(by_token.content) == master.bytes
    assert by_token.headers["etag"] == f'"{master.sha256}"'
    assert real.ask(_path(master), Range="bytes=0-99", **_bearer(tester)).status == 206
    assert not Opening.objects.exists()


def test_nobody_else_can_tell_that_a_clip_exists(real, tester, second_tester, stranger, reviewer):
    path = _path(_master(a_clip(tester)))
    absent = real.ask("/media/ren_00000000000000000000000000", **_bearer(stranger))
    answers = [real.ask(path, **_bearer(one)) for one in (second_tester, stranger, reviewer)]

    assert absent.status == 404
    assert [(one.status, one.content) for one in answers] == [(404, absent.content)] * 3


def test_a_reviewer_with_a_reason_is_recorded_once_in_half_an_hour(real, tester, reviewer):
    clip = a_clip(tester)
    say_why(actor=reviewer.actor, shown_id=shown("clip", clip.id), why="report")
    headers = _bearer(reviewer)
    answers = [real.ask(_path(_master(clip)), Range="bytes=0-9", **headers) for _ in range(3)]

    assert [one.status for one in answers] == [206] * 3
    (opening,) = Opening.objects.all()
    assert (opening.viewer_id, opening.role, opening.why) == (
        reviewer.party_id,
        "reviewer",
        "report",
    )


def test_a_token_without_the_scope_opens_nothing(real, tester):
    path = _path(_master(a_clip(tester)))

    assert real.ask(path, **_bearer(tester, "quota:read")).status == 403
    assert real.ask("/events", **_bearer(tester, "quota:read")).status == 403


def test_a_token_of_another_programme_of_mine_opens_nothing_here(
    real, tester, other_programme, follow
):
    path, job = _path(_master(a_clip(tester))), a_job(tester)
    add_member(programme_id=other_programme.id, party_id=tester.party_id, roles=[Role.TESTER])
    elsewhere = _bearer(Member(tester.person, other_programme))

    assert real.ask(path, **elsewhere).status == 404
    assert real.ask(path, **_bearer(tester)).status == 200
    assert real.ask(path, **_cookie(tester)).status == 200
    here, there = follow(_bearer(tester)), follow(elsewhere)
    here.until(rb'event: snapshot\ndata: {"jobs": \["job_')
    there.until(rb'event: snapshot\ndata: {"jobs": \[\]}')
    cancel_job(actor=tester.actor, shown_id=shown("job", job.id))
    here.until(rb'"state": "cancelled"')
    assert b"event: job" not in there.received


def test_a_revoked_token_and_a_signed_out_session_open_nothing(real, tester):
    path = _path(_master(a_clip(tester)))
    bearer, cookie = _bearer(tester), _cookie(tester)
    for credential in Credential.objects.filter(party_id=tester.party_id):
        end_credential(credential.id, state="revoked", reason="test", actor=None)

    assert real.ask(path, **bearer).status == 401
    assert real.ask(path, **cookie).status == 401


def test_django_answers_behind_it(real):
    answer = real.ask("/account/login/")

    assert answer.status == 200
    assert b"csrfmiddlewaretoken" in answer.content
    assert answer.headers["x-request-id"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert real.ask("/nothing/here/").status in (302, 404)


def test_a_page_follows_a_job_from_submit_to_cancel(real, tester, stranger, follow):
    page, other = follow(_cookie(tester)), follow(_bearer(stranger))
    assert page.until(rb'event: snapshot\ndata: {"jobs": \[\]}')
    job = a_job(tester)
    said = json.loads(page.until(rb'data: ({"id".*})\n').partition(b"data: ")[2])
    assert said == {
        "id": shown("job", job.id),
        "state": "queued",
        "stage": "",
        "step": 0,
        "steps": 4,
        "place": 1,
        "eta_s": None,
        "clip": None,
    }
    cancel_job(actor=tester.actor, shown_id=shown("job", job.id))
    page.until(rb'"state": "cancelled"')
    other.until(rb"event: snapshot")
    assert b"event: job" not in other.received


def test_a_page_that_comes_later_sees_what_is_live(real, tester, follow):
    job = a_job(tester)
    page = follow(_cookie(tester))

    page.until(rb"event: job\ndata: .*" + shown("job", job.id).encode())
    page.until(rb'event: snapshot\ndata: {"jobs": \["' + shown("job", job.id).encode())


def test_after_the_listener_was_cut_off_pages_see_what_they_missed(real, tester, follow, database):
    page = follow(_cookie(tester))
    page.until(rb"event: snapshot")
    ended = database.superuser.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'greenroom-router'"
    ).fetchall()
    assert ended
    page.until(rb"event: snapshot")
    a_job(tester)
    page.until(rb'"state": "queued"')
    assert real.ask("/health/ready").status == 200


def test_a_stream_ends_when_its_token_is_revoked(real, tester, follow, monkeypatch):
    page = follow(_bearer(tester))
    page.until(rb"event: snapshot")
    monkeypatch.setattr(hub_module, "CONFIRM_EVERY_S", 0.1)
    for credential in Credential.objects.filter(party_id=tester.party_id, kind="token"):
        end_credential(credential.id, state="revoked", reason="test", actor=None)

    assert page.ends()


@pytest.fixture
def others(database):
    """The connections of a whole web that another test of this process may have left running."""
    return _of_routers(database)


def _of_routers(database):
    asked = "SELECT pid FROM pg_stat_activity WHERE application_name = 'greenroom-router'"
    return {pid for (pid,) in database.superuser.execute(asked).fetchall()}


def test_the_router_holds_few_connections(others, real, tester, follow, database):
    pages = [follow(_bearer(tester)) for _ in range(10)]
    for page in pages:
        page.until(rb"event: snapshot")

    held = _of_routers(database) - others
    assert 2 <= len(held) <= 5


@pytest.fixture
def released(tester, reviewer, clock):
    open_review(tester.programme)
    clip = an_approved_clip(tester, reviewer, clock)
    # What the reviewer opened the clip for is over; and no half hour ends in between.
    clock.advance(hours=2)
    clock.stop()

    def release(**wanted):
        return release_clip(
            actor=tester.actor, clip_id=shown("clip", clip.id), title="A boat", **wanted
        )

    return release


def _openings():
    return list(Opening.objects.order_by("at").values_list("viewer_id", "role", "why"))


def test_everybody_opens_what_is_on_the_showcase_until_it_is_taken_down(
    real, tester, stranger, reviewer, released
):
    release = released()
    master = _master(release.clip)
    visitors = [{}, _bearer(stranger), _cookie(stranger), _bearer(reviewer)]
    answers = [real.ask(_path(master), **visitor) for visitor in visitors]
    part = real.ask(_path(master), Range="bytes=0-9")

    assert [one.status for one in answers] == [200] * 4
    assert {one.content for one in answers} == {part.content + answers[0].content[10:]}
    assert answers[0].headers["cache-control"] == "private, no-cache"
    assert _openings() == [(None, "public", "showcase")]
    (look,) = seen_by(release.clip)
    assert (role_words(look.role), why_words(look.why)) == ("The public", "on the showcase")

    take_down_release(actor=tester.actor, release_id=shown("release", release.id))
    absent = real.ask("/media/ren_00000000000000000000000000", **_bearer(stranger))
    gone = [real.ask(_path(master), **visitor) for visitor in visitors]
    assert [one.status for one in gone] == [401, 404, 404, 404]
    assert {one.content for one in gone[1:]} == {absent.content}
    assert real.ask(_path(master), **_bearer(tester)).status == 200


def test_a_link_opens_the_files_of_its_release_until_it_is_revoked(
    real, tester, stranger, released
):
    release = released(is_listed=False)
    link, secret = make_share_link(actor=tester.actor, release_id=shown("release", release.id))
    name = shown("rendition", _master(release.clip).id)
    other = shown("rendition", _master(a_clip(tester, seed=99)).id)

    assert real.ask(f"/media/{name}").status == 401
    assert real.ask(f"/media/{name}", **_bearer(stranger)).status == 404
    by_owner = real.ask(f"/shared/{secret}/{name}", **_cookie(tester))
    assert (by_owner.status, _openings()) == (200, [])
    by_anybody = real.ask(f"/shared/{secret}/{name}")
    assert (by_anybody.status, by_anybody.content) == (200, by_owner.content)
    assert by_anybody.headers["content-disposition"].startswith('inline; filename="rel_')
    assert _openings() == [(None, "public", "link")]
    dead = [f"/shared/{secret}/{other}", f"/shared/{'x' * 43}/{name}"]
    revoke_share_link(actor=tester.actor, link_id=shown("share_link", link.id))
    answers = [real.ask(path) for path in [*dead, f"/shared/{secret}/{name}"]]
    assert [one.status for one in answers] == [404] * 3
    assert len({one.content for one in answers}) == 1


def test_a_member_of_staff_with_a_reason_is_not_the_public(real, reviewer, released):
    release = released()
    say_why(actor=reviewer.actor, shown_id=shown("clip", release.clip_id), why="audit")
    assert real.ask(_path(_master(release.clip)), **_bearer(reviewer)).status == 200

    assert _openings() == [(reviewer.party_id, "reviewer", "audit")]


def test_the_public_is_one_line_for_each_way_in_however_often_it_comes(
    real, tester, clock, released
):
    release = released()
    _link, secret = make_share_link(actor=tester.actor, release_id=shown("release", release.id))
    name = shown("rendition", _master(release.clip).id)
    for path in (f"/media/{name}", f"/shared/{secret}/{name}", f"/media/{name}"):
        for _ in range(2):
            real.ask(path, Range="bytes=0-9")
        clock.advance(minutes=31)

    assert [why for _viewer, _role, why in _openings()] == ["showcase", "link", "showcase"]
    assert [(look.role, look.why) for look in seen_by(release.clip)] == [
        ("public", "showcase"),
        ("public", "link"),
    ]


def test_an_archive_is_its_owners_while_it_is_ready(real, tester, second_tester):
    export = ask_export(actor=tester.actor)
    path = f"/exports/{shown('export', export.id)}/file"
    assert real.ask(path, **_bearer(tester)).status == 404
    assert build_exports() == 1
    export.refresh_from_db()
    whole = real.ask(path, **_bearer(tester))

    assert (whole.status, len(whole.content)) == (200, export.bytes)
    assert whole.headers["etag"] == f'"{export.sha256}"'
    assert real.ask(path, **_cookie(tester)).content == whole.content
    assert real.ask(path, **_bearer(tester, "exports:create")).status == 403
    assert real.ask(path, **_bearer(second_tester)).status == 404
    end_exports(Export.objects.all())
    assert real.ask(path, **_bearer(tester)).status == 404


def test_a_preview_is_its_owners_while_the_job_runs(real, tester, second_tester):
    claim = a_claim(tester)
    path = f"/jobs/{shown('job', claim.job.id)}/preview"
    assert real.ask(path, **_bearer(tester)).status == 404, "there is none before the first step"
    kept = Path(settings.MEDIA_FOLDER) / preview_key(claim.job.id)
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"a picture")

    assert real.ask(path, **_bearer(tester)).content == b"a picture"
    assert real.ask(path, **_cookie(tester)).content == b"a picture"
    assert real.ask(path, **_bearer(tester, "exports:read")).status == 403
    assert real.ask(path, **_bearer(second_tester)).status == 404
    assert real.ask(path).status == 401
    fail_job(claim, code="black_clip", may_pass=False, device_ms=1)
    assert real.ask(path, **_bearer(tester)).status == 404


def test_the_content_of_a_video_is_what_the_programmes_policy_gives(real, programme, tester):
    clip = a_clip(tester)
    kinds = {one.kind: one for one in clip.renditions.all()}
    path = f"/v1/videos/{id_here(VIDEO, clip.job_id)}/content"
    whole = real.ask(path, **_bearer(tester))
    assert whole.headers["etag"] == f'"{kinds["master"].sha256}"'
    part = real.ask(path, Range="bytes=4-7", **_bearer(tester))
    assert (part.status, part.content) == (206, whole.content[4:8])
    for variant, kind in (("thumbnail", "poster"), ("spritesheet", "sprite")):
        found = real.ask(f"{path}?variant={variant}", **_bearer(tester))
        assert found.headers["etag"] == f'"{kinds[kind].sha256}"'
    for allows, status, says in (
        (Allows.PREVIEW, 200, ""),
        (Allows.PICTURES, 403, "content_pending_review"),
    ):
        publish_policy(
            programme_id=programme.id,
            introduction="Why a clip may be declined.",
            clauses=CLAUSES,
            files_before=allows,
        )
        another = a_clip(tester)
        kept = another.renditions.filter(kind="proxy").get()
        answer = real.ask(f"/v1/videos/{id_here(VIDEO, another.job_id)}/content", **_bearer(tester))
        assert answer.status == status
        assert (kept.sha256 if status == 200 else says) in f"{answer.headers} {answer.content!r}"


def test_an_owner_hears_why_a_file_is_held_back_and_gets_it_with_the_approval(
    real, programme, tester, stranger, reviewer, clock
):
    open_review(programme)
    publish_policy(
        programme_id=programme.id,
        introduction="Why a clip may be declined.",
        clauses=CLAUSES,
        files_before=Allows.PREVIEW,
    )
    submission = a_submission(tester)
    kinds = {one.kind: one for one in submission.clip.renditions.all()}
    path = f"/media/{shown('rendition', kinds['master'].id)}"
    held = real.ask(path, **_bearer(tester))
    assert (held.status, json.loads(held.content)["code"]) == (403, "content_pending_review")
    assert real.ask(path, **_bearer(stranger)).status == 404
    light = real.ask(f"/media/{shown('rendition', kinds['proxy'].id)}", **_bearer(tester))
    assert light.status == 200
    a_decision(reviewer, clock)
    assert real.ask(path, **_bearer(tester)).status == 200


def test_a_video_that_was_deleted_or_never_rendered_has_no_content(real, tester, second_tester):
    clip, waiting = a_clip(tester), a_job(tester)
    done = f"/v1/videos/{id_here(VIDEO, clip.job_id)}"
    for path, who, code in (
        (f"/v1/videos/{id_here(VIDEO, waiting.id)}", tester, b"video_not_ready"),
        (done, second_tester, b"not_found"),
    ):
        answer = real.ask(f"{path}/content", **_bearer(who))
        assert (answer.status, code in answer.content) == (404, True)
    assert tester.api.delete(done).status_code == 200
    assert real.ask(f"{done}/content", **_bearer(tester)).status == 404


# What happened, again after a lost connection


def _said(member, how_many=1):
    """Happenings of a party, each in a transaction of its own."""
    for _ in range(how_many):
        with transaction.atomic():
            say("token.minted", subject=("credential", new_id()), party=member.party_id)


def _ids(received):
    return re.findall(rb"event: token\.minted\n.*\nid: (\S+)\n", received)


def _in_order(member):
    rows = OutboxMessage.objects.filter(party_id=member.party_id, kind="token.minted")
    return [
        f"{row.xid}-{shown('event', row.id).removeprefix('evt_')}".encode()
        for row in rows.order_by("xid", "id")
    ]


def test_whoever_comes_back_hears_what_happened_meanwhile(real, tester, stranger, follow):
    page = follow(_bearer(tester))
    place = page.until(rb"event: snapshot\ndata: .*\nid: (\S+)\n").split()[-1]
    page.socket.close()
    _said(stranger)
    _said(tester, 3)
    back = follow({**_bearer(tester), "Last-Event-ID": place.decode()})
    text = back.until(rb"(?s)event: token.*event: snapshot\ndata: [^\n]*\n")
    assert _ids(text) == _in_order(tester)
    _said(tester)
    back.until(rb"event: token.minted\n.*\nid: " + _in_order(tester)[-1])


def test_a_transaction_that_ends_late_delays_what_came_after_it_and_loses_nothing(
    real, tester, follow, at_once
):
    """Its row is lower in the order than rows that were committed before it."""
    page = follow(_bearer(tester))
    page.until(rb"event: snapshot\ndata: .*\n")
    begun, goes_on = threading.Event(), threading.Event()
    visible = []

    def deed(number):
        if number == 0:
            with transaction.atomic():
                say("token.minted", subject=("credential", new_id()), party=tester.party_id)
                begun.set()
                assert goes_on.wait(60)
        else:
            assert begun.wait(60)
            _said(tester, 2)
            visible.extend(_in_order(tester))
            time.sleep(1.5)  # the router looks three times meanwhile
            goes_on.set()

    assert at_once(2, deed) == [None, None]
    heard = []
    while len(heard) < 3:
        heard.append(page.until(rb"event: token\.minted\n.*\nid: \S+\n").split()[-1])
    assert heard == _in_order(tester)
    # Who had gone on from the greatest place in sight would have lost the first.
    assert heard[1:] == visible


@pytest.mark.race
def test_while_six_write_a_reader_who_is_dropped_again_and_again_hears_each_once(
    real, tester, at_once
):
    headers, each = _bearer(tester), 15

    def write(_number):
        for _ in range(each):
            _said(tester)
            with transaction.atomic():
                say("token.minted", subject=("credential", new_id()), party=tester.party_id)
                time.sleep(0.01)  # others commit in between
                connection.cursor().execute("SELECT 1")

    def read():
        heard, place = [], {"Last-Event-ID": start}
        while len(heard) < 6 * each * 2:
            page = Following(real, {**headers, **place})
            try:
                page.until(rb"event: snapshot\n")  # it is open, and what was missed is before it
                page.socket.settimeout(0.15)
                while True:
                    page.more()
            except TimeoutError:
                pass
            finally:
                page.socket.close()
            heard += _ids(page.whole)
            ids = re.findall(rb"\nid: (\S+)\n", page.whole)
            place = {"Last-Event-ID": ids[-1].decode()} if ids else place
        return heard

    first = Following(real, headers)
    start = first.until(rb"event: snapshot\ndata: .*\nid: (\S+)\n").split()[-1].decode()
    first.socket.close()
    answers = at_once(7, lambda number: read() if number == 6 else write(number))
    assert answers[:6] == [None] * 6
    assert answers[6] == _in_order(tester)


# Every address that Django never sees: who gets in, and who learns nothing

RAW = [
    (path, said["x-scope"])
    for described in (document(), door())
    for path, methods in described["paths"].items()
    if not re.match(r"/api/v1/|/v1/.*(?<!/content)\Z", path) and (said := methods["get"])
]
GAPS = {
    "rendition_id": "ren_",
    "export_id": "exp_",
    "job_id": "job_",
    "reference_id": "ref_",
    "video_id": "video_",
    "file_id": "file_",
}


def _filled(path, ids):
    return re.sub(r"{(\w+)}", lambda gap: GAPS[gap[1]] + ids[gap[1]], path)


def _one_of_each(member):
    """By the gaps in the addresses, without prefixes."""
    clip, reference, asked = a_clip(member), a_reference(member), ask_export(actor=member.actor)
    build_exports()
    of = {
        "rendition_id": _master(clip).id,
        "export_id": asked.id,
        "job_id": clip.job_id,
        "reference_id": reference.id,
        "video_id": clip.job_id,
        "file_id": reference.id,
    }
    return {name: shown("event", each).removeprefix("evt_") for name, each in of.items()}


def test_the_table_of_raw_addresses_is_not_empty():
    assert len(RAW) == 7
    assert {gap for path, _ in RAW for gap in re.findall(r"{(\w+)}", path)} == set(GAPS)


def test_raw_addresses_answer_as_all_others_do(real, tester, second_tester, stranger):
    ids = _one_of_each(tester)
    absent = dict.fromkeys(GAPS, "0" * 26)
    for path, scope in RAW:
        here = _filled(path, ids)
        anonymous = real.ask(here)
        assert anonymous.status == 401, path
        assert b"not_signed_in" in anonymous.content, path
        others = [each for each in TOKEN_SCOPES if each != scope]
        for each in (here, _filled(path, absent)):
            refused = real.ask(each, **_bearer(tester, *others))
            assert refused.status == 403, path
            assert b"wrong_scope" in refused.content, path
        if "{" not in path:
            continue
        for outsider in (second_tester, stranger):
            headers = _bearer(outsider)
            theirs, nothing = (real.ask(_filled(path, each), **headers) for each in (ids, absent))
            no_id = real.ask(_filled(path, dict.fromkeys(GAPS, "no-id")), **headers)
            assert theirs.status == 404, path
            for other in (nothing, no_id):
                assert other.content == theirs.content, path
                assert _told(other) == _told(theirs), path


def _told(answer):
    return {name: value for name, value in answer.headers.items() if name != "x-request-id"} | {
        "date": ""
    }
