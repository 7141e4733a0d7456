"""Each dialect, from order to frames, against a server that has its defects."""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import closing
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from generation.engines.framecode import read_frame_number
from generation.engines.order import Condition, OrderRefused
from generation.engines.protocol import Stage
from generation.engines.remote.dialect import DIALECTS
from generation.media.probing import probe
from generation.media.recording import Shape, record

ALL = sorted(DIALECTS)


@pytest.fixture
def threads_of_ours():
    """Those of the fake server are not counted."""

    def now():
        names = [thread.name for thread in threading.enumerate()]
        return sorted(n for n in names if n != "video-server" and "process_request" not in n)

    return now


def order_for(dialect, order_of, folder, **changes):
    # The plain standard counts in whole seconds.
    frames = {"frames": 8} if dialect == "openai" else {}
    return order_of(checkpoint=folder, tier="standard", **(frames | changes))


@pytest.mark.parametrize("dialect", ALL)
def test_a_clip_comes_home_whole(dialect, loaded, order_of, watching, film_of):
    server, engine, folder = loaded(dialect)
    order = order_for(dialect, order_of, folder)
    server.film = film_of(order)
    watch = watching()
    frames = list(engine.render(order, watch))
    assert [read_frame_number(frame) for frame in frames] == list(range(order.frames))
    assert {(f.shape, f.dtype.name, f.flags.c_contiguous) for f in frames} == {
        ((96, 128, 3), "uint8", True)
    }
    assert watch.last[Stage.DENOISE] == (order.steps, order.steps)
    assert watch.last[Stage.DECODE] == (order.frames, order.frames)
    steps = [step for stage, step, _ in watch.trail if stage is Stage.DENOISE]
    assert steps == sorted(steps)
    assert server.jobs == {}, "nothing of ours stays there"


@pytest.mark.parametrize("dialect", ALL)
def test_what_is_said_is_in_the_words_of_the_dialect(dialect, loaded, order_of, watching, film_of):
    server, engine, folder = loaded(dialect)
    order = order_for(
        *(dialect, order_of, folder),
        negative_prompt="" if dialect in ("openai", "greenroom") else "blur",
    )
    server.film = film_of(order)
    list(engine.render(order, watching()))
    (created,) = server.did("POST")
    said = {name: str(value) for name, value in created.fields.items()}
    assert said.pop("prompt") == order.prompt
    assert said.pop("size") == "128x96"
    assert said.pop("model") == "a/video-model"
    diffusion = {
        "num_frames": "9",
        "fps": "8",
        "seed": "7",
        "num_inference_steps": "3",
        "negative_prompt": "blur",
    }
    assert said == {
        "openai": {"seconds": "1"},
        "greenroom": {"seconds": "1.125", "seed": "7", "tier": "standard"},
    }.get(dialect, diffusion)
    assert created.is_form is (dialect not in ("sglang", "fastvideo"))
    assert ("idempotency-key" in created.headers) is (dialect == "greenroom")
    assert all("variant" not in each.path for each in server.said)


