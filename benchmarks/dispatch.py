"""How quickly a worker gets its job: behind a long queue, after a long history, by the doorbell.

``python benchmarks/dispatch.py [--quick] [--keep NAME]``. The last line is one JSON object. Both
databases hold the same queue; one has a hundred times the finished jobs, each with its thread,
reservation, attempt, clip, audit and outbox lines.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing import get_context
from statistics import median
from typing import Any

from workbench import (
    Bar,
    conclude,
    in_processes,
    parsed,
    percentile,
    running_database,
    seeded_programme,
    seeded_tester,
    turn_to,
)

# isort: split

import psycopg
from django.db import connection, transaction

from accounts.credentials.queries import Actor
from generation.catalogue.commands import offer_still_model
from generation.jobs.commands import submit_job
from generation.jobs.orders import Wish
from generation.jobs.queries import lanes_waiting
from generation.worker.commands import claim_next_job
from generation.worker.identity import this_worker
from generation.worker.rendering import lanes_served
from generation.worker.waiting import wait_for_ring
from greenroom.embedded import Cluster
from greenroom.embedded.roles import SUPERUSER

TESTERS = 50
CLAIMERS = 4
BUSY_LANE, QUIET_LANE = "still:standard", "still:turbo"
BARS = {
    "claim_p95_ms": Bar(30),
    "finished_cost_ratio": Bar(1.2),
    "double_claims": Bar(0),
}


@dataclass(frozen=True)
class Sizes:
    waiting: int
    few_finished: int
    many_finished: int
    claims_each: int
    rounds: int
    rings: int


FULL = Sizes(100_000, 10_000, 1_000_000, claims_each=500, rounds=20, rings=300)
QUICK = Sizes(10_000, 1_000, 50_000, claims_each=100, rounds=8, rings=60)


def main() -> None:
    options = parsed(__doc__, "10,000 waiting and 50,000 finished instead of 10⁵ and 10⁶")
    sizes = QUICK if options.quick else FULL
    print(
        f"{sizes.waiting} waiting, {sizes.few_finished} against {sizes.many_finished} finished,"
        f" {CLAIMERS} claimers at once"
    )
    with running_database() as cluster:
        offer_still_model()
        programme = seeded_programme()
        actors = [seeded_tester(programme, number) for number in range(TESTERS)]
        prepare_databases(cluster, sizes)
        figures = {
            **claims_at_once(cluster, sizes),
            **cost_of_history(cluster, sizes),
            **by_the_doorbell(cluster, sizes, actors),
        }
    conclude(figures, BARS, options)


def prepare_databases(cluster: Cluster, sizes: Sizes) -> None:
    """``greenroom`` with a short history and ``long`` with a long one, both vacuumed."""
    connection.close()
    started = time.perf_counter()
    fill(cluster, "greenroom", sizes.waiting, sizes.few_finished)
    with psycopg.connect(cluster.url(SUPERUSER, "postgres"), autocommit=True) as superuser:
        superuser.execute("CREATE DATABASE long TEMPLATE greenroom")
    fill(cluster, "long", 0, sizes.many_finished - sizes.few_finished)
    for name in ("greenroom", "long"):
        with psycopg.connect(cluster.url(SUPERUSER, name), autocommit=True) as superuser:
            superuser.execute("VACUUM (ANALYZE)")
            superuser.execute("CHECKPOINT")
    print(f"filled in {time.perf_counter() - started:.0f} s")


def claims_at_once(cluster: Cluster, sizes: Sizes) -> dict[str, Any]:
    turn_to(cluster, "long")
    answers = in_processes(claimed, [(sizes.claims_each,)] * CLAIMERS)
    times = [taken for took, _jobs, _wall in answers for taken in took]
    claims = Counter(job for _took, jobs, _wall in answers for job in jobs)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM generation_attempt a JOIN generation_job j"
            " ON j.id = a.job_id WHERE j.state = 'running' GROUP BY j.id HAVING count(*) > 1) t"
        )
        (doubled_in_rows,) = cursor.fetchone()
    doubled = sum(times - 1 for times in claims.values()) + doubled_in_rows
    wall = max(wall for _took, _jobs, wall in answers)
    return {
        "claims_per_s": round(len(times) / wall),
        "claim_p50_ms": round(median(times), 2),
        "claim_p95_ms": round(percentile(times, 0.95), 2),
        "double_claims": doubled,
    }


def claimed(barrier: Any, how_many: int) -> tuple[list[float], list[str], float]:
    """In a process of its own: milliseconds of each claim, which jobs, seconds in all."""
    worker = this_worker()
    lanes = lanes_served()
    times, jobs = [], []
    barrier.wait()
    began = time.perf_counter()
    for _ in range(how_many):
        started = time.perf_counter()
        claim = claim_next_job(lanes=lanes, worker=worker)
        times.append((time.perf_counter() - started) * 1000)
        assert claim is not None
        jobs.append(str(claim.job.id))
    return times, jobs, time.perf_counter() - began


def cost_of_history(cluster: Cluster, sizes: Sizes) -> dict[str, Any]:
    """One claimer that goes to and fro between the two databases, twenty claims at a time."""
    times: dict[str, list[float]] = {"greenroom": [], "long": []}
    worker, lanes = this_worker(), [BUSY_LANE, QUIET_LANE]
    for turn in range(sizes.rounds):
        for name in sorted(times, reverse=bool(turn % 2)):
            turn_to(cluster, name)
            claim_next_job(lanes=lanes, worker=worker)  # connects and plans
            for _ in range(20):
                started = time.perf_counter()
                assert claim_next_job(lanes=lanes, worker=worker)
                times[name].append((time.perf_counter() - started) * 1000)
    few, many = median(times["greenroom"]), median(times["long"])
    return {
        "finished_cost_ratio": round(many / few, 3),
        "claim_few_finished_ms": round(few, 2),
        "claim_many_finished_ms": round(many, 2),
    }


def by_the_doorbell(cluster: Cluster, sizes: Sizes, actors: list[Actor]) -> dict[str, Any]:
    """From the commit of a submit to the commit of the claim by a worker that was listening."""
    turn_to(cluster, "long")
    spawn = get_context("spawn")
    heard = spawn.Queue()
    worker = spawn.Process(target=listen_and_claim, args=(heard, sizes.rings))
    worker.start()
    assert heard.get(timeout=60) == "ready"
    waits = []
    for number in range(sizes.rings):
        time.sleep(0.03)  # the worker is back at its ear
        committed = submitted(actors[number % len(actors)])
        waits.append((heard.get(timeout=60) - committed) * 1000)
    worker.join(60)
    return {
        "submit_to_claim_p50_ms": round(median(waits), 2),
        "submit_to_claim_p95_ms": round(percentile(waits, 0.95), 2),
    }


def submitted(actor: Actor) -> float:
    """The moment of the commit: the first thing that happens after it, before any bell."""
    moments: list[float] = []
    wish = Wish("a bell rings", "still", 1280, 720, Fraction(1), tier="turbo", seed=1)
    with transaction.atomic():
        transaction.on_commit(lambda: moments.append(time.monotonic()))
        submit_job(actor=actor, wish=wish)
    return moments[0]


def listen_and_claim(heard: Any, how_many: int) -> None:
    """In a process of its own, as an idle worker: its ear, then a claim, then its ear again."""
    worker = this_worker()
    lanes_waiting([QUIET_LANE])
    heard.put("ready")
    for _ in range(how_many):
        while (claim := claim_next_job(lanes=[QUIET_LANE], worker=worker)) is None:
            wait_for_ring(30, is_there_work=lambda: bool(lanes_waiting([QUIET_LANE])))
        heard.put(time.monotonic())
        assert claim


def fill(cluster: Cluster, database: str, waiting: int, finished: int) -> None:
    """Rows as the commands would have written them; triggers are off, what they ask for is so."""
    with psycopg.connect(
        cluster.url(SUPERUSER, database), autocommit=True, cursor_factory=psycopg.ClientCursor
    ) as superuser:
        superuser.execute("SET session_replication_role = replica")
        for begin in range(0, finished, 100_000):
            _fill(superuser, "finished", min(100_000, finished - begin))
        if waiting:
            _fill(superuser, "queued", waiting)


def _fill(superuser: psycopg.Connection[Any], state: str, how_many: int) -> None:
    values = {"state": state, "many": how_many, "is_over": state == "finished"}
    for statement in FILL.split(";"):
        if statement.strip():
            superuser.execute(statement, values if "%(" in statement else None)


FILL = """
CREATE TEMP TABLE tester AS
    SELECT row_number() OVER (ORDER BY c.id) - 1 AS number, c.party_id, c.programme_id,
           c.id AS credential_id, a.id AS acceptance_id
    FROM accounts_credential c JOIN accounts_acceptance a ON a.party_id = c.party_id;
