"""Who asks, and by which scheme: the peer itself, unless a proxy the operator named says more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from greenroom.router.exchange import Scope

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Client:
    """`address` is empty where there is none (a Unix socket)."""

    address: str
    port: int
    scheme: str


class TrustedProxies:
    """Raises ValueError for anything but addresses and networks in CIDR form."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ip_network(network) for network in networks]

    def client_of(self, scope: Scope) -> Client:
        """Walks `X-Forwarded-For` from the right and stops at the first that is not ours: only
        what our own proxies appended is believed."""
        peer, port = scope.get("client") or ("", 0)
        scheme = str(scope.get("scheme", "http"))
        if not self._trusts(_address(peer)):
            return Client(_plain(peer), port, scheme)
        told = _listed(scope, b"x-forwarded-proto")
        if told and told[-1].lower() in ("http", "https"):
            scheme = told[-1].lower()
        found = _plain(peer)
        for hop in reversed(_listed(scope, b"x-forwarded-for")):
            address = _address(hop)
            if address is None:
                break
            found, port = str(address), 0
            if not self._trusts(address):
                break
        return Client(found, port, scheme)

    def _trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


def _listed(scope: Scope, name: bytes) -> list[str]:
    joined = b",".join(value for key, value in scope["headers"] if key == name)
    return [part.strip() for part in joined.decode("latin-1").split(",") if part.strip()]


def _address(text: str) -> Address | None:
    """Also `1.2.3.4:5678`, `[::1]:5678` and IPv4 written as IPv6."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _plain(peer: str) -> str:
    address = _address(peer)
    return str(address) if address is not None else ""
