"""Letters from the ledger to the server: claim, seal, send, settle. What dies on the way is found in the ledger.

claim --chunks--> crew seals them --line--> hands, each with one letter: transport, and the clerk before and after
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from newsletter.delivery import decide
from newsletter.mail import Transport
from newsletter.model import Delivery, Message, Outcome
from newsletter.pipeline.clerk import Clerk
from newsletter.pipeline.crew import Crew, crew
from newsletter.pipeline.posting import open_transport
from newsletter.pipeline.report import Report, report
from newsletter.pipeline.senders import gone, signed_on
from newsletter.pipeline.workspace import Workspace
from newsletter.store import ledger

log = structlog.get_logger()

Progress = Callable[[int, int, str], None]
_LEASE = timedelta(minutes=10)
_BATCH = 2_000  # a claim waits for the ledger, and the line behind it may run dry
_CHUNK = 50  # letters that one process seals in one go
_LINE = 100  # sealed letters that wait for a hand
_HANDS = 6  # letters under way for each connection: the others wait for the disk


def wall_clock(at: datetime) -> Callable[[], datetime]:
    """A clock that reads `at` now and goes on from there, untouched by changes of the system's."""
    start = time.monotonic()
    return lambda: at + timedelta(seconds=time.monotonic() - start)


def run(
    workspace: Workspace, edition: str, *, clock: Callable[[], datetime], only: Collection[str], outbox: Path | None,
    progress: Progress | None, stop: Callable[[], bool], helpers: Crew | None = None,
) -> Report:  # fmt: skip
    """Deliver what is due of the edition until nothing is, the server forbids it, or `stop` says so."""
    senders = workspace.settings.data / "senders"
    with signed_on(senders) as owner:
        ledger.recover(workspace.engine, clock(), dead=gone(senders, ledger.owners(workspace.engine) - {owner}))
        ledger.expire(workspace.engine, clock())
        counts = ledger.counts(workspace.engine, edition)
        waiting = counts["planned"] + counts["deferred"]
        transport = open_transport(workspace, outbox)
        with nullcontext(helpers) if helpers else crew(workspace, waiting) as sealing:
            round_ = _Round(workspace, edition, owner, clock, frozenset(only) or None, stop, sealing)
            round_.progress = _Progress(progress or (lambda *_: None), waiting)
            try:
                asyncio.run(_deliver(round_, transport))
            finally:
                ledger.release(workspace.engine, owner)
    counts = ledger.counts(workspace.engine, edition)
    return report(edition, counts, round_.ended, ledger.next_due(workspace.engine, edition, clock()))


@dataclass(slots=True)
class _Progress:
    tell: Progress
    total: int
    done: int = 0

    def one_more(self) -> None:
        self.done += 1
        self.tell(self.done, max(self.total, self.done), "Sending")


@dataclass(slots=True)
class _Round:
    """One run: what it works with, and the outcome that ended it early, if one did."""

    workspace: Workspace
    edition: str
    owner: str
    clock: Callable[[], datetime]
    only: frozenset[str] | None
    stop: Callable[[], bool]
    crew: Crew
    progress: _Progress = field(default_factory=lambda: _Progress(lambda *_: None, 0))
    jitter: random.Random = field(default_factory=random.Random)
    ended: Outcome | None = None

    @property
    def over(self) -> bool:
        return self.ended is not None or self.stop()


_Line = asyncio.Queue[tuple[Delivery, Message | Outcome] | None]


async def _deliver(round_: _Round, transport: Transport) -> None:
    """Seal ahead and send, side by side; if the store fails under one letter, the others are given up at once."""
    line: _Line = asyncio.Queue(_LINE)
    hands = _HANDS * round_.workspace.settings.smtp.connections
    async with transport, Clerk(round_.workspace.engine, round_.owner, round_.clock) as clerk:
        tasks = [asyncio.create_task(_hand(round_, transport, clerk, line)) for _ in range(hands)]
        tasks.append(asyncio.create_task(_feed(round_, line, hands)))
        try:
            await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise


