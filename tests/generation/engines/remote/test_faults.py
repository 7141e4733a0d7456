"""What a server can do wrong, and what becomes of the job."""

from __future__ import annotations

import threading
import time

import numpy as np
import psutil
import pytest

from generation.engines.framecode import read_frame_number
from generation.engines.protocol import EngineFailure, FailureCode, Stage, Stopped, Watch

AWAY, REFUSED, GARBAGE = (
    FailureCode.REMOTE_AWAY,
    FailureCode.REMOTE_REFUSED,
    FailureCode.REMOTE_GARBAGE,
)


def answer(status, body=b"", kind="application/json", **headers):
    return lambda handler: handler.give(status, body, kind, **headers)


def never(handler):
    handler.server.over.wait(30)
    handler.close_connection = True


def hang_up(handler):
    handler.close_connection = True


def no_http(handler):
    handler.wfile.write(b"220 mail.example ESMTP ready\r\n\r\n")
    handler.close_connection = True


def cut_short(handler):
    """Half of what was announced, then the line is dead."""
    film = handler.server.film
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(film)))
    handler.end_headers()
    handler.wfile.write(film[: len(film) // 2])
    handler.close_connection = True


def cut_without_a_length(handler):
    """Nobody can tell from HTTP that something is missing."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(handler.server.film[: len(handler.server.film) // 2])
    handler.close_connection = True


def endless(handler):
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    while not handler.server.over.is_set():
        handler.wfile.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


def dripping(handler):
    """A byte now and then: never silent, never done."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while not handler.server.over.wait(0.1):
        handler.wfile.write(b" ")


def failure(engine, order, watch, **more):
    with pytest.raises(EngineFailure) as failed:
        list(engine.render(order, watch, **more))
    return failed.value


@pytest.mark.parametrize(
    ("what", "fault", "code"),
    [
        ("create", answer(200, b"<html>welcome"), GARBAGE),
        ("create", answer(200, b"[1, 2]"), GARBAGE),
        ("create", answer(200, b'{"id": 7, "status": "queued"}'), GARBAGE),
        ("create", answer(200, b'{"id": "../../etc", "status": "queued"}'), GARBAGE),
        ("create", answer(200, b'{"id": "a", "status": ["queued"]}'), GARBAGE),
        ("create", answer(200, b"[" * 200_000), GARBAGE),
        ("create", no_http, GARBAGE),
        ("create", endless, GARBAGE),
        ("create", hang_up, AWAY),
        ("create", answer(500, b"Internal Server Error", "text/plain"), AWAY),
        ("create", answer(401, b'{"detail": "no key"}'), REFUSED),
        ("create", answer(422, b'{"detail": [{"msg": "seed is too large"}]}'), REFUSED),
        ("create", answer(307, b"", Location="http://127.0.0.1:9/v1/videos"), REFUSED),
        ("look", answer(200, b"{"), GARBAGE),
        ("look", answer(200, b'{"id": "video-9", "status": "queued"}'), GARBAGE),
        ("look", answer(403, b'{"detail": "not yours"}'), REFUSED),
        ("look", answer(200, b"x", Content_Encoding="gzip"), GARBAGE),
        ("look", never, AWAY),
        ("look", dripping, AWAY),
        ("look", hang_up, AWAY),
        ("look", answer(502, b"<html>bad gateway", "text/html"), AWAY),
        ("content", cut_short, AWAY),
        ("content", cut_without_a_length, GARBAGE),
        ("content", endless, GARBAGE),
        ("content", never, AWAY),
        ("content", answer(200, b"not a video at all" * 100, "video/mp4"), GARBAGE),
        ("content", answer(200, b"", "video/mp4"), GARBAGE),
        ("content", answer(200, b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "video/mp4"), GARBAGE),
        ("content", answer(403, b'{"error": {"message": "pending review"}}'), REFUSED),
        ("content", answer(404, b'{"detail": "Video output not found"}'), AWAY),
    ],
)
def test_a_fault_has_its_code_and_the_server_is_tidied(
    what, fault, code, loaded, order_of, watching
):
    # Patience is short only where it has to run out: a busy machine is no fault of the server's.
    waits = {"answer_s": 1, "silence_s": 0.4} if code is AWAY else {"answer_s": 60, "silence_s": 60}
    server, engine, folder = loaded(
        "sglang",
        limits={"connect_s": 2, "away_s": 0.3, "download_bytes": 1 << 20, **waits},
    )
    server.faults[what] = [fault]
    server.stays = {what}
    failed = failure(engine, order_of(checkpoint=folder), watching())
    assert failed.code is code, failed
    assert failed.may_pass is (code is not REFUSED)
    assert server.jobs == {}
    server.stays, server.faults = set(), {}
    assert len(list(engine.render(order_of(checkpoint=folder), watching()))) == 9


@pytest.mark.parametrize(
    ("dialect", "body", "sentence"),
    [
        ("sglang", b'{"detail": "Invalid request body: no such sampler"}', "no such sampler"),
        (
            "vllm-omni",
            b'{"detail": [{"loc": ["body"], "msg": "seed too large"}]}',
            "seed too large",
        ),
        ("openai", b'{"error": {"message": "size is wrong", "code": "invalid"}}', "size is wrong"),
        ("fastvideo", b"plain words\nin two lines", "plain words in two lines"),
        ("greenroom", b'{"error": {"message": "no credits left"}}', "no credits left"),
    ],
)
def test_the_servers_own_sentence_is_kept_for_the_operator(
    dialect, body, sentence, loaded, order_of, watching
):
    server, engine, folder = loaded(dialect)
    server.faults["create"] = [answer(400, body)]
    failed = failure(engine, order_of(checkpoint=folder, frames=8), watching())
    assert failed.code is REFUSED
    assert sentence in failed.detail
    assert "HTTP 400" in failed.detail


def test_one_bad_answer_while_polling_is_borne(loaded, order_of, watching):
    server, engine, folder = loaded("sglang")
    server.faults["look"] = [answer(500, b"oops"), hang_up, answer(503, b"", Retry_After="0.05")]
    assert len(list(engine.render(order_of(checkpoint=folder), watching()))) == 9
    assert len(server.did("POST")) == 1


def test_a_server_that_is_busy_is_asked_again(loaded, order_of, watching):
    server, engine, folder = loaded("sglang")
    server.faults["create"] = [answer(429, b'{"detail": "full"}', Retry_After="0.05")]
    assert len(list(engine.render(order_of(checkpoint=folder), watching()))) == 9


def test_a_server_that_is_restarting_is_waited_for(loaded, described, order_of, watching):
    """Nothing was reached, so nothing can have begun: asking again makes no second clip."""
    server, engine, folder = loaded("sglang")
    described(
        f"http://127.0.0.1:{free_port()}",
        "sglang",
        limits={"connect_s": 1, "away_s": 0.4},
    )
    from generation.engines.remote.reading import read_server

    engine._server = read_server(folder)
    failed = failure(engine, order_of(checkpoint=folder), watching())
    assert failed.code is AWAY
    assert server.did("POST") == []


def free_port():
    import socket

    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return line.getsockname()[1]


def test_loading_a_server_that_is_not_there_fails_cleanly(described):
    from generation.engines.remote.engine import RemoteEngine

    folder = described(f"http://127.0.0.1:{free_port()}", "sglang")
    with pytest.raises(EngineFailure) as failed:
        RemoteEngine().load(folder)
    assert failed.value.code is AWAY


def test_loading_a_server_that_is_not_well_fails_cleanly(serving, described, film):
    from generation.engines.remote.engine import RemoteEngine

    server = serving("vllm-omni", film)
    server.faults["health"] = [answer(500, b"")]
    with pytest.raises(EngineFailure) as failed:
        RemoteEngine().load(described(server.address, "vllm-omni"))
    assert failed.value.code is AWAY
    with pytest.raises(EngineFailure) as failed:
        RemoteEngine().load(described(server.address, "vllm-omni", model="another"))
    assert failed.value.code is REFUSED
    assert "a/video-model" in failed.value.detail


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": 500, "message": "EngineGenerateError: CUDA out of memory"}, "engine_error"),
        ({"code": 400, "message": "prompt is too long"}, "remote_refused"),
    ],
)
def test_a_failed_job_told_as_an_http_error_is_a_failed_job(
    error, code, loaded, order_of, watching
):
    server, engine, folder = loaded("vllm-omni")
    server.fails_with = error
    failed = failure(engine, order_of(checkpoint=folder), watching())
    assert failed.code.value == code
    assert error["message"] in failed.detail


