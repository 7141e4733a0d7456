from __future__ import annotations

from typing import Any

import pytest

from accounts.webhooks.commands import make_webhook
from core.ids import shown


@pytest.fixture
def hook(receiver: Any):
    """Makes a webhook that the receiver stands behind: its public id and its secret."""

    def make(member: Any, *types: str, url: str = "", name: str = "my tool") -> tuple[str, str]:
        endpoint, secret = make_webhook(
            actor=member.actor,
            name=name,
            address=url or receiver.url,
            event_types=list(types) or ["video.completed", "video.failed"],
        )
        return shown("webhook_endpoint", endpoint.id), secret

    return make
