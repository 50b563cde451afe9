"""A message taken apart for linting: octets, header fields, bodies, and the HTML as facts. Never fails."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message

from newsletter.letter.page import Page, read_page

__all__ = ["Specimen", "take_apart"]


@dataclass(frozen=True, slots=True)
class Specimen:
    """A message taken apart: raw octets, header fields, body parts in order, HTML as facts."""

    raw: bytes
    head: Message
    kinds: tuple[str, ...]
    html: str
    text: str
    page: Page

    def every(self, name: str) -> list[str]:
        """All values of a header field, decoded and unfolded."""
        return [_decoded(str(value)) for value in self.head.get_all(name, [])]

    def one(self, name: str) -> str:
        return next(iter(self.every(name)), "")


def take_apart(message: bytes) -> Specimen:
    """The message whatever it is: what cannot be read is empty."""
    head = message_from_bytes(message, policy=policy.compat32)
    leaves = [part for part in head.walk() if not part.is_multipart()]
    html, text = (_body(leaves, kind) for kind in ("text/html", "text/plain"))
    return Specimen(message, head, tuple(part.get_content_type() for part in leaves), html, text, read_page(html))


def _body(leaves: list[Message], kind: str) -> str:
    part = next((leaf for leaf in leaves if leaf.get_content_type() == kind), None)
    if part is None:
        return ""
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    try:
        return raw.decode(part.get_content_charset() or "utf-8", "replace").replace("\r\n", "\n")
    except LookupError:
        return raw.decode("utf-8", "replace").replace("\r\n", "\n")


def _decoded(value: str) -> str:
    unfolded = re.sub(r"\r?\n(?=[ \t])", "", value)
    try:
        return str(make_header(decode_header(unfolded)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return unfolded