def test_a_failed_job_told_as_the_standard_says_is_the_same(loaded, order_of, watching):
    server, engine, folder = loaded("sglang")
    server.fails_with = {"message": "CUDA error: device-side assert"}
    failed = failure(engine, order_of(checkpoint=folder), watching())
    assert failed.code is FailureCode.ENGINE_ERROR
    assert "device-side assert" in failed.detail


def test_a_job_that_is_gone_after_a_restart_may_be_tried_anew(loaded, order_of, watching):
    server, engine, folder = loaded("sglang")

    def restarted(handler):
        handler.server.forget_all()
        handler.refuse(404, "Video not found")

    server.faults["look"] = [restarted]
    failed = failure(engine, order_of(checkpoint=folder), watching())
    assert failed.code is AWAY
    assert "does not know the job any more" in failed.detail
    assert len(list(engine.render(order_of(checkpoint=folder), watching()))) == 9


def test_a_state_nobody_knows_means_not_yet(loaded, order_of, watching):
    server, engine, folder = loaded("sglang")
    server.faults["look"] = [
        lambda handler: handler.tell(200, {"id": "video-1", "status": "in_review", "progress": "x"})
    ]
    assert len(list(engine.render(order_of(checkpoint=folder), watching()))) == 9


def test_a_job_that_never_ends_is_given_up_and_cancelled(loaded, order_of, watching):
    server, engine, folder = loaded("openai", limits={"job_s": 0.3})
    server.polls_needed = 10**6
    failed = failure(engine, order_of(checkpoint=folder, frames=8), watching())
    assert failed.code is FailureCode.ENGINE_STALLED
    assert server.running == set()


