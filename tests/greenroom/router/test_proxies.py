"""Only proxies that the operator named are believed."""

from __future__ import annotations

import pytest

from greenroom.router.proxies import Client, TrustedProxies


def _scope(peer, **headers):
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"client": (peer, 4000) if peer else None, "scheme": "http", "headers": pairs}


def test_without_proxies_nothing_a_client_says_is_believed():
    scope = _scope("203.0.113.9", x_forwarded_for="10.0.0.1", x_forwarded_proto="https")

    assert TrustedProxies([]).client_of(scope) == Client("203.0.113.9", 4000, "http")


def test_a_stranger_is_not_believed_because_proxies_exist():
    scope = _scope("203.0.113.9", x_forwarded_for="10.0.0.1", x_forwarded_proto="https")

    assert TrustedProxies(["10.0.0.0/8"]).client_of(scope).address == "203.0.113.9"


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("1.1.1.1, 198.51.100.7", "198.51.100.7"),  # the first part is the client's own claim
        ("198.51.100.7, 10.0.0.2", "198.51.100.7"),  # two proxies of ours
        ("198.51.100.7:5555", "198.51.100.7"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("198.51.100.7, nonsense", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_the_client_is_the_first_address_from_the_right_that_is_not_ours(told, address):
    proxies = TrustedProxies(["10.0.0.0/8"])

    assert proxies.client_of(_scope("10.0.0.1", x_forwarded_for=told)).address == address


def test_the_scheme_comes_from_the_proxy_next_to_us():
    proxies = TrustedProxies(["10.0.0.0/8"])

    assert proxies.client_of(_scope("10.0.0.1", x_forwarded_proto="https")).scheme == "https"
    assert proxies.client_of(_scope("10.0.0.1", x_forwarded_proto="https, http")).scheme == "http"
    assert proxies.client_of(_scope("10.0.0.1", x_forwarded_proto="gopher")).scheme == "http"


def test_a_peer_without_an_address_is_nobody():
    assert TrustedProxies(["0.0.0.0/0"]).client_of(_scope(None)).address == ""


def test_a_proxy_that_is_no_network_is_refused_at_the_start():
    with pytest.raises(ValueError, match="proxy"):
        TrustedProxies(["my-proxy"])
