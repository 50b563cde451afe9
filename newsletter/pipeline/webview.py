"""A reader's letter as a browser shows it: whole, with links as of its day, and what its themes did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from newsletter.letter.charts import whole_weeks
from newsletter.letter.render import render_page
from newsletter.letter.templates import Templates, load_templates
from newsletter.letter.view import Imprint
from newsletter.letter.wording import label, momentum
from newsletter.mail.message import sender
from newsletter.model import Letter, Theme
from newsletter.pipeline.links import letter_links, link_keys
from newsletter.pipeline.workspace import Workspace
from newsletter.store import editions

__all__ = ["ThemeShare", "letter_page", "theme_shares"]

_MOST = 12
_WEEKS = 8


@dataclass(frozen=True, slots=True)
class ThemeShare:
    """A theme of a letter: how many of the edition's papers it holds, how many of them the letter has, how it moves.

    `weeks` are its papers of each of up to eight whole weeks, oldest first.
    """

    id: str
    label: str
    papers: int
    picked: int
    moves: str
    weeks: tuple[int, ...]


def letter_page(workspace: Workspace, letter: Letter, *, at: datetime) -> str:
    """The letter's HTML by the templates of now, with every pick that its mail had no room for.

    `at` is when its links are made, from which their age counts.
    """
    settings = workspace.settings
    links = letter_links(
        settings.base_url, link_keys(settings, workspace.key), letter, key=workspace.key, at=at
    )  # fmt: skip
    origin = sender(settings.sender, title=settings.title, reply_to=settings.reply_to or "")
    imprint = Imprint(settings.title, settings.postal_address, (origin.reply_to or origin.origin).address)
    return render_page(_templates(workspace.config / "templates"), letter, replace(links, view=""), imprint)


def theme_shares(workspace: Workspace, letter: Letter) -> list[ThemeShare]:
    """The letter's themes, those with most of its papers first; papers without a theme are left out."""
    edition = editions.load_edition(workspace.engine, letter.edition)
    known: dict[str, Theme] = {theme.id: theme for theme in (edition.themes if edition else ())}
    known |= {section.theme.id: section.theme for section in letter.sections}
    entries = (*letter.top, *(e for s in letter.sections for e in s.entries), *letter.trending, *letter.explore)
    picked = Counter(entry.pick.theme for entry in entries if entry.pick.theme in known and entry.pick.theme != "more")
    shares = [_share(known[theme], count) for theme, count in picked.items()]
    return sorted(shares, key=lambda share: (-share.picked, -share.papers, share.label))[:_MOST]


def _share(theme: Theme, picked: int) -> ThemeShare:
    papers, moves = max(len(theme.papers), picked), theme.momentum
    weeks = whole_weeks(moves.history, _WEEKS)
    return ThemeShare(theme.id, label(theme, "en"), papers, picked, momentum(moves, "en"), weeks)


def _templates(folder: Path) -> Templates:
    """The templates as they are now; compiled again only where a file of the user's has changed."""
    files = sorted(folder.rglob("*")) if folder.is_dir() else []
    return _compiled(folder, tuple((str(file), file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=2)
def _compiled(folder: Path, _stamps: tuple[tuple[str, int], ...]) -> Templates:
    return load_templates(folder)
