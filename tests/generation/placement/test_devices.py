"""Devices: announced by workers, drained by people, taken out by three deaths in a row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import InvalidOrder, TooLate
from core.outbox.models import OutboxMessage
from core.states import sources_of
from generation.catalogue.models import VideoModel
from generation.engines.protocol import Stage
from generation.jobs.models import Attempt, Job
from generation.jobs.rules import State
from generation.placement.commands import (
    announce_device,
    drain_device,
    place_model,
    serve_device,
    unplace_model,
)
from generation.placement.models import Device, Placement
from generation.placement.rules import MOVES, DeviceState, Move, is_placed
from generation.worker.commands import claim_next_job, fail_job, lose_attempt
from generation.worker.identity import Worker, this_worker
from generation.worker.rendering import lanes_served
from generation.worker.rules import LOAD_LIMIT_S, step_limits
from generation.worker.serving import _is_there_work
from generation.worker.watch import LeaseWatch
from generation.worker.watchdog import watch_leases
from stage.builders import a_claim, a_job, a_model, claim_of
from stage.cast import Member
from stage.clock import Clock

LANE = "still:standard"
HERE = this_worker()
THERE = Worker("elsewhere:1", 1, 1)


def device_of(worker: Worker) -> Device:
    return Device.objects.get(machine=worker.host, name=worker.device)


def both_are_there() -> None:
    for worker in (HERE, THERE):
        announce_device(machine=worker.host, name=worker.device, lanes=[LANE])


def test_a_worker_announces_its_device_once_and_is_seen_every_half_a_minute(
    tester: Member, clock: Clock
) -> None:
    clock.stop()
    a_job(tester)
    assert claim_next_job(lanes=[LANE], worker=HERE)
    first = device_of(HERE)
    assert (first.state, first.lanes, first.slots) == ("serving", [LANE], 1)
    assert first.memory_bytes
    assert Attempt.objects.get().on_device_id == first.id

    clock.advance(seconds=29)
    assert claim_next_job(lanes=[LANE], worker=HERE) is None
    assert device_of(HERE).seen_at == first.seen_at
    clock.advance(seconds=2)
    claim_next_job(lanes=[LANE], worker=HERE)
    assert device_of(HERE).seen_at == clock.now()
    assert Device.objects.count() == 1


def test_the_device_of_a_machine_stays_the_same_over_a_boot() -> None:
    assert replace(HERE, machine=f"{HERE.host}:another-boot").host == HERE.host


def test_a_drained_device_finishes_what_it_has_and_takes_nothing_new(tester: Member) -> None:
    claim = a_claim(tester)
    drain_device(device=device_of(HERE))
    waiting = a_job(tester)

    assert claim_next_job(lanes=[LANE], worker=HERE) is None
    assert not _is_there_work(HERE), "a drained worker would look for work without end"
    assert Job.objects.get(id=claim.job.id).state == State.RUNNING

    serve_device(device=device_of(HERE))
    assert claim_of(waiting)


def test_to_announce_a_drained_device_again_lets_it_serve_no_sooner(
    tester: Member, clock: Clock
) -> None:
    both_are_there()
    drain_device(device=device_of(HERE))
    clock.advance(minutes=1)
    announce_device(machine=HERE.host, name=HERE.device, lanes=[LANE, "more"])
    assert device_of(HERE).state == DeviceState.DRAINING


def test_a_lost_job_is_left_to_another_device_while_one_is_well(
    tester: Member, clock: Clock
) -> None:
    claim = a_claim(tester)
    both_are_there()
    assert lose_attempt(claim, code="worker_died")

    assert claim_next_job(lanes=[LANE], worker=HERE) is None
    assert not _is_there_work(HERE)
    taken = claim_next_job(lanes=[LANE], worker=THERE)
    assert taken
    assert taken.job.id == claim.job.id


@pytest.mark.parametrize("how", ["unseen", "drained", "other lanes"])
def test_a_lost_job_does_not_wait_for_a_device_that_will_not_take_it(
    tester: Member, clock: Clock, how: str
) -> None:
    claim = a_claim(tester)
    both_are_there()
    fail_job(claim, code="engine_error", may_pass=True, device_ms=1)
    match how:
        case "unseen":
            clock.advance(minutes=2, seconds=1)
        case "drained":
            drain_device(device=device_of(THERE))
        case "other lanes":
            announce_device(machine=THERE.host, name=THERE.device, lanes=["still:turbo"])

    assert claim_of(claim.job).job.attempts == 2


def test_a_job_behind_one_that_is_left_to_another_device_is_taken(tester: Member) -> None:
    claim = a_claim(tester)
    both_are_there()
    lose_attempt(claim, code="worker_died")
    behind = a_job(tester)
    assert claim_of(behind)


def lose_three(tester: Member) -> Job:
    job = a_job(tester)
    for _time in range(3):
        lose_attempt(claim_of(job), code="engine_stalled")
    return Job.objects.get(id=job.id)


def test_three_deaths_in_a_row_take_the_device_out_and_tell_who_looks_after_it(
    tester: Member, manager: Member
) -> None:
    job = lose_three(tester)
    assert (job.state, job.failure_code) == (State.FAILED, "engine_stalled")
    out = device_of(HERE)
    assert (out.state, out.out_reason, out.deaths_in_a_row) == ("out", "engine_stalled", 3)
    said = OutboxMessage.objects.get(kind="device.out")
    assert said.facts == {"machine": HERE.host, "device": "cpu", "code": "engine_stalled"}
    a_job(tester)
    assert claim_next_job(lanes=[LANE], worker=HERE) is None
    with pytest.raises(TooLate):
        drain_device(device=out)

    serve_device(device=out)
    back = device_of(HERE)
    assert (back.state, back.out_reason, back.deaths_in_a_row) == ("serving", "", 0)
    assert claim_next_job(lanes=[LANE], worker=HERE)


def test_a_finished_clip_forgets_the_deaths_before_it(tester: Member) -> None:
    job = a_job(tester)
    for _time in range(2):
        lose_attempt(claim_of(job), code="worker_died")
    assert device_of(HERE).deaths_in_a_row == 2
    claim = claim_of(job)
    fail_job(claim, code="engine_error", may_pass=False, device_ms=1)
    assert device_of(HERE).deaths_in_a_row == 2, "a failure says nothing about the device"
    a_job(tester, state="finished")
    assert device_of(HERE).deaths_in_a_row == 0


def test_a_process_that_died_with_several_jobs_died_once(tester: Member) -> None:
    remote = replace(HERE, device="remote", slots=4)
    jobs = [a_job(tester) for _time in range(4)]
    claims = [claim_next_job(lanes=[LANE], worker=remote) for _job in jobs]
    for claim in claims:
        assert claim
        assert claim.is_shared
        assert lose_attempt(claim, code="worker_died")
    assert device_of(remote).deaths_in_a_row == 1


def test_a_device_without_placements_serves_all_and_with_some_only_those(model: VideoModel) -> None:
    a_model("other")
    assert lanes_served(HERE) == ["other:standard", "other:turbo", LANE, "still:turbo"]
    both_are_there()
    place_model(device=device_of(HERE), slug="other", is_warm=True)
    place_model(device=device_of(HERE), slug="still", tier="turbo", is_warm=False)
    assert lanes_served(HERE) == ["other:standard", "other:turbo", "still:turbo"]
    assert lanes_served(THERE) == lanes_served()
    unplace_model(device=device_of(HERE), slug="other")
    assert lanes_served(HERE) == ["still:turbo"]


def test_one_model_is_warm_and_only_known_ones_are_placed(model: VideoModel) -> None:
    a_model("other")
    both_are_there()
    here = device_of(HERE)
    place_model(device=here, slug="still", is_warm=True)
    place_model(device=here, slug="other", is_warm=True)
    assert Placement.objects.get(is_warm=True).slug == "other"
    for slug, tier in (("unknown", ""), ("still", "unknown")):
        with pytest.raises(InvalidOrder):
            place_model(device=here, slug=slug, tier=tier, is_warm=False)
    with pytest.raises(InvalidOrder):
        unplace_model(device=here, slug="still", tier="turbo")


def test_the_table_of_moves_is_whole() -> None:
    assert set(sources_of(MOVES, Move.TAKE_OUT)) == {DeviceState.SERVING, DeviceState.DRAINING}
    assert set(sources_of(MOVES, Move.SERVE)) == {DeviceState.DRAINING, DeviceState.OUT}
    assert sources_of(MOVES, Move.DRAIN) == [DeviceState.SERVING]


def test_a_placement_of_no_tier_is_of_all() -> None:
    assert is_placed([], "any", "turbo")
    assert is_placed([("m", "")], "m", "turbo")
    assert not is_placed([("m", "turbo")], "m", "standard")


def test_a_job_that_stands_still_is_lost_though_its_heartbeat_goes_on(
    tester: Member, clock: Clock
) -> None:
    clock.stop()
    claim = a_claim(tester)
    watch = LeaseWatch(claim)
    watch.expect(step_limits(40, steps=4, is_slow_to_begin=False))
    watch.tick(Stage.DENOISE, 1, 4)
    watch._renew()
    assert Job.objects.get().step_limit_s == 60

    clock.advance(seconds=59)
    watch.tick(Stage.DENOISE, 1, 4)
    watch._renew()
    assert watch_leases() == 0

    clock.advance(seconds=2)
    watch.tick(Stage.DENOISE, 1, 4)  # alive, block by block, and no step further
    watch._renew()
    assert watch_leases() == 1
    after = Job.objects.get()
    assert (after.state, Attempt.objects.get().code) == (State.QUEUED, "engine_stalled")
    assert device_of(HERE).deaths_in_a_row == 1


def test_a_step_further_starts_the_clock_again(tester: Member, clock: Clock) -> None:
    clock.stop()
    watch = LeaseWatch(a_claim(tester))
    watch.expect(step_limits(40, steps=4, is_slow_to_begin=False))
    for step in range(1, 4):
        clock.advance(seconds=50)
        watch.tick(Stage.DENOISE, step, 4)
        watch._renew()
        assert watch_leases() == 0


def test_a_model_has_ten_minutes_to_load(tester: Member, clock: Clock) -> None:
    clock.stop()
    watch = LeaseWatch(a_claim(tester))
    clock.advance(seconds=LOAD_LIMIT_S - 1)
    watch.tick(Stage.LOAD, 0, 1)
    watch._renew()
    assert watch_leases() == 0


@pytest.mark.parametrize(
    ("seconds_high", "steps", "slow", "denoise_s", "other_s"),
    [(4, 4, False, 60, 60), (2400, 20, False, 300, 2400), (4, 4, True, 660, 660)],
)
def test_a_step_may_take_three_times_the_estimate_and_never_less_than_a_minute(
    seconds_high: float, steps: int, slow: bool, denoise_s: int, other_s: int
) -> None:
    limits = step_limits(seconds_high, steps, is_slow_to_begin=slow)
    assert (limits.denoise_s, limits.other_s) == (denoise_s, other_s)
    assert limits.of(Stage.DENOISE, is_over=False, longest_s=500) == max(denoise_s, 1500)
    assert limits.of(Stage.DECODE, is_over=True, longest_s=0) == 600


def test_a_stuck_process_where_nobody_watches_ends_itself(
    tester: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    from generation.worker import watch as module

    moment, ended = [100.0], []
    monkeypatch.setattr(module.time, "monotonic", lambda: moment[0])
    monkeypatch.setattr(module.os, "_exit", ended.append)
    claim = a_claim(tester)
    alone, beside = LeaseWatch(claim), LeaseWatch(replace(claim, is_shared=True))
    moment[0] += LOAD_LIMIT_S + 29
    alone._leave_if_stuck()
    assert ended == []
    moment[0] += 2
    beside._leave_if_stuck()
    assert ended == []
    alone._leave_if_stuck()
    assert ended == [70]
