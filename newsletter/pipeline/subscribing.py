"""The way in: a wish, a mail that asks whether the address is the asker's own, a subscriber.

wish -> document, checked -> request (72 h) -> mail        the answer to the asker is the same, whoever reads already
token of the mail -> subscriber, consent, first letter
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from newsletter import due
from newsletter.model import Subscriber
from newsletter.pipeline import roster, withdrawal
from newsletter.pipeline.editions import edition_id
from newsletter.pipeline.links import link_keys, preferences_link
from newsletter.pipeline.networks import network_of
from newsletter.pipeline.workspace import Workspace
from newsletter.settings import Append, edited
from newsletter.settings.reading import read_tree
from newsletter.store import archive, ledger, requests, suppression
from newsletter.store.suppression import address_hash
from newsletter.tokens import TokenError, read, sign

__all__ = [
    "VALID", "Mail", "Opened", "Pending", "ask", "confirm", "document_of", "mail_for", "next_letter", "opened",
    "site_of",
]  # fmt: skip

VALID = timedelta(hours=72)
_SOURCE = "the confirmation mail's link"


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that was kept: `token` is for the mail alone."""

    email: str
    token: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to write: to whom, its template, and what stands in it."""

    to: str
    template: Literal["confirm", "return", "already"]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Opened:
    """What a confirmation link leads to: open (`email` waits for its button), done, expired, or nothing of ours.

    `own` tells that the reader has this very address, letter by letter: their pages are not for one who has a
    similar one.
    """

    state: Literal["open", "done", "expired", "unknown"]
    email: str = ""
    reader: Subscriber | None = None

    @property
    def own(self) -> bool:
        return self.reader is not None and self.reader.email == self.email


def document_of(values: Mapping[str, Any], *, on: str) -> str:
    """The YAML document of a new subscriber: `values` by key, those that are empty left out; `on` is the day."""
    given = {key: value for key, value in values.items() if value not in ("", [], None)}
    return f"# Subscribed on {on} by the form of the web pages.\n" + edited("", given)


def site_of(host: str | None) -> str:
    """The network that an asker's address belongs to, for counting: /24 of IPv4, /48 of IPv6 (RFC 6177's site)."""
    return network_of(host, bits=24, bits6=48)


def ask(
    workspace: Workspace, email: str, document: str, *, host: str | None, source: str, at: datetime
) -> Pending | Literal["address", "network"]:
    """Keeps the wish of whoever asks from `host`, or tells which limit it would pass; does the same for every address.

    `document` has passed `roster.check_document`. The mail is the caller's next step: `mail_for`.
    """
    chance = secrets.token_urlsafe(32)
    token = sign(link_keys(workspace.settings, workspace.key), "confirm", chance, at=at)
    network = hmac.new(workspace.key, b"network:" + site_of(host).encode(), hashlib.sha256).hexdigest()
    request = requests.Request(
        requests.hashed_token(chance), address_hash(email, workspace.key), email, document, source, at, at + VALID
    )
    kept = requests.ask(workspace.engine, request, network)
    return Pending(email, token, request.expires) if kept == "kept" else kept


def mail_for(workspace: Workspace, pending: Pending, *, at: datetime) -> Mail | None:
    """The mail that this address gets: to confirm, to confirm a return, or what one who reads already needs.

    To one who is known it goes as they wrote their address: one that differs in case, or in what counts as case
    (``ß`` and ``ss``), may be another's mailbox. None where a bounce, a complaint or the operator has closed it.
    """
    silence = suppression.is_suppressed(workspace.engine, pending.email, key=workspace.key)
    if silence is not None and silence.reason not in (suppression.UNSUBSCRIBED, suppression.ERASED):
        return None
    reader = roster.named(workspace, pending.email)
    if reader is not None and silence is None:
        return Mail(reader.email, "already", {"link": preferences_link(workspace, reader.name, reader.email, at=at)})
    link = f"{workspace.settings.base_url}/confirm/{pending.token}"
    until = f"{pending.expires:%-d %B %Y, %H:%M} UTC"
    values = {"link": link, "until": until}
    if reader is None:
        return Mail(pending.email, "confirm", values)
    return Mail(reader.email, "return", values)


def opened(workspace: Workspace, token: str, *, at: datetime) -> Opened:
    """What a confirmation link leads to now; nothing is changed."""
    try:
        (chance,) = read(link_keys(workspace.settings, workspace.key), "confirm", token, now=at, valid=VALID)
    except TokenError as error:
        return Opened("expired" if error.expired else "unknown")
    request = requests.request_of(workspace.engine, requests.hashed_token(chance), at)
    if request is None:
        return Opened("expired")  # ours, and forgotten since
    if request.used:
        return Opened("done", request.email, roster.named(workspace, request.email))
    return Opened("open", request.email)


def confirm(workspace: Workspace, token: str, *, at: datetime) -> Opened:
    """Makes the subscriber whose link this is; once, and afterwards the same answer again. Raises ConfigError."""
    found = opened(workspace, token, at=at)
    if found.state != "open":
        return found
    (chance,) = read(link_keys(workspace.settings, workspace.key), "confirm", token, now=at, valid=VALID)
    hashed = requests.hashed_token(chance)
    request = requests.request_of(workspace.engine, hashed, at)
    if request is None or request.used:  # by another click at this moment
        return opened(workspace, token, at=at)
    reader = roster.named(workspace, request.email) or _made(workspace, request, at)
    if reader is None:
        return opened(workspace, token, at=at)
    back = withdrawal.resume(workspace, reader.name, reader.email, source=_SOURCE, at=at)
    if back:
        _renew(workspace, reader.name, request.document, at)
    requests.confirmed(workspace.engine, hashed, reader.name, at, source=_SOURCE)
    return Opened("done", request.email, roster.reader_of(workspace, reader.name))


def next_letter(workspace: Workspace, reader: Subscriber, now: datetime) -> datetime | None:
    """When the service sends this reader's next letter: now, where the latest is still due; None for never."""
    schedule = workspace.settings.schedule
    fetch, grace = due.FetchTime(schedule.fetch_at, schedule.timezone), timedelta(hours=schedule.grace_hours)
    latest = due.due(reader, now, grace=grace, fetch=fetch)
    if latest is None or latest.verdict != "send" or not archive.papers_of_day(workspace.engine, latest.edition):
        return due.next_due(reader, now)
    planned = ledger.deliveries(workspace.engine, edition_id(latest.edition), subscriber=reader.name)
    return due.next_due(reader, now) if planned else now


def _made(workspace: Workspace, request: requests.Request, at: datetime) -> Subscriber | None:
    """The new subscriber; the one who has the address by now, where another click was faster."""
    hint = read_tree(request.document.encode(), "request").data.get("name", "")
    try:
        name = roster.create_subscriber(workspace, request.document, now=at, hint=hint)
    except roster.DocumentError:
        return roster.named(workspace, request.email)
    return roster.reader_of(workspace, name)


def _renew(workspace: Workspace, name: str, document: str, at: datetime) -> None:
    """What a returning reader has just written goes into their document; nothing that was there is lost."""
    present = roster.read_document(workspace, name)
    if present is None:
        return
    given = read_tree(document.encode(), "request").data
    changes = {key: given[key] for key in ("name", "send_at", "days", "timezone") if key in given}
    held = read_tree(present.text.encode(), "document").data
    if given.get("interests") and isinstance(held.get("interests", []), list):
        changes["interests"] = Append(tuple(given["interests"]))
    roster.change_document(workspace, present, changes, now=at)
