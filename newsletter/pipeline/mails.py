"""Mails that one person asked for: confirm an address, a link to one's preferences. Plain text and HTML, signed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from newsletter.model import Outcome
from newsletter.pipeline.workspace import Workspace

__all__ = ["send_mail"]


def send_mail(workspace: Workspace, to: str, template: str, values: Mapping[str, Any], *, at: datetime) -> Outcome:
    """Sends templates/mail/`template`.txt and .html, whose first line is the subject, to the address `to`."""
    raise NotImplementedError
