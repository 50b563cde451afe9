"""The demo's inbox is a real SMTP server that keeps what our own transport sends."""

from __future__ import annotations

import asyncio
import threading

import pytest

from newsletter.errors import ConfigError
from newsletter.mail.inbox import inbox
from newsletter.mail.smtp import Server, SmtpTransport


def test_letters_arrive_as_sent(make_message, began):
    letters = [make_message(f"r{i}@example.net", padding=1000 * i) for i in range(20)]

    async def send(box):
        async with SmtpTransport(Server(box.host, box.port, "none", rate_per_second=0)) as transport:
            return await asyncio.gather(*(transport.deliver(m, begin=began) for m in letters))

    with inbox() as box:
        found = asyncio.run(send(box))
    assert {o.kind for o in found} == {"accepted"}
    assert sorted((m.recipient, m.message_id, m.data) for m in box.messages) == sorted(
        (m.recipient, m.message_id, m.data) for m in letters
    )
    assert not [t for t in threading.enumerate() if t.name == "inbox"]


@pytest.mark.parametrize("security", ["none", "trusted-network"])
def test_utf8_address_arrives(make_message, began, security):
    async def send(box):
        async with SmtpTransport(Server(box.host, box.port, security)) as transport:
            return await transport.deliver(make_message("jürgen@example.net"), begin=began)

    with inbox() as box:
        assert asyncio.run(send(box)).kind == "accepted"
    assert box.messages[0].recipient == "jürgen@example.net"


@pytest.mark.parametrize("host", ["mail.example.org", "10.0.0.1", "2001:db8::1"])
def test_no_encryption_is_for_loopback_alone(host):
    with pytest.raises(ConfigError, match="without encryption"):
        Server(host, security="none")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "[::1]"])
def test_loopback_may_go_without_encryption(host):
    assert Server(host, security="none").host == host


def test_a_trusted_network_is_named():
    """A mail catcher in a private network takes letters without encryption, once somebody has written so."""
    assert Server("catcher", security="trusted-network").host == "catcher"


@pytest.mark.parametrize(("host", "security"), [("localhost", "none"), ("catcher", "trusted-network")])
def test_a_password_never_goes_in_clear(host, security):
    with pytest.raises(ConfigError, match="password could be read"):
        Server(host, security=security, username="ada", password="secret")


def test_a_password_is_not_shown():
    assert "secret" not in repr(Server("mail.example.org", username="ada", password="secret"))
