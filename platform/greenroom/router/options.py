"""What the router takes from the settings, once, when the process starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

MediaBackend = Literal["router", "accel"]


@dataclass(frozen=True)
class Options:
    mode: str = "demo"
    allowed_hosts: list[str] = field(default_factory=lambda: ["localhost", "127.0.0.1", "[::1]"])
    trusted_proxies: list[str] = field(default_factory=list)
    max_body_bytes: int = 25 * 1024 * 1024
    session_cookie: str = "greenroom_session"
    media_folder: Path = Path("var/media")
    media_backend: MediaBackend = "router"
    models_folder: Path = Path("var/models")

    @classmethod
    def from_settings(cls) -> Self:
        from django.conf import settings
        from django.core.exceptions import ImproperlyConfigured

        if settings.MEDIA_BACKEND not in ("router", "accel"):
            raise ImproperlyConfigured(
                f"GREENROOM_MEDIA_BACKEND is {settings.MEDIA_BACKEND!r}; it is router or accel"
            )
        return cls(
            mode=settings.MODE,
            allowed_hosts=list(settings.ALLOWED_HOSTS),
            trusted_proxies=list(settings.TRUSTED_PROXIES),
            max_body_bytes=settings.MAX_BODY_BYTES,
            session_cookie=settings.SESSION_COOKIE_NAME,
            media_folder=Path(settings.MEDIA_FOLDER),
            models_folder=Path(settings.MODELS_FOLDER),
            media_backend="accel" if settings.MEDIA_BACKEND == "accel" else "router",
        )