@pytest.mark.parametrize("dialect", ALL)
def test_a_first_picture_travels_as_a_file_and_never_as_a_path(
    dialect, loaded, order_of, watching, film_of, tmp_path
):
    server, engine, folder = loaded(dialect, modes=["text", "image"])
    path = tmp_path / "secret-place" / "first.png"
    path.parent.mkdir()
    Image.new("RGB", (64, 64), (200, 30, 30)).save(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    picture = Condition(path=path, sha256=digest, frame=0)
    order = order_for(dialect, order_of, folder, conditions=(picture,))
    server.film = film_of(order)
    list(engine.render(order, watching()))
    (created,) = server.did("POST")
    sent = Image.open(BytesIO(created.files["input_reference"]))
    assert (sent.format, sent.size) == ("PNG", (128, 96))
    assert np.asarray(sent)[48, 64].tolist() == [200, 30, 30]
    assert b"secret-place" not in created.body


@pytest.mark.parametrize("dialect", ALL)
def test_a_strength_that_no_server_has_a_word_for_is_refused(
    dialect, loaded, order_of, watching, tmp_path
):
    server, engine, folder = loaded(dialect, modes=["text", "image"])
    Image.new("RGB", (64, 64)).save(tmp_path / "first.png")
    digest = hashlib.sha256((tmp_path / "first.png").read_bytes()).hexdigest()
    weak = Condition(path=tmp_path / "first.png", sha256=digest, frame=0, strength=0.5)
    order = order_for(dialect, order_of, folder, conditions=(weak,))
    assert not engine.capabilities(folder).takes_strength
    with pytest.raises(OrderRefused, match="strength_not_offered"):
        list(engine.render(order, watching()))
    assert server.did("POST") == []


@pytest.mark.parametrize("dialect", ["sglang", "greenroom"])
def test_progress_there_is_steps_here(dialect, loaded, order_of, watching):
    server, engine, folder = loaded(dialect)
    server.polls_needed = 3
    watch = watching()
    list(engine.render(order_of(checkpoint=folder, steps=8), watch))
    steps = {step for stage, step, _ in watch.trail if stage is Stage.DENOISE}
    assert {2, 4, 6, 8} <= steps


def test_a_server_that_does_not_count_shows_nothing_until_it_is_done(loaded, order_of, watching):
    _, engine, folder = loaded("vllm-omni")
    watch = watching()
    list(engine.render(order_of(checkpoint=folder, steps=8), watch))
    assert {step for stage, step, _ in watch.trail if stage is Stage.DENOISE} == {0, 8}


@pytest.mark.parametrize("dialect", ALL)
def test_no_thread_is_left(dialect, loaded, order_of, watching, film_of, threads_of_ours):
    server, engine, folder = loaded(dialect)
    order = order_for(dialect, order_of, folder)
    server.film = film_of(order)
    before = threads_of_ours()
    list(engine.render(order, watching()))
    assert threads_of_ours() == before


def test_a_tier_may_name_another_model_and_further_fields(loaded, order_of, watching):
    tiers = {"standard": {}, "turbo": {"model": "a/fast-one", "fields": {"enable_teacache": True}}}
    server, engine, folder = loaded("sglang", tiers=tiers)
    list(engine.render(order_of(checkpoint=folder, tier="turbo"), watching()))
    fields = server.did("POST")[0].fields
    assert fields["model"] == "a/fast-one"
    assert fields["enable_teacache"] is True


def test_the_recipe_names_dialect_host_model_and_answer_and_no_words_of_a_person(
    loaded, order_of, watching
):
    server, engine, folder = loaded("sglang")
    order = order_of(checkpoint=folder)
    list(engine.render(order, watching()))
    told = engine.describe()
    assert told["dialect"] == "sglang"
    assert told["host"] == server.address.removeprefix("http://")
    assert told["model"] == "a/video-model"
    assert told["server"]["models"] == ["a/video-model"]
    assert told["answer"]["inference_time_s"] == 1.5
    assert set(told["weights"]) == {"remote.json"}
    written = json.dumps(told)
    assert order.prompt not in written
    assert "/srv/outputs" not in written


def test_every_dialect_says_what_it_lacks():
    assert "cancelling does not free its device" in DIALECTS["sglang"].lacks
    assert "progress jumps from nothing to all" in DIALECTS["vllm-omni"].lacks
    assert "the seed is its own" in DIALECTS["openai"].lacks
    assert DIALECTS["greenroom"].lacks == ("the steps are its own", "no negative prompt")


def test_it_is_kept_like_any_other_clip(loaded, order_of, watching, tmp_path):
    """Encoded anew in our colours, whatever the server's own file is like."""
    _, engine, folder = loaded("fastvideo")
    order = order_of(checkpoint=folder)
    shape = Shape(frames=order.frames, width=order.width, height=order.height, rate=order.rate)
    with closing(engine.render(order, watching())) as frames:
        record(frames, tmp_path / "kept", shape)
    facts = probe(tmp_path / "kept" / "clip.mp4")
    assert (facts.frames, facts.rate, facts.width, facts.height) == (9, 8, 128, 96)
    assert (facts.primaries, facts.transfer, facts.matrix, facts.colour_range) == (1, 1, 1, 1)
