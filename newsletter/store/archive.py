"""Every paper ever read, once, under every key by which it may be met again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from statistics import median
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from newsletter.model import ArchivedPaper, Digest, Paper
from newsletter.store.connection import batches, insert, reading, writing
from newsletter.store.reconcile import UNLISTED, Added, Changes, Record, key_of, keys_of, reconcile, take_in
from newsletter.store.tables import PAPER_KEYS, PAPERS, SIGHTINGS, SOURCE_STATES, SUMMARIES, VECTORS
from newsletter.store.vectors import get_vectors, put_vectors

__all__ = [
    "Added", "SourceState", "add_digest", "add_unlisted", "archived_papers", "days", "get_vectors", "papers",
    "papers_of_day", "put_vectors", "record_source", "sighted", "source_states", "usual_size", "window",
]  # fmt: skip

Fetched = Literal["fetched", "empty", "stale", "failed"]
_NAMES = [field.name for field in fields(Paper)]
_PAPER = [PAPERS.c[name] for name in _NAMES]


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a source's last fetch for a day went. `papers` is how many it listed."""

    source: str
    day: date
    state: Fetched
    papers: int
    reason: str = ""


def add_digest(engine: Engine, digest: Digest) -> Added:
    """Takes the digest's papers in, in one transaction; the same digest again changes nothing.

    A known paper keeps its id; its counts become the newest known, its empty fields are filled, and its first day
    becomes the earliest on which any digest listed it, so that the order of fetching does not matter.
    """
    with writing(engine, lock="newsletter archive") as connection:
        changes = reconcile(digest, *_known(connection, digest.papers))
        _write(connection, changes)
        _execute(
            connection,
            insert(connection, SIGHTINGS).on_conflict_do_nothing(),
            [{"source": digest.source, "day": digest.day, "paper": number} for number in changes.sighted],
        )
    return changes.added


def add_unlisted(engine: Engine, papers: Sequence[Paper]) -> Added:
    """Takes in papers that no digest has listed, in one transaction: what a reader likes.

    They have no first day, hence are in no edition, window or count of days, until a digest lists them: then they are
    that day's as if they had never been here. A known paper keeps its days and counts; its empty fields are filled.
    """
    with writing(engine, lock="newsletter archive") as connection:
        changes = take_in(papers, UNLISTED, *_known(connection, papers))
        _write(connection, changes)
    return changes.added


def papers_of_day(engine: Engine, day: date) -> list[Paper]:
    """The papers first seen on `day`, in order of arrival."""
    return [archived.paper for archived in window(engine, day, 1)]


def window(engine: Engine, until: date, days: int) -> list[ArchivedPaper]:
    """The papers first seen in the `days` days up to and with `until`, oldest first, in order of arrival."""
    query = (
        sa.select(PAPERS.c.first_day, *_PAPER)
        .where(PAPERS.c.first_day.between(until - timedelta(days=days - 1), until))
        .order_by(PAPERS.c.first_day, PAPERS.c.number)
    )
    with reading(engine) as connection:
        return [ArchivedPaper(_paper(row[1:]), row[0]) for row in connection.execute(query)]


def papers(engine: Engine, ids: Iterable[str]) -> dict[str, Paper]:
    """The papers that `ids` name, under the names given: ids, arXiv ids or URLs of any version, DOIs, titles."""
    named: dict[str, list[str]] = {}
    for name in ids:
        for key in {name, key_of(name)}:
            named.setdefault(key, []).append(name)
    found: dict[str, Paper] = {}
    with reading(engine) as connection:
        for keys in batches(named):
            query = sa.select(PAPER_KEYS.c.key, *_PAPER).join_from(PAPER_KEYS, PAPERS).where(PAPER_KEYS.c.key.in_(keys))
            for row in connection.execute(query):
                found.update(dict.fromkeys(named[row[0]], _paper(row[1:])))
    return found


def archived_papers(connection: Connection, numbers: Sequence[int]) -> dict[int, ArchivedPaper]:
    """The papers of these numbers with their first day; for other modules of the store."""
    query = sa.select(PAPERS.c.number, PAPERS.c.first_day, *_PAPER).where(PAPERS.c.number.in_(numbers))
    return {row[0]: ArchivedPaper(_paper(row[2:]), row[1]) for row in connection.execute(query)}


def days(engine: Engine) -> dict[date, int]:
    """How many papers were first seen on each day, oldest day first."""
    listed = sa.select(PAPERS.c.first_day, sa.func.count()).where(PAPERS.c.first_day < UNLISTED[0])
    query = listed.group_by(PAPERS.c.first_day).order_by(PAPERS.c.first_day)
    with reading(engine) as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def sighted(engine: Engine, source: str, day: date) -> frozenset[str]:
    """The ids of all papers that `source` listed on `day`, new or known: so a stale digest is told from a fresh one."""
    query = sa.select(PAPERS.c.id).join(SIGHTINGS).where(SIGHTINGS.c.source == source, SIGHTINGS.c.day == day)
    with reading(engine) as connection:
        return frozenset(connection.execute(query).scalars())


