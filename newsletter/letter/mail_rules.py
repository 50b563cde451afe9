"""The rules of mail: header fields (RFC 5322, 2369, 3834, 8058), structure, text part. Each yields what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.letter.plain import WIDTH, columns
from newsletter.letter.specimen import Specimen

_ONCE = ("From", "To", "Date", "Message-ID", "Subject", "MIME-Version")
_SIGNED = ("from", "to", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
_URL = re.compile(r"(?:https?://|mailto:)[^\s<>]+")
_TOGETHER = ("multipart/alternative", "multipart/mixed", "multipart/related")

_REHEARSAL = re.compile(r"http://(?:localhost|127\.0\.0\.1|\[::1\])[:/]")  # the demo's own pages


def header_once(mail: Specimen) -> Iterator[str]:
    """From, To, Date, Message-ID, Subject and MIME-Version stand there once each (RFC 5322, 3.6; RFC 2045, 4)."""
    for name in _ONCE:
        if (count := len(mail.every(name))) != 1:
            yield f"{name} stands there {count} times, once is right"


def header_clean(mail: Specimen) -> Iterator[str]:
    """No header field holds a control character or a line separator, decoded ones included (RFC 5322, 2.2)."""
    for name in mail.head:
        if any(_CONTROL.search(value) for value in mail.every(name)):
            yield f"{name} holds a control character or a line separator"


def line_length(mail: Specimen) -> Iterator[str]:
    """No line is longer than 998 octets (RFC 5322, 2.1.1)."""
    longest = max(map(len, re.split(rb"\r?\n", mail.raw)))
    if longest > 998:
        yield f"a line has {longest} octets, RFC 5322 allows 998"


def list_headers(mail: Specimen) -> Iterator[str]:
    """List-Id is there (RFC 2919), and a way out in one click (RFC 2369, RFC 8058); http only on this machine."""
    if not mail.one("List-Id"):
        yield "List-Id is missing"
    links = [link for link in _exits(mail) if not _REHEARSAL.match(link)]
    web = [link for link in links if link.startswith("https://")]
    if not _exits(mail) or len(web) > 1 or len(links) - len(web) > 1 or any(re.match("http:", link) for link in links):
        yield "List-Unsubscribe wants one https link, one mailto, or one of each"
    posts = mail.one("List-Unsubscribe-Post").replace(" ", "")
    if web and posts != "List-Unsubscribe=One-Click":
        yield "List-Unsubscribe-Post: List-Unsubscribe=One-Click is missing (RFC 8058)"
    if posts and not web:
        yield "List-Unsubscribe-Post without an https link in List-Unsubscribe (RFC 8058)"


def way_out(mail: Specimen) -> Iterator[str]:
    """Who can leave by one click in the mail program finds the way out in each body too, where it can be seen."""
    web = [link for link in _exits(mail) if link.startswith("https://")]
    if not web:
        return
    shown = [f"{a.attributes.get('href', '')} {a.text}" for a in mail.page.all("a") if not a.look.hidden]
    for part, said in (("HTML", "\n".join(shown)), ("text part", mail.text)):
        if said and web[0] not in said and "unsubscri" not in said.casefold():
            yield f"the {part} has no link to unsubscribe, though List-Unsubscribe has one"


def automatic(mail: Specimen) -> Iterator[str]:
    """Auto-Submitted says that a program wrote it, so that no out-of-office note answers (RFC 3834, 5)."""
    if mail.one("Auto-Submitted") in ("", "no"):
        yield "Auto-Submitted is missing: out-of-office notes will answer (RFC 3834)"


def signature(mail: Specimen) -> Iterator[str]:
    """A DKIM signature covers who, what, when and how to leave (RFC 6376, 5.4; RFC 8058, 4)."""
    signatures = mail.every("DKIM-Signature")
    if not signatures:
        yield "the message has no DKIM signature"
        return
    signed = {name.strip().lower() for found in re.findall(r"\bh=([^;]*)", signatures[0]) for name in found.split(":")}
    if missing := [name for name in _SIGNED if mail.every(name) and name not in signed]:
        yield f"the DKIM signature does not cover {', '.join(missing)}"


def subject_length(mail: Specimen) -> Iterator[str]:
    """The subject has 40 to 60 characters, which lists of mail show whole."""
    if not 40 <= (length := len(mail.one("Subject"))) <= 60:
        yield f"the subject has {length} characters, 40 to 60 are shown whole"


def structure(mail: Specimen) -> Iterator[str]:
    """The bodies are text/plain, alone or followed by text/html, in one multipart (RFC 2046, 5.1.4)."""
    bodies = [kind for kind in mail.kinds if kind in ("text/plain", "text/html")]
    if bodies not in (["text/plain"], ["text/plain", "text/html"]):
        yield f"the bodies are {', '.join(bodies) or 'absent'}; right is text/plain, then text/html"
    elif len(bodies) == 2 and mail.head.get_content_type() not in (
        "multipart/alternative",
        "multipart/mixed",
        "multipart/related",
    ):
        yield f"two bodies stand in {mail.head.get_content_type()}, not in multipart/alternative"


def text_part(mail: Specimen) -> Iterator[str]:
    """The text part has at least 20 words, in lines of at most 72 columns."""
    if len(mail.text.split()) < 20:
        yield "the text part says next to nothing"
    wide = [n for n, line in enumerate(mail.text.splitlines(), 1) if columns(line) > WIDTH and not _URL.search(line)]
    if wide:
        yield f"{len(wide)} lines of the text part are wider than {WIDTH} columns, the first is line {wide[0]}"


def same_links(mail: Specimen) -> Iterator[str]:
    """Every link of the HTML, or a page above it, stands in the text part too."""
    if not mail.html:
        return
    wanted = [a.attributes.get("href", "") for a in mail.page.all("a")]
    found = {link.rstrip(".,;)") for link in _URL.findall(mail.text)}
    if missing := [
        link for link in dict.fromkeys(wanted) if link and found.isdisjoint({link.rstrip(".,;)"), *_above(link)})
    ]:
        yield f"{len(missing)} links are not in the text part, the first is {missing[0]}"


def _exits(mail: Specimen) -> list[str]:
    """The URIs of List-Unsubscribe (RFC 2369, 2)."""
    return re.findall(r"<([^>]*)>", mail.one("List-Unsubscribe"))


def _above(link: str) -> Iterator[str]:
    """The link, and the pages above it down to the second level: the first says nothing of what is meant."""
    parts = link.split("/")
    return ("/".join(parts[:n]) for n in range(len(parts), 4, -1))
