"""What a server's reply means for the letter: a table, and the few functions that read it. Pure.

Codes per RFC 5321 section 4.2, enhanced codes per RFC 3463; where servers use them otherwise, the row says who.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from newsletter.mail.headers import clean
from newsletter.model import Outcome, OutcomeKind, Phase

Fault = Literal["address", "mailbox", "ours", "server", ""]
"""Whose fault a refusal is: the address is dead; the mailbox is full or shut for now; ours (policy, content,
reputation); the server's. Empty where nothing went wrong."""

_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_LONGEST = 500
_AFTER_THE_DOT: dict[int, OutcomeKind] = {2: "accepted", 4: "deferred", 5: "refused"}
_LOGIN_WANTED = frozenset({530, 534, 535, 538})  # RFC 4954 section 6


@dataclass(frozen=True, slots=True)
class _Rule:
    """`enhanced` and `text` are searched as regular expressions; `codes` empty means any."""

    fault: Fault
    codes: frozenset[int] = frozenset()
    enhanced: str = ""
    text: str = ""


_UNKNOWN = (
    r"(?i)(user|recipient|mailbox|address|account|alias|addressee)[^.\n]{0,60}"
    r"(unknown|not found|n[o']t exist|no longer|invalid|not (known|recogni[sz]ed))"
    r"|(unknown|no such|invalid|non-?existent|bad destination) (local )?(user|recipient|mailbox|address|account|alias)"
    r"|not listed in|does ?n[o']t (exist|have an? .{0,40}account)|no mailbox|not (our|a) customer|unrouteable address"
)
_NO_HOST = (
    r"(?i)(host|domain)( or domain name)?( name)?( \S{1,255})? (not found|does not exist|unknown)|name service error"
    r"|(no such|unknown) (host|domain)|unrouteable|could ?n[o']t find (any|a) (host|mail exchanger|gateway)"
    r"|no smtp service"
)
_SENDER = r"(?i)sender (address|domain)|(after|reply to) mail from"
_SHUT = (
    r"(?i)(box|folder|quota)( \S{1,80}){0,3} (is )?(full|exceeded)|over ?quota|quota (exceeded|violation)"
    r"|out of (disk )?space|(account|mailbox|user)(\(s\))?( \S{1,80}){0,3} (disabled|suspended|inactive|deactivated)"
)
_POLICY = (
    r"(?i)spam|block|black ?list|deny|denied|polic|reputation|relay|reject(ed)? due|listed|spf|dkim|dmarc|virus|content"
)
_PERMANENT = frozenset({0, 550, 551, 553, 554})

# The first row that fits decides: what speaks of the sender, then of a mailbox that is full or shut, whatever the code;
# then the enhanced codes, which are exact where the three digits are vague; then words.
_REFUSALS: tuple[_Rule, ...] = (
    _Rule("ours", enhanced=r"5\.1\.[78]$"),
    _Rule("ours", text=_SENDER),
    _Rule("mailbox", text=_SHUT),
    _Rule("server", text=r"(?i)not found, try again"),
    _Rule("address", enhanced=r"5\.1\.(1|2|3|6|10)$"),  # no such mailbox, system, syntax; moved; null MX
    _Rule("address", enhanced=r"5\.4\.1$", text=r"(?i)recipient address rejected"),  # Microsoft's unknown user
    _Rule("address", enhanced=r"5\.2\.1$", text=r"(?i)user unknown"),  # Sendmail's
    _Rule("mailbox", enhanced=r"5\.2\.[0-9]$"),  # disabled, full, message too long for it
    _Rule("ours", enhanced=r"5\.7\.\d+$"),
    _Rule("address", codes=_PERMANENT, enhanced=r"^(5\.(0\.\d|1\.0|3\.0|5\.0))?$", text=_UNKNOWN),
    _Rule("address", codes=_PERMANENT, enhanced=r"^(5\.(0\.0|1\.0|4\.[04]))?$", text=_NO_HOST),
    _Rule("ours", enhanced=r"5\.[56]\.\d+$"),  # protocol, content
    _Rule("ours", enhanced=r"5\.3\.4$"),  # message too big
    _Rule("server", enhanced=r"5\.[34]\.\d+$"),
    _Rule("mailbox", codes=frozenset({552})),
    _Rule("ours", codes=frozenset({500, 501, 502, 503, 504, 530, 534, 535, 538, 554, 555})),
    _Rule("ours", codes=_PERMANENT, text=_POLICY),
    _Rule("address", codes=frozenset({556})),  # RFC 7504: the domain accepts no mail
)


def enhanced_code(code: int, text: str) -> str:
    """The RFC 3463 code at the head of a reply's text, if its class agrees with the reply's code; else empty."""
    match = _ENHANCED.match(text)
    return match[1] if match and match[1][0] == str(code)[0] else ""


def plain_text(text: str) -> str:
    """A reply's text as one printable line of bounded length."""
    return clean(text.encode("utf-8", "replace").decode("utf-8"))[:_LONGEST]


def outcome(phase: Phase, code: int, text: str) -> Outcome:
    """The outcome of a reply that was not the one hoped for, or, in phase `dot`, of any reply."""
    return Outcome(_kind(phase, code), phase, max(code, 0), enhanced_code(code, text), plain_text(text))


def _kind(phase: Phase, code: int) -> OutcomeKind:
    reply = code // 100
    if phase == "dot":
        return _AFTER_THE_DOT.get(reply, "uncertain")  # anything else is an answer that is none
    if phase in ("tls", "auth") or (phase == "connect" and reply == 5) or code in _LOGIN_WANTED:
        return "stop"  # the server wants nothing from us at all
    return "refused" if reply == 5 else "deferred"


def no_answer(phase: Phase, why: str) -> Outcome:
    """The connection broke, or nobody answered in time, in `phase`: after the final dot nobody knows (RFC 1047)."""
    return Outcome("uncertain" if phase == "dot" else "deferred", phase, text=plain_text(why))


def fault(found: Outcome) -> Fault:
    """Whose fault the outcome is."""
    if found.kind == "accepted":
        return ""
    if found.kind != "refused":
        return "mailbox" if found.enhanced == "4.2.2" else "server"
    if found.phase == "mail" and found.code:
        return "ours"  # nobody has been named yet but us
    return blame(found.code, found.enhanced, found.text) or "server"


def blame(code: int, enhanced: str, text: str) -> Fault:
    """Whose fault a permanent refusal is, by its codes (0 and empty: unknown) and words; empty: it does not say."""
    for rule in _REFUSALS:
        if (not rule.codes or code in rule.codes) and re.search(rule.enhanced, enhanced) and re.search(rule.text, text):
            return rule.fault
    return ""


def is_hard_bounce(found: Outcome) -> bool:
    """Whether the address itself is dead and must be suppressed. Never true of a reply to MAIL or of policy."""
    return found.kind == "refused" and found.phase in ("rcpt", "data", "dot") and fault(found) == "address"


def is_soft_bounce(found: Outcome) -> bool:
    """Whether the mailbox is full or shut: counted, not suppressed at once."""
    return found.kind in ("refused", "deferred") and fault(found) == "mailbox"


def is_our_fault(found: Outcome) -> bool:
    """Whether policy, reputation or our own content was refused: not the reader's doing, and worth stopping for."""
    return found.kind == "refused" and fault(found) == "ours"