def test_a_file_that_is_not_there_yet_is_waited_for(loaded, order_of, watching):
    server, engine, folder = loaded("vllm-omni")
    server.faults["content"] = [answer(404, b'{"detail": "Generation is still in-progress"}')]
    assert len(list(engine.render(order_of(checkpoint=folder), watching()))) == 9


def test_the_server_says_how_often_it_wants_to_be_asked(loaded, order_of, watching, monkeypatch):
    from generation.engines.remote import errand as module

    waits = []
    monkeypatch.setattr(module.Progress, "wait", lambda self, seconds: waits.append(seconds))
    server, engine, folder = loaded("greenroom")
    server.faults["look"] = [
        lambda handler: handler.tell(
            200, {"id": "video-1", "status": "queued"}, openai_poll_after_ms="2500"
        ),
        lambda handler: handler.tell(
            200, {"id": "video-1", "status": "queued"}, openai_poll_after_ms="999999999"
        ),
    ]
    list(engine.render(order_of(checkpoint=folder), watching()))
    assert waits[:3] == [0.05, 2.5, 30.0]


# Where the video is.


def test_nothing_is_fetched_from_another_host(loaded, serving, film, order_of, watching):
    elsewhere = serving("sglang", film)
    server, engine, folder = loaded("sglang", key_env="GREENROOM_REMOTE_KEY")
    there = f"{elsewhere.address}/stolen"
    server.faults["content"] = [answer(302, b"", Location=there)]
    failed = failure(engine, order_of(checkpoint=folder), watching())
    assert failed.code is REFUSED
    assert elsewhere.said == []


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("GREENROOM_REMOTE_KEY", "sk-very-secret")


def test_a_redirect_on_the_same_host_is_followed(loaded, order_of, watching):
    server, engine, folder = loaded("sglang")
    server.faults["content"] = [answer(302, b"", Location="/v1/videos/video-1/content")]
    assert len(list(engine.render(order_of(checkpoint=folder), watching()))) == 9


def test_a_redirect_without_end_is_refused(loaded, order_of, watching):
    server, engine, folder = loaded("sglang")
    server.faults["content"] = [answer(302, b"", Location="/v1/videos/video-1/content")]
    server.stays = {"content"}
    assert failure(engine, order_of(checkpoint=folder), watching()).code is REFUSED


