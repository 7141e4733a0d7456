"""The environment, read by small typed functions. Everything else is a row or a constant."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from greenroom.embedded.urls import database_urls
from greenroom.secrets import Secrets, SecretsMissing, load_secrets

PLACEHOLDER_KEY = "a-placeholder-that-production-refuses"
# Who is frozen or cut off in mid-transaction holds rows that everybody wants: the server ends it.
LET_GO = "-c idle_in_transaction_session_timeout=30s"
MODES = ("demo", "production", "test")
MAIL_BACKENDS = {
    "demo": "greenroom.post_box.KeptMail",
    "production": "django.core.mail.backends.smtp.EmailBackend",
    "test": "django.core.mail.backends.locmem.EmailBackend",
}


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


def webhook_networks() -> tuple[IPv4Network | IPv6Network, ...]:
    """Private networks that webhooks may reach. Raises ``ImproperlyConfigured``."""
    texts = listed("GREENROOM_WEBHOOK_NETWORKS", default=[])
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as wrong:
        raise ImproperlyConfigured(f"GREENROOM_WEBHOOK_NETWORKS: {wrong}") from wrong


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


@dataclass(frozen=True, slots=True)
class MailServer:
    """``host`` is empty where there is none."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    speaks_tls: bool
    starts_tls: bool


def mail_server() -> MailServer:
    """From GREENROOM_MAIL_URL: ``smtp://user:password@host:587`` (STARTTLS) or ``smtps://…``.

    With a server on this machine ``smtp`` starts no TLS. Raises for anything else.
    """
    url = os.environ.get("GREENROOM_MAIL_URL", "")
    parts = urlsplit(url)
    if url and (parts.scheme not in ("smtp", "smtps") or not parts.hostname):
        raise ImproperlyConfigured(
            "GREENROOM_MAIL_URL names no mail server: smtp://user:password@host:587, or smtps://…"
        )
    is_tls = parts.scheme == "smtps"
    host = parts.hostname or ""
    return MailServer(
        host=host,
        port=parts.port or (465 if is_tls else 587),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        speaks_tls=is_tls,
        starts_tls=not is_tls and host not in ("localhost", "127.0.0.1", "::1"),
    )


def files_address() -> str:
    """Where a worker sends its files, from GREENROOM_FILES_ADDRESS; empty where it shares the
    media folder. Raises for anything but https, and http to this very machine."""
    text = os.environ.get("GREENROOM_FILES_ADDRESS", "").strip().rstrip("/")
    parts = urlsplit(text)
    is_here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    is_plain = parts.username is None and not parts.query and not parts.fragment
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_here)
    if text and not (parts.hostname and is_plain and is_safe):
        raise ImproperlyConfigured(
            "GREENROOM_FILES_ADDRESS names no web to send files to: https://greenroom.example"
        )
    return text


def worker_credential() -> str:
    """What a worker on another machine proves itself with; read anew each time, so that it is
    replaced without a restart. Raises ``OSError`` where its file cannot be read."""
    path = os.environ.get("GREENROOM_WORKER_CREDENTIAL_FILE", "")
    text = Path(path).read_text() if path else os.environ.get("GREENROOM_WORKER_CREDENTIAL", "")
    return text.strip()


def openid_provider() -> dict[str, str] | None:
    """The lab's own OpenID provider, where there is one. Raises where only a part of it is said."""
    said = {
        "issuer": os.environ.get("GREENROOM_OIDC_ISSUER", ""),
        "client_id": os.environ.get("GREENROOM_OIDC_CLIENT_ID", ""),
        "client_secret": os.environ.get("GREENROOM_OIDC_CLIENT_SECRET", ""),
    }
    if not any(said.values()):
        return None
    if not all(said.values()):
        raise ImproperlyConfigured(
            "Sign-in through OpenID needs GREENROOM_OIDC_ISSUER, GREENROOM_OIDC_CLIENT_ID and"
            " GREENROOM_OIDC_CLIENT_SECRET together"
        )
    return {**said, "name": os.environ.get("GREENROOM_OIDC_NAME") or "OpenID"}


def mail_from(address: str) -> str:
    """Whose name stands on a mail: what the operator says, or the house at its own address."""
    host = urlsplit(address).hostname or "localhost"
    return os.environ.get("GREENROOM_MAIL_FROM") or f"Greenroom <post@{host}>"


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
