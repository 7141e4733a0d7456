import hashlib
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from generation.engines.framecode import (
    FrameNumberUnreadable,
    draw_frame_number,
    read_frame_number,
)
from generation.engines.order import OrderRefused
from generation.engines.protocol import Stage, Stopped
from generation.engines.still import StillEngine

ELSEWHERE = """
import hashlib
from fractions import Fraction
from generation.engines.order import Order
from generation.engines.still import StillEngine
from generation.engines.protocol import Watch as AnyWatch
class Watch(AnyWatch):
    def tick(self, stage, step, steps): pass
order = Order(prompt="a red circle moves left", seed=7, frames=9, rate=Fraction(8), width=128,
              height=96, steps=3)
frames = StillEngine().render(order, Watch())
print(hashlib.sha256(b"".join(f.tobytes() for f in frames)).hexdigest())
"""


def rendered(order, watch):
    return list(StillEngine().render(order, watch))


def digest(frames):
    return hashlib.sha256(b"".join(frame.tobytes() for frame in frames)).hexdigest()


@pytest.mark.parametrize("size", [(128, 96), (96, 128), (640, 360), (1280, 720), (1920, 1080)])
def test_every_frame_carries_its_own_number(order_of, watching, size):
    frames = rendered(order_of(width=size[0], height=size[1], frames=4), watching())
    assert [read_frame_number(frame) for frame in frames] == [0, 1, 2, 3]
    assert {frame.shape for frame in frames} == {(size[1], size[0], 3)}
    assert all(frame.flags.c_contiguous and frame.dtype == np.uint8 for frame in frames)


def test_every_number_up_to_the_last_can_be_read():
    frame = np.zeros((96, 128, 3), np.uint8)
    for number in range(1024):
        draw_frame_number(frame, number)
        assert read_frame_number(frame) == number


def test_a_picture_without_a_number_says_so():
    for level in (0, 255):
        with pytest.raises(FrameNumberUnreadable):
            read_frame_number(np.full((96, 128, 3), level, np.uint8))


def test_the_same_order_gives_the_same_frames_in_another_process(order_of, watching):
    here = digest(rendered(order_of(), watching()))
    there = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == here


def test_seed_moves_things_and_prompt_chooses_the_scene(order_of, watching):
    usual = digest(rendered(order_of(), watching()))
    assert digest(rendered(order_of(seed=8), watching())) != usual
    assert digest(rendered(order_of(prompt="snow on a quiet road"), watching())) != usual


def test_frames_move(order_of, watching):
    first, *_, last = rendered(order_of(frames=16), watching())
    assert np.abs(first[:-8].astype(int) - last[:-8]).mean() > 0.5


def test_progress_goes_through_prompt_steps_and_frames(order_of, watching):
    watch = watching()
    rendered(order_of(steps=3, frames=9), watch)
    steps = [step for stage, step, _ in watch.trail if stage is Stage.DENOISE]
    assert steps == [0, 1, 2, 3]
    assert watch.last == {
        Stage.PROMPT: (0, 1),
        Stage.DENOISE: (3, 3),
        Stage.DECODE: (9, 9),
    }


@pytest.mark.parametrize("moment", [(Stage.PROMPT, 1), (Stage.DENOISE, 2), (Stage.DECODE, 5)])
def test_it_stops_wherever_the_watch_says_so(order_of, watching, moment):
    with pytest.raises(Stopped):
        rendered(order_of(), watching(moment))


def test_a_clip_beyond_ten_seconds_is_refused(order_of, watching):
    with pytest.raises(OrderRefused, match="length_out_of_range"):
        rendered(order_of(frames=241, rate=Fraction(24)), watching())
