"""What a clip is to the terms of retention, and whose time is over: asked of the rows each time.

The rule of ``rules.goes_at`` stands here a second time, in SQL, so that a sweep over very many
clips reads only those it is about; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.retention.queries import retention_in_force
from core.clock import now
from core.errors import Absent
from generation.clips.models import Clip
from review.retention.rules import (
    FORECAST_DAYS,
    RATE_DAYS,
    ROLES_OF_STORAGE,
    Forecast,
    State,
    Stored,
    Terms,
    forecast,
    goes_at,
)
from review.submissions.models import Case
from review.submissions.rules import OPEN


@dataclass(frozen=True, slots=True)
class Standing:
    """``since`` when a clip is in its state, None while it is judged; ``goes_at`` when the time it
    is given under the terms in force is over, None where it is kept."""

    clip_id: UUID
    state: State
    since: datetime | None
    appeal_until: datetime | None
    goes_at: datetime | None


@dataclass(frozen=True, slots=True)
class Storage:
    """A programme's files as of ``at``. ``forecasts`` is None while it is too young to say."""

    at: datetime
    terms: Terms | None
    stored: list[Stored]
    removed_clips: int
    removed_bytes: int
    forecasts: list[Forecast] | None

    @property
    def clips(self) -> int:
        return sum(each.clips for each in self.stored)

    @property
    def bytes(self) -> int:
        return sum(each.bytes for each in self.stored)


def terms_in_force(programme_id: UUID) -> Terms | None:
    version = retention_in_force(programme_id)
    if version is None:
        return None
    return Terms(
        draft_days=version.draft_days,
        unreleased_days=version.unreleased_days,
        released_days=version.released_days,
        warning_days=version.warning_days,
    )


def standing_of(clip: Clip) -> Standing:
    """The caller has shown who may see the clip."""
    (row,) = _rows(_STANDINGS.format(which="c.id = %(clip)s") + _ONE, {"clip": clip.id})
    state = State(row["state"])
    terms = terms_in_force(clip.programme_id)
    since, until = row["since"], row["appeal_until"]
    return Standing(clip.id, state, since, until, goes_at(state, since, terms, until))


def is_shown_or_judged(clip: Clip) -> bool:
    return (
        Clip.objects.filter(id=clip.id, releases__isnull=False, releases__ended_at=None).exists()
        or Case.objects.filter(chain_id=clip.id, state__in=OPEN).exists()
    )


def clips_going(most: int) -> list[Standing]:
    """Clips whose owners are to be warned now, those that go first before the others."""
    rows = _rows(_STANDINGS.format(which=_OLD_ENOUGH) + _GOING, {"most": most})
    return [
        Standing(row["id"], State(row["state"]), row["since"], row["appeal_until"], row["goes_at"])
        for row in rows
    ]


def removals_overtaken(most: int) -> list[tuple[UUID, str]]:
    """Announced removals that no longer hold, and why: it is shown or judged now, or the terms in
    force give it longer than was announced."""
    rows = _rows(_STANDINGS.format(which=_ANNOUNCED) + _OVERTAKEN, {"most": most})
    return [(row["removal"], row["why"]) for row in rows]


def storage_for(actor: Actor) -> Storage:
    """For managers, administrators and auditors of the programme; ``Absent`` for all others."""
    actor.must_carry(Scope.PROGRAMME_READ)
    if not ROLES_OF_STORAGE & actor.roles:
        raise Absent
    return storage_of(actor.programme, now())


def storage_of(programme_id: UUID, at: datetime) -> Storage:
    """Two queries, however many clips there are."""
    terms = terms_in_force(programme_id)
    given = {"programme": programme_id, "at": at}
    rows = _rows(_STANDINGS.format(which="c.programme_id = %(programme)s") + _STORED, given)
    by_state = {row["state"]: row for row in rows}
    stored = [_stored(state, by_state.get(state.value)) for state in State]
    removed = by_state.get("removed")
    firsts = [row["first_made_at"] for row in rows]
    is_young = not firsts or (at - min(firsts)).days < RATE_DAYS
    # What was removed was made at some rate, too.
    lost = [Stored(State.DRAFT, recent_bytes=int(removed["recent_bytes"]))] if removed else []
    return Storage(
        at=at,
        terms=terms,
        stored=stored,
        removed_clips=removed["clips"] if removed else 0,
        removed_bytes=int(removed["bytes"]) if removed else 0,
        forecasts=None
        if is_young
        else [forecast(stored + lost, terms, days) for days in FORECAST_DAYS],
    )


def _stored(state: State, row: dict[str, Any] | None) -> Stored:
    if row is None:
        return Stored(state)
    return Stored(
        state=state,
        clips=row["clips"],
        bytes=int(row["bytes"]),
        recent_bytes=int(row["recent_bytes"]),
        going={days: (row[f"clips_{days}"], int(row[f"bytes_{days}"])) for days in FORECAST_DAYS},
    )


