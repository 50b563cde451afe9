"""The bytes of one letter: headers that bulk mail needs, text first, then HTML. Deterministic; no clock, no chance.

The standard library's EmailMessage takes 1.7 ms for a letter of this size and lets NUL through in headers; this builder
writes the few fields that a letter has, and the tests read them back with the standard library's parser.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from newsletter.errors import MessageError
from newsletter.mail import headers
from newsletter.mail.address import Mailbox, mailbox, needs_smtputf8, normal_address
from newsletter.mail.body import entity
from newsletter.model import Letter, Message

_TEST = "[Test]"


class Rendered(Protocol):
    """A letter as it is read: two forms of the same content."""

    @property
    def html(self) -> str: ...
    @property
    def text(self) -> str: ...


class Signer(Protocol):
    """Makes DKIM-Signature fields, each with its CRLF, for whole header fields and the body that follows them."""

    def sign(self, fields: list[bytes], body: bytes, moment: datetime) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Sender:
    """What every letter of a newsletter shares. `origin` is From; bounces go to `bounces`, which may hold ``{id}``.

    `list_id` is the identifier of List-Id (RFC 2919), `feedback` the sender's part of Feedback-ID.
    """

    origin: Mailbox
    title: str
    reply_to: Mailbox | None
    bounces: str
    list_id: str
    feedback: str


def sender(origin: str, *, title: str, reply_to: str = "", bounces: str = "", list_id: str = "") -> Sender:
    """The Sender of a newsletter from its settings; raises MessageError for a bad address.

    `bounces` is the envelope's return address. With ``{id}`` in it (``bounces+{id}@example.org``) every letter has its
    own, which names the delivery when a bounce quotes nothing (VERP). `list_id` is made of title and domain if empty.
    """
    box = mailbox(origin)
    normal_address(bounces.replace("{id}", "0" * 26) if bounces else box.address)
    slug = re.sub(r"[^a-z0-9]+", "-", title.casefold())[:40].strip("-") or "newsletter"
    # https://support.google.com/mail/answer/6254652: SenderId has 5 to 15 characters
    feedback = re.sub(r"[^a-z0-9]", "", box.domain.lower())[:15].ljust(5, "0")
    reply = mailbox(reply_to) if reply_to else None
    return Sender(box, title or box.name, reply, bounces or box.address, list_id or f"{slug}.{box.domain}", feedback)


def message_token(key: bytes, *parts: str) -> str:
    """26 letters and digits, the same for the same `parts`, that nobody without `key` can guess.

    HMAC-SHA256 cut to 128 bits, in lower-case base32, because some servers fold the case of what they quote.
    """
    digest = hmac.digest(key, "\0".join(parts).encode("utf-8", "surrogatepass"), "sha256")
    return b32encode(digest[:16]).decode("ascii").rstrip("=").lower()


def build(
    letter: Letter,
    rendered: Rendered,
    origin: Sender,
    *,
    unsubscribe: str,
    date: datetime,
    key: bytes,
    signer: Signer | None = None,
    unsubscribe_mail: str = "",
    test_to: str = "",
) -> Message:
    """The message of `letter`; raises MessageError where no safe message can be made of it.

    Edition and subscriber alone decide the Message-ID, so that every retry carries the same one (RFC 5322, 3.6.4).
    `unsubscribe` is the reader's own https link, may be empty; `unsubscribe_mail` an address. `test_to` makes the
    one-off test: that recipient, a marked subject, a Message-ID of its own, no unsubscribe fields (they would act on
    the reader).
    """
    recipient = Mailbox("" if test_to else letter.display_name, normal_address(test_to or letter.email))
    marks = ("test", recipient.address, date.isoformat()) if test_to else ()
    ident = message_token(key, "message", letter.edition, letter.subscriber, *marks)
    message_id = f"<{ident}@{origin.origin.domain}>"
    head, body = _content(rendered, ident, text_only=letter.text_only)
    fields = [
        *_shared_fields(origin, letter.edition, date),
        headers.mailboxes("To", [recipient]),
        headers.unstructured("Subject", f"{_TEST} {letter.subject}" if test_to else letter.subject),
        headers.token("Message-ID", message_id),
        *([] if test_to else _exit_fields(unsubscribe, unsubscribe_mail)),
        *head,
    ]
    return Message(
        sender=origin.bounces.replace("{id}", ident),
        recipient=recipient.address,
        message_id=message_id,
        data=b"".join((signer.sign(fields, body, date) if signer else b"", *fields, b"\r\n", body)),
        name=f"{'test/' if test_to else ''}{letter.edition}/{letter.subscriber}",
    )


def smtputf8(message: Message) -> bool:
    """Whether the message can go only to servers that offer SMTPUTF8 (RFC 6531)."""
    return needs_smtputf8(message.recipient) or needs_smtputf8(message.sender)


@lru_cache(maxsize=16)
def _shared_fields(origin: Sender, edition: str, date: datetime) -> tuple[bytes, ...]:
    """The fields that letters of one edition and moment share, with the marks of wanted bulk mail.

    Auto-Submitted per RFC 3834 section 5 (periodic mail that answers nothing) silences answering machines. Precedence
    is not a standard, but it is what Exchange and old vacation programs look at (RFC 3834 section 2 names it).
    """
    kind, _, day = edition.partition("/")
    campaign = ":".join(re.sub(r"[^A-Za-z0-9-]+", "-", part) for part in (f"{kind}-{day}", kind))
    return (
        headers.mailboxes("From", [origin.origin]),
        headers.date_field(date),
        *([headers.mailboxes("Reply-To", [origin.reply_to])] if origin.reply_to else []),
        headers.phrase_and_id("List-Id", origin.title, origin.list_id),
        headers.token("Auto-Submitted", "auto-generated"),
        headers.token("Precedence", "bulk"),
        headers.token("Feedback-ID", f"{campaign}::{origin.feedback}"),
        headers.token("MIME-Version", "1.0"),
    )


@lru_cache(maxsize=16)
def _exit_fields(link: str, address: str) -> tuple[bytes, ...]:
    """The fields that let go of the reader: one web link, at most one mailto (RFC 8058 section 3.1)."""
    if link and not link.startswith(("https://", "http://")):
        raise MessageError(
            "Bad link", which=repr(link), why="List-Unsubscribe needs a web address", do="Check base_url"
        )
    exits = [uri for uri in (link, f"mailto:{address}?subject=unsubscribe" if address else "") if uri]
    if not exits:
        return ()
    # one click works over https only
    one_click = [headers.token("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")] if link[:8] == "https://" else []
    return (headers.uris("List-Unsubscribe", exits), *one_click)


def _content(rendered: Rendered, ident: str, *, text_only: bool) -> tuple[list[bytes], bytes]:
    """Header fields and body of the content; the boundary cannot occur inside it, because nobody can guess `ident`."""
    text = entity("plain", rendered.text)
    if text_only:
        head, _, body = text.partition(b"\r\n\r\n")
        return [field + b"\r\n" for field in head.split(b"\r\n")], body
    line = f"--=_{ident}".encode("ascii")
    field = f'Content-Type: multipart/alternative;\r\n boundary="=_{ident}"\r\n'.encode("ascii")
    html = entity("html", rendered.html)
    return [field], b"".join((line, b"\r\n", text, b"\r\n", line, b"\r\n", html, b"\r\n", line, b"--\r\n"))
