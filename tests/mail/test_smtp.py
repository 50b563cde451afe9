"""Every fault of SMTP, made by a real server, and the outcome that keeps letters from being lost or doubled."""

from __future__ import annotations

import asyncio

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


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_outcome(fault, misbehaving, plain_server, make_message, began):
    script, kind, phase, code, enhanced, recorded = FAULTS[fault]

    async def scenario():
        async with (
            misbehaving(read_script(script, misbehaving.do)).running() as server,
            SmtpTransport(plain_server(server.port, timeout=0.3, dot_timeout=0.3)) as transport,
        ):
            return await transport.deliver(make_message(), begin=began), server

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
            SmtpTransport(plain_server(server.port, timeout=0.2, dot_timeout=2)) as transport,
        ):
            return await transport.deliver(make_message(padding=8_000_000), begin=began)

    outcome = run(scenario())
    assert (outcome.kind, outcome.phase, outcome.code) == ("deferred", "data", 0)


def test_slow_dot_is_waited_for(misbehaving, plain_server, make_message, began):
    async def scenario():
        async with (
            misbehaving({"dot": misbehaving.do(say="250 2.0.0 at last", wait=0.6)}).running() as server,
            SmtpTransport(plain_server(server.port, timeout=0.2, dot_timeout=5)) as transport,
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


def test_sessions_are_used_again_up_to_their_limit(misbehaving, plain_server, make_message, began):
    async def scenario():
        async with misbehaving({}).running() as server:
            settings = plain_server(server.port, connections=1, messages_per_connection=3)
            async with SmtpTransport(settings) as transport:
                found = [await transport.deliver(make_message(f"r{i}@example.net"), begin=began) for i in range(7)]
            return found, server

    found, server = run(scenario())
    assert [o.kind for o in found] == ["accepted"] * 7
    assert server.sessions == 3
    assert server.commands.count("QUIT") == 3


def test_connection_limit_of_two_loses_nothing(misbehaving, plain_server, make_message, began):
    """Five workers at a server that takes two sessions: the pool shrinks and every letter arrives once."""

    async def scenario():
        async with misbehaving({}, most=2).running() as server:
            async with SmtpTransport(plain_server(server.port, connections=5)) as transport:
                letters = [make_message(f"r{i}@example.net") for i in range(40)]
                found = await asyncio.gather(*(transport.deliver(m, begin=began) for m in letters))
            return found, server

    found, server = run(scenario())
    assert [o.kind for o in found] == ["accepted"] * 40
    assert len({recipient for _, recipient, _ in server.accepted}) == len(server.accepted) == 40


def test_an_idle_session_that_died_costs_nothing(misbehaving, plain_server, make_message, began):
    """The server hung up on the second MAIL of a session: the letter goes through a new one, begun once."""

    async def scenario():
        script = {"MAIL": ["250 ok", misbehaving.do(hang_up=True)]}
        async with (
            misbehaving(script).running() as server,
            SmtpTransport(plain_server(server.port, connections=1)) as transport,
        ):
            return [await transport.deliver(make_message(), begin=began) for _ in range(2)], server

    found, server = run(scenario())
    assert [o.kind for o in found] == ["accepted"] * 2
    assert began.times == 2
    assert server.sessions == 2


def test_refusals_for_a_fault_of_ours_pause_their_domain(misbehaving, plain_server, make_message, began):
    """After N policy refusals in a row a domain is left alone; another domain and other faults do not count."""

    async def scenario():
        script = {"RCPT": ["554 5.7.1 blocked", "550 5.1.1 unknown", "554 5.7.1 blocked", "550 5.7.26 unauthenticated"]}
        async with (
            misbehaving(script).running() as server,
            SmtpTransport(plain_server(server.port, connections=1, refusals_in_a_row=3)) as transport,
        ):
            found = [await transport.deliver(make_message(f"r{i}@a.example"), begin=began) for i in range(5)]
            other = await transport.deliver(make_message("r@b.example"), begin=began)
            return found, other, transport.paused, server

    found, other, paused, server = run(scenario())
    assert [o.kind for o in found] == ["refused"] * 4 + ["deferred"]
    assert "not tried: a.example refused 3 letters in a row" in found[4].text
    assert other.kind == "accepted"
    assert list(paused) == ["a.example"]
    assert sum(c.startswith("RCPT") for c in server.commands) == 5


def test_a_refused_sender_stops_the_run(misbehaving, plain_server, make_message, began):
    async def scenario():
        async with (
            misbehaving({"MAIL": "554 5.7.1 sender blocked"}).running() as server,
            SmtpTransport(plain_server(server.port, refusals_in_a_row=3)) as transport,
        ):
            return [await transport.deliver(make_message(f"r@{i}.example"), begin=began) for i in range(5)], server

    found, server = run(scenario())
    assert [o.kind for o in found] == ["refused"] * 3 + ["stop"] * 2
    assert sum(c.startswith("MAIL") for c in server.commands) == 3


def test_stop_releases_everyone_who_waits(misbehaving, plain_server, make_message, began):
    """A stop while twenty tasks wait for one session ends all of them."""

    async def scenario():
        script = {"MAIL": misbehaving.do(say="530 5.7.0 log in first", wait=0.1)}
        async with (
            misbehaving(script).running() as server,
            SmtpTransport(plain_server(server.port, connections=1)) as transport,
        ):
            return await asyncio.gather(*(transport.deliver(make_message(), begin=began) for _ in range(20)))

    assert {o.kind for o in run(scenario())} == {"stop"}
    assert began.times == 0


def test_a_session_that_will_not_part_holds_up_nobody(misbehaving, plain_server, make_message, began):
    """A server that says nothing to QUIT delays neither a letter nor, for long, the end of the run."""

    async def scenario():
        async with misbehaving({"QUIT": misbehaving.do(silent=True)}).running() as server:
            settings = plain_server(server.port, connections=2, messages_per_connection=1, timeout=0.5)
            async with SmtpTransport(settings) as transport, asyncio.timeout(0.4):
                return [await transport.deliver(make_message(), begin=began) for _ in range(2)]

    assert [o.kind for o in run(scenario())] == ["accepted"] * 2
