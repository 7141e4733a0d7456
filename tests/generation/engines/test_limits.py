from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.engines.limits import Capabilities, FrameRule, SizeRule
from generation.engines.order import OrderRefused

EIGHTS = FrameRule(step=8, offset=1, minimum=9, maximum=601)
THIRTY_TWOS = SizeRule(multiple=32, least_side=64, most_side=1920, most_pixels=1920 * 1088)
MODEL = Capabilities(
    frames=EIGHTS,
    sizes=THIRTY_TWOS,
    longest_s=Fraction(10),
    slowest_rate=Fraction(8),
    fastest_rate=Fraction(60),
    most_steps=50,
    tiers=("standard",),
    has_guidance=True,
)


@pytest.mark.parametrize(
    ("asked", "made"), [(9, 9), (12, 9), (13, 17), (120, 121), (240, 241), (245, 249), (601, 601)]
)
def test_a_frame_count_snaps_to_the_nearest_and_on_a_tie_to_the_longer(asked, made):
    assert EIGHTS.snap(asked) == made


@given(st.integers(1, 32), st.integers(0, 40), st.integers(0, 50), st.integers(0, 400))
def test_snapping_stays_on_the_grid_and_nothing_on_the_grid_is_nearer(step, offset, low, asked):
    rule = FrameRule(
        step=step,
        offset=offset,
        minimum=offset + step * (low + 1),
        maximum=offset + step * (low + 400),
    )
    frames = rule.minimum + asked % (rule.maximum - rule.minimum + 1)
    snapped = rule.snap(frames)
    assert rule.allows(snapped)
    assert rule.snap(snapped) == snapped
    assert 2 * abs(snapped - frames) <= step
    assert not (2 * abs(snapped - frames) == step and snapped < frames)


@pytest.mark.parametrize("frames", [0, 8, 602, 10**9])
def test_a_count_outside_the_rule_is_refused_and_not_clamped(frames):
    with pytest.raises(OrderRefused, match="frames_out_of_range"):
        EIGHTS.snap(frames)


def test_a_rule_whose_ends_are_off_its_own_grid_cannot_be_made():
    with pytest.raises(ValueError, match="grid"):
        FrameRule(step=8, offset=1, minimum=9, maximum=240)


def test_1080_lines_are_generated_as_1088_and_cropped():
    assert THIRTY_TWOS.generated(1920, 1080) == (1920, 1088)
    assert THIRTY_TWOS.crop(1920, 1080) == (0, 4)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"frames": 240}, "frames_off_grid"),
        ({"frames": 257, "rate": Fraction(24)}, "length_out_of_range"),
        ({"rate": Fraction(7), "frames": 9}, "rate_out_of_range"),
        ({"width": 32}, "size_out_of_range"),
        ({"width": 1920, "height": 1920}, "size_too_large"),
        ({"steps": 51}, "steps_out_of_range"),
        ({"tier": "hq"}, "tier_unknown"),
    ],
)
def test_what_a_model_cannot_make_is_refused_with_a_code(order_of, changes, code):
    with pytest.raises(OrderRefused) as refused:
        MODEL.check(order_of(**({"frames": 17, "rate": Fraction(24)} | changes)))
    assert refused.value.code == code


def test_ten_seconds_may_be_the_frame_more_that_the_grid_asks_for(order_of):
    frames = MODEL.frames_for(Fraction(10), Fraction(24))
    assert frames == 241
    MODEL.check(order_of(frames=frames, rate=Fraction(24)))


def test_seconds_become_frames_without_rounding_the_rate():
    assert MODEL.frames_for(Fraction(10), Fraction(24000, 1001)) == 241
    with pytest.raises(OrderRefused, match="length_out_of_range"):
        MODEL.frames_for(Fraction(11), Fraction(24))
