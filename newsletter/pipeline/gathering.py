"""What many ask to be written at one time, in few transactions: each waits until its own line is durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

__all__ = ["Gathering"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_GATHER = 0.002  # a transaction of ten lines costs as much as two of one


@dataclass(slots=True)
class _Line(Generic[_Item, _Result]):
    waiting: list[tuple[_Item, asyncio.Future[_Result]]] = field(default_factory=list)
    writer: asyncio.Task[None] | None = None


class Gathering(Generic[_Item, _Result]):
    """Whatever waits is written by one call of `write`, in a thread, which gives a result for each item, in order.

    There is a writer while there is something to write, one for each event loop. It lets lines gather for `seconds`.
    """

    def __init__(self, write: Callable[[Sequence[_Item]], Sequence[_Result]], *, seconds: float = _GATHER) -> None:
        self._write, self._seconds = write, seconds
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, _Line[_Item, _Result]] = WeakKeyDictionary()

    def put(self, item: _Item) -> asyncio.Future[_Result]:
        """Done with the item's result when it is durable, or with what `write` raised.

        An item whose future is cancelled before its turn is not written.
        """
        loop = asyncio.get_running_loop()
        line = self._lines.setdefault(loop, _Line())
        future: asyncio.Future[_Result] = loop.create_future()
        line.waiting.append((item, future))
        if line.writer is None:
            line.writer = loop.create_task(self._write_out(line))
        return future

    async def written(self) -> None:
        """Returns when nothing waits any more."""
        line = self._lines.get(asyncio.get_running_loop())
        if line is not None and line.writer is not None:
            await line.writer

    async def _write_out(self, line: _Line[_Item, _Result]) -> None:
        try:
            while line.waiting:
                await asyncio.sleep(self._seconds)
                taken, line.waiting = line.waiting, []
                if alive := [one for one in taken if not one[1].cancelled()]:
                    await self._write_some(alive)
        finally:
            line.writer = None

    async def _write_some(self, some: list[tuple[_Item, asyncio.Future[_Result]]]) -> None:
        """One call; whoever waits for a line in it goes on, or gets the error."""
        try:
            results = await asyncio.to_thread(self._write, [item for item, _ in some])
        except Exception as error:  # noqa: BLE001  whoever waits gets it
            for _, future in some:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), result in zip(some, results, strict=True):
            if not future.done():
                future.set_result(result)