CREATE TEMP TABLE made AS
    SELECT n, core_new_id() AS job, core_new_id() AS reservation, core_new_id() AS thread,
           core_new_id() AS clip, core_new_id() AS attempt, n / 50 * 2 AS tag,
           core_now() - n * interval '1 second' AS at, t.*
    FROM generate_series(1, %(many)s) AS n JOIN tester t ON t.number = n %% 50;
INSERT INTO generation_thread (id, programme_id, party_id, made_at)
    SELECT thread, programme_id, party_id, at FROM made;
INSERT INTO accounts_reservation
        (id, work_id, programme_id, party_id, kind, amount, settled, state, path, made_at, ended_at)
    SELECT m.reservation, m.job, m.programme_id, m.party_id, 'credits', 2,
           CASE WHEN %(is_over)s THEN 2 END,
           CASE WHEN %(is_over)s THEN 'settled' ELSE 'held' END,
           ARRAY[own.id, shared.id], at, CASE WHEN %(is_over)s THEN at END
    FROM made m
    JOIN accounts_budget own ON own.party_id = m.party_id
    JOIN accounts_budget shared ON shared.party_id IS NULL;
INSERT INTO generation_job
        (id, programme_id, party_id, credential_id, acceptance_id, reservation_id, model_id,
         thread_id, prompt, seed, tier, width, height, generated_width, generated_height, frames,
         frames_before, rate_num, rate_den, steps, price_credits, state, lane, fair_tag, fair_end,
         queued_at, attempts, fence, stage, steps_done, finished_at, failure_code)
    SELECT m.job, m.programme_id, m.party_id, m.credential_id, m.acceptance_id, m.reservation,
           v.id, m.thread, repeat('a quiet harbour at dawn, boats and mist, ', 4), m.n, 'standard',
           640, 360, 640, 360, 48, 0, 24, 1, 12, 2, %(state)s, 'still:standard', m.tag, m.tag + 2,
           at, %(is_over)s::int, %(is_over)s::int, '', 12 * %(is_over)s::int,
           CASE WHEN %(is_over)s THEN at END, ''
    FROM made m, generation_videomodel v ORDER BY m.n;
