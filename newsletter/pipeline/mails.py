"""Mails that one person asked for: confirm an address, the link to one's preferences. Plain text and HTML, signed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import structlog
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from newsletter.errors import NewsletterError
from newsletter.letter.plain import filled
from newsletter.letter.render import Rendered
from newsletter.letter.templates import shipped
from newsletter.mail.message import message_token, sender
from newsletter.mail.single import build_single
from newsletter.model import Message, Outcome
from newsletter.pipeline.posting import deliver_one, open_signer
from newsletter.pipeline.workspace import Workspace

__all__ = ["post_mail", "render_mail", "send_mail"]

log = structlog.get_logger()


def send_mail(workspace: Workspace, to: str, template: str, values: Mapping[str, Any], *, at: datetime) -> Outcome:
    """Sends templates/mail/`template`.txt and .html to the address `to`; what became of it is logged.

    The first line of the text is ``Subject: ...``. No failure is an exception: nobody waits for this mail's answer.
    """
    return asyncio.run(post_mail(workspace, to, template, values, at=at))


async def post_mail(
    workspace: Workspace, to: str, template: str, values: Mapping[str, Any], *, at: datetime,
    waits: Sequence[float] = (),
) -> Outcome:  # fmt: skip
    """`send_mail` in an event loop; a mail that the server defers is tried again after each of `waits` (seconds)."""
    try:
        message = _message(workspace, to, template, values, at)
        outcome = await deliver_one(workspace, message)
        for wait in waits:
            if outcome.kind != "deferred":
                break
            await asyncio.sleep(wait)
            outcome = await deliver_one(workspace, message)
    except NewsletterError as error:
        outcome = Outcome("refused", "render", text=str(error))
    if outcome.kind == "accepted":
        log.info("mail sent", mail=template)
    else:
        log.warning("mail not sent", mail=template, outcome=outcome.kind, code=outcome.code, why=outcome.text)
    return outcome


def render_mail(workspace: Workspace, template: str, values: Mapping[str, Any]) -> tuple[str, Rendered]:
    """(subject, both bodies). A name that a template has and `values` lacks is an error."""
    settings = workspace.settings
    origin = sender(settings.sender, title=settings.title, reply_to=settings.reply_to or "")
    shown = {
        "title": settings.title, "base": settings.base_url, "postal": settings.postal_address,
        "contact": (origin.reply_to or origin.origin).address, **values,
    }  # fmt: skip
    plain = _environment(escape=False).get_template(f"{template}.txt").render(shown)
    head, _, text = plain.partition("\n")
    subject = head.removeprefix("Subject:").strip()
    html = _environment(escape=True).get_template(f"{template}.html").render(shown, subject=subject)
    return subject, Rendered(html, text.lstrip("\n"))


def _message(workspace: Workspace, to: str, template: str, values: Mapping[str, Any], at: datetime) -> Message:
    settings = workspace.settings
    subject, rendered = render_mail(workspace, template, values)
    origin = sender(
        settings.sender, title=settings.title, reply_to=settings.reply_to or "", bounces=settings.bounces or ""
    )
    ident = message_token(workspace.key, "mail", secrets.token_hex(16))
    signer = open_signer(workspace)
    return build_single(to, subject, rendered, origin, ident=ident, date=at, signer=signer, name=f"mail/{template}")


@cache
def _environment(*, escape: bool) -> Environment:
    made = Environment(
        loader=FileSystemLoader(shipped() / "mail"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        autoescape=escape,  # noqa: S701  plain text has nothing to escape
    )  # fmt: skip
    made.filters["filled"] = filled
    return made
