"""Replies in their order, whatever the packets; a server that speaks out of turn is not listened to."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.mail.dialogue import Dialogue, Reply

SAID = (b"250-first\r\n250-2.0.0\r\n250 line\r\n", b"354 go\r\n", b"250\r\n", b"550-5.1.1 no\r\n550 5.1.1 such\r\n")
READ = (Reply(250, "first\n2.0.0\nline"), Reply(354, "go"), Reply(250, ""), Reply(550, "5.1.1 no\n5.1.1 such"))


class Wire(asyncio.Transport):
    """A transport in memory: what the protocol was given and what it wrote."""

    def __init__(self):
        super().__init__()
        self.written, self.closing, self.protocol = [], False, None

    def set_protocol(self, protocol):
        self.protocol = protocol

    def set_write_buffer_limits(self, high=None, low=None):
        self.limits = (high, low)

    def write(self, data):
        self.written.append(bytes(data))

    def is_closing(self):
        return self.closing

    def close(self):
        self.closing = True


def talk(coroutine):
    async def run():
        wire = Wire()
        return await coroutine(Dialogue(wire), wire)

    return asyncio.run(run())


@given(st.sets(st.integers(1, sum(map(len, SAID)) - 1)))
def test_replies_are_whole_however_they_are_cut(cuts):
    async def scenario(dialogue, wire):
        dialogue.send(b"MAIL\r\nRCPT\r\nDATA\r\nDOT\r\n", replies=4)
        said, edges = b"".join(SAID), [0, *sorted(cuts), None]
        for start, end in pairwise(edges):
            wire.protocol.data_received(said[start:end])
        return [await dialogue.reply(1) for _ in range(4)], dialogue.usable

    assert talk(scenario) == (list(READ), True)


def test_a_reply_that_nothing_asked_for_ends_the_session():
    """Neither a goodbye between letters nor an injected reply is taken for the answer to the next command."""

    async def scenario(dialogue, wire):
        wire.protocol.data_received(b"421 4.4.2 idle too long\r\n")
        assert not dialogue.usable
        with pytest.raises(ConnectionError):
            await dialogue.command(b"MAIL", 1)
        return wire.written

    assert talk(scenario) == []


def test_two_replies_to_one_command():
    async def scenario(dialogue, wire):
        dialogue.send(b".\r\n", replies=1)
        wire.protocol.data_received(b"250 2.0.0 queued\r\n421 4.3.2 closing\r\n")
        return await dialogue.reply(1), dialogue.usable

    assert talk(scenario) == (Reply(250, "2.0.0 queued"), False)


@pytest.mark.parametrize(
    "said", [b"hello\r\n", b"\xff\xfe\r\n", b"\r\n", b"25\r\n", b"x" * 100_000, b"250-x\r\n" * 20_000]
)
def test_what_is_no_reply_says_so(said):
    """Garbage, and an endless reply, are code -1: no memory is filled, no session goes on."""

    async def scenario(dialogue, wire):
        dialogue.send(b"MAIL\r\n", replies=1)
        wire.protocol.data_received(said)
        return (await dialogue.reply(1)).code, dialogue.usable

    assert talk(scenario) == (-1, False)


def test_a_reply_that_came_before_the_break_is_heard():
    async def scenario(dialogue, wire):
        dialogue.send(b"text", replies=1)
        wire.protocol.data_received(b"550 5.7.1 enough\r\n")
        wire.protocol.connection_lost(ConnectionResetError())
        first = await dialogue.reply(1)
        dialogue.send(b"", replies=1)
        with pytest.raises(ConnectionError):
            await dialogue.reply(1)
        return first

    assert talk(scenario) == Reply(550, "5.7.1 enough")


def test_flushed_waits_for_the_system_or_a_reply():
    async def scenario(dialogue, wire):
        assert wire.limits == (1, None)
        dialogue.send(b"text", replies=1)
        assert await dialogue.flushed(1) is None
        wire.protocol.pause_writing()
        with pytest.raises(TimeoutError, match=r"no answer in 0\.05 s"):
            await dialogue.flushed(0.05)
        asyncio.get_running_loop().call_later(0.02, wire.protocol.resume_writing)
        assert await dialogue.flushed(1) is None
        wire.protocol.pause_writing()
        asyncio.get_running_loop().call_later(0.02, wire.protocol.data_received, b"552 too much\r\n")
        return await dialogue.flushed(1)

    assert talk(scenario) == Reply(552, "too much")
