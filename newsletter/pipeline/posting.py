"""From a frozen letter to the message that SMTP takes, and the transport that takes it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from newsletter.errors import ConfigError
from newsletter.letter.render import Rendered, render
from newsletter.letter.templates import Templates, load_templates
from newsletter.letter.view import Imprint, Links
from newsletter.mail import Transport
from newsletter.mail.message import Sender, Signer, build, sender
from newsletter.model import Letter, Message, Outcome
from newsletter.pipeline.links import letter_links, link_keys
from newsletter.pipeline.workspace import Workspace

if TYPE_CHECKING:
    from newsletter.mail.smtp import Server


@dataclass(frozen=True, slots=True)
class Post:
    """What all letters of a newsletter share on their way into bytes."""

    templates: Templates
    origin: Sender
    imprint: Imprint
    exit: str
    key: bytes
    signer: Signer | None
    base: str  # of the web pages, empty where there are none
    keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A letter as it is read, and the links that lead out of it."""

    links: Links
    rendered: Rendered


def open_post(workspace: Workspace) -> Post:
    """Templates compiled, addresses and signing key checked: what can be wrong is found before the first letter."""
    settings = workspace.settings
    origin = sender(
        settings.sender,
        title=settings.title,
        reply_to=settings.reply_to or "",
        bounces=settings.bounces or "",
        list_id=settings.list_id or "",
    )
    way_out = settings.unsubscribe_mailto or (origin.reply_to or origin.origin).address
    return Post(
        templates=load_templates(workspace.config / "templates"),
        origin=origin,
        imprint=Imprint(
            title=settings.title, postal=settings.postal_address, contact=(origin.reply_to or origin.origin).address
        ),
        exit=way_out,
        key=workspace.key,
        signer=open_signer(workspace),
        base=settings.base_url if settings.web else "",
        keys=link_keys(settings, workspace.key),
    )


def message(post: Post, letter: Letter, *, date: datetime, test_to: str = "") -> tuple[Message, Rendered]:
    """The letter as bytes and as what is read; raises MessageError or ConfigError for this letter alone."""
    page = laid_out(post, letter, date, test=bool(test_to))
    return sealed(post, letter, page, date, test_to=test_to), page.rendered


def laid_out(post: Post, letter: Letter, date: datetime, *, test: bool = False) -> Page:
    """The letter as what is read; raises ConfigError for this letter alone."""
    links = _links(post, letter, date, test=test)
    return Page(links, render(post.templates, letter, links, post.imprint))


def sealed(post: Post, letter: Letter, page: Page, date: datetime, *, test_to: str = "") -> Message:
    """What is read as a signed message; raises MessageError for this letter alone."""
    web_exit = page.links.unsubscribe if post.base else ""
    return build(
        letter, page.rendered, post.origin, unsubscribe=web_exit, unsubscribe_mail=post.exit, date=date, key=post.key,
        signer=post.signer, test_to=test_to,
    )  # fmt: skip


def _links(post: Post, letter: Letter, date: datetime, *, test: bool) -> Links:
    """The web side's links; without one, the mail that asks to be let go."""
    if post.base:
        return letter_links(post.base, post.keys, letter, key=post.key, at=date, test=test)
    return Links(unsubscribe=f"mailto:{quote(post.exit, safe='@')}?subject=unsubscribe")


def open_transport(workspace: Workspace, outbox: Path | None) -> Transport:
    """The SMTP server of the settings, or a folder of `.eml` files."""
    if outbox is not None:
        from newsletter.mail.outbox import Outbox

        return Outbox(outbox)
    from newsletter.mail.smtp import SmtpTransport

    return SmtpTransport(mail_server(workspace))


def mail_server(workspace: Workspace) -> Server:
    """The mail server of the settings; raises ConfigError where the password or a certificate is not to be had."""
    from newsletter.mail.smtp import Server

    smtp, login = workspace.settings.smtp, workspace.settings.smtp_login() or ("", "")
    return Server(
        host=smtp.host,
        port=smtp.port,
        security=smtp.security,
        username=login[0],
        password=login[1],
        connections=smtp.connections,
        messages_per_connection=smtp.messages_per_connection,
        rate_per_second=smtp.rate_per_second,
        domain_rate_per_second=smtp.domain_rate_per_second or 0,
        timeout=smtp.timeout,
        dot_timeout=smtp.answer_timeout,
        context=_trusting(smtp.ca_file),
    )


async def deliver_one(workspace: Workspace, message: Message) -> Outcome:
    """Hands one message, which the ledger does not hold, to the mail server of the settings."""
    async with open_transport(workspace, None) as transport:
        return await transport.deliver(message, begin=unrecorded)


async def unrecorded() -> bool:
    """The `begin` of a message that the ledger does not hold: it may go."""
    return True


def _trusting(ca_file: Path | None) -> ssl.SSLContext | None:
    """The system's certificates and those in `ca_file`; None for the system's alone."""
    if ca_file is None:
        return None
    try:
        context = ssl.create_default_context()
        context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            "Cannot use the certificates in", which=str(ca_file), why=str(error), do="smtp.ca_file names a PEM file"
        ) from error
    return context


def open_signer(workspace: Workspace) -> Signer | None:
    """The DKIM signer of the settings, None for no signature; raises ConfigError where the key is not to be had."""
    dkim = workspace.settings.dkim
    if dkim is None:
        return None
    from newsletter.mail.dkim import load_signer

    return load_signer(dkim.domain, [(dkim.selector, dkim.key_file)])