def _rows(statement: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


# Each clip asks the indexes of its submissions, cases and releases once. What is judged has no
# ``since``. A day has 24 hours here, whatever the clocks of some country do.
_STANDINGS = """
WITH terms AS (
    SELECT DISTINCT ON (programme_id) * FROM accounts_retentionversion
    ORDER BY programme_id, number DESC
), states AS (
    SELECT c.id, c.programme_id, c.made_at, m.id AS removal, m.why AS removal_why,
           m.due_at AS removal_due, m.done_at AS removal_done,
           CASE WHEN r.released_at IS NOT NULL THEN 'released'
                WHEN s.sealed_at IS NOT NULL THEN 'unreleased' ELSE 'draft' END AS state,
           coalesce(k.is_judged, false) AS is_judged,
           CASE WHEN k.is_judged THEN NULL
                ELSE coalesce(r.released_at,
                              greatest(c.made_at, s.sealed_at, k.closed_at, r.ended_at))
           END AS since,
           a.appeal_until
    FROM generation_clip c
    LEFT JOIN generation_removal m ON m.clip_id = c.id AND m.stopped_at IS NULL
    LEFT JOIN LATERAL (
        SELECT max(sealed_at) AS sealed_at FROM review_submission WHERE clip_id = c.id
    ) s ON true
    LEFT JOIN LATERAL (
        SELECT bool_or(state IN ('queued', 'claimed')) AS is_judged, max(closed_at) AS closed_at
        FROM review_case WHERE chain_id = c.id
    ) k ON true
    LEFT JOIN LATERAL (
        SELECT max(released_at) FILTER (WHERE ended_at IS NULL) AS released_at,
               max(ended_at) AS ended_at
        FROM review_release WHERE clip_id = c.id
    ) r ON true
    LEFT JOIN LATERAL (
        SELECT max(d.decided_at + make_interval(hours => 24 * h.appeal_open_days)) AS appeal_until
        FROM review_decision d
        JOIN review_case o ON o.id = d.case_id
        JOIN review_submission t ON t.id = o.submission_id
        JOIN review_charterversion h ON h.id = t.charter_id
        WHERE d.chain_id = c.id AND d.round = 1 AND d.outcome <> 'approved'
          AND NOT EXISTS (SELECT FROM review_appeal p WHERE p.decision_id = d.id)
    ) a ON true
    WHERE {which}
), standings AS (
    SELECT states.*, terms.warning_days, CASE WHEN over IS NOT NULL
               THEN greatest(over, appeal_until) END AS goes_at
    FROM states LEFT JOIN terms USING (programme_id)
    CROSS JOIN LATERAL (
        SELECT since + make_interval(hours => 24 * CASE state
            WHEN 'draft' THEN draft_days WHEN 'unreleased' THEN unreleased_days
            ELSE released_days END) AS over
    ) o
)
"""

_ONE = "SELECT id, state, since, appeal_until FROM standings"

# No clip goes sooner after it was made, or after it was released, than its programme's times. Those
# that are shown are found by their release, so that what is shown for ever is never read, and
# neither is what went. An array, since the planner would rather read the whole table of clips than
# believe how few these are.
_OLD_ENOUGH = """
m.id IS NULL AND c.id = ANY (ARRAY(
    SELECT p.clip_id FROM terms t CROSS JOIN LATERAL (
        SELECT clip_id FROM review_perishable
        WHERE programme_id = t.programme_id AND made_at <= core_now() + make_interval(
            hours => 24 * (t.warning_days - least(t.draft_days, t.unreleased_days)))
        OFFSET 0
    ) p
    UNION ALL
    SELECT r.clip_id FROM terms t CROSS JOIN LATERAL (
        SELECT clip_id FROM review_release
        WHERE programme_id = t.programme_id AND ended_at IS NULL AND released_at <= core_now()
            + make_interval(hours => 24 * (t.warning_days - t.released_days))
        OFFSET 0
    ) r
))
"""

_GOING = """
SELECT id, state, since, appeal_until, goes_at FROM standings
WHERE goes_at <= core_now() + make_interval(hours => 24 * warning_days)
ORDER BY goes_at, id LIMIT %(most)s
"""

_ANNOUNCED = "m.done_at IS NULL AND m.why IN ('retention', 'owner')"

_OVERTAKEN = """
SELECT removal, CASE WHEN is_judged THEN 'put_forward'
                     WHEN state = 'released' AND goes_at IS NULL THEN 'released'
                     ELSE 'terms' END AS why
FROM standings
WHERE is_judged OR CASE removal_why WHEN 'owner' THEN state = 'released'
                        ELSE goes_at IS NULL OR goes_at > removal_due END
ORDER BY id LIMIT %(most)s
"""

_STORED = f"""
SELECT CASE WHEN removal_done IS NULL THEN state ELSE 'removed' END AS state,
       count(*) AS clips, sum(bytes) AS bytes, min(made_at) AS first_made_at,
       coalesce(sum(bytes) FILTER (
           WHERE made_at > %(at)s - make_interval(hours => 24 * {RATE_DAYS})), 0) AS recent_bytes,
       {
    ", ".join(
        f"count(*) FILTER (WHERE goes <= %(at)s + make_interval(hours => 24 * {days}))"
        f" AS clips_{days}, coalesce(sum(bytes) FILTER ("
        f"WHERE goes <= %(at)s + make_interval(hours => 24 * {days})), 0) AS bytes_{days}"
        for days in FORECAST_DAYS
    )
}
FROM (
    SELECT standings.*, f.bytes,
           CASE WHEN removal IS NOT NULL THEN removal_due
                ELSE greatest(goes_at, %(at)s + make_interval(
                    hours => 24 * (CASE WHEN goes_at IS NULL THEN NULL ELSE warning_days END)))
           END AS goes
    FROM standings CROSS JOIN LATERAL (
        SELECT coalesce(sum(bytes), 0) AS bytes FROM generation_rendition
        WHERE clip_id = standings.id
    ) f
) sized
GROUP BY 1
"""  # noqa: S608  (numbers of ours)
