"""Many letters through few sessions: limits, pace, and when to stop."""

from __future__ import annotations

import asyncio

import pytest

from newsletter.mail.smtp import SmtpTransport


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 20))


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
            settings = plain_server(server.port, connections=2, messages_per_connection=1, timeout=2)
            async with SmtpTransport(settings) as transport, asyncio.timeout(1.8):
                return [await transport.deliver(make_message(), begin=began) for _ in range(2)]

    assert [o.kind for o in run(scenario())] == ["accepted"] * 2


def test_a_server_in_trouble_gets_fewer_letters(misbehaving, plain_server, make_message, began):
    """421 halves rate and sessions; successes bring them back."""

    async def scenario():
        busy = misbehaving.do(say="421 4.7.0 too fast", hang_up=True)
        async with misbehaving({"RCPT": [busy, busy]}).running() as server:
            settings = plain_server(server.port, connections=4, rate_per_second=1000)
            async with SmtpTransport(settings) as transport:
                rates = []
                for i in range(60):
                    await transport.deliver(make_message(f"r{i}@example.net"), begin=began)
                    rates.append(transport._pace.rate)
                return rates, transport._room.limit

    rates, limit = run(scenario())
    assert rates[:2] == [500, 250]
    assert rates[-1] == 1000
    assert limit == 1


def test_three_silences_after_the_dot_stop_the_run(misbehaving, plain_server, make_message, began):
    """A server that swallows letters without a word must not make a whole edition uncertain."""

    async def scenario():
        async with (
            misbehaving({"dot": misbehaving.do(hang_up=True)}).running() as server,
            SmtpTransport(plain_server(server.port, connections=1)) as transport,
        ):
            return [await transport.deliver(make_message(f"r{i}@example.net"), begin=began) for i in range(6)]

    assert [o.kind for o in run(scenario())] == ["uncertain"] * 3 + ["stop"] * 3
    assert began.times == 3


def test_a_cancelled_letter_leaves_no_session_behind(misbehaving, plain_server, make_message, began):
    """Cancelled in the midst of the text (a stop signal): the session is closed, the next letter gets a new one."""

    async def scenario():
        script = {"dot": [misbehaving.do(silent=True)]}
        async with (
            misbehaving(script).running() as server,
            SmtpTransport(plain_server(server.port, connections=1, dot_timeout=10)) as transport,
        ):
            task = asyncio.create_task(transport.deliver(make_message(), begin=began))
            await server.reading.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return await transport.deliver(make_message(), begin=began), server

    found, server = run(scenario())
    assert found.kind == "accepted"
    assert server.sessions == 2


@pytest.mark.parametrize("script", [{"connect": "drop"}, {"connect": "silent"}], ids=["drops", "silent"])
def test_a_server_that_is_down_ends_every_waiting_letter(misbehaving, plain_server, make_message, began, script):
    """Twenty tasks, five sessions, nobody there: all stop soon, none waits for ever."""

    async def scenario():
        act = {"drop": misbehaving.do(hang_up=True), "silent": misbehaving.do(silent=True)}
        async with misbehaving({step: act[what] for step, what in script.items()}).running() as server:
            settings = plain_server(server.port, connections=5, timeout=0.3)
            async with SmtpTransport(settings) as transport, asyncio.timeout(5):
                return await asyncio.gather(
                    *(transport.deliver(make_message(f"r{i}@example.net"), begin=began) for i in range(20))
                )

    assert {(o.kind, o.phase) for o in run(scenario())} == {("stop", "connect")}
    assert began.times == 0


def test_a_server_that_comes_back_in_mid_run_gets_the_rest(misbehaving, plain_server, make_message, began):
    """421 at two connections in a row: those two letters are deferred, the third goes out."""

    async def scenario():
        busy = misbehaving.do(say="421 4.3.2 restarting", hang_up=True)
        async with (
            misbehaving({"connect": [busy, busy]}).running() as server,
            SmtpTransport(plain_server(server.port, connections=1)) as transport,
        ):
            return [await transport.deliver(make_message(f"r{i}@example.net"), begin=began) for i in range(4)]

    assert [o.kind for o in run(scenario())] == ["deferred", "deferred", "accepted", "accepted"]


def test_each_domain_has_a_rate_of_its_own(misbehaving, plain_server, make_message, began):
    """Five letters to one domain wait for each other; those to other domains pass them by."""

    async def scenario():
        async with misbehaving({}).running() as server:
            settings = plain_server(server.port, connections=10, domain_rate_per_second=20)
            async with SmtpTransport(settings) as transport:
                start = asyncio.get_running_loop().time()
                addresses = [*(f"r{i}@slow.example" for i in range(5)), *(f"r@d{i}.example" for i in range(5))]
                letters = map(make_message, addresses)
                found = await asyncio.gather(*(transport.deliver(m, begin=began) for m in letters))
            return found, server, asyncio.get_running_loop().time() - start

    found, server, took = run(scenario())
    assert {o.kind for o in found} == {"accepted"}
    assert took > 4 / 20
    assert server.accepted[-1][1].strip("<>").endswith("@slow.example")