@pytest.mark.parametrize("is_absolute", [True, False])
def test_a_jobs_own_address_of_the_video_is_used(is_absolute, loaded, order_of, watching):
    server, engine, folder = loaded("sglang")
    start = server.address if is_absolute else ""
    server.extra = {"url": f"{start}/v1/videos/video-1/extra/content?x=1"}
    list(engine.render(order_of(checkpoint=folder), watching()))
    assert server.did("GET", "/extra/content?x=1")


def test_a_jobs_video_in_somebody_elses_storage_is_refused(loaded, order_of, watching):
    server, engine, folder = loaded("sglang")
    server.extra = {"url": "https://bucket.example/clip.mp4?signature=abc"}
    failed = failure(engine, order_of(checkpoint=folder), watching())
    assert failed.code is REFUSED
    assert "https://bucket.example" in failed.detail
    assert "signature" not in failed.detail


def test_the_key_goes_to_the_server_and_nowhere_else(loaded, order_of, watching):
    server, engine, folder = loaded("sglang", key_env="GREENROOM_REMOTE_KEY")
    order = order_of(checkpoint=folder)
    list(engine.render(order, watching()))
    assert {each.headers["authorization"] for each in server.said} == {"Bearer sk-very-secret"}
    assert "sk-very-secret" not in str(engine.describe())
    server.faults["create"] = [answer(401, b'{"detail": "wrong: Bearer sk-very-secret"}')]
    failed = failure(engine, order, watching())
    assert "wrong: Bearer" in failed.detail
    assert "sk-very-secret" not in str(failed)


def test_proxies_of_the_environment_are_not_used(loaded, order_of, watching, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    _, engine, folder = loaded("sglang")
    assert len(list(engine.render(order_of(checkpoint=folder), watching()))) == 9


# What is in the file.


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"frames": 8}, "8 frames instead of 9"),
        ({"frames": 10}, "10 frames instead of 9"),
        ({"height": 128}, "a video of 128x128 instead of 128x96"),
        ({"height": 90}, "a video of 128x90 instead of 128x96"),
    ],
)
def test_a_server_that_rounded_in_silence_is_found_out(
    changes, told, loaded, order_of, watching, film_of
):
    server, engine, folder = loaded("sglang")
    order = order_of(checkpoint=folder)
    server.film = film_of(order, **changes)
    failed = failure(engine, order, watching())
    assert failed.code is GARBAGE
    assert told in failed.detail


def test_a_video_at_another_rate_is_found_out(loaded, order_of, watching, film_of):
    from fractions import Fraction

    server, engine, folder = loaded("sglang")
    server.film = film_of(order_of(rate=Fraction(24)))
    failed = failure(engine, order_of(checkpoint=folder), watching())
    assert failed.code is GARBAGE
    assert "24 frames a second instead of 8" in failed.detail


def test_1088_lines_are_ordered_and_cropped_to_1080(loaded, order_of, watching, film_of):
    server, engine, folder = loaded("sglang", sizes=["1920x1080"], multiple=32)
    order = order_of(checkpoint=folder, width=1920, height=1080, frames=2)
    server.film = film_of(order, height=1088)
    frames = list(engine.render(order, watching()))
    assert [frame.shape for frame in frames] == [(1080, 1920, 3)] * 2
    assert server.did("POST")[0].fields["size"] == "1920x1088"
    assert [read_frame_number(frame) for frame in frames] == [0, 1]


def test_1080_lines_are_taken_as_they_are(loaded, order_of, watching, film_of):
    server, engine, folder = loaded("sglang", sizes=["1920x1080"], multiple=32)
    order = order_of(checkpoint=folder, width=1920, height=1080, frames=2)
    server.film = film_of(order)
    frames = list(engine.render(order, watching()))
    assert [read_frame_number(frame) for frame in frames] == [0, 1]


