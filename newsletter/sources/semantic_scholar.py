"""One paper of the Semantic Scholar Graph API, bare or inside a citation, a reference or a recommendation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from newsletter.model import Paper
from newsletter.sources.reading import Unreadable, day_of, paper, text

FORMAT = "semantic-scholar"
_WRAPPERS = ("citingPaper", "citedPaper")


def recognises(item: Mapping[str, Any]) -> bool:
    return "paperId" in item or any(isinstance(item.get(key), dict) for key in _WRAPPERS)


def read(item: Mapping[str, Any]) -> Paper | Unreadable:
    """The paper, where the request asked for its title and abstract; answers without them are refused."""
    inner: Mapping[str, Any] = next((item[key] for key in _WRAPPERS if isinstance(item.get(key), dict)), item)
    told = inner.get("externalIds")
    external: Mapping[str, Any] = told if isinstance(told, dict) else {}
    listed = inner.get("authors")
    arxiv = text(external.get("ArXiv"))
    access = inner.get("openAccessPdf")
    return paper(
        ids=(arxiv, text(external.get("DOI"))),
        title=inner.get("title"),
        abstract=inner.get("abstract"),
        doi=external.get("DOI"),
        authors=[a.get("name") for a in listed if isinstance(a, dict)] if isinstance(listed, list) else [],
        url=inner.get("url") or (f"https://arxiv.org/abs/{arxiv}" if arxiv else ""),
        published=day_of(inner.get("publicationDate")),
        source=FORMAT,
        pdf=access.get("url") if isinstance(access, dict) else "",
        categories=inner.get("fieldsOfStudy"),
    )
