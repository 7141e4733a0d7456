"""``remote.json``: what it may say, and what is refused before anything is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction

import pytest

from generation.engines.limits import FrameRule
from generation.engines.order import Mode, OrderRefused
from generation.engines.protocol import EngineFailure, FailureCode, TierFacts
from generation.engines.registry import engine, is_installed
from generation.engines.remote.engine import RemoteEngine
from generation.engines.remote.reading import read_server, slots

SOMEWHERE = "http://10.0.0.5:30000"


def code_of(folder):
    with pytest.raises(EngineFailure) as refused:
        RemoteEngine().capabilities(folder)
    return refused.value.code


def test_limits_come_from_the_folder_and_nothing_is_asked(described):
    folder = described(
        SOMEWHERE,
        "vllm-omni",
        sizes=["1920x1080", "832x480"],
        multiple=16,
        rates=["16", "24"],
        frames={"step": 4, "offset": 1, "minimum": 5, "maximum": 241},
        longest_s="10",
        most_steps=50,
        modes=["text", "image"],
        has_sound=True,
        slots=6,
    )
    able = RemoteEngine().capabilities(folder)
    assert able.frames == FrameRule(step=4, offset=1, minimum=5, maximum=241)
    assert able.sizes.generated(1920, 1080) == (1920, 1088)
    assert (able.slowest_rate, able.fastest_rate) == (16, 24)
    assert able.modes == (Mode.TEXT, Mode.IMAGE)
    assert able.tiers == ("standard", "turbo")
    assert able.has_sound
    assert able.has_guidance
    assert slots(folder) == 6


def test_what_the_catalogue_keeps_comes_from_the_folder_too(described):
    measured = {"ssim": 0.91, "psnr_db": 30.5}
    tiers = {
        "standard": {"steps": 40},
        "turbo": {
            "model": "a/fast-one",
            "fields": {"enable_teacache": True},
            "is_lossy": True,
            "measured": measured,
        },
    }
    folder = described(SOMEWHERE, "sglang", tiers=tiers)
    found = RemoteEngine().inspect(folder)
    assert found.family == "sglang"
    assert set(found.weights) == {"remote.json"}
    assert found.tiers["standard"] == TierFacts(steps=40, levers={"model": "a/video-model"})
    turbo = found.tiers["turbo"]
    assert (turbo.steps, turbo.is_lossy, turbo.measured) == (30, True, measured)
    assert turbo.levers == {"model": "a/fast-one", "enable_teacache": True}
    described(SOMEWHERE, "sglang", slots=2)
    assert RemoteEngine().inspect(folder).weights != found.weights


def test_one_job_at_a_time_unless_the_folder_says_more(described):
    assert slots(described(SOMEWHERE, "sglang")) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"address": "ftp://10.0.0.5"},
        {"address": "10.0.0.5:30000"},
        {"address": "http://user:secret@10.0.0.5"},
        {"address": "http://10.0.0.5?key=secret"},
        {"address": "http://10.0.0.5:99999"},
        {"address": 5},
        {"model": "two\nlines"},
        {"sizes": []},
        {"sizes": ["1280x719"]},
        {"sizes": ["large"]},
        {"rates": ["0"]},
        {"rates": ["24000/1001"]},
        {"rates": ["1/0"]},
        {"rates": [24]},
        {"frames": {"step": 4, "offset": 1, "minimum": 4, "maximum": 9}},
        {"frames": {"step": 4}},
        {"frames": 9},
        {"modes": ["keyframes"]},
        {"modes": []},
        {"tiers": {"standard": {"fields": {"prompt": "ours"}}}},
        {"tiers": {"standard": {"fields": {"num_frames": 9}}}},
        {"tiers": {"standard": {"fields": {"list": [1]}}}},
        {"tiers": {"standard": {"surprise": 1}}},
        {"tiers": {"standard": {"steps": 101}}},
        {"tiers": {"standard": {"measured": {"ssim": "good"}}}},
        {"tiers": []},
        {"slots": 0},
        {"slots": True},
        {"limits": {"silence_s": 0}},
        {"limits": {"patience": 5}},
        {"limits": {"download_bytes": 0.5}},
        {"has_sound": "yes"},
        {"usual_s": -1},
        {"key_env": "DATABASE_URL"},
        {"longest_s": "ten"},
    ],
)
def test_what_cannot_be_is_damaged(changes, described):
    assert code_of(described(SOMEWHERE, "sglang", **changes)) is FailureCode.CHECKPOINT_DAMAGED


def test_what_is_not_known_is_foreign(described):
    """The key itself above all: it has no place in a folder that is copied about."""
    for changes in ({"key": "sk-secret"}, {"dialect": "comfy"}, {"dialect": ["sglang"]}):
        folder = described(SOMEWHERE, "sglang", **changes)
        assert code_of(folder) is FailureCode.CHECKPOINT_FOREIGN


def test_what_is_not_there_or_no_json(described, tmp_path):
    assert code_of(None) is FailureCode.CHECKPOINT_MISSING
    assert code_of(tmp_path / "nowhere") is FailureCode.CHECKPOINT_MISSING
    folder = described(SOMEWHERE, "sglang")
    for text in ("", "{", "[]", "[" * 100_000, "\udcff"):
        (folder / "remote.json").write_text(text, errors="surrogateescape")
        assert code_of(folder) is FailureCode.CHECKPOINT_DAMAGED
    (folder / "remote.json").write_text(json.dumps({"dialect": "sglang"}))
    assert code_of(folder) is FailureCode.CHECKPOINT_DAMAGED


@pytest.mark.parametrize(
    "address",
    ["https://video.example", "https://video.example/v1", "https://video.example:443/v1/"],
)
def test_an_address_may_end_in_v1_or_not(address, described):
    found = read_server(described(address, "openai")).address
    assert (found.scheme, found.host, found.port, found.prefix) == (
        *("https", "video.example", 443),
        "",
    )


def test_an_address_may_have_a_path_and_six_version_digits(described):
    found = read_server(described("http://[fd00::5]:8000/gpu/one/", "openai")).address
    assert (found.shown, found.prefix) == ("[fd00::5]:8000", "/gpu/one")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"width": 96, "height": 128}, "size_out_of_range"),
        ({"rate": Fraction(12)}, "rate_out_of_range"),
        ({"tier": "quality"}, "tier_unknown"),
        ({"frames": 98}, "frames_out_of_range"),
    ],
)
def test_an_order_it_cannot_make_is_refused_before_anything_is_asked(
    changes, code, loaded, order_of, watching
):
    server, engine, folder = loaded("sglang")
    with pytest.raises(OrderRefused) as refused:
        next(engine.render(order_of(checkpoint=folder, **changes), watching()))
    assert refused.value.code == code
    assert not server.did("POST")


def test_the_plain_standard_has_no_word_for_some_things(loaded, order_of, watching):
    _, engine, folder = loaded("openai")
    for changes, code in (
        ({"frames": 9}, "length_out_of_range"),
        ({"frames": 8, "negative_prompt": "blur"}, "negative_prompt_not_offered"),
        ({"frames": 8, "guidance": 3.0}, "guidance_not_offered"),
    ):
        with pytest.raises(OrderRefused) as refused:
            next(engine.render(order_of(checkpoint=folder, **changes), watching()))
        assert refused.value.code == code


def test_nothing_is_rendered_before_loading(described, order_of, watching):
    order = order_of(checkpoint=described(SOMEWHERE, "sglang"))
    with pytest.raises(EngineFailure) as failed:
        next(RemoteEngine().render(order, watching()))
    assert failed.value.code is FailureCode.CHECKPOINT_NOT_LOADED


def test_a_server_is_greeted_once_and_again_when_its_folder_changed(loaded, described):
    server, engine, folder = loaded("sglang")
    engine.load(folder)
    assert len(server.did("GET", "/health")) == 1
    described(server.address, "sglang", slots=3)
    engine.load(folder)
    assert len(server.did("GET", "/health")) == 2
    engine.close()
    with pytest.raises(EngineFailure):
        engine.describe()


def test_a_key_stands_in_a_variable_or_in_a_file(described, monkeypatch, tmp_path):
    folder = described(SOMEWHERE, "sglang", key_env="GREENROOM_REMOTE_KEY")
    monkeypatch.delenv("GREENROOM_REMOTE_KEY", raising=False)
    with pytest.raises(EngineFailure) as failed:
        read_server(folder).key()
    assert failed.value.code is FailureCode.CHECKPOINT_MISSING
    monkeypatch.setenv("GREENROOM_REMOTE_KEY", "  sk-one\n")
    assert read_server(folder).key() == "sk-one"
    (tmp_path / "key").write_text("sk-two\n")
    folder = described(SOMEWHERE, "sglang", key_file=str(tmp_path / "key"))
    assert read_server(folder).key() == "sk-two"
    (tmp_path / "key").write_text("two\r\nHost: elsewhere")
    with pytest.raises(EngineFailure):
        read_server(folder).key()
    (tmp_path / "key").unlink()
    with pytest.raises(EngineFailure):
        read_server(folder).key()


def test_an_estimate_is_of_the_largest_clips_share_then_of_what_was_measured(
    loaded, order_of, watching
):
    _, engine, folder = loaded("sglang", usual_s=970)
    order = order_of(checkpoint=folder)
    before = engine.estimate(order)
    assert before.seconds == pytest.approx(970 * 9 / 97)
    list(engine.render(order, watching()))
    after = engine.estimate(order)
    assert after.seconds < before.seconds
    assert after.seconds_low < after.seconds < after.seconds_high


def test_it_is_found_by_name_and_needs_nothing_heavy():
    assert is_installed("remote")
    assert engine("remote").name == "remote"
    script = (
        "import sys, generation.engines.remote.engine\n"
        "heavy = {'torch', 'diffusers', 'django', 'av'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    asked = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert asked.returncode == 0, asked.stderr
