"""The lab's own OpenID provider: OpenID Connect Core 1.0, code flow with PKCE (RFC 7636).

Knows no Django. What the provider signs is checked against its published keys although it comes
straight from it, and every sign-in has a state and a nonce of its own. Tokens are read and dropped.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import jwt

TIMEOUT_S = 5.0
LARGEST_ANSWER = 1 << 20
# Only such as need the provider's private key: “none” and shared secrets are out.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
CLOCKS_DIFFER_S = 60
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class ProviderAway(Exception):
    """It does not answer, or with something that is no answer. Trying later may help."""


class NotVouched(Exception):
    """What came back does not say who this is: forged, meant for another, or without an address
    that the provider has verified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """``redirect_uri`` is where it sends people back to; ``name`` stands on the button."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sign-in under way, kept in the browser's session until it comes back."""

    state: str
    nonce: str
    verifier: str = field(repr=False)


def new_attempt() -> Attempt:
    return Attempt(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))


def address_to_ask(provider: Provider, attempt: Attempt) -> str:
    """Where somebody goes to sign in. Raises ``ProviderAway``."""
    digest = hashlib.sha256(attempt.verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uri,
        "scope": "openid email",
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    endpoint = _endpoint(_discovered(provider), "authorization_endpoint")
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"


def vouched_address(provider: Provider, attempt: Attempt, code: str) -> str:
    """The verified e-mail address of whoever signed in there.

    Raises ``NotVouched`` for everything that does not hold, ``ProviderAway`` without an answer.
    """
    found = _discovered(provider)
    tokens = _exchanged(provider, attempt, code, found)
    claims = _claims(provider, attempt, tokens, found)
    if "email" not in claims:
        claims = _told_of(claims, tokens, found)
    address = claims.get("email")
    said = claims.get("email_verified")
    # Some providers write the truth value as a word.
    if not (said is True or said == "true") or not isinstance(address, str):
        raise NotVouched("no verified address")
    return address


def _discovered(provider: Provider) -> Mapping[str, Any]:
    found = _asked(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    if found.get("issuer") != provider.issuer:
        raise ProviderAway(f"it calls itself {found.get('issuer')!r}")
    return found


def _exchanged(
    provider: Provider, attempt: Attempt, code: str, found: Mapping[str, Any]
) -> Mapping[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": provider.redirect_uri,
        "code_verifier": attempt.verifier,
    }
    headers = {}
    ways = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if "client_secret_basic" in ways:
        # RFC 6749, 2.3.1: both are form-encoded first.
        both = urlencode({provider.client_id: provider.client_secret}).replace("=", ":", 1)
        headers["Authorization"] = f"Basic {base64.b64encode(both.encode()).decode()}"
    else:
        form |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
    return _asked(_endpoint(found, "token_endpoint"), form=form, headers=headers)


def _claims(
    provider: Provider, attempt: Attempt, tokens: Mapping[str, Any], found: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The checks of OpenID Connect Core 1.0, section 3.1.3.7."""
    token = str(tokens.get("id_token", ""))
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key=_key(token, _asked(_endpoint(found, "jwks_uri"))),
            algorithms=ALGORITHMS,
            audience=provider.client_id,
            issuer=provider.issuer,
            leeway=CLOCKS_DIFFER_S,
            options={"require": ["exp", "iat", "iss", "aud", "sub", "nonce"]},
        )
    except jwt.PyJWTError as refused:
        raise NotVouched(type(refused).__name__) from refused
    if not hmac.compare_digest(
        str(claims["nonce"]).encode(errors="replace"), attempt.nonce.encode()
    ):
        raise NotVouched("another nonce")
    is_for_several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if is_for_several else provider.client_id) != provider.client_id:
        raise NotVouched("meant for another")
    return claims


def _key(token: str, published: Mapping[str, Any]) -> jwt.PyJWK:
    wanted = jwt.get_unverified_header(token).get("kid")
    keys = jwt.PyJWKSet.from_dict(dict(published)).keys
    for key in keys:
        if key.key_id == wanted or (wanted is None and len(keys) == 1):
            return key
    raise NotVouched("signed with an unknown key")


def _told_of(
    claims: Mapping[str, Any], tokens: Mapping[str, Any], found: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The same person's claims from the userinfo endpoint, where the token holds no address."""
    bearer = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
    told = _asked(_endpoint(found, "userinfo_endpoint"), headers=bearer)
    if told.get("sub") != claims["sub"]:
        raise NotVouched("somebody else's claims")
    return told


class _StayHere(HTTPRedirectHandler):
    """A secret goes to the address that was published, and follows no redirect elsewhere."""

    def redirect_request(self, *_arguments: Any, **_named: Any) -> None:
        return None


def _endpoint(found: Mapping[str, Any], name: str) -> str:
    return _safe(str(found.get(name, "")))


def _safe(url: str) -> str:
    parts = urlsplit(url)
    is_here = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or is_here):
        raise ProviderAway(f"{url!r} is no https address")
    return url


def _asked(
    url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> Mapping[str, Any]:
    body = urlencode(form).encode() if form is not None else None
    request = Request(_safe(url), body, {"Accept": "application/json", **(headers or {})})  # noqa: S310
    try:
        with build_opener(_StayHere).open(request, timeout=TIMEOUT_S) as answer:
            found = json.loads(answer.read(LARGEST_ANSWER))
    except HTTPError as refused:
        with refused:
            if refused.code in (400, 401, 403):
                raise NotVouched(f"{urlsplit(url).path}: {refused.code}") from refused
            raise ProviderAway(f"{urlsplit(url).path}: {refused.code}") from refused
    except (URLError, OSError, HTTPException, ValueError) as failed:
        raise ProviderAway(type(failed).__name__) from failed
    if not isinstance(found, dict):
        raise ProviderAway("no JSON object")
    return found
