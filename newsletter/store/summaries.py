"""What a language model wrote of papers, kept so that it is asked about each of them once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy import Engine

from newsletter.store.connection import batches, insert, reading, writing
from newsletter.store.tables import SUMMARIES
from newsletter.store.vectors import paper_numbers

__all__ = ["get_summaries", "put_summaries"]


def put_summaries(engine: Engine, writer: str, written: Mapping[str, Sequence[str]]) -> int:
    """Keeps the sentences of each paper, by id; returns how many of the papers the archive knows.

    `writer` names the model and the version of what it was asked: another one writes its own.
    """
    with writing(engine) as connection:
        numbers = paper_numbers(connection, written)
        known = {number: list(written[name]) for name, number in numbers.items()}
        rows = [{"writer": writer, "paper": number, "sentences": known[number]} for number in sorted(known)]
        statement = insert(connection, SUMMARIES)
        statement = statement.on_conflict_do_update(
            index_elements=["writer", "paper"], set_={"sentences": statement.excluded.sentences}
        )
        if rows:
            connection.execute(statement, rows)
    return len(rows)


def get_summaries(engine: Engine, writer: str, ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The kept sentences of the papers that `ids` name, under the names given; papers without any are left out."""
    found: dict[str, tuple[str, ...]] = {}
    with reading(engine) as connection:
        by_number: dict[int, list[str]] = {}
        for name, number in paper_numbers(connection, ids).items():
            by_number.setdefault(number, []).append(name)
        for some in batches(by_number):
            query = sa.select(SUMMARIES.c.paper, SUMMARIES.c.sentences).where(
                SUMMARIES.c.writer == writer, SUMMARIES.c.paper.in_(some)
            )
            for number, sentences in connection.execute(query):
                found.update(dict.fromkeys(by_number[number], tuple(sentences)))
    return found
