"""Mail that comes back: who was not reached, for good or for now, and which letter it was.

Standard forms first: complaints (ARF, RFC 5965), delivery reports (RFC 3464), answering machines (RFC 3834); then the
free text that many servers still write (`bounce_text`). Anyone can write such a mail, so act on one only where its
Message-ID or VERP token is that of a letter we sent: nobody can guess those (`message.message_token`).
"""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message as Part
from typing import Literal

from newsletter.mail import bounce_text, replies

Verdict = Literal["hard", "soft", "complaint", "none"]
_LARGEST = 5 * 2**20
_REPORTED = re.compile(r"delivered|relayed|expanded", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>;,:\"']{1,64}@[^\s<>;,:\"']{1,255}")
_MESSAGE_ID = re.compile(r"^(?:> )?Message-ID:\s*<?([^\s<>]{1,250}@[^\s<>]{1,250})>?", re.IGNORECASE | re.MULTILINE)
_VERP = re.compile(r"\+([a-z2-7]{26})@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Failure:
    """One address that was not reached. `status` is the RFC 3463 code, empty where none was given."""

    recipient: str
    verdict: Verdict
    status: str
    text: str


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a mail to the return address says. `message_id` is the letter's (with brackets), `token` its VERP token.

    `form` tells how it was read: arf, dsn, text; empty where it is no bounce, and then the verdict is none.
    """

    verdict: Verdict
    failures: tuple[Failure, ...] = ()
    message_id: str = ""
    token: str = ""
    form: Literal["arf", "dsn", "text", ""] = ""

    @property
    def recipients(self) -> tuple[str, ...]:
        return tuple(failure.recipient for failure in self.failures if failure.recipient)


def read_bounce(data: bytes) -> Bounce:
    """Read any mail whatever; never raises for its content."""
    try:
        message = email.message_from_bytes(data[:_LARGEST])
        parts = list(message.walk())
    except RecursionError:  # parts within parts within parts
        return Bounce("none")
    found = _complaint(parts) or _report(message, parts) or _prose(message, parts)
    if not found:
        return Bounce("none")
    failures, form = found
    worst: Verdict = min((failure.verdict for failure in failures), key=_SEVERITY.index, default="none")
    return Bounce(worst, failures, _original_id(message, parts), _token(message), form)


_SEVERITY: tuple[Verdict, ...] = ("complaint", "hard", "soft", "none")
_Found = tuple[tuple[Failure, ...], Literal["arf", "dsn", "text"]]


def _complaint(parts: list[Part]) -> _Found | None:
    """A reader's complaint, as their provider reports it (RFC 5965)."""
    fields = next((_fields(p) for p in parts if p.get_content_type() == "message/feedback-report"), None)
    if fields is None:
        hotmail = [str(original["X-HmXmrOriginalRecipient"] or "") for original in _originals(parts)]
        fields = [("original-rcpt-to", address) for address in hotmail if address]
    if not fields:
        return None
    kind = next((value for name, value in fields if name == "feedback-type"), "abuse")
    verdict: Verdict = "none" if kind in ("not-spam", "auth-failure", "dmarc") else "complaint"
    named = [v for n, v in fields if n in ("original-rcpt-to", "removal-recipient")] or [_original_to(parts)]
    return tuple(Failure(_address(value), verdict, "", f"complaint: {kind}") for value in named), "arf"


def _report(message: Part, parts: list[Part]) -> _Found | None:
    """A delivery status notification (RFC 3464)."""
    blocks = [block for p in parts if p.get_content_type() == "message/delivery-status" for block in _blocks(p)]
    prose = bounce_text.report_part(message)
    if not blocks:  # parts whose boundary was lost on the way
        text = "\n".join(bounce_text.decoded(p) for p in parts if not p.is_multipart()) + (message.preamble or "")
        blocks = [dict(reversed(s)) for s in _split(text) if any(name == "final-recipient" for name, _ in s)]
    failures = tuple(
        failure
        for block in blocks
        if "action" in block or "status" in block
        if (failure := _reported(block, prose)) is not None
    )
    return (failures, "dsn") if failures else None


def _reported(block: dict[str, str], prose: str) -> Failure | None:
    recipient = _address(block.get("original-recipient", "")) or _address(block.get("final-recipient", ""))
    recipient = recipient or _address(block.get("x-actual-recipient", ""))
    status = next(iter(re.findall(r"\b[245]\.\d{1,3}\.\d{1,3}\b", block.get("status", ""))), "")
    action, why = block.get("action", ""), re.sub(r"^\s*[\w-]+\s*;", "", block.get("diagnostic-code", ""))
    if _REPORTED.match(action) or status.startswith("2"):
        return Failure(recipient, "none", status, action)
    if not (recipient or action):
        return None
    verdict = bounce_text.verdict(status, why, prose, delayed=action.lower().startswith("delay"))
    return Failure(recipient, verdict, bounce_text.status_in(why) or status, replies.plain_text(why or prose))


def _prose(message: Part, parts: list[Part]) -> _Found | None:
    """A bounce in free text; None for a mail that is none, such as a reply or an answering machine's."""
    if not bounce_text.looks_like_bounce(message):
        return None
    text = bounce_text.report_part(message)
    named = bounce_text.recipients(message, text) or [_address(_original_to(parts))]
    pieces = bounce_text.pieces(text, named)
    failures = tuple(
        Failure(who, bounce_text.verdict("", piece, text), bounce_text.status_in(piece), replies.plain_text(piece))
        for who, piece in zip(named, pieces, strict=True)
    )
    return failures, "text"


def _fields(part: Part) -> list[tuple[str, str]]:
    """The fields of a report, whose payload the parser holds as messages or as text."""
    return [(name, value) for block in _sections(part) for name, value in block]


def _blocks(part: Part) -> Iterator[dict[str, str]]:
    return (dict(reversed(section)) for section in _sections(part))


def _sections(part: Part) -> Iterator[list[tuple[str, str]]]:
    payload = part.get_payload()
    if isinstance(payload, str):
        yield from _split(payload)
        return
    for block in (b for b in payload if isinstance(b, Part)):
        yield [(name.lower(), " ".join(str(value).split())) for name, value in block.items()]
        yield from _split(bounce_text.decoded(block))  # groups after an empty group


def _split(text: str) -> Iterator[list[tuple[str, str]]]:
    """Groups of fields between empty lines (RFC 3464 section 2.1)."""
    for section in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        unfolded = re.sub(r"\n[ \t]+", " ", section)
        pairs = [line.partition(":") for line in unfolded.split("\n")]
        yield [(name.strip().lower(), value.strip()) for name, colon, value in pairs if colon]


def _address(value: str) -> str:
    match = _ADDRESS.search(value.partition(";")[2] or value)
    return match[0].strip(".<>()[]") if match else ""


def _originals(parts: list[Part]) -> Iterator[Part]:
    """The letter as it was returned, whole or its header alone."""
    for part in parts:
        payload = part.get_payload()
        if part.get_content_type() == "message/rfc822" and isinstance(payload, list):
            yield from (inner for inner in payload if isinstance(inner, Part))
        elif part.get_content_type() == "text/rfc822-headers" and isinstance(payload, str):
            yield email.message_from_string(bounce_text.decoded(part))


def _original_to(parts: list[Part]) -> str:
    return next((str(original["To"]) for original in _originals(parts) if original["To"]), "")


def _original_id(message: Part, parts: list[Part]) -> str:
    """The Message-ID of the letter: in the returned part, quoted in the text, or what the mail answers."""
    for original in _originals(parts):
        if original["Message-ID"]:
            return f"<{str(original['Message-ID']).strip().strip('<>')}>"
    quoted = _MESSAGE_ID.findall("\n".join(bounce_text.decoded(p) for p in parts if p.get_content_maintype() == "text"))
    if quoted:
        return f"<{quoted[-1]}>"
    answered = re.search(
        r"<[^\s<>]{1,250}@[^\s<>]{1,250}>", f"{message['In-Reply-To'] or ''} {message['References'] or ''}"
    )
    return answered[0] if answered else ""


def _token(message: Part) -> str:
    """The VERP token in the address the mail came to."""
    fields = ("To", "Delivered-To", "X-Original-To", "Envelope-To")
    match = _VERP.search(" ".join(str(value) for name in fields for value in message.get_all(name, [])))
    return match[1].lower() if match else ""
