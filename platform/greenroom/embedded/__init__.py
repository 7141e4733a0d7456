"""The embedded PostgreSQL: found, made, started, healed and stopped by us."""

from .binaries import Binaries, binaries_in, choose_binaries, system_binaries, wheel_binaries
from .cluster import Cluster, Status
from .errors import EmbeddedError, NoBinaries, RolesRefused, VersionMismatch
from .urls import DatabaseUrls, database_urls, embedded_cluster

__all__ = [
    "Binaries",
    "Cluster",
    "DatabaseUrls",
    "EmbeddedError",
    "NoBinaries",
    "RolesRefused",
    "Status",
    "VersionMismatch",
    "binaries_in",
    "choose_binaries",
    "database_urls",
    "embedded_cluster",
    "system_binaries",
    "wheel_binaries",
]
