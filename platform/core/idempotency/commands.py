"""``Idempotency-Key``: the same request twice does the deed once and answers twice."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from core.clock import now
from core.errors import InvalidOrder, KeyReused
from core.idempotency.models import KeptAnswer

KEPT_FOR = timedelta(days=30)
_SHAPE = re.compile(r"[\x21-\x7e]{1,255}\Z")


class AlreadyAnswered(Exception):
    """The deed was done before; the door sends this answer again."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class Once:
    """One key in one scope with one payload. A command calls ``begin`` first and ``keep`` last.

    Both belong to the command's own transaction, so a refused or broken attempt keeps nothing and
    may be tried again with the same key.
    """

    scope: str
    key: str
    payload_sha256: bytes

    @classmethod
    def of(cls, *, scope: str, key: str, payload: Any) -> Once:
        if not _SHAPE.match(key):
            raise InvalidOrder(
                "idempotency_key_invalid",
                _("An Idempotency-Key has 1 to 255 printable characters without spaces."),
            )
        canonical = json.dumps(payload, sort_keys=True, separators=(",", ":"), default=str)
        return cls(scope, key, hashlib.sha256(canonical.encode()).digest())

    def begin(self) -> None:
        """Claim the key. Raises ``AlreadyAnswered`` when repeated, ``KeyReused`` for another body.

        A second request with the same key waits here for the first one's commit.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO core_keptanswer (scope, key, payload_sha256) VALUES (%s, %s, %s)"
                " ON CONFLICT (scope, key) DO NOTHING",
                [self.scope, self.key, self.payload_sha256],
            )
            if cursor.rowcount == 1:
                return
        self._answer(KeptAnswer.objects.get(scope=self.scope, key=self.key))

    def look(self) -> None:
        """Raises what ``begin`` would for a key that was answered; claims nothing."""
        first = KeptAnswer.objects.filter(scope=self.scope, key=self.key).first()
        if first is not None:
            self._answer(first)

    def _answer(self, first: KeptAnswer) -> None:
        if bytes(first.payload_sha256) != self.payload_sha256:
            raise KeyReused
        assert first.status is not None
        raise AlreadyAnswered(first.status, first.body)

    def keep(self, status: int, body: Any) -> None:
        KeptAnswer.objects.filter(scope=self.scope, key=self.key).update(status=status, body=body)


def forget_old_answers() -> int:
    with transaction.atomic():
        deleted, _rows = KeptAnswer.objects.filter(at__lt=now() - KEPT_FOR).delete()
    return deleted
