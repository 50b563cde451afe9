"""Letters from the ledger to the server: claim, render, send, settle. What dies on the way is found in the ledger."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from newsletter.delivery import decide
from newsletter.errors import NewsletterError
from newsletter.mail import Transport
from newsletter.model import Delivery, Message, Outcome
from newsletter.pipeline.clerk import Clerk
from newsletter.pipeline.posting import Post, message, open_post, open_transport
from newsletter.pipeline.report import Report, report
from newsletter.pipeline.senders import gone, signed_on
from newsletter.pipeline.workspace import Workspace
from newsletter.store import ledger

log = structlog.get_logger()

Progress = Callable[[int, int, str], None]
_LEASE = timedelta(minutes=10)
_BATCH = 400


def wall_clock(at: datetime) -> Callable[[], datetime]:
    """A clock that reads `at` now and goes on from there, untouched by changes of the system's."""
    start = time.monotonic()
    return lambda: at + timedelta(seconds=time.monotonic() - start)


def run(
    workspace: Workspace, edition: str, *, clock: Callable[[], datetime], only: Collection[str], outbox: Path | None,
    progress: Progress | None, stop: Callable[[], bool],
) -> Report:  # fmt: skip
    """Deliver what is due of the edition until nothing is, the server forbids it, or `stop` says so."""
    senders = workspace.settings.data / "senders"
    with signed_on(senders) as owner:
        ledger.recover(workspace.engine, clock(), dead=gone(senders, ledger.owners(workspace.engine) - {owner}))
        ledger.expire(workspace.engine, clock())
        post = open_post(workspace)
        transport = open_transport(workspace, outbox)
        round_ = _Round(
            workspace, edition, owner, post, clock, frozenset(only) or None, progress or (lambda *_: None), stop
        )
        try:
            ended = asyncio.run(_deliver(round_, transport))
        finally:
            ledger.release(workspace.engine, owner)
    counts = ledger.counts(workspace.engine, edition)
    return report(edition, counts, ended, ledger.next_due(workspace.engine, edition, clock()))


@dataclass(frozen=True, slots=True)
class _Round:
    workspace: Workspace
    edition: str
    owner: str
    post: Post
    clock: Callable[[], datetime]
    only: frozenset[str] | None
    progress: Progress
    stop: Callable[[], bool]


async def _deliver(round_: _Round, transport: Transport) -> Outcome | None:
    """Batch after batch; the outcome that ended the run early, if one did."""
    engine, rate = round_.workspace.engine, round_.workspace.settings.smtp.rate_per_second
    batch = max(1, min(_BATCH, int(rate * _LEASE.total_seconds() / 4)))  # a lease must outlast its batch
    counts = await asyncio.to_thread(ledger.counts, engine, round_.edition)
    total = counts["planned"] + counts["deferred"]
    done = 0
    async with transport, Clerk(engine, round_.owner, round_.clock) as clerk:
        while not round_.stop():
            claimed = await asyncio.to_thread(_claim, round_, batch)
            if not claimed:
                return None
            tasks = [asyncio.ensure_future(_one(round_, transport, clerk, delivery)) for delivery in claimed]
            for task in asyncio.as_completed(tasks):
                outcome = await _or_cancel(task, tasks)
                done += 1
                round_.progress(done, total, "Sending")
                if outcome is not None and outcome.kind == "stop":
                    await asyncio.gather(*tasks)
                    return outcome
    return None


def _claim(round_: _Round, limit: int) -> list[Delivery]:
    engine, now = round_.workspace.engine, round_.clock()
    return ledger.claim(engine, round_.edition, now, limit=limit, owner=round_.owner, lease=_LEASE, only=round_.only)


async def _or_cancel(task: asyncio.Future[Outcome | None], tasks: list[asyncio.Task[Outcome | None]]) -> Outcome | None:
    """The task's outcome; if the store fails under it, the others are given up before anything more is sent."""
    try:
        return await task
    except BaseException:
        for other in tasks:
            other.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def _one(round_: _Round, transport: Transport, clerk: Clerk, delivery: Delivery) -> Outcome | None:
    """One letter, whatever happens to it, down to its line in the ledger; None if it was not tried."""
    if round_.stop():
        return None
    sealed = _sealed(round_, delivery)
    if isinstance(sealed, Outcome):
        outcome = sealed
    else:
        withdrawn = False

        async def begin() -> bool:
            nonlocal withdrawn
            withdrawn = not await clerk.begin(delivery.id, sealed.message_id)
            return not withdrawn

        outcome = await transport.deliver(sealed, begin=begin)
        if withdrawn:
            return None  # the ledger knows better: suppressed, expired, or somebody else's by now
    log.info(
        "delivery",
        edition=delivery.edition,
        subscriber=delivery.subscriber,
        outcome=outcome.kind,
        phase=outcome.phase,
        code=outcome.code,
    )
    await clerk.settle(decide(delivery, outcome, round_.clock(), random.Random(delivery.id)))
    return outcome


def _sealed(round_: _Round, delivery: Delivery) -> Message | Outcome:
    """The message; a letter that cannot be made into one fails alone."""
    if delivery.letter is None:
        return Outcome("refused", "render", text="the ledger holds no letter for this delivery")
    try:
        return message(round_.post, delivery.letter, date=round_.clock())[0]
    except NewsletterError as error:
        return Outcome("refused", "render", text=str(error))
