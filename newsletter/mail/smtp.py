"""Letters over SMTP: a pool of sessions with a pace that the server sets.

Decisions are elsewhere and pure: what a reply means (`replies`), how fast (`pace`); one session's dialogue is
`connection`. Here they are put together and carried out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from newsletter.mail.account import Account
from newsletter.mail.connection import WITHDRAWN, Begin, Connection, Server, open_connection
from newsletter.mail.pace import Pace, Room
from newsletter.model import Message, Outcome

__all__ = ["Server", "SmtpTransport"]

_PATIENCE = 3  # refused connections in a row, with none working, before the run stops
_CLOSING = 421


class SmtpTransport:
    """A `newsletter.mail.Transport` over SMTP. Deliver from several tasks: `connections` of them work at once."""

    def __init__(self, server: Server, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._server = server
        self._clock = clock
        self._pace = Pace(server.rate_per_second)
        self._domain_paces: dict[str, Pace] = {}
        self._room = Room(server.connections)
        self._idle: list[Connection] = []
        self._open = 0
        self._changed = asyncio.Condition()
        self._refused_connections = 0
        self._account = Account(server.refusals_in_a_row)
        self._stopped: Outcome | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def paused(self) -> Mapping[str, Outcome]:
        """Domains that refused `refusals_in_a_row` letters for a fault of ours, and their last reply: for the operator.

        The empty domain is the server itself, which refused the sender.
        """
        return dict(self._account.paused)

    @property
    def stopped(self) -> Outcome | None:
        """Why nothing more is sent in this run, if so."""
        return self._stopped

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._idle:
            self._leave(self._idle.pop())
        await asyncio.gather(*self._leaving)

    async def deliver(self, message: Message, *, begin: Begin) -> Outcome:
        """See `newsletter.mail.Transport`. Waits for a free session and for the pace.

        After an outcome `stop` every further one is the same, without a word to the server. Domains that keep refusing
        for a fault of ours are deferred untried.
        """
        domain = message.recipient.rpartition("@")[2].lower()
        if self._server.domain_rate_per_second and not (self._stopped or self._account.verdict(domain)):
            pace = self._domain_paces.setdefault(domain, Pace(self._server.domain_rate_per_second))
            await _sleep(pace.reserve(self._clock()))
        while True:
            if not_tried := self._account.verdict(domain):
                return not_tried
            connection = await self._acquire()
            if isinstance(connection, Outcome):
                return connection
            reused = connection.taken > 0
            try:
                # only now, so that a slower pace holds for every letter that has no session yet
                await _sleep(self._pace.reserve(self._clock()))
                if not_tried := self._account.verdict(domain):  # while this letter waited for a session
                    return not_tried
                found = await connection.deliver(message, begin)
            finally:
                await self._release(connection)
            if not (reused and found.kind == "deferred" and found.phase == "mail" and found.code in (0, _CLOSING)):
                return await self._noted(domain, found)
            # the server had hung up on an idle session, before a word of the letter was said

    async def _acquire(self) -> Connection | Outcome:
        """A session of one's own, or why there is none."""
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._stopped or self._idle or self._open < self._room.limit)
                if self._stopped:
                    return self._stopped
                if self._idle:
                    connection = self._idle.pop()
                    if connection.usable:
                        return connection
                    self._leave(connection)
                    continue
                self._open += 1
            opened = await self._opened()
            if opened is not None:
                return opened

    async def _opened(self) -> Connection | Outcome | None:
        """A new session; the outcome that its failure means for the letter; None: wait for one of the others."""
        opened: Connection | Outcome | None = None
        try:
            opened = await open_connection(self._server)
        finally:
            if not isinstance(opened, Connection):
                self._open -= 1
                await self._notify(1)
        if isinstance(opened, Connection):
            self._refused_connections = 0
            return opened
        self._pace.slow()
        self._room.shrink(self._open)
        if opened.kind == "deferred" and self._open:
            return None
        self._refused_connections += 1
        if opened.kind == "stop" or not opened.code or self._refused_connections >= _PATIENCE:
            return await self._stop(opened)
        return opened

    async def _release(self, connection: Connection) -> None:
        if connection.usable:
            self._idle.append(connection)
        else:
            self._leave(connection)
        await self._notify(2 if self._open < self._room.limit else 1)

    async def _notify(self, waiting: int) -> None:
        async with self._changed:
            self._changed.notify(waiting)

    def _leave(self, connection: Connection) -> None:
        """Part from a session without making a letter wait for its goodbye."""
        task = asyncio.create_task(self._quit(connection))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _quit(self, connection: Connection) -> None:
        await connection.quit()
        self._open -= 1  # only now: the server counts it until then
        await self._notify(1)

    async def _noted(self, domain: str, found: Outcome) -> Outcome:
        """Let the outcome set the pace, the domain's account, and whether to go on at all."""
        if found is WITHDRAWN:
            return found
        match self._account.note(domain, found):
            case "stop":
                stopped = await self._stop(found)
                return stopped if found.kind == "stop" else found
            case "slower":
                self._pace.slow()
                self._room.shrink(self._open)
            case "faster":
                self._pace.recover()
                self._room.recover()
        return found

    async def _stop(self, found: Outcome) -> Outcome:
        self._stopped = Outcome("stop", found.phase, found.code, found.enhanced, found.text)
        async with self._changed:
            self._changed.notify_all()
        return self._stopped


async def _sleep(seconds: float) -> None:
    if seconds > 0:  # asyncio.sleep(0) costs a turn of the loop
        await asyncio.sleep(seconds)
