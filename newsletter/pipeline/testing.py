"""The one-off test: chosen letters to one address, the ledger untouched."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import date, datetime
from pathlib import Path

from newsletter.errors import ConfigError, NewsletterError
from newsletter.mail import Transport
from newsletter.model import Letter, Outcome, Skip
from newsletter.pipeline.editions import edition_id, prepare
from newsletter.pipeline.letters import write
from newsletter.pipeline.posting import Post, message, open_post, open_transport, unrecorded
from newsletter.pipeline.workspace import Workspace, find_subscriber, place_of_readers, readers
from newsletter.store import letters


def send_test(
    workspace: Workspace, day: date, to: str, *, only: Collection[str] = (), outbox: Path | None = None, at: datetime
) -> list[tuple[str, Outcome]]:
    """Send each chosen reader's letter to the address `to`, its subject marked; outcomes by reader.

    A letter that is planned goes as it is planned, so a test of a prepared edition shows what will be sent.
    """
    post, transport = open_post(workspace), open_transport(workspace, outbox)
    chosen = _letters(workspace, day, only)
    if not chosen:
        raise ConfigError("There is nobody to write to", which=place_of_readers(workspace), do="Add a subscriber")
    return asyncio.run(_send(post, transport, chosen, to, at))


def _letters(workspace: Workspace, day: date, only: Collection[str]) -> list[Letter | Skip]:
    chosen = [find_subscriber(workspace, name) for name in sorted(only)] or list(readers(workspace))
    frozen = letters.frozen_letters(workspace.engine, edition_id(day), [reader.name for reader in chosen])
    missing = [reader for reader in chosen if reader.name not in frozen]
    fresh = write(workspace, prepare(workspace, day), missing) if missing else []
    return [*frozen.values(), *fresh]


async def _send(
    post: Post, transport: Transport, letters: list[Letter | Skip], to: str, at: datetime
) -> list[tuple[str, Outcome]]:
    async with transport:
        return [(letter.subscriber, await _one(post, transport, letter, to, at)) for letter in letters]


async def _one(post: Post, transport: Transport, letter: Letter | Skip, to: str, at: datetime) -> Outcome:
    if isinstance(letter, Skip):
        return Outcome("refused", "render", text=f"no letter: {letter.reason}")
    try:
        sealed, _ = message(post, letter, date=at, test_to=to)
    except NewsletterError as error:
        return Outcome("refused", "render", text=str(error))
    return await transport.deliver(sealed, begin=unrecorded)
