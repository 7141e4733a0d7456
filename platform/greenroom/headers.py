"""The security headers of every answer: the router's own ones and Django's use this one table."""

from __future__ import annotations

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "base-uri 'none'; frame-ancestors 'none'"
)

_HSTS = "max-age=31536000; includeSubDomains"

# Passkeys and the native player's full screen are all this site asks of a browser.
_PERMISSIONS = ", ".join(
    (
        "fullscreen=(self)",
        "publickey-credentials-create=(self)",
        "publickey-credentials-get=(self)",
        *(
            f"{feature}=()"
            for feature in (
                "browsing-topics",
                "camera",
                "display-capture",
                "geolocation",
                "microphone",
                "midi",
                "payment",
                "usb",
            )
        ),
    )
)


def security_headers(mode: str) -> list[tuple[str, str]]:
    """`mode` is settings.MODE; only production promises https."""
    headers = [
        ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
        ("Referrer-Policy", "same-origin"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Permissions-Policy", _PERMISSIONS),
    ]
    if mode == "production":
        headers.append(("Strict-Transport-Security", _HSTS))
    return headers
