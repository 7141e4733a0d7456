"""The clock of the house, as a test may turn it: one row that ``core_now()`` reads.

Web, workers, browser and triggers share it. Left alone it is the real time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from stage.database import Database


@dataclass
class Clock:
    database: Database

    def now(self) -> datetime:
        row = self.database.superuser.execute("SELECT core_now()").fetchone()
        assert row is not None
        return row[0]  # type: ignore[no-any-return]

    def set(self, moment: datetime) -> None:
        """Stand still at this moment."""
        self._write("frozen_at = %s", moment)

    def stop(self) -> datetime:
        """Stand still now."""
        moment = self.now()
        self.set(moment)
        return moment

    def advance(self, by: timedelta | None = None, **parts: float) -> None:
        """``clock.advance(days=8)``. A standing clock jumps and stands, a running one goes on."""
        self._write(
            "frozen_at = frozen_at + %(by)s, ahead = ahead + %(by)s",
            {"by": by or timedelta(**parts)},
        )

    def _write(self, change: str, values: Any) -> None:
        arguments = values if isinstance(values, dict) else [values]
        self.database.superuser.execute(f"UPDATE test.clock SET {change}", arguments)


@pytest.fixture
def clock(database: Database) -> Any:
    made = Clock(database)
    yield made
    database.superuser.execute("UPDATE test.clock SET frozen_at = NULL, ahead = '0'")
