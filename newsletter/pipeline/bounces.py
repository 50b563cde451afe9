"""Mail that comes back: read, matched with the delivery that it is about, and acted on only then."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import structlog

from newsletter.errors import ConfigError
from newsletter.mail.bounces import Bounce, read_bounce
from newsletter.mail.message import sender
from newsletter.mail.returned import Imap, Returned, from_imap
from newsletter.pipeline.workspace import Workspace
from newsletter.settings.fields import address as normal_address
from newsletter.store import returns, suppression

log = structlog.get_logger()
Action = Literal["suppressed", "counted", "known", "unknown", "no bounce"]


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of one mail.

    `action`: suppressed; counted (soft, not often enough yet); known (this very bounce was read before); unknown (a
    bounce of no letter that the ledger holds: nothing is done, a person looks); no bounce.
    """

    where: str
    action: Action
    verdict: str
    edition: str = ""
    subscriber: str = ""
    recipients: tuple[str, ...] = ()
    status: str = ""
    text: str = ""
    in_a_row: int = 0


def take_back(workspace: Workspace, mails: Iterable[Returned], *, at: datetime) -> Iterator[Handled]:
    """Deal with each mail in turn. Bounces of our letters are marked as done; all others stay for a person."""
    for mail in mails:
        handled = _handle(workspace, mail, at)
        log.info("bounce", action=handled.action, verdict=handled.verdict, subscriber=handled.subscriber)
        if handled.subscriber:
            mail.done()
        yield handled


def bounce_mailbox(workspace: Workspace) -> Iterator[Returned]:
    """The unseen mails of the IMAP mailbox in the settings; raises ConfigError or DeliveryError."""
    username, password = workspace.settings.imap_login()
    imap = workspace.settings.imap
    assert imap is not None  # noqa: S101  imap_login has raised
    context = ssl.create_default_context()
    if imap.ca_file:
        context.load_verify_locations(imap.ca_file)
    return from_imap(Imap(imap.host, username, password, imap.port, imap.folder, context))


def suppress(workspace: Workspace, address: str, reason: str, *, at: datetime) -> int:
    """No letter to `address` from here on; returns how many that waited are skipped. Raises ConfigError."""
    return suppression.suppress(workspace.engine, checked(address), reason, at, key=workspace.key)


def allow(workspace: Workspace, address: str) -> bool:
    """Letters to `address` again; False where it was not suppressed. Raises ConfigError."""
    return suppression.allow(workspace.engine, checked(address), key=workspace.key)


def suppressions(workspace: Workspace) -> list[returns.Listed]:
    """Every suppressed address as its hash, with why, since when, and whose it was."""
    return returns.suppressions(workspace.engine)


def maildir(folder: Path) -> Iterator[Returned]:
    """The unseen mails of a Maildir; raises DeliveryError."""
    from newsletter.mail.returned import from_maildir

    return from_maildir(folder)


def files(paths: Iterable[Path]) -> Iterator[Returned]:
    """The mails in files, mbox files among them; raises DeliveryError."""
    from newsletter.mail.returned import from_file

    for path in paths:
        yield from from_file(path)


def _handle(workspace: Workspace, mail: Returned, at: datetime) -> Handled:
    bounce = read_bounce(mail.data)
    if bounce.verdict == "none":
        return Handled(mail.where, "no bounce", "none")
    found = returns.delivery_of(workspace.engine, _names(workspace, bounce))
    first = next((failure for failure in bounce.failures if failure.verdict == bounce.verdict), None)
    status, text = (first.status, first.text) if first else ("", "")
    if found is None:
        return Handled(mail.where, "unknown", bounce.verdict, "", "", bounce.recipients, status, text)
    noted = returns.note_return(workspace.engine, found.id, bounce.verdict, at, status=status, text=text)
    action: Action = "suppressed" if noted.suppressed else "counted"
    return Handled(
        mail.where, action if noted.fresh else "known", bounce.verdict, found.edition, found.subscriber,
        bounce.recipients, status, text, noted.in_a_row,
    )  # fmt: skip


def _names(workspace: Workspace, bounce: Bounce) -> list[str]:
    """The Message-IDs that the letter may have: the one quoted, and that of the address the bounce came to."""
    domain = sender(workspace.settings.sender, title="").origin.domain
    return [bounce.message_id, *([f"<{bounce.token}@{domain}>"] if bounce.token else [])]


def checked(text: str) -> str:
    try:
        return normal_address(text)
    except ValueError as error:
        raise ConfigError("Cannot use the address", which=repr(text), why=str(error)) from None
