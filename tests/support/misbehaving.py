"""A real SMTP server that misbehaves on command."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import trustme

DEFAULTS = {
    "connect": "220 misbehaving ESMTP",
    "EHLO": "250-misbehaving\r\n250-SIZE 1000000\r\n250 ENHANCEDSTATUSCODES",
    "HELO": "250 misbehaving",
    "STARTTLS": "220 2.0.0 go ahead",
    "AUTH": "235 2.7.0 welcome",
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": "354 go on",
    "dot": "250 2.0.0 queued",
    "RSET": "250 2.0.0 reset",
    "NOOP": "250 2.0.0 ok",
    "QUIT": "221 2.0.0 bye",
}


@dataclass(frozen=True)
class Do:
    """What the server does instead of the default reply: wait, say something, hang up or fall silent.

    `early` octets of the text are read before the reply to the dot is said (in step "dot"); `keep`: the letter is
    taken, whatever is said.
    """

    say: str = ""
    wait: float = 0.0
    hang_up: bool = False
    silent: bool = False
    early: int | None = None
    keep: bool = False


@dataclass
class Misbehaving:
    """`script` maps a step to what happens: one thing for ever, or a list, one for each time, then the default."""

    do = Do
    script: Mapping[str, Any]
    context: ssl.SSLContext | None = None
    implicit_tls: bool = False
    most: int = 1_000
    port: int = 0
    commands: list[str] = field(default_factory=list)
    accepted: list[tuple[str, str, bytes]] = field(default_factory=list)
    open_now: int = 0
    open_most: int = 0
    sessions: int = 0
    in_clear: list[str] = field(default_factory=list)
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _used: dict[str, int] = field(default_factory=dict)

    def action(self, step: str) -> Do:
        found = self.script.get(step, DEFAULTS.get(step, "500 5.5.1 what?"))
        if isinstance(found, list):
            at = self._used.get(step, 0)
            self._used[step] = at + 1
            found = found[at] if at < len(found) else DEFAULTS[step]
        return found if isinstance(found, Do) else Do(say=found)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Misbehaving]:
        tls = self.context if self.implicit_tls else None
        server = await asyncio.start_server(self._session, "127.0.0.1", 0, ssl=tls, limit=2**25)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._writers.add(writer)
        self.sessions += 1
        self.open_now += 1
        self.open_most = max(self.open_most, self.open_now)
        try:
            if self.open_now > self.most:
                await self._answer(writer, Do(say="421 4.7.0 too many connections", hang_up=True))
            elif await self._answer(writer, self.action("connect")):
                await self._dialogue(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass  # the client has gone, or the test is over
        finally:
            self.open_now -= 1
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, do: Do) -> bool:
        """Whether the session goes on."""
        await asyncio.sleep(do.wait)
        if do.silent:
            await asyncio.sleep(3600)
        if do.say:
            writer.write(do.say.encode() + b"\r\n")
            await writer.drain()
        return not do.hang_up

    async def _dialogue(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        envelope: dict[str, str] = {}
        encrypted = self.implicit_tls
        while line := (await reader.readline()).decode("utf-8", "replace"):
            command = line.rstrip("\r\n")
            self.commands.append(command)
            if not encrypted:
                self.in_clear.append(command)
            verb = command.split(" ", 1)[0].upper()
            envelope[verb] = command
            do = self.action(f"{verb} encrypted" if encrypted and f"{verb} encrypted" in self.script else verb)
            if not await self._answer(writer, do) or verb == "QUIT":
                return
            if verb == "STARTTLS" and do.say.startswith("220"):
                await writer.start_tls(self.context)
                encrypted = True
            elif verb == "DATA" and do.say.startswith("354") and not await self._text(reader, writer, envelope):
                return

    async def _text(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, envelope: dict[str, str]) -> bool:
        self.reading.set()
        dot = self.action("dot")
        if dot.early is not None:
            await reader.readexactly(dot.early)
            writer.transport.pause_reading()
            await self._answer(writer, dot)
            return False
        text = await reader.readuntil(b"\r\n.\r\n")
        if dot.keep or dot.say.startswith("250"):
            self.accepted.append((envelope["MAIL"], envelope["RCPT"], text[:-3]))
        return await self._answer(writer, dot)


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@contextmanager
def serving(server: Misbehaving) -> Iterator[Misbehaving]:
    """The server in a thread with an event loop of its own, for senders that have theirs or are other processes."""
    ready, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with server.running():
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
