"""The way out and back in: a reader's word counts at once, in the middle of a run too."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlalchemy import Engine

from newsletter.pipeline.gathering import Gathering
from newsletter.pipeline.workspace import Workspace
from newsletter.store import suppression
from newsletter.store.suppression import Leaving

_GATHER = 0.005  # seconds; of two processes that write to one SQLite file, one waits and looks again ever later
__all__ = ["Exits", "left", "resume", "withdraw", "withdrawn"]


class Exits:
    """Takes the word of many readers at one time; each is answered when theirs is durable."""

    def __init__(self, engine: Engine) -> None:
        self._lines = Gathering[Leaving, int](partial(suppression.unsubscribe, engine), seconds=_GATHER)

    async def withdraw(self, address_hash: str, subscriber: str, *, source: str, at: datetime) -> int:
        """As `withdraw` below, from an event loop."""
        return await self._lines.put(Leaving(address_hash, subscriber, source, at))


def withdraw(workspace: Workspace, address_hash: str, subscriber: str, *, source: str, at: datetime) -> int:
    """No letter to the address of this hash from here on; returns how many that waited are skipped.

    `source` is where the reader said so. Said again, it changes nothing; nor need the reader still be known.
    """
    return suppression.unsubscribe(workspace.engine, [Leaving(address_hash, subscriber, source, at)])[0]


def resume(workspace: Workspace, subscriber: str, email: str, *, source: str, at: datetime) -> bool:
    """Letters to `email` again, where its reader had said no more; False where there is nothing to take back.

    What a bounce, a complaint or the operator has suppressed stays suppressed.
    """
    hashed = suppression.address_hash(email, workspace.key)
    return suppression.resubscribe(workspace.engine, hashed, subscriber, source=source, at=at)


def withdrawn(workspace: Workspace, email: str) -> bool:
    """Whether the reader of this address said that they want no letter any more."""
    return left(workspace, suppression.address_hash(email, workspace.key))


def left(workspace: Workspace, address_hash: str) -> bool:
    """The same by the address's hash: also of readers who are no longer known."""
    found = suppression.suppression_of(workspace.engine, address_hash)
    return found is not None and found.reason == suppression.UNSUBSCRIBED
