"""Editions, frozen once a letter is planned on them, and the themes as each day left them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine

from newsletter.errors import StoreError
from newsletter.model import Edition, KnownTheme, ThemeEvent
from newsletter.store.connection import insert, place, reading, writing
from newsletter.store.freezing import freeze_edition, thaw_edition
from newsletter.store.tables import DELIVERIES, EDITIONS, THEME_EVENTS, THEMES

__all__ = [
    "as_theme",
    "edition_lock",
    "known_themes",
    "load_edition",
    "newest_edition",
    "save_edition",
    "save_themes",
    "theme_events",
    "theme_history",
]


def save_edition(engine: Engine, edition: Edition) -> None:
    """Keeps the edition, in place of an earlier one with its id.

    Raises StoreError when that one is different and letters are planned on it: readers may already hold them.
    """
    body = freeze_edition(edition)
    with writing(engine, lock=edition_lock(edition.id)) as connection:
        stored = connection.execute(sa.select(EDITIONS.c.body).where(EDITIONS.c.id == edition.id)).scalar()
        if stored == body:
            return
        planned = sa.select(sa.exists().where(DELIVERIES.c.edition == edition.id))
        if stored is not None and connection.execute(planned).scalar():
            raise StoreError(
                "cannot replace edition", which=f"{edition.id} in {place(engine.url)}",
                why="letters are planned on it, so it is frozen",
                do="Send it as it is; papers that came later belong to the next edition",
            )  # fmt: skip
        statement = insert(connection, EDITIONS).values(id=edition.id, day=edition.day, body=body)
        values = {"day": edition.day, "body": body}
        connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def load_edition(engine: Engine, edition_id: str) -> Edition | None:
    """The edition as it was saved, or None."""
    with reading(engine) as connection:
        body = connection.execute(sa.select(EDITIONS.c.body).where(EDITIONS.c.id == edition_id)).scalar()
    return None if body is None else thaw_edition(body)


def newest_edition(engine: Engine, until: date) -> Edition | None:
    """The newest edition with papers in it up to and with the day `until`, or None."""
    query = sa.select(EDITIONS.c.body).where(EDITIONS.c.day <= until).order_by(EDITIONS.c.day.desc()).limit(7)
    with reading(engine) as connection:
        bodies = connection.execute(query).scalars().all()
    return next((found for body in bodies if (found := thaw_edition(body)).papers), None)


def edition_lock(edition_id: str) -> str:
    """The lock under which an edition changes and letters are planned on it."""
    return f"newsletter edition {edition_id}"


def known_themes(engine: Engine, before: date) -> tuple[KnownTheme, ...]:
    """The themes as the last day before `before` left them, so that a day learned again starts from the same point."""
    last = sa.select(sa.func.max(THEMES.c.day)).where(THEMES.c.day < before).scalar_subquery()
    query = sa.select(*THEMES.c).where(THEMES.c.day == last).order_by(THEMES.c.position)
    with reading(engine) as connection:
        return tuple(as_theme(row) for row in connection.execute(query))


def save_themes(engine: Engine, day: date, known: Sequence[KnownTheme], events: Sequence[ThemeEvent]) -> None:
    """Keeps the themes as `day` left them and what happened to them on it, in place of what was kept for `day`."""
    themes = [
        {
            "day": day, "position": position, "id": theme.id, "label": theme.label, "model": theme.model,
            "keywords": list(theme.keywords), "papers": list(theme.papers),
            "centroid": struct.pack(f"<{len(theme.centroid)}d", *theme.centroid),
            "first_day": theme.first_day, "last_day": theme.last_day, "labelled": theme.labelled,
        }
        for position, theme in enumerate(known)
    ]  # fmt: skip
    happened = [
        {"day": day, "position": position, "kind": event.kind, "id": event.id, "other": event.other}
        for position, event in enumerate(events)
    ]
    with writing(engine, lock="newsletter themes") as connection:
        for table, rows in ((THEMES, themes), (THEME_EVENTS, happened)):
            connection.execute(sa.delete(table).where(table.c.day == day))
            if rows:
                connection.execute(sa.insert(table), rows)


def theme_history(engine: Engine, theme_id: str, until: date, days: int) -> tuple[KnownTheme, ...]:
    """The theme as each of the `days` days up to and with `until` left it, oldest first."""
    since = until - timedelta(days=days - 1)
    query = sa.select(*THEMES.c).where(THEMES.c.id == theme_id, THEMES.c.day.between(since, until))
    with reading(engine) as connection:
        return tuple(as_theme(row) for row in connection.execute(query.order_by(THEMES.c.day)))


def theme_events(engine: Engine, until: date, days: int) -> tuple[ThemeEvent, ...]:
    """What happened to the themes in the `days` days up to and with `until`, oldest first."""
    query = (
        sa.select(*THEME_EVENTS.c)
        .where(THEME_EVENTS.c.day.between(until - timedelta(days=days - 1), until))
        .order_by(THEME_EVENTS.c.day, THEME_EVENTS.c.position)
    )
    with reading(engine) as connection:
        return tuple(ThemeEvent(row.day, row.kind, row.id, row.other) for row in connection.execute(query))


def as_theme(row: Any) -> KnownTheme:
    """The theme of a row of THEMES; for other modules of the store."""
    return KnownTheme(
        row.id, row.label, tuple(row.keywords), tuple(row.papers),
        struct.unpack(f"<{len(row.centroid) // 8}d", row.centroid),
        row.model, row.first_day, row.last_day, row.labelled,
    )  # fmt: skip
