from fractions import Fraction
from pathlib import Path

import pytest

from generation.engines.order import OrderRefused, order_from


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"prompt": " \n"}, "prompt_empty", "prompt"),
        ({"prompt": "x" * 10_000}, "prompt_too_long", "prompt"),
        ({"prompt": "nul\0"}, "prompt_unreadable", "prompt"),
        ({"prompt": "half \ud800"}, "prompt_unreadable", "prompt"),
        ({"seed": -1}, "seed_out_of_range", "seed"),
        ({"seed": 2**32}, "seed_out_of_range", "seed"),
        ({"seed": True}, "seed_out_of_range", "seed"),
        ({"frames": 0}, "frames_out_of_range", "frames"),
        ({"frames": 10**9}, "frames_out_of_range", "frames"),
        ({"width": 0}, "size_out_of_range", "width"),
        ({"height": 97}, "size_odd", "height"),
        ({"rate": Fraction(0)}, "rate_out_of_range", "rate"),
        ({"rate": 23.976}, "rate_out_of_range", "rate"),
        ({"steps": 0}, "steps_out_of_range", "steps"),
        ({"guidance": -1.0}, "guidance_out_of_range", "guidance"),
        ({"guidance": float("nan")}, "guidance_out_of_range", "guidance"),
    ],
)
def test_an_order_that_no_engine_could_render_is_refused(order_of, changes, code, field):
    with pytest.raises(OrderRefused) as refused:
        order_of(**changes)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_prompt_in_any_script_and_of_several_lines_is_taken(order_of):
    assert order_of(prompt="Ein Fuchs 🦊\n狐狸が走る\tيجري").prompt


def test_an_order_survives_json_unchanged(order_of):
    order = order_of(rate=Fraction(24000, 1001), checkpoint=Path("weights/tiny"), guidance=2.5)
    assert order_from(order.as_dict()) == order
    assert order.as_dict()["rate"] == "24000/1001"


def test_a_length_is_exact(order_of):
    assert order_of(frames=240, rate=Fraction(24000, 1001)).duration == Fraction(1001, 100)
