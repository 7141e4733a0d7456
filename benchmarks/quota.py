"""How many reservations a second one hot programme bears, and whether its sums survive anything.

``python benchmarks/quota.py [--quick] [--keep NAME]``. The last line is one JSON object. The
floor is a bare one-row UPDATE and its commit, in the same processes, in turn with the reservations.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from workbench import (
    Bar,
    conclude,
    in_processes,
    parsed,
    running_database,
    seeded_programme,
    seeded_tester,
)

# isort: split

import psycopg
from django.db import connection, transaction

from accounts.credentials.queries import Actor
from accounts.quotas.commands import Hold, grant_budget, reserve, settle_reservation
from accounts.quotas.models import Budget, Kind, Reservation
from accounts.quotas.queries import discrepancies
from core.errors import QuotaExceeded
from core.ids import new_id
from greenroom.embedded import Cluster
from greenroom.embedded.roles import OWNER

AT_ONCE = 4
SEED = 4
BARS = {
    "ratio": Bar(0.5, is_floor=True),
    "reservations_per_s": Bar(200, is_floor=True),
    "oversubscribed": Bar(0),
    "phantom_holds": Bar(0),
}


@dataclass(frozen=True)
class Sizes:
    rounds: int
    seconds: float
    steps: int


FULL = Sizes(rounds=10, seconds=3, steps=50_000)
QUICK = Sizes(rounds=4, seconds=1, steps=2_000)


@dataclass(frozen=True)
class Place:
    """Where a process reserves: its own party, everybody's programme."""

    programme_id: UUID
    party_id: UUID
    lineage_id: UUID

    @classmethod
    def of(cls, actor: Actor) -> Place:
        return cls(actor.programme, actor.party_id, actor.lineage_id)


def main() -> None:
    options = parsed(__doc__, "2,000 random steps instead of 50,000, shorter rounds")
    sizes = QUICK if options.quick else FULL
    print(f"{AT_ONCE} processes on one programme row, {sizes.steps} random steps with kill -9")
    with running_database() as cluster:
        programme = seeded_programme()
        places = [Place.of(seeded_tester(programme, number)) for number in range(AT_ONCE)]
        make_floor(cluster)
        figures = {**speed(places, sizes), **storm(places, sizes)}
    conclude(figures, BARS, options)


def make_floor(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url(OWNER), autocommit=True) as owner:
        owner.execute("CREATE TABLE bare (id int PRIMARY KEY, n bigint NOT NULL)")
        owner.execute("INSERT INTO bare VALUES (1, 0)")
        owner.execute("GRANT UPDATE ON bare TO greenroom_app")


def speed(places: list[Place], sizes: Sizes) -> dict[str, Any]:
    answers = in_processes(in_turn, [(place, sizes) for place in places])
    each_round = [
        [sum(pair) for pair in zip(*turn, strict=True)] for turn in zip(*answers, strict=True)
    ]
    floors = [floor / sizes.seconds for floor, _reserved in each_round]
    reservations = [reserved / sizes.seconds for _floor, reserved in each_round]
    ratios = [ours / floor for ours, floor in zip(reservations, floors, strict=True)]
    return {
        "reservations_per_s": round(median(reservations)),
        "floor_per_s": round(median(floors)),
        "ratio": round(median(ratios), 3),
    }


def in_turn(barrier: Any, place: Place, sizes: Sizes) -> list[tuple[int, int]]:
    """In a process of its own: how many of each in every round."""
    repeated(lambda: reserved(place, 1), 0.5)  # connects, plans
    counts = []
    for _ in range(sizes.rounds):
        barrier.wait()
        floor = repeated(bare_update, sizes.seconds)
        barrier.wait()
        counts.append((floor, repeated(lambda: reserved(place, 1), sizes.seconds)))
    return counts


def repeated(deed: Callable[[], object], seconds: float) -> int:
    count, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        deed()
        count += 1
    return count


def bare_update() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE bare SET n = n + 1 WHERE id = 1")


def reserved(place: Place, amount: int) -> UUID:
    work_id = new_id()
    with transaction.atomic():
        reserve(
            work_id=work_id,
            programme_id=place.programme_id,
            party_id=place.party_id,
            lineage_id=place.lineage_id,
            holds=[Hold(new_id(), Kind.CREDITS, amount)],
        )
    return work_id


