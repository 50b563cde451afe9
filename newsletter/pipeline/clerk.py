"""The ledger's lines of many letters in few transactions: each letter waits until its own line is durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Engine

from newsletter.delivery import Settlement
from newsletter.store import ledger

_GATHER = 0.002  # seconds in which lines gather: a transaction of ten letters costs as much as two of one

_Beginning = tuple[int, str, asyncio.Future[bool]]
_Settling = tuple[Settlement, asyncio.Future[None]]


class Clerk:
    """Writes `begin` and `settle` for all letters under way: whatever waits is written in one transaction."""

    def __init__(self, engine: Engine, owner: str, clock: Callable[[], datetime]) -> None:
        self._engine, self._owner, self._clock = engine, owner, clock
        self._begins: list[_Beginning] = []
        self._settlements: list[_Settling] = []
        self._waiting = asyncio.Event()
        self._closing = False

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._write())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._waiting.set()
        await self._task

    async def begin(self, delivery: int, message_id: str) -> bool:
        """Whether the letter may go on to DATA; `sending` is durable when this returns True. Raises StoreError."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._begins.append((delivery, message_id, future))
        self._waiting.set()
        return await future

    async def settle(self, settlement: Settlement) -> None:
        """Returns when the outcome is durable. Raises StoreError."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._settlements.append((settlement, future))
        self._waiting.set()
        await asyncio.shield(future)

    async def _write(self) -> None:
        while not (self._closing and not self._begins and not self._settlements):
            await self._waiting.wait()
            await asyncio.sleep(_GATHER)
            self._waiting.clear()
            settlements, self._settlements = self._settlements, []
            begins, self._begins = self._begins, []
            begins = [waiting for waiting in begins if not waiting[2].cancelled()]
            if settlements or begins:
                await self._write_down(settlements, begins)

    async def _write_down(self, settlements: list[_Settling], begins: list[_Beginning]) -> None:
        """One transaction; whoever waits for a line in it goes on, or gets the error."""
        names = {delivery: message_id for delivery, message_id, _ in begins}
        lines = [settlement for settlement, _ in settlements]
        futures: list[asyncio.Future[Any]] = [*(s[1] for s in settlements), *(b[2] for b in begins)]
        try:
            going = await asyncio.to_thread(
                ledger.settle_and_begin, self._engine, lines, names, self._owner, self._clock()
            )
        except Exception as error:  # noqa: BLE001  whoever waits gets it
            for future in futures:
                if not future.done():
                    future.set_exception(error)
            return
        for _, settled in settlements:
            if not settled.done():
                settled.set_result(None)
        for delivery, _, begun in begins:
            if not begun.done():
                begun.set_result(delivery in going)
