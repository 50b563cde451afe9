"""Encryption is required and checked, and no password travels without it."""

from __future__ import annotations

import asyncio

import pytest

from newsletter.mail.smtp import SmtpTransport
from newsletter.model import Message

OFFERS = "250-misbehaving\r\n250 STARTTLS"
INSIDE = "250-misbehaving\r\n250-AUTH PLAIN\r\n250 SIZE 1000000"
LOGIN = {"username": "papers", "password": "secret"}


@pytest.fixture
def attempt(misbehaving, plain_server, make_message, began, trusting):
    """Deliver to a server with this script; the outcomes and the server."""

    def run(script, *, certificate=None, letters=("ada@example.net",), security="starttls", **settings):
        async def scenario():
            async with misbehaving(script, certificate, implicit_tls=security == "tls").running() as server:
                more = {"security": security, "context": trusting} | settings
                async with SmtpTransport(plain_server(server.port, **more)) as transport:
                    found = [
                        await transport.deliver(to if isinstance(to, Message) else make_message(to), begin=began)
                        for to in letters
                    ]
                return found, server

        return asyncio.run(asyncio.wait_for(scenario(), 20))

    return run


def test_starttls_then_login_then_letter(attempt, certificates):
    [found], server = attempt({"EHLO": OFFERS, "EHLO encrypted": INSIDE}, certificate=certificates["good"], **LOGIN)
    assert found.kind == "accepted"
    assert [c.split()[0] for c in server.in_clear] == ["EHLO", "STARTTLS"]
    assert [c.split()[0] for c in server.commands] == [
        "EHLO",
        "STARTTLS",
        "EHLO",
        "AUTH",
        "MAIL",
        "RCPT",
        "DATA",
        "QUIT",
    ]


def test_implicit_tls(attempt, certificates):
    [found], server = attempt({"EHLO": INSIDE}, certificate=certificates["good"], security="tls", **LOGIN)
    assert (found.kind, server.in_clear) == ("accepted", [])


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize(
    ("certificate", "reason"),
    [("expired", "expired"), ("other host", "mismatch"), ("unknown authority", "issuer certificate")],
)
def test_bad_certificate_stops_the_run(attempt, certificates, certificate, reason, security):
    script = {"EHLO": OFFERS, "EHLO encrypted": INSIDE}
    [found], server = attempt(script, certificate=certificates[certificate], security=security, **LOGIN)
    assert (found.kind, found.phase) == ("stop", "tls")
    assert "certificate of 127.0.0.1" in found.text
    assert reason in found.text
    assert not [c for c in server.commands if c.startswith(("AUTH", "MAIL"))]


def test_default_context_distrusts_a_private_authority(attempt, certificates):
    [found], _ = attempt({"EHLO": OFFERS}, certificate=certificates["good"], context=None, **LOGIN)
    assert (found.kind, found.phase) == ("stop", "tls")


def test_stripped_starttls_stops_before_the_password(attempt):
    """Someone on the way took STARTTLS out and offers AUTH: nothing more is said."""
    [found], server = attempt({"EHLO": INSIDE}, **LOGIN)
    assert (found.kind, found.phase) == ("stop", "tls")
    assert "STARTTLS" in found.text
    assert [c.split()[0] for c in server.commands] == ["EHLO"]


@pytest.mark.parametrize("reply", ["454 4.7.0 TLS not available", "502 5.5.1 no"])
def test_refused_starttls_stops(attempt, reply):
    [found], server = attempt({"EHLO": OFFERS, "STARTTLS": reply}, **LOGIN)
    assert (found.kind, found.phase) == ("stop", "tls")
    assert not [c for c in server.commands if c.startswith(("AUTH", "MAIL"))]


def test_reply_injected_before_tls_is_not_believed(attempt, certificates):
    """CVE-2011-0411 seen from the client: text sent in clear behind the 220 never counts as said inside TLS."""
    injected = "220 2.0.0 go ahead\r\n250-evil\r\n250 SMTPUTF8"
    script = {"EHLO": OFFERS, "EHLO encrypted": INSIDE, "STARTTLS": injected}
    found, server = attempt(script, certificate=certificates["good"], letters=["ada@example.net", "jürgen@example.net"])
    assert [o.kind for o in found] == ["accepted", "refused"]
    assert "SMTPUTF8" in found[1].text
    assert len(server.accepted) == 1


def test_drop_in_the_handshake_is_not_a_letter_lost(attempt, misbehaving):
    [found], _ = attempt({"EHLO": OFFERS, "STARTTLS": misbehaving.do(say="220 go", hang_up=True)})
    assert (found.kind, found.phase) == ("stop", "tls")


def test_wrong_password_stops_at_once(attempt, certificates):
    """535: one attempt, and the letters that wait are not tried."""
    script = {"EHLO": OFFERS, "EHLO encrypted": INSIDE, "AUTH": "535 5.7.8 bad credentials"}
    found, server = attempt(script, certificate=certificates["good"], letters=["a@example.net"] * 5, **LOGIN)
    assert {(o.kind, o.phase, o.code, o.enhanced) for o in found} == {("stop", "auth", 535, "5.7.8")}
    assert sum(c.startswith("AUTH") for c in server.commands) == 1
    assert server.sessions == 1


def test_login_not_offered_stops(attempt, certificates):
    script = {"EHLO": OFFERS, "EHLO encrypted": "250 misbehaving"}
    [found], _ = attempt(script, certificate=certificates["good"], **LOGIN)
    assert (found.kind, found.phase) == ("stop", "auth")
    assert "AUTH" in found.text


def test_smtputf8_only_where_offered(attempt):
    """Without the extension that letter alone fails, with the reason; with it MAIL asks for it."""
    letters = ["jürgen@example.net", "ada@example.net"]
    found, server = attempt({}, letters=letters, security="none")
    assert [o.kind for o in found] == ["refused", "accepted"]
    assert "SMTPUTF8" in found[0].text
    assert sum(c.startswith("MAIL") for c in server.commands) == 1
    offers = {"EHLO": "250-misbehaving\r\n250-8BITMIME\r\n250 SMTPUTF8"}
    found, server = attempt(offers, letters=letters, security="none")
    assert [o.kind for o in found] == ["accepted", "accepted"]
    mails = [c for c in server.commands if c.startswith("MAIL")]
    assert ["SMTPUTF8" in c for c in mails] == [True, False]
    assert "RCPT TO:<jürgen@example.net>" in server.commands


def test_large_text_inside_tls(attempt, certificates, make_message):
    message = make_message(padding=2_000_000)
    script = {"EHLO": OFFERS, "EHLO encrypted": INSIDE}
    [found], server = attempt(script, certificate=certificates["good"], letters=[message], timeout=5)
    assert found.kind == "accepted"
    assert server.accepted[0][2].replace(b"\r\n..", b"\r\n.") == message.data


def test_many_letters_in_one_session(attempt, certificates):
    """The encrypting layer tells of pending octets in its own way: no letter waits for a buffer that is empty."""
    script = {"EHLO": OFFERS, "EHLO encrypted": INSIDE}
    letters = [f"r{i}@example.net" for i in range(20)]
    found, server = attempt(script, certificate=certificates["good"], letters=letters, connections=1)
    assert {o.kind for o in found} == {"accepted"}
    assert server.sessions == 1
