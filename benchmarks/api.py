"""What a poll and an order cost at both doors, with a million jobs in the house.

``python benchmarks/api.py [--quick] [--keep NAME]``. The last line is one JSON object. One web
process as it runs in production (router, middleware, Django) answers over one connection, in turn
and in blocks: ``GET /v1/videos/{id}``, ``GET /api/v1/jobs/{id}``, and for each a bare DRF view with
DRF's own TokenAuthentication, the first of all addresses, that reads one row and answers JSON of
the same size. ``poll_ratio`` is the worse of the two doors: the median of its blocks' ratios of
wall time. The polled jobs are half waiting and half finished. Queries of list pages are counted at
10 and at 100 rows, with 10,000 jobs and with all of them.
"""

from __future__ import annotations

import json
import os
import random
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

from workbench import Bar, conclude, parsed, percentile, running_database, seeded_programme

# isort: split

import psycopg
import uvicorn
from dispatch import fill
from django.conf import settings
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
from rest_framework.authentication import TokenAuthentication
from rest_framework.authtoken.models import Token as AbstractToken
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from workbench import seeded_tester

from accounts.credentials.commands import issue_token
from accounts.credentials.queries import actor_by_token
from accounts.people.models import Person
from core.ids import new_id, shown
from generation.catalogue.commands import offer_still_model
from generation.jobs.models import Job
from generation.jobs.rules import State
from greenroom.embedded import Cluster
from greenroom.embedded.roles import OWNER, SUPERUSER
from greenroom.urls import urlpatterns as of_the_house

TESTERS = 50
POLLED = 40
WAITING = 200
BARS = {"poll_ratio": Bar(1.5)}
DOORS = ("v1", "native")
PAGES = ("/v1/videos", "/v1/files", "/api/v1/jobs", "/api/v1/clips", "/api/v1/references")
ORDER = {"prompt": "a quiet harbour at dawn", "model": "still", "size": "640x360"}


@dataclass(frozen=True)
class Sizes:
    few: int
    many: int
    blocks: int
    requests: int
    creates: int


FULL = Sizes(10_000, 1_000_000, blocks=100, requests=20, creates=500)
QUICK = Sizes(1_000, 20_000, blocks=20, requests=10, creates=60)


class Token(AbstractToken):
    """DRF's own, in a table of its own: its app is not installed here."""

    class Meta:
        app_label = "accounts"
        db_table = "bench_token"


class DrfAuthentication(TokenAuthentication):
    model = Token


class Row(models.Model):
    """What a bare view serves."""

    id = models.UUIDField(primary_key=True)
    body = models.JSONField()

    class Meta:
        app_label = "accounts"
        db_table = "bench_row"


class Bare(APIView):
    authentication_classes = (DrfAuthentication,)
    permission_classes = (IsAuthenticated,)

    def get(self, _request: Request, row_id: UUID) -> Response:
        return Response(Row.objects.get(id=row_id).body)


urlpatterns = [path("bare/<uuid:row_id>", Bare.as_view()), *of_the_house]


def main() -> None:
    options = parsed(__doc__, "20,000 jobs instead of 10⁶, fewer requests")
    sizes = QUICK if options.quick else FULL
    with running_database() as cluster:
        offer_still_model()
        programme = seeded_programme()
        actors = [seeded_tester(programme, number) for number in range(TESTERS)]
        token = issue_token(
            party_id=actors[0].party_id,
            programme_id=programme.id,
            name="polls",
            scopes=["clips:create", "clips:read"],
            days=30,
        )
        fill_up_to(cluster, sizes.few)
        few = page_queries(token)
        fill_up_to(cluster, sizes.many)
        many = page_queries(token)
        polls = bare_rows(cluster, polled(token), token)
        with web() as port:
            figures = {
                **cost_of_polls(port, polls, sizes),
                **cost_of_orders(port, token, sizes),
                "page_queries_constant": few == many
                and all(len(set(n)) == 1 for n in few.values()),
                "page_queries": {page: found[0] for page, found in many.items()},
                "jobs": sizes.many,
            }
    conclude(figures, BARS, options)


