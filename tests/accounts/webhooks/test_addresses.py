"""A webhook reaches the public internet and nothing of the house's own, however it is spelt."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from accounts.webhooks import outlet
from accounts.webhooks.addresses import AddressRefused, Allowed, is_closed, judge, read_address
from accounts.webhooks.outlet import Letter, send
from greenroom.environment import webhook_networks

PUBLIC = "93.184.215.14"
NOWHERE = Allowed()
HERE = Allowed(loopback=True)


def refused(url: str, allowed: Allowed = NOWHERE) -> str:
    with pytest.raises(AddressRefused) as raised:
        read_address(url, allowed)
    return raised.value.code


@pytest.mark.parametrize(
    "ip",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.0.1"),
        *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1"),
        *("192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
        *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::ffff:10.0.0.1", "::ffff:93.184.215.14", "::127.0.0.1"),
        *("64:ff9b::a9fe:a9fe", "64:ff9b::5db8:d70e", "64:ff9b:1::1", "100::1"),
        *("2001::1", "2001:db8::1", "2002:7f00:1::", "2002:5db8:d70e::", "3fff::1", "5f00::1"),
        *("fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "fe80::1%lo"),
    ],
)
def test_no_address_of_a_closed_network_is_reached(ip):
    assert is_closed(ipaddress.ip_address(ip))
    with pytest.raises(AddressRefused):
        judge([ipaddress.ip_address(PUBLIC), ipaddress.ip_address(ip)], NOWHERE)


@pytest.mark.parametrize("ip", [PUBLIC, "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001::1"])
def test_the_public_internet_is_open(ip):
    assert not is_closed(ipaddress.ip_address(ip))


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://127.0.0.1/", "network_closed"),
        ("https://127.0.0.1:8443/", "network_closed"),
        ("https://[::1]/", "network_closed"),
        ("https://[::ffff:169.254.169.254]/", "network_closed"),
        ("https://localhost/", "network_closed"),
        ("https://LOCALHOST./", "network_closed"),
        ("https://a.localhost/", "network_closed"),
        ("https://2130706433/", "host_invalid"),
        ("https://0x7f000001/", "host_invalid"),
        ("https://0177.0.0.1/", "host_invalid"),
        ("https://127.1/", "host_invalid"),
        ("https://0x7f.0.0.0x1/", "host_invalid"),
        ("https://127.0.0.1./", "host_invalid"),
        ("https://[fe80::1%25lo]/", "host_invalid"),
        ("https:///path", "host_invalid"),
        ("https://exa mple.com/", "url_invalid"),
        ("https://example.com\\@127.0.0.1/", "url_invalid"),
        ("https://example.com/\r\nHost: x", "url_invalid"),
        ("https://ex\u0430mple.com/", "url_invalid"),
        ("https://user@example.com/", "url_with_credentials"),
        ("https://user:pass@example.com/", "url_with_credentials"),
        ("https://example.com:22/", "port_closed"),
        ("https://example.com:0/", "port_closed"),
        ("https://example.com:99999/", "url_invalid"),
        ("https://example.com/#there", "url_invalid"),
        ("ftp://example.com/", "url_invalid"),
        ("file:///etc/passwd", "url_invalid"),
        ("gopher://example.com/", "url_invalid"),
        ("http://example.com/", "url_not_https"),
        ("http://93.184.215.14/", "url_not_https"),
        ("https://" + "a" * 64 + ".example/", "host_invalid"),
        ("https://example.com/" + "a" * 500, "url_invalid"),
    ],
)
def test_an_address_has_one_spelling_and_hides_nothing(url, code):
    assert refused(url) == code


def test_a_plain_address_is_taken_apart():
    address = read_address("https://Hooks.Example.ORG:8443/a/b?c=d", NOWHERE)
    assert (address.host, address.port, address.target) == ("hooks.example.org", 8443, "/a/b?c=d")
    assert address.shown == "hooks.example.org:8443"


def test_http_goes_to_this_machine_alone_and_only_in_a_rehearsal():
    assert read_address("http://127.0.0.1:9000/", HERE).port == 9000
    assert read_address("http://localhost:9000/", HERE).host == "localhost"
    assert refused("http://localhost:9000/") == "network_closed"
    assert refused("http://example.com/", HERE) == "url_not_https"
    assert refused("http://10.0.0.1:9000/", HERE) == "network_closed"


def test_an_operator_opens_a_network_by_name_and_no_other():
    lab = Allowed(networks=(ipaddress.ip_network("10.20.0.0/16"),))
    assert read_address("https://10.20.3.4/", lab).host == "10.20.3.4"
    assert refused("https://10.21.3.4/", lab) == "network_closed"
    assert refused("http://10.20.3.4:8080/", lab) == "url_not_https"


# What a name server says --------------------------------------------------------------------------


def letter(url: str, allowed: Allowed) -> Letter:
    return Letter(read_address(url, allowed), {"webhook-id": "evt_1"}, b"{}")


@pytest.fixture
def names(monkeypatch):
    """A name server that gives one answer after another."""
    answers: list[list[str]] = []
    asked: list[str] = []

    def look(host: str, port: int, **_how: Any) -> Any:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in answers.pop(0)]

    monkeypatch.setattr(outlet.socket, "getaddrinfo", look)
    look.answers, look.asked = answers, asked  # type: ignore[attr-defined]
    return look


def test_a_name_of_a_closed_network_is_not_connected_to(names, receiver):
    names.answers.append(["127.0.0.1"])
    to = letter(f"https://hooks.example.org:{receiver.port}/", NOWHERE)
    assert send(to, allowed=NOWHERE, within_s=5).failure == "network_closed"
    assert receiver.connections == 0


def test_one_closed_address_among_public_ones_is_enough_to_refuse(names, receiver):
    names.answers.append([PUBLIC, "10.0.0.1"])
    to = letter("https://hooks.example.org/", NOWHERE)
    assert send(to, allowed=NOWHERE, within_s=5).failure == "network_closed"


def test_a_name_is_asked_once_and_the_connection_goes_to_what_was_judged(names, receiver):
    """DNS rebinding: the second answer would be another address, and is never asked for."""
    names.answers += [["127.0.0.1"], ["10.0.0.1"]]
    to = letter(f"http://localhost:{receiver.port}/", HERE)
    assert send(to, allowed=HERE, within_s=5).status == 204
    assert names.asked == ["localhost"]
    (arrived,) = receiver.arrived
    assert arrived.headers["host"] == f"localhost:{receiver.port}"


def test_http_does_not_follow_its_name_to_another_machine(names):
    names.answers.append([PUBLIC])
    to = letter("http://localhost:9000/", HERE)
    assert send(to, allowed=HERE, within_s=5).failure == "url_not_https"


def test_a_name_that_nobody_knows_is_a_failure_like_others(monkeypatch):
    def unknown(*_asked: Any, **_how: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(outlet.socket, "getaddrinfo", unknown)
    to = letter("https://hooks.example.org/", NOWHERE)
    assert send(to, allowed=NOWHERE, within_s=5).failure == "name_unknown"


# What the operator says ----------------------------------------------------------------------


def test_networks_are_read_from_the_environment_and_a_wrong_one_is_refused(monkeypatch):
    monkeypatch.setenv("GREENROOM_WEBHOOK_NETWORKS", "10.20.0.0/16, fd12::/32")
    assert [str(each) for each in webhook_networks()] == ["10.20.0.0/16", "fd12::/32"]
    monkeypatch.setenv("GREENROOM_WEBHOOK_NETWORKS", "10.20.0.1/16")
    with pytest.raises(ImproperlyConfigured, match="GREENROOM_WEBHOOK_NETWORKS"):
        webhook_networks()
