"""Bounces in free text: is it one, where does its own text end, whom does it name, what does it say. Pure.

The words are those of servers seen in the wild; the figures of the tests say how far they reach.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from email.header import decode_header, make_header
from email.message import Message as Part
from typing import Literal

from newsletter.mail.replies import blame

_FROM = re.compile(
    r"m(ail)?(er)?.?daemon|post[\s_]?master|mail delivery|delivery (sub)?system|mail administrator|<>", re.IGNORECASE
)
_SUBJECT = re.compile(
    r"undeliver|non.?delivery|not be delivered|deliver(y|ability)? (status|report|fail|problem|error|has failed)"
    r"|delivery\s+notification|returned? (mail|message|to sender)|return(ed|ing) message|failure (notice|delivery)"
    r"|mail(er)? (failure|error|system error|delivery failed|status report)|mail delivery|warning: (could not|message)"
    r"|(could|can)(\s?not|n't) (send|deliver)|rejected (mail|message)|message (not delivered|rejected)|bounce",
    re.IGNORECASE,
)
_SELF_ANSWERED = re.compile(r"auto-?replied|vacation|^\W*auto\S* (reply|response)|out of (the )?office", re.IGNORECASE)
# Where the returned letter begins in text that has no parts.
_QUOTED = re.compile(
    r"^[ \t>|-]{0,80}([-=_*]{2,80})?[ \t]*"
    r"(this is a copy of (the|your) message|(below is|below this line is) a? ?copy of"
    r"|(the )?headers? of the original|(the )?(header of the )?original (message|mail|e-?mail)( is)?( follow| header)?"
    r"|unsent message|returned (message|mail)|message headers? follow|the following is the (original|header)"
    r"|(your|start of) (original|returned) message|included is a copy|copy of (your|the) (original )?message"
    r"|received:\s?from .{3,}|return-path:)",
    re.IGNORECASE | re.MULTILINE,
)
# Every repetition is bounded: the text is a stranger's, and an unbounded one makes the search quadratic.
_ADDRESS = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"
_MARKED = re.compile(
    rf"^[ \t]*<({_ADDRESS})>:?|(?:recipient|address|user|to)[ \t]*:[ \t]*<?({_ADDRESS})>?", re.IGNORECASE | re.MULTILINE
)
_TAG = re.compile(r"<(?![^\s<>]{1,320}@)[^<>]*>")
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.])([45][0-5]\d)(?=[\s\-#]|$)")
_FOR_NOW = re.compile(
    r"(will be|to be) retried|(keep|still|continue) (trying|re-?trying)|delayed|do not need to resend"
    r"|warning message only|temporar(y|ily)|not yet been|will try again|retry timeout|expired|given? up|too long in"
    r"|timed? ?out",
    re.IGNORECASE,
)
_LONGEST = 50_000


def decoded(part: Part) -> str:
    """A text part's text; HTML without its tags. Never raises."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    charset = part.get_content_charset("utf-8")
    try:
        text = payload.decode(charset, "replace")
    except LookupError:
        text = payload.decode("latin-1")
    text = text.replace("\r\n", "\n")
    return html.unescape(_TAG.sub(" ", text)) if part.get_content_subtype() == "html" else text


def header(message: Part, name: str) -> str:
    """A header's text, encoded words decoded where that works."""
    value = str(message[name] or "")
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError):
        return value


def looks_like_bounce(message: Part) -> bool:
    """Whether a server wrote it because a letter did not arrive; not so for replies and answering machines."""
    if message["X-Failed-Recipients"] or _FROM.search(header(message, "From")):
        return True  # first, because Exim calls its bounces auto-replied
    if _SELF_ANSWERED.search(f"{header(message, 'Auto-Submitted')} {header(message, 'Subject')}"):
        return False
    return header(message, "Return-Path").strip() == "<>" or bool(_SUBJECT.search(header(message, "Subject")))


def report_part(message: Part) -> str:
    """What the server itself says: the first readable part, up to the letter that it returns."""
    texts = [p for p in message.walk() if p.get_content_maintype() == "text" and not _inside_original(message, p)]
    chosen = [p for p in texts if p.get_content_subtype() == "plain"] or texts
    text = next((t for t in map(decoded, chosen) if t.strip()), "")[:_LONGEST]
    cut = _QUOTED.search(text, min(len(text), 40))
    return text[: cut.start()] if cut else text


def _inside_original(message: Part, part: Part) -> bool:
    return any(
        part in p.walk() and p is not part
        for p in message.walk()
        if p.get_content_type() == "message/rfc822" and p is not message
    )


def recipients(message: Part, text: str) -> list[str]:
    """The addresses that the text says were not reached, in its order; not those of whoever it was written to or by."""
    failed = re.findall(_ADDRESS, str(message["X-Failed-Recipients"] or ""))
    if failed:
        return list(dict.fromkeys(failed))
    ours = {a.lower() for name in ("To", "From", "Reply-To") for a in re.findall(_ADDRESS, header(message, name))}
    marked = _MARKED.findall(text)
    named = [a or b for a, b in marked] or re.findall(_ADDRESS, text)
    clean = [a.rstrip(".") for a in named]
    others = [a for a in clean if a.lower() not in ours and "daemon" not in a.lower()]
    people = [a for a in others if not a.lower().startswith("postmaster@")]
    return list(dict.fromkeys(people or others))


def pieces(text: str, named: Sequence[str]) -> list[str]:
    """For each of the named addresses the text from the line that names it to the line that names the next."""
    starts = [text.rfind("\n", 0, max(text.find(name), 0)) + 1 for name in named]
    return [text[start : min((s for s in starts if s > start), default=len(text))] for start in starts]


def status_in(text: str) -> str:
    """The first RFC 3463 code in free text that says more than "other"; else the first."""
    found = _STATUS.findall(text)
    return next((code for code in found if not code.endswith(".0")), found[0] if found else "")


def verdict(status: str, why: str, text: str = "", *, delayed: bool = False) -> Literal["hard", "soft"]:
    """Hard where the address is dead; `why` counts before `text`, the reply's own code before the report's `status`."""
    if delayed or status.startswith("4"):
        return "soft"
    for words in (" ".join(why[:_LONGEST].split()), " ".join(text.split())):
        code = _CODE.search(words)
        enhanced = status_in(words)
        if enhanced.startswith("4") or (code and code[1].startswith("4") and not enhanced):
            return "soft"
        fault = blame(int(code[1]) if code else 0, enhanced or status, words)
        if fault:
            return "hard" if fault == "address" else "soft"
        if _FOR_NOW.search(words):
            return "soft"
    return "soft"
