"""Every fault of SMTP, made by a real server, and the outcome that keeps letters from being lost or doubled."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from newsletter.mail.smtp import SmtpTransport

# fault: (script, kind, phase, code, enhanced, was the intent recorded)
FAULTS = {
    "all well": ({}, "accepted", "dot", 250, "2.0.0", True),
    "421 at connect": ({"connect": ("421 4.3.2 closing", "drop")}, "deferred", "connect", 421, "4.3.2", False),
    "554 at connect": ({"connect": "554 5.7.1 no mail from you"}, "stop", "connect", 554, "5.7.1", False),
    "drop at connect": ({"connect": "drop"}, "stop", "connect", 0, "", False),
    "hung at connect": ({"connect": "silent"}, "stop", "connect", 0, "", False),
    "421 at MAIL": ({"MAIL": ("421 4.7.0 slow down", "drop")}, "deferred", "mail", 421, "4.7.0", False),
    "450 at RCPT, greylisting": ({"RCPT": "450 4.7.1 Greylisted, come back"}, "deferred", "rcpt", 450, "4.7.1", False),
    "451 at RCPT": ({"RCPT": "451 4.3.0 try later"}, "deferred", "rcpt", 451, "4.3.0", False),
    "452 at RCPT": ({"RCPT": "452 4.2.2 over quota"}, "deferred", "rcpt", 452, "4.2.2", False),
    "421 at RCPT": ({"RCPT": ("421 4.7.0 too fast", "drop")}, "deferred", "rcpt", 421, "4.7.0", False),
    "550 at RCPT": ({"RCPT": "550 5.1.1 User unknown"}, "refused", "rcpt", 550, "5.1.1", False),
    "550 at RCPT, several lines": (
        {"RCPT": "550-5.1.1 No such\r\n550 5.1.1 user"},
        "refused",
        "rcpt",
        550,
        "5.1.1",
        False,
    ),
    "552 at RCPT": ({"RCPT": "552 5.2.2 mailbox full"}, "refused", "rcpt", 552, "5.2.2", False),
    "554 at RCPT": ({"RCPT": "554 5.7.1 blocked"}, "refused", "rcpt", 554, "5.7.1", False),
    "530 at MAIL": ({"MAIL": "530 5.7.0 log in first"}, "stop", "mail", 530, "5.7.0", False),
    "drop at RCPT": ({"RCPT": "drop"}, "deferred", "rcpt", 0, "", False),
    "hung at RCPT": ({"RCPT": "silent"}, "deferred", "rcpt", 0, "", False),
    "nonsense at RCPT": ({"RCPT": "hello?"}, "deferred", "rcpt", 0, "", False),
    "451 at DATA": ({"DATA": "451 4.3.0 no room"}, "deferred", "data", 451, "4.3.0", True),
    "550 at DATA": ({"DATA": "550 5.7.1 no"}, "refused", "data", 550, "5.7.1", True),
    "drop before DATA is answered": ({"DATA": "drop"}, "deferred", "data", 0, "", True),
    "hung at DATA": ({"DATA": "silent"}, "deferred", "data", 0, "", True),
    "421 at the dot": ({"dot": ("421 4.3.2 shutting down", "drop")}, "deferred", "dot", 421, "4.3.2", True),
    "451 at the dot": ({"dot": "451 4.7.1 later"}, "deferred", "dot", 451, "4.7.1", True),
    "552 at the dot": ({"dot": "552 5.3.4 too big"}, "refused", "dot", 552, "5.3.4", True),
    "554 at the dot": ({"dot": "554 5.7.1 spam"}, "refused", "dot", 554, "5.7.1", True),
    "550 at the dot": ({"dot": "550 5.1.1 unknown"}, "refused", "dot", 550, "5.1.1", True),
    "drop after the dot": ({"dot": "drop"}, "uncertain", "dot", 0, "", True),
    "hung after the dot": ({"dot": "silent"}, "uncertain", "dot", 0, "", True),
    "nonsense after the dot": ({"dot": "hello?"}, "uncertain", "dot", 0, "", True),
    "354 after the dot": ({"dot": "354 more"}, "uncertain", "dot", 354, "", True),
    "drop at QUIT": ({"QUIT": "drop"}, "accepted", "dot", 250, "2.0.0", True),
    "421 at QUIT": ({"QUIT": "421 whatever"}, "accepted", "dot", 250, "2.0.0", True),
}


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 20))


def read_script(script, do):
    def read(step):
        if isinstance(step, tuple):
            return do(say=step[0], hang_up=True)
        return {"drop": do(hang_up=True), "silent": do(silent=True)}.get(step, step)

    return {name: read(step) for name, step in script.items()}


@pytest.fixture
def letter_and_intent(make_message, began):
    return make_message(), began


PIPELINING = {"EHLO": "250-misbehaving\r\n250 PIPELINING"}


@pytest.mark.parametrize("offers", [{}, PIPELINING], ids=["one by one", "pipelined"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_each_fault_has_its_outcome(fault, offers, misbehaving, plain_server, letter_and_intent):
    """The same whether MAIL and RCPT go one by one or in one packet (RFC 2920)."""
    message, began = letter_and_intent
    script, kind, phase, code, enhanced, recorded = fault
    script = script | offers
    seconds = 0.3 if "silent" in script.values() else 5

    async def scenario():
        async with (
            misbehaving(read_script(script, misbehaving.do)).running() as server,
            SmtpTransport(plain_server(server.port, timeout=seconds, dot_timeout=seconds)) as transport,
        ):
            return await transport.deliver(message, begin=began), server

    outcome, server = run(scenario())
    assert (outcome.kind, outcome.phase, outcome.code, outcome.enhanced) == (kind, phase, code, enhanced), outcome
    assert began.times == recorded
    assert len(server.accepted) == (kind == "accepted")


def test_what_arrives_is_what_was_built(misbehaving, plain_server, make_message, began):
    """Dots at line starts are doubled on the way and no octet is lost."""
    message = make_message(padding=300_000)

    async def scenario():
        async with misbehaving({}).running() as server, SmtpTransport(plain_server(server.port)) as transport:
            return await transport.deliver(message, begin=began), server

    outcome, server = run(scenario())
    [(sender, recipient, text)] = server.accepted
    assert outcome.kind == "accepted"
    assert sender.startswith("MAIL FROM:<papers@example.org> SIZE=")
    assert recipient == "RCPT TO:<ada@example.net>"
    assert text.replace(b"\r\n..", b"\r\n.") == message.data


def test_early_refusal_then_close_is_heard(misbehaving, plain_server, make_message, began):
    """A server that says 550 in the midst of a large text and closes has refused it: not uncertain, not retried."""
    dot = misbehaving.do(say="550 5.7.1 enough", early=10_000, hang_up=True)

    async def scenario():
        async with misbehaving({"dot": dot}).running() as server, SmtpTransport(plain_server(server.port)) as transport:
            return await transport.deliver(make_message(padding=8_000_000), begin=began)

    outcome = run(scenario())
    assert (outcome.kind, outcome.phase, outcome.code) == ("refused", "data", 550)


@pytest.mark.parametrize("what", [{"hang_up": True}, {"silent": True}])
def test_a_break_in_the_text_is_a_safe_retry(what, misbehaving, plain_server, make_message, began):
    """While part of the text is still in this process, the dot has not been sent: deferred, not uncertain."""

    async def scenario():
        async with (
            misbehaving({"dot": misbehaving.do(early=10_000, **what)}).running() as server,
            SmtpTransport(plain_server(server.port, timeout=0.5, dot_timeout=2)) as transport,
        ):
            return await transport.deliver(make_message(padding=8_000_000), begin=began)

    outcome = run(scenario())
    assert (outcome.kind, outcome.phase, outcome.code) == ("deferred", "data", 0)


def test_slow_dot_is_waited_for(misbehaving, plain_server, make_message, began):
    async def scenario():
        async with (
            misbehaving({"dot": misbehaving.do(say="250 2.0.0 at last", wait=1.5)}).running() as server,
            SmtpTransport(plain_server(server.port, timeout=1, dot_timeout=10)) as transport,
        ):
            return await transport.deliver(make_message(), begin=began)

    assert run(scenario()).kind == "accepted"


def test_nothing_is_sent_when_the_ledger_says_no(misbehaving, plain_server, make_message, began):
    """`begin` is asked after RCPT; False leaves the session clean for the next letter."""
    began.answer = False

    async def scenario():
        async with misbehaving({}).running() as server, SmtpTransport(plain_server(server.port)) as transport:
            first = await transport.deliver(make_message(), begin=began)
            began.answer = True
            return first, await transport.deliver(make_message("bob@example.net"), begin=began), server

    first, second, server = run(scenario())
    assert (first.kind, first.phase, second.kind) == ("deferred", "rcpt", "accepted")
    assert server.sessions == 1
    assert "DATA" not in server.commands[: server.commands.index("RSET")]


def test_a_ledger_that_fails_stops_the_letter_before_data(misbehaving, plain_server, make_message, began):
    """Disk full when `sending` is written: the error goes up, no DATA was said."""
    began.error = OSError(28, "No space left on device")

    async def scenario():
        async with misbehaving({}).running() as server, SmtpTransport(plain_server(server.port)) as transport:
            with pytest.raises(OSError, match="No space left"):
                await transport.deliver(make_message(), begin=began)
            return server

    server = run(scenario())
    assert "DATA" not in server.commands
    assert not server.accepted


def test_port_closed_and_unknown_host_stop_with_a_reason(plain_server, make_message, began, unused_port):
    async def scenario(host, port, security):
        async with SmtpTransport(plain_server(port, host=host, security=security)) as transport:
            return await transport.deliver(make_message(), begin=began), transport.stopped

    closed, stopped = run(scenario("127.0.0.1", unused_port, "none"))
    assert (closed.kind, closed.phase) == ("stop", "connect")
    assert stopped == closed
    assert f"127.0.0.1:{unused_port}" in closed.text
    nowhere, _ = run(scenario("no-such-host.invalid", 25, "starttls"))
    assert (nowhere.kind, nowhere.phase) == ("stop", "connect")
    assert "no-such-host.invalid" in nowhere.text


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize(
    "address", ["user@x> AUTH=<", "a@b\r\nDATA", "a b@example.net", "<a@example.net>", "a@b,c@d", ""]
)
def test_addresses_cannot_speak_smtp(misbehaving, plain_server, make_message, began, address):
    """An envelope that did not come from `build` is refused before a word is said."""

    async def scenario():
        async with misbehaving({}).running() as server, SmtpTransport(plain_server(server.port)) as transport:
            letters = [replace(make_message(), recipient=address), replace(make_message(), sender=address)]
            return [await transport.deliver(m, begin=began) for m in letters], server

    found, server = run(scenario())
    assert [(o.kind, o.phase) for o in found] == [("refused", "mail")] * 2
    assert {c.split()[0] for c in server.commands} <= {"EHLO", "RSET", "QUIT"}
    assert began.times == 0


@pytest.mark.parametrize("end", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\r", b"\r\n.\n"])
def test_bare_line_ends_are_not_sent(misbehaving, plain_server, make_message, began, end):
    """SMTP smuggling (CVE-2023-51764): no message of ours can hold another one."""

    async def scenario():
        async with misbehaving({}).running() as server, SmtpTransport(plain_server(server.port)) as transport:
            data = b"Subject: x\r\n\r\nbody" + end + b"MAIL FROM:<evil@example.org>\r\n"
            return await transport.deliver(replace(make_message(), data=data), begin=began), server

    found, server = run(scenario())
    assert (found.kind, found.text) == ("refused", "bare CR or LF in the message")
    assert "DATA" not in server.commands
