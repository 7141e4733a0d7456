"""The router's own way to PostgreSQL: a few asynchronous connections and SQL functions, no ORM.

Every answer that a raw route needs is one function call; the functions stand in the migrations, so
that Django and the router ask the same question.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg.rows import class_row, scalar_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from generation.jobs.rules import preview_key
from greenroom.router.authentication import Credential, CredentialRow
from greenroom.router.hub import JobNow
from greenroom.router.media import HeldBack, Opening
from greenroom.router.problems import Unavailable
from greenroom.router.replay import KINDS, Happening, News, Position, before
from greenroom.router.videos import Content
from greenroom.router.workers import AttemptRow, NeededRow, WorkerRow

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class _Watermark:
    xid: int
    is_held_back: bool


@dataclass(frozen=True, slots=True)
class _ContentRow:
    """The columns of the file are None where there is none."""

    state: str
    failure_code: str
    code: str
    reason: str
    rendition_id: UUID | None
    storage_path: str
    size: int
    sha256: str
    media_type: str
    filename: str


CONNECTIONS = 4
_WAIT_S = 5.0
# The server ends what takes too long by itself, unless it does not answer at all.
_ANSWER_S = 10.0
_OPTIONS = "-c statement_timeout=5s"
# Django's own words in OPTIONS, which libpq does not know.
_NOT_FOR_LIBPQ = frozenset(
    {"pool", "server_side_binding", "isolation_level", "assume_role", "context", "cursor_factory"}
)

_CREDENTIAL = (
    "SELECT credential_id, kind, key_id, party_id, programme_id, digest, pepper_id, state,"
    " expires_at, scopes, is_live FROM "
)
_JOB = (
    "SELECT l.job_id, l.party_id, j.programme_id, l.state, l.stage, l.steps_done, l.steps,"
    " l.place, l.eta_s, l.clip_id FROM {}(%s) AS l JOIN generation_job AS j ON j.id = l.job_id"
)
_WATERMARK = """
    SELECT pg_snapshot_xmin(now)::text::bigint AS xid, EXISTS (
        SELECT FROM core_outboxmessage AS m
        WHERE m.party_id = %s AND m.kind = ANY(%s) AND m.xid >= pg_snapshot_xmin(now)
    ) AS is_held_back
    FROM pg_current_snapshot() AS now
"""
_HAPPENED = """
    SELECT m.xid::text::bigint AS xid, m.id AS message_id, m.at, m.kind, m.subject_id, m.facts,
        CASE m.subject_kind
            WHEN 'job' THEN
                (SELECT programme_id FROM generation_job AS o WHERE o.id = m.subject_id)
            WHEN 'clip' THEN
                (SELECT programme_id FROM generation_clip AS o WHERE o.id = m.subject_id)
            WHEN 'submission' THEN
                (SELECT programme_id FROM review_submission AS o WHERE o.id = m.subject_id)
            WHEN 'release' THEN
                (SELECT programme_id FROM review_release AS o WHERE o.id = m.subject_id)
            WHEN 'contribution' THEN
                (SELECT programme_id FROM review_contribution AS o WHERE o.id = m.subject_id)
            WHEN 'act' THEN
                (SELECT programme_id FROM review_act AS o WHERE o.id = m.subject_id)
            WHEN 'payout' THEN
                (SELECT programme_id FROM review_payout AS o WHERE o.id = m.subject_id)
            WHEN 'credential' THEN
                (SELECT programme_id FROM accounts_credential AS o WHERE o.id = m.subject_id)
        END AS programme_id
    FROM core_outboxmessage AS m
    WHERE m.party_id = %s AND m.kind = ANY(%s)
        AND (m.xid, m.id) > (%s::text::xid8, %s) AND m.xid < %s::text::xid8
    ORDER BY m.xid, m.id LIMIT %s
"""
_MIGRATED = """
    SELECT NOT EXISTS (
        SELECT FROM unnest(%s::text[], %s::text[]) AS wanted (app, name)
        WHERE NOT EXISTS (
            SELECT FROM django_migrations AS done
            WHERE done.app = wanted.app AND done.name = wanted.name
        )
    )
"""


def connection_parameters(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Django's `DATABASES["default"]` in the words of psycopg."""
    named = {
        "dbname": settings["NAME"],
        "user": settings.get("USER"),
        "password": settings.get("PASSWORD"),
        "host": settings.get("HOST"),
        "port": settings.get("PORT"),
    }
    options = {
        name: value
        for name, value in settings.get("OPTIONS", {}).items()
        if name not in _NOT_FOR_LIBPQ
    }
    options["options"] = f"{options.get('options', '')} {_OPTIONS}".strip()
    options["application_name"] = "greenroom-router"
    return {name: value for name, value in named.items() if value} | options


