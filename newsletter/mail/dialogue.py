"""Commands and replies over a connection that is already open, encrypted and logged in.

aiosmtplib reads one reply for one command. A sender that must know what a broken connection means needs more: several
commands in one packet (PIPELINING, RFC 2920), a reply heard while the text is still under way, and the moment at which
the last octet has left the process.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

_LONGEST_REPLY = 64 * 1024  # RFC 5321 section 4.5.3.1.5 asks for 512 a line; servers write stories
_REPLY_LINE = re.compile(rb"\d{3}(?:[ -]|$)")


class Reply(NamedTuple):
    """A reply's code, -1 for one that is none, and its text, lines joined by newlines."""

    code: int
    text: str


class Dialogue(asyncio.Protocol):
    """Takes a transport over from whoever opened it. Raises ConnectionError and TimeoutError."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._lines: list[str] = []
        self._replies: deque[Reply] = deque()
        self._owed = self._size = 0
        self._full = self._lost = self._confused = False
        self._waiter: asyncio.Future[None] | None = None
        # `pause_writing` then tells that something has not left yet. Not 0: TLS takes an empty buffer for a full one.
        transport.set_write_buffer_limits(high=1)
        transport.set_protocol(self)

    @property
    def usable(self) -> bool:
        """Whether the next command can be sent, and its reply told from others."""
        return not (self._confused or self._owed or self._replies or self._transport.is_closing())

    def send(self, data: bytes, *, replies: int) -> None:
        """Write `data`, to which the server owes so many replies; raises where the system takes nothing more."""
        self._owed += replies
        if not (self._confused or self._transport.is_closing()):
            self._transport.write(data)  # a broken pipe shows at once, and closes the transport
        if self._confused or self._transport.is_closing():
            raise ConnectionResetError("connection lost")

    async def reply(self, seconds: float) -> Reply:
        """The next reply, in the order of the commands."""
        await self._until(lambda: bool(self._replies), seconds)
        if not self._replies:
            raise ConnectionResetError("connection lost")
        return self._replies.popleft()

    async def command(self, line: bytes, seconds: float) -> Reply:
        self.send(line + b"\r\n", replies=1)
        return await self.reply(seconds)

    async def flushed(self, seconds: float) -> Reply | None:
        """Wait until all that was sent has left this process; a Reply where one came first."""
        await self._until(lambda: bool(self._replies) or not self._full, seconds)
        return self._replies.popleft() if self._replies else None

    def close(self) -> None:
        self._transport.close()

    async def _until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready`, or the connection is lost. `asyncio.timeout` takes three times as long for the same."""
        if ready():
            return
        late = False

        def end() -> None:
            nonlocal late
            late = True
            self._wake()

        timer = self._loop.call_later(seconds, end)
        try:
            while not (ready() or self._lost):
                if late:
                    raise TimeoutError(f"no answer in {seconds:g} s")
                self._waiter = self._loop.create_future()
                await self._waiter
        finally:
            timer.cancel()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = bytearray(rest)
        for line in lines:
            self._read_line(bytes(line).rstrip(b"\r"))
        if len(self._buffer) + self._size > _LONGEST_REPLY:
            self._buffer.clear()
            self._take(Reply(-1, "endless reply"))
        self._wake()

    def _read_line(self, line: bytes) -> None:
        self._size += len(line)
        self._lines.append(line[4:].decode("utf-8", "replace"))
        if not _REPLY_LINE.match(line):
            self._take(Reply(-1, f"not a reply: {line[:80]!r}"))
        elif line[3:4] != b"-":
            self._take(Reply(int(line[:3]), "\n".join(self._lines)))

    def _take(self, reply: Reply) -> None:
        """A whole reply. One that nothing asked for (a server that closes, or an intruder) ends the session."""
        self._lines.clear()
        self._size = 0
        self._confused = self._confused or reply.code < 0 or not self._owed
        if self._owed:
            self._owed -= 1
            self._replies.append(reply)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        self._lost = True
        self._wake()
