"""The ledger's lines of many letters in few transactions: each letter waits until its own line is durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Engine

from newsletter.delivery import Settlement
from newsletter.store import ledger


class Clerk:
    """Writes `begin` and `settle` for all letters under way: whatever waits is written in one transaction each."""

    def __init__(self, engine: Engine, owner: str, clock: Callable[[], datetime]) -> None:
        self._engine, self._owner, self._clock = engine, owner, clock
        self._begins: list[tuple[int, str, asyncio.Future[bool]]] = []
        self._settlements: list[tuple[Settlement, asyncio.Future[None]]] = []
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
            self._waiting.clear()
            settlements, self._settlements = self._settlements, []
            begins, self._begins = self._begins, []
            await self._write_settlements(settlements)
            await self._write_begins(begins)

    async def _write_settlements(self, waiting: list[tuple[Settlement, asyncio.Future[None]]]) -> None:
        if not waiting:
            return
        try:
            await asyncio.to_thread(ledger.settle, self._engine, [line for line, _ in waiting], self._clock())
        except Exception as error:  # noqa: BLE001  whoever waits gets it
            for _, future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        for _, future in waiting:
            if not future.done():
                future.set_result(None)

    async def _write_begins(self, waiting: list[tuple[int, str, asyncio.Future[bool]]]) -> None:
        waiting = [entry for entry in waiting if not entry[2].cancelled()]
        if not waiting:
            return
        names = {delivery: message_id for delivery, message_id, _ in waiting}
        try:
            going = set(
                await asyncio.to_thread(
                    ledger.begin, self._engine, list(names), self._owner, self._clock(), message_ids=names
                )
            )
        except Exception as error:  # noqa: BLE001  whoever waits gets it
            for _, _, future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        for delivery, _, future in waiting:
            if not future.done():
                future.set_result(delivery in going)
