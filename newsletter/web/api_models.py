"""What the API answers with; its OpenAPI is made from these."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "EditionDetail", "EditionEntry", "EditionList", "EditionTheme", "Found", "MapPoint", "Movement", "PaperDetail",
    "PaperEntry", "Problem", "ThemeDetail", "ThemeEntry", "ThemeHappening", "ThemeList",
]  # fmt: skip


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(_Answer):
    """Why there is no answer."""

    error: str = Field(description="What went wrong, in a line.")
    detail: str = Field(description="What to do about it; may be empty.")


class Movement(_Answer):
    """This week's share of papers against the weeks before, with its 80 % interval."""

    trend: str = Field(description="rising, steady or new", examples=["rising"])
    rate: float
    low: float
    high: float
    history: tuple[int, ...] = Field(description="Papers a day, oldest first, the edition's day last.")


class PaperEntry(_Answer):
    """A paper in a list."""

    id: str = Field(examples=["arxiv:2505.19590"])
    title: str
    authors: tuple[str, ...]
    url: str = Field(description="Its page here.")
    source: str = Field(description="Its own page elsewhere; may be empty.")
    day: date | None = Field(description="When a digest listed it first.")
    upvotes: int | None
    comments: int | None
    stars: int | None


class PaperDetail(PaperEntry):
    """A paper with all that the archive knows of it."""

    abstract: str
    published: date | None
    pdf: str
    code: str
    project: str
    categories: tuple[str, ...]
    theme: str | None = Field(description="The id of the theme that it is in, if any.")
    editions: tuple[date, ...] = Field(description="The days of the editions that it was in.")


class EditionTheme(_Answer):
    """A theme in an edition, with the edition's own papers."""

    id: str = Field(description="An id that stays from day to day; `more` holds what fits nowhere.")
    label: str
    keywords: tuple[str, ...]
    momentum: Movement
    papers: tuple[str, ...] = Field(description="Paper ids, nearest to the theme's centre first.")


class EditionEntry(_Answer):
    """An edition in a list."""

    day: date
    url: str
    papers: int
    themes: int
    top: tuple[str, ...] = Field(description="The names of its largest themes.")


class EditionList(_Answer):
    """Editions, newest first."""

    total: int
    editions: tuple[EditionEntry, ...]


class MapPoint(_Answer):
    """A paper of the window on the theme map; papers alike in meaning are near one another."""

    paper: str
    theme: str = Field(description="A theme's id, or empty.")
    x: float
    y: float


class EditionDetail(_Answer):
    """One day's edition."""

    day: date
    url: str
    papers: tuple[PaperEntry, ...]
    themes: tuple[EditionTheme, ...]
    map: tuple[MapPoint, ...] = Field(description="Empty where the edition has no map.")


class ThemeEntry(_Answer):
    """A theme of the newest window."""

    id: str
    label: str
    keywords: tuple[str, ...]
    url: str
    papers: int = Field(description="In the window.")
    week: int = Field(description="In the last seven days.")
    momentum: Movement | None


class ThemeList(_Answer):
    """Themes, largest first."""

    day: date | None = Field(description="The newest edition's day.")
    themes: tuple[ThemeEntry, ...]


class ThemeHappening(_Answer):
    """Something that happened to a theme's identity: `id` was born, renamed, split from or merged into `other`."""

    day: date
    kind: str = Field(description="born, split, merged or renamed", examples=["split"])
    id: str
    other: str


class ThemeDetail(_Answer):
    """A theme through its life."""

    id: str
    label: str
    keywords: tuple[str, ...]
    url: str
    first_day: date
    last_day: date
    papers: tuple[PaperEntry, ...] = Field(description="Newest first, at most 300.")
    total: int
    events: tuple[ThemeHappening, ...]


class Found(_Answer):
    """What a search found, best first."""

    total: int
    more: bool = Field(description="Whether older papers match too that are not counted.")
    papers: tuple[PaperEntry, ...]
