"""Where a webhook may go: how its address is written, and which networks are none of its business.

An endpoint's owner chooses the address, and the house's own network answers whoever stands in it.
So a name is looked up once for each attempt, every address it gives is judged here, and the
connection goes to one of exactly these: a second answer is never asked for.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from accounts.webhooks.rules import LONGEST_URL

IP = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

USUAL_PORTS = {"http": 80, "https": 443}
LEAST_OTHER_PORT = 1024
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# What a browser reads as a number (WHATWG URL, "ends in a number"): also octal and hexadecimal.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_VISIBLE = re.compile(r"[\x21-\x7e]+")

# IANA's special-purpose registries, written out: which of them the standard library knows differs
# from one version of Python to the next.
CLOSED: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; some clouds keep their metadata there
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local: the metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/8",  # unspecified, loopback, IPv4-compatible and IPv4-mapped
        "64:ff9b::/96",  # NAT64: an IPv4 address inside
        "64:ff9b:1::/48",
        "100::/8",
        "2001::/23",  # Teredo and other tunnels
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address inside
        "2620:4f:8000::/48",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",  # unique local: fd00:ec2::254 among them
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)


class AddressRefused(Exception):
    """``code`` is for programs and the log; it never holds what was found in a name server."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator opens beside the public internet."""

    networks: tuple[Network, ...] = ()
    loopback: bool = False  # and http, where it goes there

    def holds(self, ip: IP) -> bool:
        if self.loopback and _plain(ip).is_loopback:
            return True
        return any(ip.version == each.version and ip in each for each in self.networks)


@dataclass(frozen=True, slots=True)
class Address:
    """``target`` is what follows the host, as it is sent."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def shown(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == USUAL_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def ip(self) -> IP | None:
        """Where the host is an address itself and no name."""
        return _ip(self.host)


def read_address(url: str, allowed: Allowed) -> Address:
    """Raises ``AddressRefused`` for what is no plain https address, or is one of a closed network.

    Plain http is for this machine alone, where the operator lets webhooks go there.
    """
    if len(url) > LONGEST_URL or not _VISIBLE.fullmatch(url) or "\\" in url:
        raise AddressRefused("url_invalid")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused("url_invalid") from None
    if parts.scheme not in USUAL_PORTS or "#" in url:
        raise AddressRefused("url_invalid")
    if "@" in parts.netloc:
        raise AddressRefused("url_with_credentials")
    host = _host(parts.netloc, parts.hostname or "")
    address = Address(
        scheme=parts.scheme,
        host=host,
        port=USUAL_PORTS[parts.scheme] if port is None else port,
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )
    _judge_port(address)
    if address.ip is not None:
        judge([address.ip], allowed)
    elif _is_of_this_machine(host) and not allowed.loopback:
        raise AddressRefused("network_closed")
    if address.scheme == "http" and not (allowed.loopback and _is_of_this_machine(host)):
        raise AddressRefused("url_not_https")
    return address


def judge(found: Iterable[IP], allowed: Allowed) -> None:
    """Every one of them, since any may be taken. Raises ``AddressRefused``."""
    for ip in found:
        if not allowed.holds(ip) and is_closed(ip):
            raise AddressRefused("network_closed")


def is_closed(ip: IP) -> bool:
    """Whether it is no address of the public internet, or hides one that is not."""
    if getattr(ip, "scope_id", None):
        return True
    closed = any(ip.version == each.version and ip in each for each in CLOSED)
    return closed or not ip.is_global or ip.is_multicast


def _judge_port(address: Address) -> None:
    # What listens below 1024, beside the web's own port, takes a POST for something else.
    if address.port != USUAL_PORTS[address.scheme] and address.port < LEAST_OTHER_PORT:
        raise AddressRefused("port_closed")


def _host(netloc: str, host: str) -> str:
    host = host.lower()
    if netloc.startswith("["):
        if not isinstance(_ip(host), ipaddress.IPv6Address) or "%" in host:
            raise AddressRefused("host_invalid")
        return host
    labels = host.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        # 2130706433, 0x7f.1, 0177.0.0.1 and 127.1 are all this machine to some: one spelling only.
        if str(_ip(host)) != host:
            raise AddressRefused("host_invalid")
        return host
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressRefused("host_invalid")
    return ".".join(labels)


def _is_of_this_machine(host: str) -> bool:
    ip = _ip(host)
    return ip.is_loopback if ip else host == "localhost" or host.endswith(".localhost")


def _plain(ip: IP) -> IP:
    """An IPv4 address that came in IPv6's clothes."""
    mapped = getattr(ip, "ipv4_mapped", None)
    return mapped if mapped is not None else ip


def _ip(text: str) -> IP | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
