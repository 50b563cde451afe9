"""Embeddings of papers, kept so that a paper is embedded once for each model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from newsletter.store.connection import batches, insert, reading, writing
from newsletter.store.reconcile import key_of
from newsletter.store.tables import PAPER_KEYS, VECTORS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["get_vectors", "paper_numbers", "put_vectors"]

_STORED = "<f4"  # float32, little endian, on every machine


def put_vectors(engine: Engine, model: str, ids: Sequence[str], matrix: NDArray[np.float32]) -> int:
    """Keeps row i of `matrix` (n, d) as the vector of paper `ids[i]`; returns how many of them the archive knows.

    Raises ValueError when the rows and ids do not match in number.
    """
    if len(ids) != len(matrix):
        raise ValueError(f"{len(ids)} ids for {len(matrix)} vectors")
    with writing(engine) as connection:
        numbers = paper_numbers(connection, ids)
        known = {
            numbers[name]: row.astype(_STORED).tobytes()
            for name, row in zip(ids, matrix, strict=True)
            if name in numbers
        }
        statement = insert(connection, VECTORS)
        statement = statement.on_conflict_do_update(
            index_elements=["model", "paper"], set_={"vector": statement.excluded.vector}
        )
        rows = [{"model": model, "paper": number, "vector": vector} for number, vector in sorted(known.items())]
        if rows:
            connection.execute(statement, rows)
    return len(rows)


def get_vectors(engine: Engine, model: str, ids: Iterable[str]) -> dict[str, NDArray[np.float32]]:
    """The kept vectors (d,) of the papers that `ids` name, under the names given; papers without one are left out."""
    import numpy as np

    found: dict[str, NDArray[np.float32]] = {}
    with reading(engine) as connection:
        by_number: dict[int, list[str]] = {}
        for name, number in paper_numbers(connection, ids).items():
            by_number.setdefault(number, []).append(name)
        for some in batches(by_number):
            query = sa.select(VECTORS.c.paper, VECTORS.c.vector).where(
                VECTORS.c.model == model, VECTORS.c.paper.in_(some)
            )
            for number, vector in connection.execute(query):
                row = np.frombuffer(vector, dtype=_STORED).astype(np.float32)
                found.update(dict.fromkeys(by_number[number], row))
    return found


def paper_numbers(connection: Connection, ids: Iterable[str]) -> dict[str, int]:
    """The papers' numbers by the names given; unknown ones are left out."""
    named: dict[str, set[str]] = {}
    for name in ids:
        for key in (name, key_of(name)):
            named.setdefault(key, set()).add(name)
    numbers: dict[str, int] = {}
    for some in batches(named):
        query = sa.select(PAPER_KEYS.c.key, PAPER_KEYS.c.paper).where(PAPER_KEYS.c.key.in_(some))
        for key, number in connection.execute(query):
            numbers.update(dict.fromkeys(named[key], number))
    return numbers