class Database:
    """Opens in the lifespan. Before that, and while PostgreSQL is away, all is Unavailable."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.parameters = dict(parameters)
        self._pool = AsyncConnectionPool(
            kwargs={**parameters, "autocommit": True, "prepare_threshold": None},
            min_size=1,
            max_size=CONNECTIONS,
            timeout=_WAIT_S,
            reconnect_timeout=10.0,
            open=False,
            check=AsyncConnectionPool.check_connection,
        )

    async def open(self) -> None:
        await self._pool.open(wait=False)

    async def close(self) -> None:
        await self._pool.close(timeout=_WAIT_S)

    # Credentials

    async def by_session(self, session_digest: str) -> CredentialRow | None:
        asked = _CREDENTIAL + "credential_by_session(%s)"
        return _first(await self._rows(CredentialRow, asked, [session_digest]))

    async def by_key(self, key_id: str) -> CredentialRow | None:
        return _first(
            await self._rows(CredentialRow, _CREDENTIAL + "credential_by_key(%s)", [key_id])
        )

    # Renditions

    async def opening(self, credential: Credential, rendition_id: UUID) -> Opening | None:
        asked = (
            "SELECT rendition_id, storage_path, r.bytes AS size, sha256, media_type, filename,"
            " is_owner FROM rendition_for(%s, %s) AS r"
            " JOIN generation_clip AS c ON c.id = r.clip_id"
            # A token opens its own programme only; a session has none and opens all of them.
            " WHERE c.programme_id = coalesce(%s, c.programme_id)"
        )
        given = [rendition_id, credential.party_id, credential.programme_id]
        return _first(await self._rows(Opening, asked, given))

    async def held_back(self, credential: Credential, rendition_id: UUID) -> HeldBack | None:
        asked = (
            "SELECT code, reason FROM file_held_back(%s, %s)"
            " WHERE programme_id = coalesce(%s, programme_id)"
        )
        given = [rendition_id, credential.party_id, credential.programme_id]
        return _first(await self._rows(HeldBack, asked, given))

    async def public_opening(self, rendition_id: UUID, link: bytes | None) -> Opening | None:
        asked = (
            "SELECT rendition_id, storage_path, bytes AS size, sha256, media_type, filename,"
            " false AS is_owner FROM released_rendition(%s, %s::bytea)"
        )
        return _first(await self._rows(Opening, asked, [rendition_id, link]))

    async def record(self, credential: Credential, opening: Opening) -> None:
        await self._scalar(
            "SELECT record_opening(%s, %s, %s)",
            [opening.rendition_id, credential.party_id, credential.id],
        )

    async def record_public(self, opening: Opening, link: bytes | None) -> None:
        await self._scalar(
            "SELECT record_public_opening(%s, %s::bytea)", [opening.rendition_id, link]
        )

    async def archive(self, credential: Credential, export_id: UUID) -> Opening | None:
        """Of no programme: an archive holds everything of a party, whatever a token is for."""
        asked = (
            "SELECT id AS rendition_id, storage_key AS storage_path, bytes AS size, sha256,"
            " 'application/zip' AS media_type, 'greenroom-exp_' || core_shown(id) || '.zip'"
            " AS filename, true AS is_owner, 'private, no-store' AS cache, true AS is_download"
            " FROM accounts_export WHERE id = %s AND party_id = %s AND state = 'ready'"
            " AND expires_at > core_now()"
        )
        return _first(await self._rows(Opening, asked, [export_id, credential.party_id]))

    async def reference_picture(
        self, credential: Credential, reference_id: UUID, *, is_end: bool
    ) -> Opening | None:
        asked = (
            "SELECT still_id AS rendition_id, storage_path, bytes AS size, sha256,"
            " 'image/png' AS media_type, 'ref_' || core_shown(%s) || '.png' AS filename,"
            " true AS is_owner FROM reference_picture_for(%s, %s, %s)"
            " WHERE programme_id = coalesce(%s, programme_id)"
        )
        who = [reference_id, reference_id, credential.party_id, is_end, credential.programme_id]
        return _first(await self._rows(Opening, asked, who))

    async def video_content(
        self, credential: Credential, job_id: UUID, variant: str
    ) -> Content | None:
        asked = (
            "SELECT j.state, j.failure_code, coalesce(c.code, '') AS code,"
            " coalesce(c.reason, '') AS reason, c.rendition_id, c.storage_path, c.bytes AS size,"
            " c.sha256, c.media_type, c.filename FROM generation_job AS j"
            " LEFT JOIN content_for(j.id, %s, %s) AS c ON true"
            " WHERE j.id = %s AND j.party_id = %s"
            " AND j.programme_id = coalesce(%s, j.programme_id)"
            " AND NOT EXISTS (SELECT FROM generation_deletedvideo AS d WHERE d.job_id = j.id)"
        )
        who = [credential.party_id, variant, job_id, credential.party_id, credential.programme_id]
        return _content(_first(await self._rows(_ContentRow, asked, who)))

    # Jobs

    async def preview_key(self, credential: Credential, job_id: UUID) -> str | None:
        found = await self._scalar(
            "SELECT id FROM generation_job WHERE id = %s AND party_id = %s AND state = 'running'"
            " AND programme_id = coalesce(%s, programme_id)",
            [job_id, credential.party_id, credential.programme_id],
        )
        return None if found is None else preview_key(found)

    async def live_jobs(self, party_id: UUID) -> list[JobNow]:
        return await self._rows(JobNow, _JOB.format("live_jobs"), [party_id])

    async def live_job(self, job_id: UUID) -> JobNow | None:
        return _first(await self._rows(JobNow, _JOB.format("live_job"), [job_id]))

    # What happened

    async def news(self, party_id: UUID, after: Position | None, *, most: int) -> News:
        """Rows of the outbox in commit order. The watermark is asked first: all that lies below it
        is there to be seen by the second question, whatever commits between the two."""
        (mark,) = await self._rows(_Watermark, _WATERMARK, [party_id, KINDS])
        until = before(mark.xid)
        if after is None or after >= until:
            return News([], until, is_held_back=mark.is_held_back)
        asked = [party_id, KINDS, after.xid, after.message_id, mark.xid, most + 1]
        rows = await self._rows(Happening, _HAPPENED, asked)
        if len(rows) > most:
            return News(rows[:most], rows[most - 1].position, is_cut=True)
        return News(rows, until, is_held_back=mark.is_held_back)

    # Workers on other machines

    async def worker_by_key(self, key_id: str) -> WorkerRow | None:
        asked = (
            "SELECT credential_id, machine, key_id, digest, pepper_id, is_live"
            " FROM worker_credential_by_key(%s)"
        )
        return _first(await self._rows(WorkerRow, asked, [key_id]))

    async def note_worker_use(self, credential_id: UUID) -> None:
        """To the quarter of an hour. SKIP LOCKED: it never waits for a revocation."""
        await self._scalar(
            "UPDATE generation_workercredential SET last_used_at = core_now() WHERE id = ("
            " SELECT id FROM generation_workercredential WHERE id = %s AND revoked_at IS NULL"
            " AND (last_used_at IS NULL OR last_used_at < core_now() - interval '15 minutes')"
            " FOR UPDATE SKIP LOCKED) RETURNING id",
            [credential_id],
        )

    async def worker_attempt(
        self, credential_id: UUID, attempt_id: UUID, fence: int
    ) -> AttemptRow | None:
        asked = "SELECT attempt_id, job_id, folder, holds FROM worker_attempt(%s, %s, %s)"
        return _first(await self._rows(AttemptRow, asked, [credential_id, attempt_id, fence]))

    async def needed_file(self, job_id: UUID, sha256: str) -> NeededRow | None:
        asked = (
            "SELECT file_id, sha256, below, storage_key, size, media_type FROM files_needed(%s)"
            " WHERE sha256 = %s LIMIT 1"
        )
        return _first(await self._rows(NeededRow, asked, [job_id, sha256]))

    # Readiness

    async def is_migrated(self, migrations: Sequence[tuple[str, str]]) -> bool:
        """Whether each (app, name) was applied. A database without the table was never migrated."""
        apps, names = [app for app, _ in migrations], [name for _, name in migrations]
        try:
            return bool(await self._scalar(_MIGRATED, [apps, names]))
        except psycopg.errors.UndefinedTable:
            return False

    async def _rows(self, shape: type[Row], query: str, values: Sequence[Any]) -> list[Row]:
        async with self._answering() as connection:
            cursor = connection.cursor(row_factory=class_row(shape))
            await cursor.execute(query, values)
            return await cursor.fetchall()

    async def _scalar(self, query: str, values: Sequence[Any]) -> Any:
        async with self._answering() as connection:
            cursor = connection.cursor(row_factory=scalar_row)
            await cursor.execute(query, values)
            return await cursor.fetchone()

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A connection; an absent or overloaded database is Unavailable, and nothing else is."""
        try:
            async with asyncio.timeout(_ANSWER_S), self._pool.connection() as connection:
                yield connection
        except (PoolTimeout, PoolClosed, TimeoutError, psycopg.OperationalError) as error:
            raise Unavailable from error


def _content(row: _ContentRow | None) -> Content | None:
    if row is None:
        return None
    opening = None
    if row.rendition_id is not None:
        opening = Opening(
            rendition_id=row.rendition_id,
            storage_path=row.storage_path,
            size=row.size,
            sha256=row.sha256,
            media_type=row.media_type,
            filename=row.filename,
            is_owner=True,
        )
    return Content(row.state, row.failure_code, row.code, row.reason, opening)


def _first(rows: list[Row]) -> Row | None:
    return rows[0] if rows else None
