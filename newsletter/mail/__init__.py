"""Letters as bytes, and on their way: message, DKIM, SMTP, an outbox of files, an inbox for demonstrations, bounces."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Protocol, Self

from newsletter.model import Message, Outcome

__all__ = ["Transport"]


class Transport(Protocol):
    """Where messages go. Enter it, deliver from as many tasks as you like, leave it."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def deliver(self, message: Message, *, begin: Callable[[], Awaitable[bool]]) -> Outcome:
        """What became of the message; an expected failure is a value.

        `begin` is awaited once the recipient is accepted, and before anything is sent that could become a letter: it
        records the intent. Where it returns False or raises, nothing is sent.
        """
        ...
