"""What today's letter would hold for a profile, without writing anything down: for the form and for the first page."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import date

from newsletter.errors import NewsletterError
from newsletter.letter.view import Card, Imprint, Links, view
from newsletter.model import Skip, Subscriber
from newsletter.pipeline.letters import write
from newsletter.store import editions
from newsletter.web.desk import Desk

__all__ = ["Previewed", "PreviewedSection", "preview_of"]

_HANDS = threading.BoundedSemaphore(2)  # each is work for one core, 50 ms and more; pages must not wait for many
_PATIENCE = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class PreviewedSection:
    """A heading of the letter and the papers under it: title, url, authors, reason, as the letter words them."""

    label: str
    papers: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Previewed:
    """The letter of the newest edition for one profile; without `sections`, `why` says why there is none."""

    day: date | None
    total: int
    sections: tuple[PreviewedSection, ...]
    subject: str = ""
    why: str = ""

    @property
    def count(self) -> int:
        """How many papers the letter holds."""
        return sum(len(section.papers) for section in self.sections)


def preview_of(desk: Desk, subscriber: Subscriber) -> Previewed:
    """The letter that `subscriber`, who need not be in the roster, would get of the newest edition.

    Nothing is learned, fetched or written; a paused reader's letter is shown as if they were not. A name that no
    letter was ever sent to (``""``) has seen nothing yet.
    """
    edition = editions.newest_edition(desk.workspace.engine, desk.clock().date())
    if edition is None:
        return Previewed(None, 0, (), why="no edition has been printed yet")
    if not _HANDS.acquire(timeout=_PATIENCE):
        return Previewed(edition.day, len(edition.papers), (), why="too many look at previews at this moment")
    try:
        letter = write(desk.workspace, edition, [replace(subscriber, paused_until=None)])[0]
    except NewsletterError as error:
        return Previewed(edition.day, len(edition.papers), (), why=error.why or error.what)
    finally:
        _HANDS.release()
    if isinstance(letter, Skip):
        return Previewed(edition.day, len(edition.papers), (), why=letter.reason)
    shown = view(letter, Links(), Imprint())
    groups = [("Best for you", shown.top), *((group.label, group.cards) for group in shown.groups)]
    groups += [("What others are reading", shown.trending), ("A step outside", shown.explore)]
    sections = tuple(PreviewedSection(label, cards) for label, cards in groups if cards)
    return Previewed(edition.day, letter.total, sections, letter.subject)
