"""What is tried again, what is not, and that nothing is ordered twice."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection

from accounts.quotas.models import Reservation
from core.ids import shown
from generation.jobs.commands import cancel_job
from generation.jobs.models import Job
from generation.worker.commands import fail_job
from greenroom.cli import client
from greenroom.cli.outcomes import Exit
from stage.builders import a_clip, a_job, a_model, claim_of, render_job
from stage.cast import give_credits
from stage.faults import Faults, a_faulty_line
from stage.together import wait_until
from stage.web import Web

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = "a paper boat"


@pytest.fixture
def faults(web: Web) -> Iterator[Faults]:
    with a_faulty_line(web.port) as made:
        yield made


@pytest.fixture
def through(mine, faults, pauses):
    """The same shell, over the faulty line."""
    environment = {**mine.environment, "GREENROOM_URL": faults.address}
    return replace(mine, address=faults.address, environment=environment)


@pytest.mark.parametrize("fault", ["500", "502", "503", "504", "lost"])
def test_an_order_over_a_bad_line_is_made_once(through, faults, fault):
    a_model()
    faults.path, faults.plan = "/api/v1/jobs", deque([fault, fault])
    said = through("create", WORDS, "--json")
    assert said.exit == Exit.DONE, said.err
    asked = [key for method, path, key in faults.seen if (method, path) == ("POST", "/api/v1/jobs")]
    assert len(asked) == 3
    assert len(set(asked)) == 1
    assert Job.objects.count() == Reservation.objects.count() == 1
    assert said.json["id"] == shown("job", Job.objects.get().id)


def test_a_server_that_says_how_long_to_wait_is_waited_for(through, faults, pauses):
    faults.path, faults.plan = "/api/v1/quota", deque(["503", "503"])
    faults.headers = {"Retry-After": "7"}
    assert through("quota").exit == Exit.DONE
    assert pauses == [7.0, 7.0]


def test_pauses_grow_and_end_after_half_a_minute(through, faults, pauses):
    faults.path, faults.plan = "/api/v1/quota", deque(["500"] * 20)
    said = through("quota", "--json")
    assert said.exit == Exit.NO_ANSWER
    assert said.json["error"]["code"] == "a_fault"
    assert len(pauses) == client.TRIES - 1
    assert sum(pauses) <= client.PATIENCE_S
    assert pauses[-1] > pauses[0]


def test_a_server_that_asks_for_too_long_a_wait_is_not_waited_for(through, faults, pauses):
    faults.path, faults.plan = "/api/v1/quota", deque(["503"])
    faults.headers = {"Retry-After": "3600"}
    assert through("quota").exit == Exit.NO_ANSWER
    assert pauses == []


def test_a_refusal_is_not_tried_again(through, faults, tester):
    a_model()
    give_credits(tester, 0)
    said = through("create", WORDS, "--seconds", "8", "--json")
    assert said.exit == Exit.USED_UP
    assert said.json["error"]["code"] == "quota_exceeded"
    assert said.json["exit"] == 5
    assert sum(path == "/api/v1/jobs" for _method, path, _key in faults.seen) == 1


def test_nobody_at_the_address_is_told_in_the_end(mine, pauses):
    said = mine("quota", "--server", "http://127.0.0.1:1", "--json")
    assert (said.exit, said.json["error"]["code"]) == (Exit.NO_ANSWER, "no_answer")
    assert len(pauses) == client.TRIES - 1


def test_a_redirect_is_not_followed_with_the_token(through, faults):
    faults.path, faults.plan = "/api/v1/quota", deque(["302"])
    faults.headers = {"Location": "http://127.0.0.1:1/"}
    assert through("quota").exit == Exit.REFUSED
    assert len(faults.seen) == 1


def test_the_same_key_from_the_command_line_makes_no_second_job(mine):
    a_model()
    first = mine("create", WORDS, "--seed", "7", "--idempotency-key", "boat-1", "--json").json
    again = mine("create", WORDS, "--seed", "7", "--idempotency-key", "boat-1", "--json").json
    assert first["id"] == again["id"]
    other = mine("create", "another", "--seed", "7", "--idempotency-key", "boat-1", "--json")
    assert other.json["error"]["code"] == "idempotency_key_reused"
    assert Job.objects.count() == 1


# Downloads ------------------------------------------------------------------------------------


def test_a_download_that_breaks_off_goes_on_by_range(through, faults, tester, tmp_path: Path):
    clip = a_clip(tester)
    size = clip.renditions.get(kind="master").bytes
    faults.path, faults.plan, faults.after = "/media/", deque(["cut"] * 3), size // 5
    said = through("download", shown("clip", clip.id), "-o", "boat.mp4")
    assert said.exit == Exit.DONE, said.err
    content = (tmp_path / "boat.mp4").read_bytes()
    assert hashlib.sha256(content).hexdigest() == clip.master_sha256
    ranges = [key for _method, path, key in faults.seen if path.startswith("/media/")]
    assert ranges == ["", *(f"bytes={size // 5 * number}-" for number in (1, 2, 3))]


def test_a_line_that_brings_nothing_any_more_ends_the_download_and_keeps_what_came(
    through, faults, tester, tmp_path: Path
):
    clip = a_clip(tester)
    faults.path, faults.plan, faults.after = "/media/", deque(["cut", *["503"] * 20]), 700
    assert through("download", shown("clip", clip.id), "-o", "boat.mp4").exit == Exit.NO_ANSWER
    assert not (tmp_path / "boat.mp4").exists()
    assert (tmp_path / "boat.mp4.part").stat().st_size == 700
    faults.plan.clear()
    assert through("download", shown("clip", clip.id), "-o", "boat.mp4").exit == Exit.DONE


# Waiting --------------------------------------------------------------------------------------


def later(deed) -> threading.Thread:
    """When the job is there, in another thread."""

    def wait_and_do() -> None:
        wait_until(Job.objects.exists)
        deed(Job.objects.get())
        connection.close()

    thread = threading.Thread(target=wait_and_do)
    thread.start()
    return thread


def test_create_waits_for_its_clip_and_saves_it(mine, tester, tmp_path: Path):
    a_model()
    thread = later(render_job)
    said = mine("create", WORDS, "--seconds", "1", "--download", "boat.mp4", "--json")
    thread.join()
    assert said.exit == Exit.DONE, said.err
    assert said.json["state"] == "finished"
    assert said.json["saved_as"] == "boat.mp4"
    assert (tmp_path / "boat.mp4").stat().st_size > 0
    assert said.err == ""


def test_a_stream_that_is_cut_or_refused_is_made_up_for_by_asking(through, faults):
    a_model()
    faults.path, faults.plan, faults.after = "/events", deque(["cut", "lost", "429"]), 20
    thread = later(render_job)
    said = through("create", WORDS, "--seconds", "1", "--wait", "--json")
    thread.join()
    assert (said.exit, said.json["state"]) == (Exit.DONE, "finished")


def test_a_job_that_fails_is_told_by_the_exit_code(mine):
    a_model()
    thread = later(
        lambda job: fail_job(claim_of(job), code="engine_error", may_pass=False, device_ms=1)
    )
    said = mine("create", WORDS, "--wait")
    thread.join()
    assert said.exit == Exit.JOB_FAILED
    assert "engine_error" in said.out


def test_a_job_that_somebody_cancels_is_told_too(mine, tester):
    a_model()
    thread = later(lambda job: cancel_job(actor=tester.actor, shown_id=shown("job", job.id)))
    assert mine("create", WORDS, "--wait").exit == Exit.JOB_FAILED
    thread.join()


def test_on_a_terminal_a_bar_is_drawn_and_in_a_pipe_nothing(mine):
    a_model()
    screen = replace(mine, is_terminal=True)
    thread = later(render_job)
    said = screen("create", WORDS, "--seconds", "1", "--wait")
    thread.join()
    assert "·" in said.err
    assert "\x1b[32mfinished" in said.out


def test_no_color_leaves_the_words_plain(mine, tester):
    a_job(tester, state="finished")
    screen = replace(mine, is_terminal=True)
    assert "\x1b[" in screen("list").out
    screen.environment["NO_COLOR"] = "1"
    assert "\x1b[" not in screen("list").out
    assert json.loads(replace(screen)("list", "--json").out)["items"]
