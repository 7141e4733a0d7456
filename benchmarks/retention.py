"""What a sweep of the terms of retention costs where ten times the clips are kept and as many go.

``python benchmarks/retention.py [--quick] [--keep NAME]``. The last line is one JSON object. Two
databases have the same clips whose owners are to be warned. Of the others one has ten times as
many: a third too young to go, a third put forward and released, which the terms keep for ever, and
a third whose files went long ago. What a sweep announced is taken back after each turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from dispatch import fill
from workbench import (
    Bar,
    conclude,
    parsed,
    running_database,
    seeded_programme,
    seeded_tester,
    turn_to,
)

# isort: split

import psycopg
from django.db import connection

from accounts.programmes.models import Programme
from accounts.retention.commands import RetentionWish, publish_retention
from generation.catalogue.commands import offer_still_model
from greenroom.embedded import Cluster
from greenroom.embedded.roles import SUPERUSER
from review.policies.commands import NewClause, publish_charter, publish_policy
from review.policies.rules import Ground
from review.retention.queries import clips_going, removals_overtaken
from review.retention.tasks import retain

TESTERS = 50
BARS = {"sweep_ratio": Bar(1.2), "reading_ratio": Bar(1.5), "warned_wrongly": Bar(0)}


@dataclass(frozen=True)
class Sizes:
    few: int
    many: int
    due: int
    rounds: int


FULL = Sizes(few=10_000, many=100_000, due=50, rounds=7)
QUICK = Sizes(few=2_000, many=20_000, due=50, rounds=6)


def main() -> None:
    options = parsed(__doc__, "2,000 against 20,000 clips instead of 10⁴ and 10⁵")
    sizes = QUICK if options.quick else FULL
    print(f"{sizes.due} clips to be warned of, among {sizes.few} against {sizes.many}")
    with running_database() as cluster:
        offer_still_model()
        programme = seeded_programme()
        for number in range(TESTERS):
            seeded_tester(programme, number)
        with_terms(programme)
        prepare_databases(cluster, sizes)
        figures = in_turn(cluster, sizes)
    conclude(figures, BARS, options)


def with_terms(programme: Programme) -> None:
    """Drafts go after ninety days; what is released stays."""
    publish_policy(
        programme_id=programme.id,
        introduction="Why a clip may be declined.",
        clauses=[NewClause(Ground.BROKEN_FILE, "It plays", "The file plays to its last frame.")],
    )
    publish_charter(programme_id=programme.id, decide_within_hours=48, appeal_within_hours=120)
    wish = RetentionWish(draft_days=90, unreleased_days=180, released_days=None, warning_days=14)
    publish_retention(programme_id=programme.id, wish=wish)


def prepare_databases(cluster: Cluster, sizes: Sizes) -> None:
    """``greenroom`` with few clips and ``long`` with many, both vacuumed."""
    connection.close()
    started = time.perf_counter()
    with psycopg.connect(cluster.url(SUPERUSER, "postgres"), autocommit=True) as superuser:
        superuser.execute("CREATE DATABASE long TEMPLATE greenroom")
    for name, clips in (("greenroom", sizes.few), ("long", sizes.many)):
        fill(cluster, name, 0, clips)
        with psycopg.connect(cluster.url(SUPERUSER, name), autocommit=True) as superuser:
            superuser.execute("SET session_replication_role = replica")
            for statement in HISTORY.format(due=sizes.due).split(";"):
                superuser.execute(statement)
            superuser.execute("VACUUM (ANALYZE)")
            superuser.execute("CHECKPOINT")
    print(f"filled in {time.perf_counter() - started:.0f} s")


def in_turn(cluster: Cluster, sizes: Sizes) -> dict[str, Any]:
    """To and fro between the two databases: what a sweep reads, and a whole sweep."""
    reading: dict[str, list[float]] = {"greenroom": [], "long": []}
    sweeping: dict[str, list[float]] = {"greenroom": [], "long": []}
    wrong = 0
    for turn in range(sizes.rounds):
        for name in sorted(reading, reverse=bool(turn % 2)):
            turn_to(cluster, name)
            read()  # connects and plans
            reading[name].append(taken(read))
            sweeping[name].append(taken(retain))
            wrong += abs(taken_back(cluster, name) - sizes.due)
    few, many = (median(sweeping[name]) for name in ("greenroom", "long"))
    few_read, many_read = (median(reading[name]) for name in ("greenroom", "long"))
    return {
        "sweep_ratio": round(many / few, 3),
        "sweep_few_ms": round(few, 1),
        "sweep_many_ms": round(many, 1),
        "reading_ratio": round(many_read / few_read, 3),
        "reading_few_ms": round(few_read, 1),
        "reading_many_ms": round(many_read, 1),
        "warned_wrongly": wrong,
    }


def read() -> None:
    removals_overtaken(5_000)
    clips_going(5_000)


def taken(deed: Callable[[], object]) -> float:
    started = time.perf_counter()
    deed()
    return (time.perf_counter() - started) * 1000


def taken_back(cluster: Cluster, name: str) -> int:
    """Undo what the sweep announced, by the superuser; how many owners it had warned."""
    with psycopg.connect(cluster.url(SUPERUSER, name), autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")
        undone = superuser.execute("DELETE FROM generation_removal WHERE done_at IS NULL")
        warned = undone.rowcount
        superuser.execute("VACUUM generation_removal")
    return warned


# The clips of ``fill`` by their number: the first so many are drafts of long ago, to be warned of.
HISTORY = """
CREATE TEMP TABLE life AS
    SELECT c.id, c.party_id, c.programme_id, c.job_id, c.master_sha256, c.seed AS n,
           core_new_id() AS submission, core_new_id() AS judged, core_new_id() AS release,
           CASE WHEN c.seed <= {due} THEN 'due'
                ELSE (ARRAY['young', 'released', 'removed'])[1 + c.seed % 3] END AS lot
    FROM generation_clip c;