def fill_up_to(cluster: Cluster, how_many: int) -> None:
    connection.close()
    waiting = WAITING if not Job.objects.exists() else 0
    finished = how_many - Job.objects.count() - waiting
    connection.close()
    began = time.perf_counter()
    fill(cluster, "greenroom", waiting, finished)
    with psycopg.connect(cluster.url(SUPERUSER), autocommit=True) as superuser:
        superuser.execute("VACUUM (ANALYZE)")
        superuser.execute("CHECKPOINT")
    print(f"{how_many} jobs after {time.perf_counter() - began:.0f} s")


def page_queries(token: str) -> dict[str, list[int]]:
    """How many queries a page takes, at 10 and at 100 rows."""
    client = Client(headers={"host": "localhost", "authorization": f"Bearer {token}"})
    found = {}
    for page in PAGES:
        counts = []
        for limit in (10, 10, 100):  # the first notes that the token was used
            with CaptureQueriesContext(connection) as captured:
                answer = client.get(page, {"limit": limit})
            assert answer.status_code == 200, (page, answer.content)
            counts.append(len(captured))
        found[page] = counts[1:]
    return found


@dataclass(frozen=True)
class Polled:
    """A job's address at one of the doors, and that of a bare row of the same size."""

    door: str
    ours: bytes
    bare: bytes


