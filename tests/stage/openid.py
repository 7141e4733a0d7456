"""A small OpenID provider on this machine: discovery, authorisation, token, keys, userinfo.

It signs whoever ``who`` says in without asking, and does wrong on demand.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "greenroom", "a secret: with 100% signs & spaces"


@dataclass
class OpenIdProvider:
    """``claims`` are laid over what an honest token says, ``without`` left out of it."""

    issuer: str = ""
    who: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    without: set[str] = field(default_factory=set)
    told: dict[str, Any] = field(default_factory=dict)
    signs_with_another_key: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    @property
    def settings(self) -> dict[str, str]:
        return {
            "issuer": self.issuer,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "name": "The lab",
        }

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
        }

    def jwks(self) -> dict[str, Any]:
        key = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": "one", "alg": "RS256", "use": "sig"}]}

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        self.asked.append(asked)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """None for a client, a code or a verifier that is not right."""
        asked = self.codes.pop(form.get("code", ""), None)
        both = urlencode({CLIENT: SECRET}).replace("=", ":", 1)
        if authorization != f"Basic {base64.b64encode(both.encode()).decode()}" or asked is None:
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return None
        moment = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "somebody",
            "iat": moment,
            "exp": moment + 300,
            "nonce": asked["nonce"],
            "email": self.who,
            "email_verified": True,
            **self.claims,
        }
        said = {name: value for name, value in claims.items() if name not in self.without}
        other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        key = other if self.signs_with_another_key else self.key
        token = jwt.encode(said, key, algorithm="RS256", headers={"kid": "one"})
        return {"access_token": "bearer", "token_type": "Bearer", "id_token": token}


class _Door(BaseHTTPRequestHandler):
    provider: OpenIdProvider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match parts.path:
            case "/.well-known/openid-configuration":
                self._say(self.provider.discovery())
            case "/jwks":
                self._say(self.provider.jwks())
            case "/userinfo" if self.headers.get("Authorization") == "Bearer bearer":
                self._say(self.provider.told)
            case "/authorize":
                self.send_response(302)
                self.send_header("Location", self.provider.authorize(asked))
                self.end_headers()
            case _:
                self.send_error(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        found = self.provider.token(form, self.headers.get("Authorization", ""))
        self._say(found or {"error": "invalid_grant"}, 200 if found else 400)

    def _say(self, body: dict[str, Any], status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_arguments: Any) -> None: ...


@contextmanager
def an_openid_provider(port: int = 0) -> Iterator[OpenIdProvider]:
    provider = OpenIdProvider()
    door = type("Door", (_Door,), {"provider": provider})
    with ThreadingHTTPServer(("127.0.0.1", port), door) as server:
        provider.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
