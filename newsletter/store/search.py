"""Search over the archive: FTS5 on SQLite, tsvector on PostgreSQL, one language for both (newsletter.store.query).

Migration 0005 made the index; the database keeps it in step. Papers that no digest listed are not in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Engine

from newsletter.model import ArchivedPaper
from newsletter.store.archive import archived_papers
from newsletter.store.connection import reading
from newsletter.store.query import Query, Term, parse
from newsletter.store.tables import PAPERS

__all__ = ["CLOSE", "OPEN", "RANKED", "Found", "Hit", "Piece", "pieces", "search"]

# Private use characters: no database's index knows them, and they survive `readable`
OPEN, CLOSE = "\ue000", "\ue001"
_MARKED = re.compile(f"([{OPEN}{CLOSE}])")
_SNIPPET = 36  # words
RANKED = 1000  # papers, the newest that match, among which the best come first: nobody turns fifty pages
_WORDS: ColumnElement[str] = sa.literal_column("'paper_words'::regconfig")
_INDEX = sa.table("paper_search", sa.column("paper"), sa.column("words"), sa.column("people"))  # PostgreSQL's

Piece = tuple[str, bool]  # text, and whether it is what was looked for


@dataclass(frozen=True, slots=True)
class Hit:
    """A paper that was found; `title` and `snippet` (of the abstract) in pieces, to be escaped each."""

    found: ArchivedPaper
    title: tuple[Piece, ...]
    snippet: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """How many papers were found, and those of one page, best first, newest first among equals.

    `more` tells that `total` is RANKED and older papers match too.
    """

    total: int
    hits: tuple[Hit, ...] = ()
    more: bool = False


def search(engine: Engine, text: str, *, limit: int = 20, offset: int = 0) -> Found:
    """The papers that `text` asks for, whatever it is: nothing typed is an error."""
    query = parse(text)
    if not query.wanted:
        return Found(0)
    way: _Postgres | _Sqlite = _Postgres(query) if engine.dialect.name == "postgresql" else _Sqlite(query)
    with reading(engine) as connection:
        total, numbers = way.find(connection, limit, offset)
        marked = way.marked(connection, numbers) if numbers else {}
        papers = archived_papers(connection, numbers)
    hits = tuple(Hit(papers[n], *map(pieces, marked.get(n, _plain(papers[n])))) for n in numbers)
    return Found(min(total, RANKED), hits, total > RANKED)


def pieces(marked: str) -> tuple[Piece, ...]:
    """Text with marks in it as pieces. A mark that a stranger wrote moves a highlight, and nothing else."""
    out: list[Piece] = []
    inside = False
    for part in _MARKED.split(marked):
        if part in (OPEN, CLOSE):
            inside = part == OPEN
        elif part:
            out.append((part, inside))
    return tuple(out)


def _plain(archived: ArchivedPaper) -> tuple[str, str]:
    return archived.paper.title, archived.paper.abstract[:300]


class _Sqlite:
    """https://sqlite.org/fts5.html: every string is quoted, so that no sign in it has a meaning."""

    _NEWEST = sa.text("SELECT rowid FROM paper_search WHERE paper_search MATCH :query ORDER BY rowid DESC LIMIT :most")
    _BEST = sa.text(
        "SELECT rowid FROM paper_search WHERE paper_search MATCH :query AND rank MATCH 'bm25(8.0, 1.0, 4.0)' "
        "AND rowid >= :oldest ORDER BY rank, rowid DESC LIMIT :limit OFFSET :offset"
    )
    _MARKED = sa.text(
        "SELECT highlight(paper_search, 0, :open, :close), snippet(paper_search, 1, :open, :close, '…', :words) "
        "FROM paper_search WHERE paper_search MATCH :query AND rowid = :number"
    )

    def __init__(self, query: Query) -> None:
        wanted = " AND ".join(map(self._term, query.wanted))
        self._query = wanted + "".join(f" NOT {self._term(term)}" for term in query.unwanted)

    @staticmethod
    def _term(term: Term) -> str:
        quoted = '"' + term.text.replace('"', " ") + '"' + (" *" if term.prefix else "")
        return f"(authors : {quoted})" if term.author else quoted

    def find(self, connection: Connection, limit: int, offset: int) -> tuple[int, list[int]]:
        """How many match, RANKED + 1 at most, and the numbers of one page of them."""
        newest = list(connection.execute(self._NEWEST, {"query": self._query, "most": RANKED + 1}).scalars())
        if offset >= min(len(newest), RANKED):
            return len(newest), []
        values = {"query": self._query, "oldest": newest[:RANKED][-1], "limit": limit, "offset": offset}
        return len(newest), list(connection.execute(self._BEST, values).scalars())

    def marked(self, connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[str, str]]:
        fixed = {"query": self._query, "open": OPEN, "close": CLOSE, "words": _SNIPPET}
        found = {n: connection.execute(self._MARKED, fixed | {"number": n}).one_or_none() for n in numbers}
        return {number: (row[0], row[1]) for number, row in found.items() if row is not None}


