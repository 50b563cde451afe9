"""Sources: files and live services become digests. One file per format; what cannot be read is refused with a reason.

    bytes -> content -> page | json_document -> huggingface, semantic_scholar, json_lines | xml_document -> arxiv, feed
    Reading -> Digest                     files (a path)  or  live (a service, over http)

Importing this package is cheap: httpx and the XML parser load when they are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.model import Digest
from newsletter.sources.files import read_path
from newsletter.sources.plausibility import Judgement, judge
from newsletter.sources.reading import Reading
from newsletter.sources.spec import SourceSpec

if TYPE_CHECKING:
    import httpx

__all__ = [
    "Judgement", "Reading", "SourceSpec", "fetch", "fetch_papers", "judge", "open_client", "read_bibliography",
    "read_path",
]  # fmt: skip


def open_client(*, contact: str = "", timeout: float = 30.0) -> httpx.Client:
    """The HTTP client for `fetch`: our name with `contact`, timeouts in seconds, arXiv's pace. Close it after use."""
    from newsletter.sources import http

    return http.open_client(contact=contact, timeout=timeout)


def fetch(source: SourceSpec, day: date, *, client: httpx.Client) -> Digest:
    """One day's digest from a live service or folder; raises DigestError (see `newsletter.sources.live.fetch`)."""
    from newsletter.sources import live

    return live.fetch(source, day, client=client)


def fetch_papers(ids: Sequence[str], client: httpx.Client) -> Reading:
    """Papers by arXiv id, for likes that the archive does not know (see `newsletter.sources.live.fetch_papers`)."""
    from newsletter.sources import live

    return live.fetch_papers(ids, client)


def read_bibliography(path: Path) -> Reading:
    """The papers of a reference manager's export (see `newsletter.sources.bibliography`); raises DigestError."""
    from newsletter.sources import bibliography

    return bibliography.read_bibliography(path)