UPDATE generation_clip c
    SET made_at = core_now() - CASE WHEN lot = 'young' THEN interval '1 hour' * (n % 1000)
                                    ELSE interval '200 days' + interval '1 minute' * n END
    FROM life WHERE life.id = c.id;
INSERT INTO review_submission
        (id, xid, programme_id, clip_id, owner_id, credential_id, master_sha256, frames,
         recipe_sha256, policy_id, charter_id, note, sealed_at)
    SELECT l.submission, pg_current_xact_id(), l.programme_id, l.id, l.party_id,
           j.credential_id, l.master_sha256, 48, repeat('a', 64), p.id, h.id, '', c.made_at
    FROM life l JOIN generation_clip c ON c.id = l.id JOIN generation_job j ON j.id = l.job_id,
         review_policyversion p, review_charterversion h WHERE lot = 'released';
INSERT INTO review_case
        (id, submission_id, chain_id, programme_id, owner_id, policy_id, master_sha256, kind, round,
         state, fair_tag, fair_end, queue_number, opened_at, due_at, lease_number, closed_at)
    SELECT l.judged, l.submission, l.id, l.programme_id, l.party_id, p.id, l.master_sha256,
           'release', 1, 'approved', n, n + 1, n, c.made_at, c.made_at, 1, c.made_at
    FROM life l JOIN generation_clip c ON c.id = l.id, review_policyversion p
    WHERE lot = 'released';
INSERT INTO review_release
        (id, programme_id, clip_id, owner_id, credential_id, decision_id, outcome, master_sha256,
         title, shows_prompt, is_listed, released_at)
    SELECT l.release, l.programme_id, l.id, l.party_id, j.credential_id, l.judged, 'approved',
           l.master_sha256, 'A harbour', false, true, c.made_at
    FROM life l JOIN generation_clip c ON c.id = l.id JOIN generation_job j ON j.id = l.job_id
    WHERE lot = 'released';
DELETE FROM review_perishable;
INSERT INTO review_perishable (clip_id, programme_id, made_at)
    SELECT l.id, l.programme_id, c.made_at FROM life l JOIN generation_clip c ON c.id = l.id
    WHERE lot IN ('due', 'young');
INSERT INTO generation_removal (id, clip_id, why, announced_at, due_at, done_at, cleared_at)
    SELECT core_new_id(), l.id, 'retention', c.made_at, c.made_at, c.made_at, c.made_at
    FROM life l JOIN generation_clip c ON c.id = l.id WHERE lot = 'removed'
"""


if __name__ == "__main__":
    main()
