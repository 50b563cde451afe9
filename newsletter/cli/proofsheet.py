"""A proof as the preview's page shows it: letter in four ways, text, headers, source, sizes, findings. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from functools import cache
from typing import Any, Literal

from newsletter.letter.budget import LIMIT
from newsletter.letter.html_rules import STYLE
from newsletter.letter.lint import RULES, lint
from newsletter.letter.page import read_page
from newsletter.pipeline import Proof

Scheme = Literal["light", "dark"]
CLIPPED = 102_400  # bytes; Gmail shows no more
_PREFERS = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)", re.IGNORECASE)
_SCHEMES = re.compile(r"(color-schemes?(?:\s*:\s*|\"\s+content=\"))light dark", re.IGNORECASE)
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Size:
    """A number of bytes against what is allowed; `share` of the scale from 0 to 100, as are the marks on it."""

    name: str
    value: int
    limit: int
    share: float
    mark: float
    note: str

    @property
    def over(self) -> bool:
        return self.value >= self.limit


def sizes(proof: Proof) -> tuple[Size, ...]:
    """The HTML against our limit and Gmail's, its style sheets against Gmail's, and the whole message."""
    html, style = len(proof.rendered.html.encode()), len(read_page(proof.rendered.html).css.encode())
    return (
        Size("HTML", html, LIMIT, _share(html, CLIPPED), _share(LIMIT, CLIPPED), f"Gmail clips at {CLIPPED:,}"),
        Size("Style", style, STYLE, _share(style, 8_192), _share(STYLE, 8_192), "Gmail drops it above 8,192"),
    )


def _share(value: int, whole: int) -> float:
    return round(min(100.0, 100 * value / whole), 1)


def headers(proof: Proof) -> list[tuple[str, str]]:
    """The message's header fields in order, unfolded and decoded."""
    head = message_from_bytes(proof.message.data, policy=policy.default)
    return [(name, " ".join(str(value).split())) for name, value in head.items()]


def findings(proof: Proof) -> list[tuple[str, str, str]]:
    """(rule, what is wrong, what the rule says) of each rule that the message breaks."""
    return [(f.rule, f.message, _rule(f.rule)) for f in lint(proof.message.data)]


@cache
def _rule(name: str) -> str:
    return (RULES[name].__doc__ or "").strip()


def framed(html: str, scheme: Scheme) -> str:
    """The letter as readers with light or dark colours see it, whatever this browser prefers; links open elsewhere."""
    html = _PREFERS.sub(lambda m: f"({'min' if m[1].lower() == scheme else 'max'}-width: 0px)", html)
    html = _SCHEMES.sub(lambda m: m[1] + scheme, html)
    return _HEAD.sub(lambda m: f'{m[0]}<base target="_blank">', html, count=1)


def shown(proof: Proof) -> dict[str, Any]:
    """Everything that the page's template names of a proof."""
    letter = proof.letter
    sections = sum(len(section.entries) for section in letter.sections)
    return {
        "edition": letter.edition,
        "subject": letter.subject,
        "preheader": letter.preheader,
        "shown": len(letter.top) + sections + len(letter.trending) + len(letter.explore) - proof.rendered.more,
        "more": proof.rendered.more,
        "text_only": letter.text_only,
        "html": proof.rendered.html,
        "text": proof.rendered.text,
        "headers": headers(proof),
        "sizes": sizes(proof),
        "message_size": len(proof.message.data),
        "findings": findings(proof),
        "rules": len(RULES),
    }
