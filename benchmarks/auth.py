"""What our token costs a request, against DRF's TokenAuthentication.

``python benchmarks/auth.py [--quick] [--keep NAME]``. The last line is one JSON object. Both
answer the same empty view through Django's WSGI handler without middleware, in turn, in blocks;
``ratio`` is the median of the blocks' ratios of wall time. Tokens are those of a working set in a
table of many. Each of ours has been used before: the first use in five minutes also writes *last
used* (``queries_first``), which DRF's has not.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from statistics import median
from typing import Any

from workbench import Bar, conclude, parsed, running_database, seeded_programme

# isort: split

import psycopg
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import path
from rest_framework.authentication import TokenAuthentication
from rest_framework.authtoken.models import Token as AbstractToken
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.credentials.models import Credential
from accounts.credentials.peppers import current
from accounts.credentials.rules import SESSION_LASTS, TOKEN_SCOPES, Letter, digest, new_token
from accounts.people.models import Party, Person
from accounts.programmes.models import Membership, Programme, RoleGrant
from core.clock import now
from greenroom.api.authentication import TokenAuthentication as OurAuthentication
from greenroom.embedded import Cluster
from greenroom.embedded.roles import OWNER

PEOPLE = 5_000
WORKING_SET = 50
BARS = {"ratio": Bar(1.1), "queries": Bar(1), "bad_checksum_queries": Bar(0)}


class Token(AbstractToken):
    """DRF's own, in a table of its own: its app is not installed here."""

    class Meta:
        app_label = "accounts"
        db_table = "bench_token"


class DrfAuthentication(TokenAuthentication):
    model = Token


class Anonymous(APIView):
    authentication_classes: Any = ()
    permission_classes: Any = ()

    def get(self, _request: Request) -> Response:
        return Response({})


class Theirs(Anonymous):
    authentication_classes = (DrfAuthentication,)
    permission_classes = (IsAuthenticated,)


class Ours(Anonymous):
    authentication_classes = (OurAuthentication,)
    permission_classes = (IsAuthenticated,)


urlpatterns = [
    path("anonymous", Anonymous.as_view()),
    path("theirs", Theirs.as_view()),
    path("ours", Ours.as_view()),
]


def main() -> None:
    options = parsed(__doc__, "30 blocks of 20 requests instead of 200 of 50")
    blocks, requests = (30, 20) if options.quick else (200, 50)
    with running_database() as cluster, bare_handler() as ask:
        ours, theirs = seeded(cluster)
        callers = {
            "anonymous": lambda: ask("anonymous", ""),
            "theirs": lambda: ask("theirs", f"Token {random.choice(theirs)}"),
            "ours": lambda: ask("ours", f"Bearer {random.choice(ours)}"),
        }
        first = queries(lambda: ask("ours", f"Bearer {ours[0]}"))
        for token in ours:
            ask("ours", f"Bearer {token}")
        wrong = ours[0][:-1] + ("a" if ours[0][-1] != "a" else "b")
        costs = measured(callers, blocks, requests)
        figures = {
            "ratio": ratio(costs, "ours", "theirs"),
            "queries": queries(callers["ours"]),
            "bad_checksum_queries": queries(lambda: ask("ours", f"Bearer {wrong}", 401)),
            "queries_first": first,
            "ours_us": round(median(costs["ours"]) * 1e6),
            "theirs_us": round(median(costs["theirs"]) * 1e6),
            "anonymous_us": round(median(costs["anonymous"]) * 1e6),
            "blocks": blocks,
        }
    conclude(figures, BARS, options)


def measured(
    callers: dict[str, Callable[[], None]], blocks: int, requests: int
) -> dict[str, list[float]]:
    """Seconds a request in each block; within a block the callers take turns in random order."""
    costs: dict[str, list[float]] = {name: [] for name in callers}
    for _block in range(blocks):
        for name in random.sample(list(callers), len(callers)):
            began = time.perf_counter()
            for _request in range(requests):
                callers[name]()
            costs[name].append((time.perf_counter() - began) / requests)
    return costs


def ratio(costs: dict[str, list[float]], one: str, other: str) -> float:
    pairs = zip(costs[one], costs[other], strict=True)
    return round(median(mine / its for mine, its in pairs), 3)


def queries(request: Callable[[], None]) -> int:
    with CaptureQueriesContext(connection) as captured:
        request()
    return len(captured)


@contextmanager
def bare_handler() -> Iterator[Callable[..., None]]:
    """Requests through Django's WSGI handler with these three addresses and no middleware."""
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[], ALLOWED_HOSTS=["*"]):
        handler = WSGIHandler()

        def ask(page: str, authorization: str, expected: int = 200) -> None:
            answer = handler(_environ(page, authorization), lambda *_: None)
            answer.close()
            assert answer.status_code == expected, (page, answer.status_code)

        yield ask


def _environ(page: str, authorization: str) -> dict[str, Any]:
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": f"/{page}",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
    }
    return environ | ({"HTTP_AUTHORIZATION": authorization} if authorization else {})


def seeded(cluster: Cluster) -> tuple[list[str], list[str]]:
    """The working set's tokens, ours and theirs, of the same people."""
    with psycopg.connect(cluster.url(OWNER), autocommit=True) as owner:
        owner.execute(
            "CREATE TABLE bench_token (key varchar(40) PRIMARY KEY, created timestamptz NOT NULL,"
            " user_id uuid NOT NULL UNIQUE REFERENCES accounts_person (id))"
        )
        people = _people()
        ours = _tokens(people, seeded_programme())
        theirs = [Token(key=Token.generate_key(), user=person) for person in people]
        Token.objects.bulk_create(theirs, batch_size=1000)
        owner.execute("VACUUM ANALYZE")
    chosen = random.sample(range(PEOPLE), WORKING_SET)
    return [ours[place] for place in chosen], [theirs[place].key for place in chosen]


def _people() -> list[Person]:
    parties = Party.objects.bulk_create(
        [Party(kind=Party.Kind.PERSON) for _number in range(PEOPLE)], batch_size=1000
    )
    return Person.objects.bulk_create(
        [
            Person(party=party, email=f"{number}@bench.example", password="!")
            for number, party in enumerate(parties)
        ],
        batch_size=1000,
    )


def _tokens(people: list[Person], programme: Programme) -> list[str]:
    members = Membership.objects.bulk_create(
        [Membership(programme=programme, party_id=person.party_id) for person in people],
        batch_size=1000,
    )
    RoleGrant.objects.bulk_create(
        [RoleGrant(membership=member, role="tester") for member in members], batch_size=1000
    )
    (pepper_id, key), moment = current(), now()
    made = [new_token(Letter.TESTER) for _person in people]
    Credential.objects.bulk_create(
        [
            Credential(
                kind=Credential.Kind.TOKEN,
                key_id=parts.key_id,
                party_id=person.party_id,
                programme=programme,
                name="bench",
                digest=digest(parts, key),
                pepper_id=pepper_id,
                scopes=TOKEN_SCOPES,
                minted_auth_method="operator",
                minted_at=moment,
                expires_at=moment + SESSION_LASTS,
            )
            for person, (parts, _text) in zip(people, made, strict=True)
        ],
        batch_size=1000,
    )
    return [text for _parts, text in made]


if __name__ == "__main__":
    random.seed(7)
    main()
