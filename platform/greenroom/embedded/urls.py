"""Which database we speak to, as application and as owner. Starts and makes nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from greenroom.secrets import SecretsMissing, load_secrets, var_path

from .cluster import Cluster, socket_url
from .places import place_of
from .roles import APP, OWNER

PLACEHOLDER = "no-secrets-yet"  # lets settings be imported before there are any


@dataclass(frozen=True)
class DatabaseUrls:
    """`makes_application_role`: the operator gave one role only, and it is to make the other."""

    app: str
    owner: str
    is_embedded: bool = False
    makes_application_role: bool = False


def cluster_home() -> Path:
    return var_path() / "pg"


def embedded_cluster(**options: Any) -> Cluster:
    """This installation's own cluster; its secrets are made if they are not there yet."""
    return Cluster(home=cluster_home(), passwords=load_secrets(create=True).database, **options)


def database_urls() -> DatabaseUrls:
    """Raises ValueError where only DATABASE_OWNER_URL is set."""
    app, owner = os.environ.get("DATABASE_URL"), os.environ.get("DATABASE_OWNER_URL")
    if app and owner:
        return DatabaseUrls(app, owner)
    if app:
        return DatabaseUrls(_as_application(app), app, makes_application_role=True)
    if owner:
        raise ValueError("DATABASE_OWNER_URL is set without DATABASE_URL, the application's role.")
    place, passwords = place_of(cluster_home()), _passwords()
    return DatabaseUrls(
        app=socket_url(place, APP, passwords.get(APP, PLACEHOLDER)),
        owner=socket_url(place, OWNER, passwords.get(OWNER, PLACEHOLDER)),
        is_embedded=True,
    )


def _as_application(owner_url: str) -> str:
    """The same server and database, as the application role that we make there."""
    parts = urlsplit(owner_url)
    password = quote(_passwords().get(APP, PLACEHOLDER), safe="")
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{APP}:{password}@{address}"))


def _passwords() -> dict[str, str]:
    try:
        return load_secrets(create=False).database
    except SecretsMissing:
        return {}
