"""A mail to the operator for what needs a person: plain text, signed as the letters are."""

from __future__ import annotations

import asyncio
from datetime import datetime

from newsletter.letter.render import Rendered
from newsletter.mail.message import message_token, sender
from newsletter.mail.single import build_single
from newsletter.model import Outcome
from newsletter.pipeline.posting import deliver_one, open_signer
from newsletter.pipeline.workspace import Workspace


def tell_operator(workspace: Workspace, subject: str, text: str, *, at: datetime) -> Outcome | None:
    """Send `text` to the `operator` of the settings; None where there is none."""
    settings = workspace.settings
    if not settings.operator:
        return None
    origin = sender(settings.sender, title=settings.title)
    ident = message_token(workspace.key, "notice", subject, at.isoformat())
    message = build_single(
        settings.operator, f"[{settings.title}] {subject}", Rendered("", text), origin, ident=ident, date=at,
        signer=open_signer(workspace), name="notice",
    )  # fmt: skip
    return asyncio.run(deliver_one(workspace, message))