def usual_size(engine: Engine, source: str, before: date) -> float | None:
    """The median number of papers in the source's digests of the 30 days before `before`; None where there are none."""
    query = (
        sa.select(sa.func.count())
        .where(SIGHTINGS.c.source == source, SIGHTINGS.c.day < before, SIGHTINGS.c.day >= before - timedelta(days=30))
        .group_by(SIGHTINGS.c.day)
    )
    with reading(engine) as connection:
        sizes = connection.execute(query).scalars().all()
    return float(median(sizes)) if sizes else None


def record_source(  # noqa: PLR0917  the columns in their order
    engine: Engine, source: str, day: date, state: Fetched, papers: int = 0, reason: str = ""
) -> None:
    """Writes down how the source's fetch for `day` went, in place of what was written for that day before."""
    values = {"state": state, "papers": papers, "reason": reason}
    with writing(engine) as connection:
        statement = insert(connection, SOURCE_STATES).values(source=source, day=day, **values)
        connection.execute(statement.on_conflict_do_update(index_elements=["source", "day"], set_=values))


def source_states(engine: Engine, *, source: str | None = None, since: date | None = None) -> list[SourceState]:
    """How fetching went, newest day first, then by source."""
    query = sa.select(*SOURCE_STATES.c).order_by(SOURCE_STATES.c.day.desc(), SOURCE_STATES.c.source)
    if source is not None:
        query = query.where(SOURCE_STATES.c.source == source)
    if since is not None:
        query = query.where(SOURCE_STATES.c.day >= since)
    with reading(engine) as connection:
        return [SourceState(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001  SQLAlchemy's public name


def _paper(row: Sequence[Any]) -> Paper:
    values = dict(zip(_NAMES, row, strict=True))
    return Paper(**{**values, "authors": tuple(values["authors"]), "categories": tuple(values["categories"])})


def _known(connection: Connection, papers: Sequence[Paper]) -> tuple[list[Record], int]:
    """Every record that shares a key with one of the papers, and the first free number."""
    wanted = {key for paper in papers for key in keys_of(paper)}
    free: int = connection.execute(sa.select(sa.func.coalesce(sa.func.max(PAPERS.c.number), 0) + 1)).scalar_one()
    return _records(connection, wanted), free


def _records(connection: Connection, wanted: Collection[str]) -> list[Record]:
    """Every record that one of the keys leads to, with all of its keys."""
    numbers: set[int] = set()
    for some in batches(wanted):
        numbers.update(connection.execute(sa.select(PAPER_KEYS.c.paper).where(PAPER_KEYS.c.key.in_(some))).scalars())
    keys: dict[int, set[str]] = {number: set() for number in numbers}
    records: list[Record] = []
    for part in batches(numbers):
        pairs = connection.execute(sa.select(PAPER_KEYS.c.paper, PAPER_KEYS.c.key).where(PAPER_KEYS.c.paper.in_(part)))
        for number, key in pairs:
            keys[number].add(key)
        columns = (PAPERS.c.number, PAPERS.c.first_day, PAPERS.c.last_day, *_PAPER)
        rows = connection.execute(sa.select(*columns).where(PAPERS.c.number.in_(part)))
        records += [Record(row[0], _paper(row[3:]), row[1], row[2], frozenset(keys[row[0]])) for row in rows]
    return sorted(records, key=lambda record: record.number)


def _write(connection: Connection, changes: Changes) -> None:
    _execute(connection, sa.insert(PAPERS), [_row(record) for record in changes.inserted])
    for loser, winner in changes.merged.items():
        moved = sa.select(SIGHTINGS.c.source, SIGHTINGS.c.day, sa.literal(winner)).where(SIGHTINGS.c.paper == loser)
        connection.execute(
            insert(connection, SIGHTINGS).from_select(["source", "day", "paper"], moved).on_conflict_do_nothing()
        )
        connection.execute(sa.delete(PAPERS).where(PAPERS.c.number == loser))
    changeable: dict[str, Any] = {name: sa.bindparam(name) for name in (*_NAMES, "first_day", "last_day")}
    update = sa.update(PAPERS).where(PAPERS.c.number == sa.bindparam("b_number")).values(changeable)
    _execute(connection, update, [{**_row(record), "b_number": record.number} for record in changes.updated])
    keys = insert(connection, PAPER_KEYS)
    _execute(
        connection,
        keys.on_conflict_do_update(index_elements=["key"], set_={"paper": keys.excluded.paper}),
        [{"key": key, "paper": r.number} for r in (*changes.inserted, *changes.updated) for key in sorted(r.keys)],
    )
    for reworded in batches(changes.reworded):
        for table in (VECTORS, SUMMARIES):
            connection.execute(sa.delete(table).where(table.c.paper.in_(reworded)))


def _row(record: Record) -> dict[str, Any]:
    values = {name: getattr(record.paper, name) for name in _NAMES}
    days = {"number": record.number, "first_day": record.first_day, "last_day": record.last_day}
    return {**values, **days, "authors": list(record.paper.authors), "categories": list(record.paper.categories)}


def _execute(connection: Connection, statement: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)
