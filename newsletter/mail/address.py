"""Mailboxes as SMTP and the headers need them. Pure.

A reader's address is validated when it is read (settings); here it is refused again if it could break a command line
or a header, and its domain is written in ASCII (RFC 5891), which every server understands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from newsletter.errors import MessageError
from newsletter.text import tidy

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN = re.compile(rf"(?P<local>{_ATEXT}(?:\.{_ATEXT})*)@(?P<domain>{_LABEL}(?:\.{_LABEL})*)")
_NAMED = re.compile(r"\s*(?P<name>.*?)\s*<(?P<address>[^<>]*)>\s*", re.DOTALL)
_LOCAL_OCTETS = 64  # RFC 5321 section 4.5.3.1.1
_PATH_OCTETS = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name (may be empty) and an address with an ASCII domain."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@lru_cache(maxsize=256)  # each is looked at three times
def normal_address(text: str) -> str:
    """`text` with its domain in lower-case ASCII; raises MessageError for what RFC 5321 and 6531 do not allow."""
    match = _PLAIN.fullmatch(text)
    if match and len(match["local"]) <= _LOCAL_OCTETS and len(text) <= _PATH_OCTETS:
        return f"{match['local']}@{match['domain'].lower()}"
    return _unusual_address(text)


def _unusual_address(text: str) -> str:
    """Quoted, international or wrong: email-validator (60 times slower) decides."""
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(
            text, check_deliverability=False, strict=True, allow_quoted_local=True, test_environment=True
        )
    except EmailNotValidError as error:
        raise MessageError("Bad address", which=repr(text), why=str(error), do="Correct the address") from error
    except UnicodeError as error:
        raise MessageError("Bad address", which=repr(text), why="not Unicode text", do="Correct the address") from error
    return f"{found.local_part}@{found.ascii_domain}"


def mailbox(text: str) -> Mailbox:
    """``Papers <papers@example.org>`` or a bare address as a Mailbox; raises MessageError."""
    named = _NAMED.fullmatch(text)
    if not named:
        return Mailbox("", normal_address(text.strip()))
    name = tidy(named["name"])
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return Mailbox(name, normal_address(named["address"]))


def needs_smtputf8(address: str) -> bool:
    """Whether the address can be named only to servers that offer SMTPUTF8 (RFC 6531)."""
    return not address.isascii()
