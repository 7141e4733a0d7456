"""Exports as pages show them: states are sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.exports.models import Export
from core.ids import shown

State = Export.State


@dataclass(frozen=True, slots=True)
class ShownExport:
    """``file_url`` is empty where there is nothing to download."""

    public_id: str
    state: str
    sentence: str
    tone: str
    asked_at: datetime
    expires_at: datetime | None
    bytes: int | None
    sha256: str
    file_url: str


def shown_export(export: Export, moment: datetime) -> ShownExport:
    state = state_now(export, moment)
    return ShownExport(
        public_id=shown("export", export.id),
        state=state,
        sentence=_sentence(state),
        tone={State.READY: "good", State.ASKED: "wait", State.FAILED: "stop"}.get(state, ""),
        asked_at=export.asked_at,
        expires_at=export.expires_at,
        bytes=export.bytes,
        sha256=export.sha256,
        file_url=file_url(export) if state is State.READY else "",
    )


def state_now(export: Export, moment: datetime) -> Export.State:
    """The sweep writes the end a little later than it is."""
    state = State(export.state)
    is_over = state is State.READY and export.expires_at is not None
    return State.ENDED if is_over and export.expires_at <= moment else state  # type: ignore[operator]


def file_url(export: Export) -> str:
    """Served by the router, not by Django."""
    return f"/exports/{shown('export', export.id)}/file"


def _sentence(state: Export.State) -> str:
    return {
        State.ASKED: _("Is being put together. You hear when it is ready."),
        State.READY: _("Ready to be downloaded."),
        State.FAILED: _("Could not be put together. Ask again; nothing of yours is lost."),
        State.ENDED: _("Its time is over and the file is deleted. Ask again for a new one."),
    }[state]
