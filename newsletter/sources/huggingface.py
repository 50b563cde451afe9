"""One item of the Hugging Face daily papers API: ``GET /api/daily_papers?date=YYYY-MM-DD``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from newsletter.identity import arxiv_id
from newsletter.model import Paper
from newsletter.sources.reading import Unreadable, day_of, paper, text

FORMAT = "huggingface"


def recognises(item: Mapping[str, Any]) -> bool:
    """Every item since 2023 wraps its paper in the key `paper`."""
    return isinstance(item.get("paper"), dict)


def read(item: Mapping[str, Any]) -> Paper | Unreadable:
    """The paper of one item; fields that come and go (code, project, stars, thumbnail) are empty where missing."""
    inner: Mapping[str, Any] = item["paper"]
    listed = inner.get("authors")
    authors = [a.get("name") for a in listed if isinstance(a, dict)] if isinstance(listed, list) else []
    arxiv = arxiv_id(text(inner.get("id"))) or ""
    bare = arxiv.removeprefix("arxiv:")
    return paper(
        ids=(arxiv,),
        title=inner.get("title") or item.get("title"),
        abstract=inner.get("summary") or item.get("summary"),
        authors=authors,
        url=f"https://arxiv.org/abs/{bare}" if bare else "",
        published=day_of(inner.get("publishedAt") or item.get("publishedAt")),
        source=FORMAT,
        upvotes=inner.get("upvotes"),
        comments=item.get("numComments"),
        stars=inner.get("githubStars"),
        pdf=f"https://arxiv.org/pdf/{bare}" if bare else "",
        code=inner.get("githubRepo"),
        project=inner.get("projectPage"),
        thumbnail=item.get("thumbnail"),
    )


def day(items: Iterable[Any]) -> date | None:
    """The day on which most items came onto the daily list, where they tell it."""
    papers = (item.get("paper") for item in items if isinstance(item, dict))
    days = Counter(day_of(p.get("submittedOnDailyAt")) for p in papers if isinstance(p, dict))
    days.pop(None, None)
    return max(days, key=lambda d: (days[d], d or date.min)) if days else None
