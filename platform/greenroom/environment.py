"""The environment, read by small typed functions. Everything else is a row or a constant."""

from __future__ import annotations

import os
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from greenroom.embedded.urls import database_urls
from greenroom.secrets import Secrets, SecretsMissing, load_secrets

PLACEHOLDER_KEY = "a-placeholder-that-production-refuses"
# Who is frozen or cut off in mid-transaction holds rows that everybody wants: the server ends it.
LET_GO = "-c idle_in_transaction_session_timeout=30s"
MODES = ("demo", "production", "test")


def mode() -> str:
    value = os.environ.get("GREENROOM_MODE", "demo")
    if value not in MODES:
        raise ImproperlyConfigured(f"GREENROOM_MODE is {value!r}; it is one of {', '.join(MODES)}")
    return value


def port() -> int:
    value = os.environ.get("PORT", "8000")
    if not value.isdigit() or not 0 < int(value) < 65536:
        raise ImproperlyConfigured(f"PORT is {value!r}; it is a number from 1 to 65535")
    return int(value)


def listed(name: str, *, default: list[str]) -> list[str]:
    """A comma-separated list."""
    value = os.environ.get(name)
    return default if value is None else [part.strip() for part in value.split(",") if part.strip()]


def secret_key() -> str:
    """The signing key, or a placeholder where none was made yet (a check refuses that one)."""
    try:
        return load_secrets(create=False).secret_key
    except SecretsMissing:
        return PLACEHOLDER_KEY


def peppers() -> dict[str, str]:
    """Keys of stored token secrets by id, the current one last. Raises ``SecretsMissing``."""
    return _secrets().peppers


@cache
def _secrets() -> Secrets:
    return load_secrets(create=False)


def database_settings() -> dict[str, Any]:
    """For the application role, or for the owner under GREENROOM_DB_ROLE=owner."""
    urls = database_urls()
    as_owner = os.environ.get("GREENROOM_DB_ROLE") == "owner"
    parts = urlsplit(urls.owner if as_owner else urls.app)
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": options.pop("port", "") or str(parts.port or ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 10,
            "application_name": "greenroom",
            **({} if as_owner else {"options": LET_GO}),
            **options,
        },
        "ATOMIC_REQUESTS": False,
    }