async def _feed(round_: _Round, line: _Line, hands: int) -> None:
    """Claimed letters to the crew, a few chunks ahead, sealed ones into the line; at the end a None for each hand."""
    ahead: deque[tuple[list[Delivery], asyncio.Task[list[Message | Outcome]]]] = deque()

    async def hand_over() -> None:
        chunk, sealing = ahead.popleft()
        for pair in zip(chunk, await sealing, strict=True):
            await line.put(pair)

    try:
        async for chunk in _claimed(round_):
            sealing = round_.crew.seal([delivery.id for delivery in chunk], round_.clock())
            ahead.append((chunk, asyncio.create_task(sealing)))
            if len(ahead) > 2 * round_.crew.hands:
                await hand_over()
        while ahead:
            await hand_over()
    finally:
        for _, task in ahead:
            task.cancel()
    for _ in range(hands):
        await line.put(None)


async def _claimed(round_: _Round) -> AsyncIterator[list[Delivery]]:
    """What is due, in chunks, until nothing is or the run is over; a batch is claimed while the one before is sent."""
    batch = await asyncio.to_thread(_claim, round_)
    while batch and not round_.over:
        following = asyncio.create_task(asyncio.to_thread(_claim, round_))
        for start in range(0, len(batch), _CHUNK):
            if not round_.over:
                yield batch[start : start + _CHUNK]
        # what was not due when the next batch was claimed may be by now
        batch = await following or await asyncio.to_thread(_claim, round_)


def _claim(round_: _Round) -> list[Delivery]:
    smtp = round_.workspace.settings.smtp
    slowest = min(smtp.rate_per_second, smtp.domain_rate_per_second or smtp.rate_per_second)
    limit, lease = claim_ahead(slowest, _LINE + _HANDS * smtp.connections + _CHUNK * (2 * round_.crew.hands + 2))
    return ledger.claim(
        round_.workspace.engine, round_.edition, round_.clock(), limit=limit, owner=round_.owner, lease=lease,
        only=round_.only, with_letters=False,
    )  # fmt: skip


def claim_ahead(rate: float, waiting: int) -> tuple[int, timedelta]:
    """How many letters to claim at one time, and for how long, so that none waits longer for its turn than its lease.

    `rate` is the slowest that a letter can meet, in letters a second (all may go to one domain); `waiting` is how many
    letters stand at most between the claim and the server, besides the two batches that are on their way.
    """
    limit = max(1, min(_BATCH, int(rate * _LEASE.total_seconds() / 8)))
    return limit, max(_LEASE, timedelta(seconds=2 * (2 * limit + waiting) / rate))


async def _hand(round_: _Round, transport: Transport, clerk: Clerk, line: _Line) -> None:
    """One letter after the other, as long as there are any; when the run is over, the rest stays planned."""
    while (item := await line.get()) is not None:
        if round_.over:
            continue
        outcome = await _one(round_, transport, clerk, *item)
        round_.progress.one_more()
        if outcome is not None and outcome.kind == "stop":
            round_.ended = round_.ended or outcome


async def _one(
    round_: _Round, transport: Transport, clerk: Clerk, delivery: Delivery, sealed: Message | Outcome
) -> Outcome | None:
    """One letter, whatever happens to it, down to its line in the ledger; None if it was not tried."""
    asked = begun = False
    if isinstance(sealed, Outcome):
        outcome = sealed
    else:

        async def begin() -> bool:
            nonlocal asked, begun
            asked = True
            begun = not round_.stop() and await clerk.begin(delivery.id, sealed.message_id)
            return begun

        outcome = await transport.deliver(sealed, begin=begin)
        if asked and not begun:
            return None  # the ledger knows better (suppressed, expired, somebody else's by now), or we were stopped
    log.info(
        "delivery",
        edition=delivery.edition,
        subscriber=delivery.subscriber,
        outcome=outcome.kind,
        phase=outcome.phase,
        code=outcome.code,
    )
    await clerk.settle(decide(delivery, outcome, round_.clock(), round_.jitter, begun=begun))
    return outcome