def test_a_damaged_picture_is_found_out_and_not_painted_over(loaded, order_of, watching, film_of):
    server, engine, folder = loaded("sglang")
    order = order_of(checkpoint=folder)
    film = bytearray(film_of(order))
    start = film.index(b"mdat") + 600
    rng = np.random.default_rng(1)
    film[start : start + 2000] = rng.integers(0, 256, 2000, np.uint8).tobytes()
    server.film = bytes(film)
    assert failure(engine, order, watching()).code is GARBAGE


# Stopping.


class StopsLater(Watch):
    """Says stop so many seconds after it first ticked, and remembers when it was heard."""

    def __init__(self, after_s):
        self._after_s = after_s
        self._began = None

    def tick(self, stage, step, steps):
        self._began = self._began or time.monotonic()
        if time.monotonic() - self._began > self._after_s:
            raise Stopped("asked to")


@pytest.mark.parametrize("dialect", ["sglang", "vllm-omni", "fastvideo", "greenroom", "openai"])
def test_a_cancel_is_heard_and_passed_on_as_far_as_the_dialect_can(dialect, loaded, order_of):
    server, engine, folder = loaded(dialect)
    server.polls_needed = 10**6
    with pytest.raises(Stopped, match="asked to"):
        list(engine.render(order_of(checkpoint=folder, frames=8), StopsLater(0.3)))
    assert server.did("DELETE")
    assert server.jobs == {}
    forgetful = dialect in ("sglang", "fastvideo")
    assert (server.running == {"video-1"}) is forgetful


@pytest.mark.parametrize("what", ["create", "look", "content"])
def test_a_cancel_is_heard_while_the_server_says_nothing(what, loaded, order_of):
    server, engine, folder = loaded("sglang", limits={"silence_s": 60, "answer_s": 60})
    server.faults[what] = [never]
    began = time.monotonic()
    with pytest.raises(Stopped):
        list(engine.render(order_of(checkpoint=folder), StopsLater(0.3)))
    assert time.monotonic() - began < 10
    assert not [t for t in threading.enumerate() if t.name == "resolver"]


def test_a_cancel_is_heard_at_each_frame(loaded, order_of, watching):
    server, engine, folder = loaded("sglang")
    with pytest.raises(Stopped):
        list(engine.render(order_of(checkpoint=folder), watching(stop_at=(Stage.DECODE, 4))))
    assert server.jobs == {}


def test_whatever_the_watch_raises_passes_unchanged(loaded, order_of):
    class Lost(Watch):
        def tick(self, stage, step, steps):
            if stage is Stage.DENOISE:
                raise OSError("the database went away")

    server, engine, folder = loaded("sglang")
    with pytest.raises(OSError, match="the database went away"):
        list(engine.render(order_of(checkpoint=folder), Lost()))
    assert server.jobs == {}


def test_leaving_early_tidies_up(loaded, order_of, watching):
    server, engine, folder = loaded("sglang")
    frames = engine.render(order_of(checkpoint=folder), watching())
    next(frames)
    frames.close()
    assert server.jobs == {}


def test_ticks_never_stop_for_longer_than_a_breath(loaded, order_of):
    """The lease's heartbeat takes a long silence for a hang."""

    class Times(Watch):
        def __init__(self):
            self.at = []

        def tick(self, stage, step, steps):
            self.at.append(time.monotonic())

    server, engine, folder = loaded("sglang", limits={"silence_s": 5})

    def slow(handler):
        time.sleep(1.5)
        handler._look()

    server.faults["look"] = [slow]
    watch = Times()
    list(engine.render(order_of(checkpoint=folder), watch))
    gaps = [after - before for before, after in zip(watch.at, watch.at[1:], strict=False)]
    assert sum(gaps) > 1.5
    assert max(gaps) < 1.4  # five breaths and more, on a machine that others use too


def test_no_socket_and_no_file_is_left_open_after_twenty_faults(loaded, order_of, watching):
    server, engine, folder = loaded("sglang")
    order = order_of(checkpoint=folder)
    before = None
    for number in range(20):
        server.faults["content" if number % 2 else "look"] = [answer(200, b"{")]
        failure(engine, order, watching())
        if before is None:
            time.sleep(0.2)
            before = psutil.Process().num_fds()
    time.sleep(0.2)
    assert psutil.Process().num_fds() <= before + 2
