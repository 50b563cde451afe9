"""A mail to the operator for what needs a person."""

from __future__ import annotations

import asyncio
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from newsletter.mail.message import message_token, sender
from newsletter.model import Message, Outcome
from newsletter.pipeline.posting import open_transport, unrecorded
from newsletter.pipeline.workspace import Workspace
from newsletter.text import tidy


def tell_operator(workspace: Workspace, subject: str, text: str, *, at: datetime) -> Outcome | None:
    """Send `text` to the `operator` of the settings; None where there is none."""
    settings = workspace.settings
    if not settings.operator:
        return None
    origin = sender(settings.sender, title=settings.title)
    ident = message_token(workspace.key, "notice", subject, at.isoformat())
    letter = EmailMessage(policy=policy.SMTP)
    letter["From"] = Address(display_name=tidy(settings.title), addr_spec=origin.origin.address)
    letter["To"] = settings.operator
    letter["Subject"] = f"[{tidy(settings.title)}] {tidy(subject)}"
    letter["Date"] = format_datetime(at)
    letter["Message-ID"] = f"<{ident}@{origin.origin.domain}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(text)
    sealed = Message(origin.origin.address, settings.operator, letter["Message-ID"], letter.as_bytes(), "notice")
    return asyncio.run(_send(workspace, sealed))


async def _send(workspace: Workspace, message: Message) -> Outcome:
    async with open_transport(workspace, None) as transport:
        return await transport.deliver(message, begin=unrecorded)
