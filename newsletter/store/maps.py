"""What an edition's public page shows and takes seconds to make: the map of its window, every theme's momentum."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Engine

from newsletter.model import Theme
from newsletter.store.connection import insert, reading, writing
from newsletter.store.tables import EDITION_MAPS

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["Point", "ThemeMap", "load_map", "map_before", "save_map"]


@dataclass(frozen=True, slots=True)
class Point:
    """A paper of the window on the map; `theme` is an id, or empty; `day` is when the archive first saw the paper."""

    paper: str
    title: str
    theme: str
    day: date
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class ThemeMap:
    """An edition's window: `total` papers, of which `points` are on the map, and every theme alive in it.

    `themes` hold all their papers of the window, unlike the edition's, which hold the day's. `summaries` are of the
    edition's own papers, by id.
    """

    edition: str
    day: date
    total: int
    points: tuple[Point, ...]
    themes: tuple[Theme, ...]
    summaries: Mapping[str, str] = field(default_factory=dict)


def save_map(engine: Engine, drawn: ThemeMap) -> None:
    """Keeps the map, in place of an earlier one of its edition."""
    values = {"day": drawn.day, "body": zlib.compress(_adapter().dump_json(drawn))}
    with writing(engine) as connection:
        statement = insert(connection, EDITION_MAPS).values(edition=drawn.edition, **values)
        connection.execute(statement.on_conflict_do_update(index_elements=["edition"], set_=values))


def load_map(engine: Engine, edition: str) -> ThemeMap | None:
    """The edition's map, or None."""
    return _load(engine, sa.select(EDITION_MAPS.c.body).where(EDITION_MAPS.c.edition == edition))


def map_before(engine: Engine, day: date) -> ThemeMap | None:
    """The newest map of a day before `day`."""
    return _load(
        engine,
        sa.select(EDITION_MAPS.c.body).where(EDITION_MAPS.c.day < day).order_by(EDITION_MAPS.c.day.desc()).limit(1),
    )


def _load(engine: Engine, query: sa.Select[Any]) -> ThemeMap | None:
    with reading(engine) as connection:
        body = connection.execute(query).scalar()
    return None if body is None else _adapter().validate_json(zlib.decompress(body))


@cache
def _adapter() -> TypeAdapter[ThemeMap]:
    from pydantic import TypeAdapter

    return TypeAdapter(ThemeMap)
