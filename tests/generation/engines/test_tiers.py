"""What a checkpoint may say about its tiers, and what is refused; no torch."""

import pytest

from generation.engines.local.tiers import (
    Cache,
    Measured,
    Tier,
    TierLora,
    is_lossy,
    read_tiers,
)
from generation.engines.protocol import EngineFailure, FailureCode

MEASURED = {"ssim": 0.97, "psnr_db": 38.5, "against": "standard", "orders": 4}
CACHE = {"name": "first_block", "threshold": 0.05}


def code_of(tiers):
    with pytest.raises(EngineFailure) as failed:
        read_tiers(tiers)
    return failed.value.code


def test_everything_a_tier_may_say_is_read():
    told = {
        "steps": 8,
        "guidance": 1.0,
        "scheduler": "FlowMatchEulerDiscreteScheduler",
        "schedule": "even",
        "shift": 5.0,
        "sigmas": [1.0, 0.9, 0.7, 0.5, 0.4, 0.3, 0.2, 0.1],
        "cache": CACHE,
        "lora": {"file": "loras/turbo.safetensors", "weight": 0.8},
        "two_stage": True,
        "refine_steps": 3,
        "measured": MEASURED,
    }
    turbo = read_tiers({"turbo": told, "standard": {}, "quality": {"steps": 50}})["turbo"]
    assert turbo.cache == Cache(name="first_block", settings={"threshold": 0.05})
    assert turbo.lora == TierLora(file="loras/turbo.safetensors", weight=0.8)
    assert turbo.measured == Measured(**MEASURED)
    assert turbo.sigmas == (1.0, 0.9, 0.7, 0.5, 0.4, 0.3, 0.2, 0.1)


@pytest.mark.parametrize(
    "lever",
    [
        {"cache": CACHE},
        {"lora": {"file": "turbo.safetensors"}},
        {"two_stage": True},
        {"sigmas": [1.0, 0.5]},
    ],
    ids=["cache", "lora", "two stages", "sigmas"],
)
def test_a_lossy_lever_without_its_measurement_is_refused(lever):
    assert code_of({"turbo": lever, "standard": {}}) is FailureCode.LEVER_UNMEASURED
    measured = {**lever, "measured": MEASURED}
    assert is_lossy("turbo", read_tiers({"turbo": measured, "standard": {}})["turbo"])
    assert read_tiers({"turbo": lever, "standard": {}}, unmeasured=True)


def test_the_lossless_tier_may_need_its_own_way_but_never_a_cache():
    assert not is_lossy("standard", Tier(sigmas=(1.0, 0.5), two_stage=True))
    assert code_of({"standard": {"cache": CACHE}}) is FailureCode.LEVER_UNMEASURED


def test_a_tier_is_not_measured_against_itself_or_nothing():
    for against in ("turbo", "quality"):
        tier = {"cache": CACHE, "measured": {**MEASURED, "against": against}}
        assert code_of({"turbo": tier, "standard": {}}) is FailureCode.LEVER_UNMEASURED


@pytest.mark.parametrize(
    "tier",
    [
        {"stepps": 3},
        {"steps": 0},
        {"steps": True},
        {"steps": "8"},
        {"guidance": -1},
        {"scheduler": "EulerDiscreteScheduler"},
        {"schedule": "odd"},
        {"sigmas": [0.5, 0.9]},
        {"sigmas": []},
        {"sigmas": [1.0, 0.5], "steps": 3},
        {"cache": {"name": "magic"}},
        {"cache": {"name": "pab", "threshold": 1}},
        {"lora": {"file": "../elsewhere.safetensors"}},
        {"lora": {"file": "/etc/x.safetensors"}},
        {"lora": {"file": "weights.bin"}},
        {"two_stage": "yes"},
        {"measured": {"ssim": 2, "psnr_db": 1, "against": "standard", "orders": 1}},
        {"measured": {"ssim": 1}},
    ],
    ids=str,
)
def test_what_is_not_understood_is_not_half_obeyed(tier):
    assert code_of({"turbo": tier, "standard": {}}) is FailureCode.CHECKPOINT_FOREIGN


@pytest.mark.parametrize("tiers", [{}, [], {"fast": {}}, {"turbo": 3}], ids=str)
def test_tiers_have_known_names(tiers):
    assert code_of(tiers) is FailureCode.CHECKPOINT_FOREIGN


def test_levers_are_what_is_not_as_usual():
    tier = Tier(steps=8, cache=Cache(name="pab"), sigmas=(1.0, 0.5), measured=Measured(**MEASURED))
    assert tier.levers() == {
        "steps": 8,
        "cache": {"name": "pab", "settings": {}},
        "sigmas": [1.0, 0.5],
    }
    assert Tier().levers() == {}