def storm(places: list[Place], sizes: Sizes) -> dict[str, Any]:
    """Random steps by processes that are killed at random; two of them share each party."""
    tighten(places)
    connection.close()
    chance = random.Random(SEED)
    spawn = get_context("fork")  # a fresh one every moment: nothing is imported anew
    kills, over = 0, 0
    with TemporaryDirectory() as folder:
        journal = Path(folder) / "journal"
        journal.touch()

        def begin(number: int) -> Any:
            connection.close()
            seed = chance.randrange(2**32)
            process = spawn.Process(target=steps, args=(places[number % 2], seed, journal))
            process.start()
            return process

        processes = [begin(number) for number in range(AT_ONCE)]
        while journal.stat().st_size < sizes.steps:
            time.sleep(chance.uniform(0.05, 0.3))
            over += oversubscribed()
            victim = chance.randrange(AT_ONCE)
            processes[victim].kill()
            processes[victim].join()
            kills += 1
            processes[victim] = begin(victim)
        for process in processes:
            process.kill()
            process.join()
        done = journal.read_bytes()
    return {
        "steps": len(done),
        "refused": done.count(b"n"),
        "kills": kills,
        "oversubscribed": over + oversubscribed(),
        "phantom_holds": phantom_holds(),
    }


def tighten(places: list[Place]) -> None:
    """Limits that refuse now and then: the programme's before the parties', and the other way."""
    budgets = {budget.party_id: budget for budget in Budget.objects.all()}
    shared = budgets[None]
    used = {party: budget.reserved + budget.spent for party, budget in budgets.items()}
    for place in places[:2]:
        grant_budget(
            programme_id=place.programme_id,
            kind=Kind.CREDITS,
            party_id=place.party_id,
            limit=used[place.party_id] + 14_000,
        )
    grant_budget(programme_id=shared.programme_id, kind=Kind.CREDITS, limit=used[None] + 20_000)


def steps(place: Place, seed: int, journal: Path) -> None:
    """Until killed: reserve, settle in part, give back, settle again, or die before a commit."""
    chance = random.Random(seed)
    held = left_behind(place)
    with journal.open("ab", buffering=0) as done:
        while True:
            done.write(step(place, chance, held))


def left_behind(place: Place) -> list[tuple[UUID, int]]:
    """Some of what is held, by processes that were killed or by those that live."""
    found = Reservation.objects.filter(party_id=place.party_id, state=Reservation.State.HELD)
    return list(found.order_by("?").values_list("work_id", "amount")[:20])


def step(place: Place, chance: random.Random, held: list[tuple[UUID, int]]) -> bytes:
    """One letter for the journal: reserved, no, settled, or back again."""
    if len(held) < 5 or (len(held) < 40 and chance.random() < 0.6):
        amount = chance.randint(1, 300)
        try:
            held.append((reserved(place, amount), amount))
        except QuotaExceeded:
            if len(held) < 5:
                held += left_behind(place)
            return b"n"
        return b"r"
    work_id, amount = held[chance.randrange(len(held))]
    # Mostly given back, so that the limits are met again and again; ended ones are tried again.
    charge = 0 if chance.random() < 0.9 else chance.randint(1, min(amount, 3))
    with transaction.atomic():
        settle_reservation(work_id=work_id, kind=Kind.CREDITS, charge=charge)
        if chance.random() < 0.2:
            time.sleep(chance.uniform(0, 0.005))  # time to be killed in
        if chance.random() < 0.05:
            transaction.set_rollback(True)
            return b"b"
    if chance.random() < 0.9:
        held.remove((work_id, amount))
    return b"s"


def oversubscribed() -> int:
    """Budgets whose reservations, summed anew, exceed the limit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM accounts_budget b JOIN ("
            " SELECT place, sum(coalesce(settled, amount)) AS used"
            " FROM accounts_reservation, unnest(path) AS place GROUP BY place) r"
            ' ON r.place = b.id WHERE r.used > b."limit"'
        )
        (count,) = cursor.fetchone()
    return int(count)


def phantom_holds() -> int:
    """Sums that differ from their reservations, and what is left when all of those have ended."""
    wrong = len(discrepancies())
    held = Reservation.objects.filter(state=Reservation.State.HELD)
    for work_id in list(held.values_list("work_id", flat=True)):
        settle_reservation(work_id=work_id, kind=Kind.CREDITS, charge=0)
    return wrong + len(discrepancies()) + Budget.objects.exclude(reserved=0).count()


if __name__ == "__main__":
    main()
