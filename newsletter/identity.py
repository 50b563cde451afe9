"""Which paper is which: canonical ids from arXiv ids, DOIs and titles, whatever the version, spelling or source."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from newsletter.model import Paper

# https://info.arxiv.org/help/arxiv_identifier.html: YYMM.NNNNN since 2007, archive/YYMMNNN before
_ARXIV_NEW = r"\d{2}(?:0[1-9]|1[0-2])\.\d{4,5}"
_ARXIV_OLD = r"[a-z][a-z-]+(?:\.[A-Z]{2})?/\d{7}"
_ARXIV = re.compile(
    rf"^(?:arxiv:\s*|oai:arxiv\.org:|https?://(?:www\.|export\.)?(?:arxiv\.org/(?:abs|pdf|html)|alphaxiv\.org/(?:abs|overview)"
    rf"|huggingface\.co/papers)/|10\.48550/arxiv\.|https?://(?:dx\.)?doi\.org/10\.48550/arxiv\.|doi:\s*10\.48550/arxiv\.)?"
    rf"(?P<id>{_ARXIV_NEW}|{_ARXIV_OLD})(?:v\d+)?(?:\.pdf)?/?(?:[?#].*)?$",
    re.IGNORECASE,
)
_DOI = re.compile(r"^(?:doi:\s*|https?://(?:dx\.)?doi\.org/)?(?P<doi>10\.\d{4,9}/\S+)$", re.IGNORECASE)


def arxiv_id(text: str) -> str | None:
    """``arxiv:2503.01234`` for an arXiv id, URL or arXiv DOI of any version; None for anything else."""
    match = _ARXIV.match(text.strip())
    return f"arxiv:{match['id'].lower() if '/' in match['id'] else match['id']}" if match else None


def doi_id(text: str) -> str | None:
    """``doi:10.1000/xyz`` (lower case: DOIs are case-insensitive, ISO 26324) for a DOI or its URL; None otherwise."""
    match = _DOI.match(text.strip())
    return f"doi:{match['doi'].lower()}" if match else None


def title_key(title: str) -> str:
    """``title:`` and 16 hex digits that are equal for titles equal but for case, accents, spacing and punctuation."""
    folded = unicodedata.normalize("NFKD", title).casefold()
    letters = "".join(c for c in folded if c.isalnum())
    return f"title:{hashlib.sha256((letters or title.strip()).encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def canonical_id(*candidates: str, title: str) -> str:
    """The first candidate that is an arXiv id, else the first that is a DOI, else the title's key."""
    for recognise in (arxiv_id, doi_id):
        for text in candidates:
            if text and (found := recognise(text)):
                return found
    return title_key(title)


def identity_keys(paper: Paper) -> tuple[str, ...]:
    """Every key under which the paper may be met again: its id, its DOI, its title."""
    doi = doi_id(paper.doi) if paper.doi else None
    arxiv = arxiv_id(paper.doi) if paper.doi else None
    return tuple(dict.fromkeys(key for key in (paper.id, arxiv, doi, title_key(paper.title)) if key))