class _Postgres:
    """https://www.postgresql.org/docs/current/textsearch-controls.html: queries are made of values, not of text."""

    def __init__(self, query: Query) -> None:
        wanted = [self._term(term) for term in query.wanted]
        self._rank = wanted[0]
        for other in wanted[1:]:
            self._rank = self._rank.op("&&")(other)
        self._where = sa.and_(
            *(self._column(term).op("@@")(asked) for term, asked in zip(query.wanted, wanted, strict=True)),
            *(sa.not_(self._column(term).op("@@")(self._term(term))) for term in query.unwanted),
        )

    @staticmethod
    def _column(term: Term) -> ColumnElement[str]:
        return _INDEX.c.people if term.author else _INDEX.c.words

    @staticmethod
    def _term(term: Term) -> ColumnElement[str]:
        if not term.prefix:
            return sa.func.phraseto_tsquery(_WORDS, sa.func.paper_plain(term.text))
        # letters and digits alone, in quotes: nothing in them is an operator
        return sa.func.to_tsquery(_WORDS, " <-> ".join(f"'{word}'" for word in term.words) + ":*")

    def find(self, connection: Connection, limit: int, offset: int) -> tuple[int, list[int]]:
        """As with SQLite; planned anew for each query, for a common word wants another way than a rare one."""
        connection.execute(sa.text("SET LOCAL plan_cache_mode = force_custom_plan"))
        newest = sa.select(*_INDEX.c).where(self._where).order_by(_INDEX.c.paper.desc()).limit(RANKED + 1).cte("newest")
        best = sa.func.ts_rank(newest.c.words, self._rank).desc()
        page = sa.select(newest.c.paper, sa.func.count().over()).order_by(best, newest.c.paper.desc())
        if offset < RANKED and (rows := connection.execute(page.limit(limit).offset(offset)).all()):
            return int(rows[0][1]), [row[0] for row in rows]
        return int(connection.execute(sa.select(sa.func.count()).select_from(newest)).scalar_one()), []

    def marked(self, connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[str, str]]:
        marks = f"StartSel={OPEN}, StopSel={CLOSE}"
        some = f'{marks}, MaxFragments=2, MaxWords={_SNIPPET // 2}, MinWords=8, FragmentDelimiter=" … "'
        abstract = sa.func.left(PAPERS.c.abstract, 20_000)
        query = sa.select(
            PAPERS.c.number,
            sa.func.ts_headline(_WORDS, PAPERS.c.title, self._rank, f"{marks}, HighlightAll=true"),
            sa.func.ts_headline(_WORDS, abstract, self._rank, some),
        ).where(PAPERS.c.number.in_(numbers))
        return {row[0]: (row[1], row[2]) for row in connection.execute(query)}