def polled(token: str) -> list[tuple[str, str, Any]]:
    """Door, address and answer of jobs, half of them waiting and half finished."""
    actor = actor_by_token(token)
    assert actor is not None
    mine = Job.objects.filter(party_id=actor.party_id)
    jobs = [
        job
        for state in (State.QUEUED, State.FINISHED)
        for job in mine.filter(state=state).order_by("?")[: POLLED // 2]
    ]
    client = Client(headers={"host": "localhost", "authorization": f"Bearer {token}"})
    found = []
    for job in jobs:
        name = shown("job", job.id)
        for door, address in (
            ("v1", f"/v1/videos/video_{name.partition('_')[2]}"),
            ("native", f"/api/v1/jobs/{name}"),
        ):
            answer = client.get(address)
            assert answer.status_code == 200, (address, answer.content)
            found.append((door, address, answer.json()))
    return found


def bare_rows(cluster: Cluster, jobs: list[tuple[str, str, Any]], token: str) -> list[Polled]:
    actor = actor_by_token(token)
    assert actor is not None
    with psycopg.connect(cluster.url(OWNER), autocommit=True) as owner:
        owner.execute(
            "CREATE TABLE bench_token (key varchar(40) PRIMARY KEY, created timestamptz NOT NULL,"
            " user_id uuid NOT NULL UNIQUE REFERENCES accounts_person (id))"
        )
        owner.execute("CREATE TABLE bench_row (id uuid PRIMARY KEY, body jsonb NOT NULL)")
    person = Person.objects.get(party_id=actor.party_id)
    key = Token.objects.create(key=Token.generate_key(), user=person).key
    rows = [Row(id=new_id(), body=body) for _door, _address, body in jobs]
    Row.objects.bulk_create(rows)
    return [
        Polled(
            door,
            a_request("GET", address, f"Bearer {token}"),
            a_request("GET", f"/bare/{row.id}", f"Token {key}"),
        )
        for (door, address, _body), row in zip(jobs, rows, strict=True)
    ]


def cost_of_polls(port: int, polls: list[Polled], sizes: Sizes) -> dict[str, Any]:
    """Within a block each door and its bare view take turns in random order."""
    line = Line(port)
    by_door = {door: [each for each in polls if each.door == door] for door in DOORS}
    callers: dict[str, Callable[[], bytes]] = {
        **{door: (lambda d=door: random.choice(by_door[d]).ours) for door in DOORS},
        **{f"bare_{door}": (lambda d=door: random.choice(by_door[d]).bare) for door in DOORS},
    }
    for request in (each for poll in polls for each in (poll.ours, poll.bare)):
        line.ask(request)
    costs: dict[str, list[float]] = {name: [] for name in callers}
    singles: dict[str, list[float]] = {name: [] for name in callers}
    for _block in range(sizes.blocks):
        for name in random.sample(list(callers), len(callers)):
            times = [line.timed(callers[name]()) for _request in range(sizes.requests)]
            costs[name].append(sum(times) / len(times))
            singles[name] += times
    ratios = {
        door: median(
            ours / bare for ours, bare in zip(costs[door], costs[f"bare_{door}"], strict=True)
        )
        for door in DOORS
    }
    return {
        "poll_ratio": round(max(ratios.values()), 3),
        **{f"poll_ratio_{door}": round(ratio, 3) for door, ratio in ratios.items()},
        **{f"{name}_polls_per_s": round(1 / median(found)) for name, found in costs.items()},
        **{
            f"{name}_poll_p99_ms": round(percentile(found, 0.99) * 1000, 2)
            for name, found in singles.items()
        },
    }


def cost_of_orders(port: int, token: str, sizes: Sizes) -> dict[str, Any]:
    """Orders at both doors in turn. Nobody renders them."""
    line = Line(port)
    bodies = {
        "v1": ("/v1/videos", {**ORDER, "seconds": "1"}),
        "native": ("/api/v1/jobs", {**ORDER, "seconds": 1}),
    }
    times: dict[str, list[float]] = {door: [] for door in DOORS}
    for number in range(sizes.creates):
        for door, (address, body) in bodies.items():
            sent = json.dumps({**body, "seed": number}).encode()
            request = a_request("POST", address, f"Bearer {token}", sent)
            times[door].append(line.timed(request))
    every = [each for found in times.values() for each in found]
    return {
        "create_p99_ms": round(percentile(every, 0.99) * 1000, 2),
        **{f"{door}_creates_per_s": round(1 / median(found)) for door, found in times.items()},
    }


class Line:
    """One kept connection, by hand: a client library would cost as much as the answer."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def timed(self, request: bytes) -> float:
        began = time.perf_counter()
        self.ask(request)
        return time.perf_counter() - began

    def ask(self, request: bytes) -> bytes:
        self._socket.sendall(request)
        head, _break, body = self._more(b"").partition(b"\r\n\r\n")
        assert head[9:12] in (b"200", b"201"), head + body
        (length,) = (
            int(line.split(b":")[1])
            for line in head.lower().splitlines()
            if line.startswith(b"content-length")
        )
        while len(body) < length:
            body += self._socket.recv(65536)
        return body

    def _more(self, found: bytes) -> bytes:
        while b"\r\n\r\n" not in found:
            found += self._socket.recv(65536)
        return found


def a_request(method: str, address: str, authorization: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {address} HTTP/1.1", "Host: localhost", f"Authorization: {authorization}"]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextmanager
def web() -> Iterator[int]:
    """The web process, its addresses those of the house and the bare view."""
    connection.close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = get_context("spawn").Process(target=serve, args=(port,), daemon=True)
    process.start()
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.join()


def serve(port: int) -> None:
    """In a process of its own. Its module has another name there, and so has what Django reads."""
    settings.ROOT_URLCONF = __name__
    sys.modules[__name__].urlpatterns = urlpatterns  # type: ignore[attr-defined]
    settings.ALLOWED_HOSTS = ["*"]
    # The line of each request is written, as everywhere; nobody here reads it.
    with Path("/dev/null").open("w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stderr.fileno())
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    uvicorn.run(
        "greenroom.asgi:application",
        port=port,
        http="greenroom.router.wire:Bounded",
        log_level="error",
    )


def wait_for(port: int) -> None:
    over = time.monotonic() + 60
    while True:
        try:
            Line(port).ask(a_request("GET", "/health/ready", ""))
            return
        except (OSError, AssertionError):
            assert time.monotonic() < over
            time.sleep(0.1)


if __name__ == "__main__":
    random.seed(7)
    main()
