"""The project's own digest format: one JSON object per line, one paper per object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from newsletter.model import Paper
from newsletter.sources.reading import Unreadable, day_of, paper, text

FORMAT = "jsonl"


def recognises(item: Mapping[str, Any]) -> bool:
    return "title" in item


def read(item: Mapping[str, Any]) -> Paper | Unreadable:
    """Keys: id, title, abstract, authors, url, published and, where known, doi, upvotes, comments, stars, code, pdf,
    project, thumbnail, categories. Authors are a list of names; unknown keys are left alone."""
    listed = item.get("authors")
    names = [a.get("name") if isinstance(a, dict) else a for a in listed] if isinstance(listed, list) else listed
    facts = {key: item.get(key) for key in ("upvotes", "comments", "stars", "code", "pdf", "project", "thumbnail")}
    return paper(
        ids=(text(item.get("id")), text(item.get("url"))),
        title=item.get("title"),
        abstract=item.get("abstract"),
        doi=item.get("doi"),
        authors=names,
        url=item.get("url"),
        published=day_of(item.get("published")),
        source=text(item.get("source")) or FORMAT,
        categories=item.get("categories"),
        **facts,
    )
