"""Text as people write it, made safe and readable. Pure."""

from __future__ import annotations

import re
import unicodedata

from newsletter.model import Paper

_SPACE = re.compile(r"\s+")
_BLANK = ("Cc", "Zl", "Zp")


def _lone(c: str) -> bool:
    return unicodedata.category(c) == "Cs"


def tidy(text: str) -> str:
    """One line of NFC text: control characters, lone surrogates and U+2028/2029 gone, white space folded."""
    kept = "".join(" " if c.isspace() or unicodedata.category(c) in _BLANK else c for c in text if not _lone(c))
    return _SPACE.sub(" ", unicodedata.normalize("NFC", kept)).strip()


def paper_text(paper: Paper) -> str:
    """What the embedding reads of a paper: title and abstract."""
    return f"{paper.title}. {paper.abstract}" if paper.abstract else paper.title
