"""The way out and back in: a reader's word counts at once, in the middle of a run too."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Literal

from sqlalchemy import Engine

from newsletter.pipeline.gathering import Gathering
from newsletter.pipeline.workspace import Workspace
from newsletter.store import suppression
from newsletter.store.suppression import Leaving

__all__ = ["Exits", "Silence", "resume", "silenced", "withdraw", "withdrawn"]

Silence = Literal["no", "asked", "other"]


class Exits:
    """Takes the word of many readers at one time; each is answered when theirs is durable."""

    def __init__(self, engine: Engine) -> None:
        self._lines = Gathering[Leaving, int](partial(suppression.unsubscribe, engine))

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
    found = suppression.is_suppressed(workspace.engine, email, key=workspace.key)
    return found is not None and found.reason == suppression.UNSUBSCRIBED


def silenced(workspace: Workspace, address_hash: str) -> Silence:
    """Whether letters go to the address of this hash: yes, no as its reader asked, or no for another reason."""
    found = suppression.suppression_of(workspace.engine, address_hash)
    if found is None:
        return "no"
    return "asked" if found.reason == suppression.UNSUBSCRIBED else "other"