INSERT INTO generation_attempt
        (id, job_id, number, fence, machine, pid, pid_started, device, began_at, ended_at, outcome,
         code, device_ms)
    SELECT attempt, job, 1, 1, 'elsewhere', 1, 1, 'cpu', at, at, 'finished', '', 900
    FROM made WHERE %(is_over)s;
INSERT INTO generation_clip
        (id, job_id, programme_id, party_id, thread_id, version, master_sha256, bytes, width,
         height, generated_width, generated_height, frames, rate_num, rate_den, seed, prompt,
         recipe, made_at)
    SELECT clip, job, programme_id, party_id, thread, 1,
           encode(sha256(uuid_send(clip)), 'hex'), 500000, 640, 360, 640, 360, 48, 24, 1, n,
           'a quiet harbour', '{"engine": "still"}', at
    FROM made WHERE %(is_over)s;
INSERT INTO core_auditevent
        (id, xid, at, kind, subject_kind, subject_id, request_id, facts)
    SELECT core_new_id(), pg_current_xact_id(), at, 'job.submitted', 'job', job, '', '{}' FROM made;
INSERT INTO core_outboxmessage (id, xid, at, kind, party_id, subject_kind, subject_id, facts)
    SELECT core_new_id(), pg_current_xact_id(), at, 'job.queued', party_id, 'job', job, '{}'
    FROM made;
DROP TABLE made;
DROP TABLE tester;
"""


if __name__ == "__main__":
    main()
