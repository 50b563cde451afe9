"""The way of a letter, one function per stage.

    source -> Digest -> archive (dedupe) -> embed -> themes -> Edition          intake, editions
    Edition + Profile -> rank -> Pick* -> compose -> Letter | Skip              letters
    ledger.plan(letters)                     everything above is frozen before anything is sent
    Letter -> render -> (html, text) -> Message -> SMTP -> Outcome -> ledger     sending, courier

`send` below reads like this diagram.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import nullcontext
from datetime import date, datetime, timedelta
from pathlib import Path

from newsletter.model import Delivery, Edition, Letter, Outcome, State, Subscriber
from newsletter.pipeline import courier
from newsletter.pipeline.checking import Checked, check
from newsletter.pipeline.crew import Crew, crew
from newsletter.pipeline.editions import edition_day, edition_id, prepare, write_theme_map
from newsletter.pipeline.intake import Intake, fetch_path, fetch_sources
from newsletter.pipeline.letters import Gathered, as_read, choose, explain, ignored, write
from newsletter.pipeline.likes import Like, Liking, add_likes, fetch_likes, import_likes, list_likes
from newsletter.pipeline.notice import tell_operator
from newsletter.pipeline.posting import message, open_post
from newsletter.pipeline.proofs import Preview, Proof, preview, proof
from newsletter.pipeline.report import Report
from newsletter.pipeline.testing import send_test
from newsletter.pipeline.training import Trained, train_embedding
from newsletter.pipeline.tuning import FEWEST, Signal, Tuning, tune
from newsletter.pipeline.workspace import Workspace, expected, find_subscriber, open_workspace, readers, reloaded
from newsletter.settings import schema, write_schemas
from newsletter.store import ledger, letters

__all__ = [
    "FEWEST", "Checked", "Intake", "Like", "Liking", "Outcome", "Preview", "Proof", "Signal", "Trained", "Tuning",
    "Workspace", "add_likes", "as_read", "check", "choose", "deliver", "deliveries", "edition_day", "edition_id",
    "explain", "fetch_likes", "fetch_path", "fetch_sources", "find_subscriber", "ignored", "import_likes",
    "list_likes", "message", "open_post", "open_workspace", "plan", "prepare", "preview", "proof", "readers",
    "reloaded", "resend", "schema", "send", "send_test", "status", "tell_operator", "train_embedding", "tune",
    "write", "write_schemas", "write_theme_map",
]  # fmt: skip

EXPIRY = timedelta(hours=23)  # a deferred letter gives way to the next day's


def send(
    workspace: Workspace, day: date, *, at: datetime, only: Collection[str] = (), outbox: Path | None = None,
    progress: courier.Progress | None = None, stop: Callable[[], bool] = lambda: False,
) -> Report:  # fmt: skip
    """Send the edition of `day` to every reader who expects it then, or to those in `only`; each letter once."""
    edition, clock = prepare(workspace, day), courier.wall_clock(at)
    readers = expected(workspace, day, only)
    with crew(workspace, len(readers)) as helpers:
        plan(workspace, edition, readers, at=at, helpers=helpers)
        return deliver(
            workspace, edition.id, clock=clock, only=only, outbox=outbox, progress=progress, stop=stop, helpers=helpers
        )


def plan(
    workspace: Workspace, edition: Edition, subscribers: Iterable[Subscriber], *, at: datetime,
    gathered: Gathered | None = None, helpers: Crew | None = None,
) -> ledger.Planned:  # fmt: skip
    """Freeze the letters of those who have none in this edition yet, all in one transaction."""
    known = {row.subscriber for row in ledger.deliveries(workspace.engine, edition.id)}
    fresh = [subscriber for subscriber in subscribers if subscriber.name not in known]
    with nullcontext(helpers) if helpers else crew(workspace, len(fresh)) as writing:
        frozen = writing.freeze(edition, fresh, gathered=gathered)
    return ledger.plan_frozen(workspace.engine, edition.id, frozen, at, expires=at + EXPIRY)


def deliver(
    workspace: Workspace, edition: str, *, clock: Callable[[], datetime], only: Collection[str] = (),
    outbox: Path | None = None, progress: courier.Progress | None = None, stop: Callable[[], bool] = lambda: False,
    helpers: Crew | None = None,
) -> Report:  # fmt: skip
    """Bring what the ledger holds for `edition` on its way: what is planned, or deferred and due."""
    return courier.run(
        workspace, edition, clock=clock, only=only, outbox=outbox, progress=progress, stop=stop, helpers=helpers
    )


def status(workspace: Workspace, day: date) -> dict[str, str | int]:
    """The edition's letters by state; the states add up to `total`."""
    return {"edition": edition_id(day), **ledger.counts(workspace.engine, edition_id(day))}


def deliveries(
    workspace: Workspace, day: date, *, state: State | None = None, subscriber: str | None = None
) -> list[Delivery]:
    """The ledger's rows of an edition."""
    return ledger.deliveries(workspace.engine, edition_id(day), state, subscriber)


def frozen_letters(workspace: Workspace, day: date, names: Collection[str] | None = None) -> dict[str, Letter]:
    """The edition's letters as they are in the ledger, by subscriber; of all, or of those in `names`."""
    return letters.frozen_letters(workspace.engine, edition_id(day), names)


def resend(workspace: Workspace, day: date, state: State, *, at: datetime, only: Collection[str] = ()) -> int:
    """Put the edition's letters in `state` back into the plan: the operator's decision, never taken alone."""
    return ledger.requeue(
        workspace.engine, edition_id(day), state, at, expires=at + EXPIRY, only=frozenset(only) or None
    )
