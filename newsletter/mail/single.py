"""The bytes of a mail to one person alone: no list, no campaign, hence none of the headers of bulk mail. Pure."""

from __future__ import annotations

from datetime import datetime

from newsletter.mail import headers
from newsletter.mail.address import Mailbox, normal_address
from newsletter.mail.body import entity
from newsletter.mail.message import Rendered, Sender, Signer
from newsletter.model import Message

__all__ = ["build_single"]


def build_single(
    to: str, subject: str, rendered: Rendered, origin: Sender, *, ident: str, date: datetime,
    signer: Signer | None = None, name: str = "mail",
) -> Message:  # fmt: skip
    """The message to the address `to`, text first, alone where there is no HTML; raises MessageError for a bad address.

    `ident` is 26 letters and digits that nobody can guess: of the Message-ID, of the return address where that has
    room for one, and of the boundary, which therefore cannot occur in the text. Auto-Submitted (RFC 3834 section 5)
    keeps answering machines silent.
    """
    recipient = Mailbox("", normal_address(to))
    fields = [
        headers.mailboxes("From", [origin.origin]),
        headers.mailboxes("To", [recipient]),
        headers.unstructured("Subject", subject),
        headers.date_field(date),
        headers.token("Message-ID", f"<{ident}@{origin.origin.domain}>"),
        *([headers.mailboxes("Reply-To", [origin.reply_to])] if origin.reply_to else []),
        headers.token("Auto-Submitted", "auto-generated"),
        headers.token("MIME-Version", "1.0"),
    ]
    more, body = _content(rendered, ident)
    fields += more
    return Message(
        sender=origin.bounces.replace("{id}", ident),
        recipient=recipient.address,
        message_id=f"<{ident}@{origin.origin.domain}>",
        data=b"".join((signer.sign(fields, body, date) if signer else b"", *fields, b"\r\n", body)),
        name=name,
    )


def _content(rendered: Rendered, ident: str) -> tuple[list[bytes], bytes]:
    """The header fields that tell what the body is, and the body."""
    plain = entity("plain", rendered.text)
    if not rendered.html:
        head, _, body = plain.partition(b"\r\n\r\n")
        return [line + b"\r\n" for line in head.split(b"\r\n")], body
    line = f"--=_{ident}".encode("ascii")
    parts = b"".join(line + b"\r\n" + part + b"\r\n" for part in (plain, entity("html", rendered.html)))
    kind = f'Content-Type: multipart/alternative;\r\n boundary="=_{ident}"\r\n'
    return [kind.encode("ascii")], parts + line + b"--\r\n"
