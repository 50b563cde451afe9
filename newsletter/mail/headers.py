"""Header fields as bytes: encoded (RFC 2047), folded (RFC 5322), and impossible to break out of. Pure.

Every value passes `tidy` or is refused, so that no control character, line separator or lone surrogate gets through.
Lines are at most 78 octets wherever the text allows it.
"""

from __future__ import annotations

import binascii
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from newsletter.errors import MessageError
from newsletter.mail.address import Mailbox
from newsletter.text import tidy

LINE = 78  # RFC 5322 section 2.1.1: should; 998 is must
_WORD = 75  # RFC 2047 section 2: an encoded word
_ENCODED_LINE = 76  # RFC 2047 section 2: a line that holds one
_PREFIX_B, _PREFIX_Q, _SUFFIX = "=?utf-8?b?", "=?utf-8?q?", "?="
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")  # RFC 2047 section 5 (3)
_Q_TABLE = ["_" if o == 0x20 else chr(o) if o in _Q_SAFE else f"={o:02X}" for o in range(256)]
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+;=%]+")  # RFC 3986 without the comma


def clean(text: str) -> str:
    """`text` as one line without control characters; untouched where it is such a line already."""
    fine = text.isprintable() and "  " not in text and unicodedata.is_normalized("NFC", text)
    return text.strip() if fine else tidy(text)


def unstructured(name: str, text: str) -> bytes:
    """A field of free text, e.g. Subject."""
    value = clean(text)
    room = LINE - len(name) - 2
    if value.isascii() and "=?" not in value:
        words = value.split(" ")
        if all(len(word) < LINE for word in words) and len(words[0]) <= room:
            return _folded(name, words)
    return _folded(name, encoded_words(value, _ENCODED_LINE - len(name) - 2))


def mailboxes(name: str, boxes: Iterable[Mailbox]) -> bytes:
    """An address field. A non-ASCII local part stays UTF-8 (RFC 6532): its message needs SMTPUTF8."""
    parts: list[str] = []
    for box in boxes:
        if parts:
            parts[-1] += ","
        parts += (
            [*_phrase(clean(box.name), _ENCODED_LINE - len(name) - 2), f"<{box.address}>"]
            if box.name
            else [box.address]
        )
    return _folded(name, parts)


def phrase_and_id(name: str, phrase: str, identifier: str) -> bytes:
    """A List-Id like field: a phrase and ``<identifier>`` (RFC 2919)."""
    words = _phrase(clean(phrase), _ENCODED_LINE - len(name) - 2) if phrase else ()
    return _folded(name, [*words, f"<{identifier}>"])


def uris(name: str, links: Iterable[str]) -> bytes:
    """A list of ``<uri>`` (RFC 2369); raises MessageError for what is not a URI."""
    links = list(links)
    for link in links:
        if not _URI.fullmatch(link) or len(link) > 900:
            raise MessageError("Bad link", which=repr(link), why=f"not a URI that fits {name}", do="Check base_url")
    return _folded(name, [f"<{link}>," for link in links[:-1]] + [f"<{links[-1]}>"])


def token(name: str, value: str) -> bytes:
    """A field whose value the program itself made: ASCII, printable, one line."""
    if not (value.isascii() and value.isprintable() and len(value) < 900):
        raise MessageError("Bad header", which=name, why=f"{value!r} is not printable ASCII")
    return f"{name}: {value}\r\n".encode("ascii")


def date_field(moment: datetime) -> bytes:
    """The Date field; `moment` is aware."""
    return token("Date", format_datetime(moment))


def encoded_words(text: str, first: int) -> list[str]:
    """RFC 2047 encoded words of whole characters, Q or B, whichever is shorter; the first within `first` octets."""
    in_q, in_b = _q(text), _b(text)
    encoded, prefix = (in_q, _PREFIX_Q) if len(in_q) <= len(in_b) else (in_b, _PREFIX_B)
    whole = f"{prefix}{encoded}{_SUFFIX}"
    return [whole] if len(whole) <= min(first, _WORD) else list(_words(text, first, prefix))


def _words(text: str, first: int, prefix: str) -> Iterator[str]:
    """As many characters a word as fit; one whose single character does not fit is still made."""
    encode, size, most = (_q, _size_q, _room_q) if prefix == _PREFIX_Q else (_b, _size_b, _room_b)
    start = used = 0
    limit = most(min(first, _WORD) - len(prefix) - len(_SUFFIX))
    for at, character in enumerate(text):
        used += size(character)
        if used > limit and at > start:
            yield f"{prefix}{encode(text[start:at])}{_SUFFIX}"
            start, used, limit = at, size(character), most(_WORD - len(prefix) - len(_SUFFIX))
    yield f"{prefix}{encode(text[start:])}{_SUFFIX}"


@lru_cache(maxsize=4096)
def _size_q(character: str) -> int:
    return len(_q(character))


@lru_cache(maxsize=4096)
def _size_b(character: str) -> int:
    return len(character.encode("utf-8", "replace"))


def _room_q(octets: int) -> int:
    return octets


def _room_b(octets: int) -> int:
    return octets // 4 * 3


def _q(text: str) -> str:
    return "".join(map(_Q_TABLE.__getitem__, text.encode("utf-8", "replace")))


def _b(text: str) -> str:
    return binascii.b2a_base64(text.encode("utf-8", "replace"), newline=False).decode("ascii")


def _phrase(text: str, first: int) -> list[str]:
    """A display name: atoms, a quoted string, or encoded words."""
    short = len(text) <= first - 2 and "=?" not in text
    if text.isascii() and short and _ATOMS.fullmatch(text):
        return text.split(" ")
    if text.isascii() and short:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return [f'"{escaped}"']
    return encoded_words(text, first)


def _folded(name: str, parts: Iterable[str]) -> bytes:
    """`parts` joined by spaces, a new line before each that would pass the limit."""
    lines, length = [f"{name}:"], len(name) + 1
    for part in parts:
        size = len(part.encode("utf-8")) + 1
        if length + size > LINE and length > len(name) + 1:
            lines.append("\r\n")
            length = 0
        lines.append(" " + part)
        length += size
    return ("".join(lines) + "\r\n").encode("utf-8")
