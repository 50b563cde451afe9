"""Subscribers' documents as rows, where there are too many for a folder.

A row's `version` grows with every change, so that of two programs that change one document the second is told. It
starts at a random number: a name that was removed and came back is not taken for what it was.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from newsletter.store.connection import batches, reading, writing
from newsletter.store.tables import DOCUMENTS

__all__ = [
    "Stored", "Written", "add_document", "document_of", "documents", "remove_document", "replace_document", "versions",
]  # fmt: skip

# gone: no document has the name; changed: it is of another version; name, address: another document has it
Written = Literal["written", "gone", "changed", "name", "address"]

_LOCK = "newsletter subscribers"
_FIRST = 2**30  # versions start below; a 32-bit number holds as many changes again


@dataclass(frozen=True, slots=True)
class Stored:
    """One document as it is in the database."""

    name: str
    text: str
    version: int


def versions(engine: Engine, only: Collection[str] | None = None) -> dict[str, int]:
    """The version of every document, or of those named in `only`, by name and in the order of the names."""
    query = sa.select(DOCUMENTS.c.name, DOCUMENTS.c.version)
    with reading(engine) as connection:
        if only is None:
            return dict(sorted((row.name, row.version) for row in connection.execute(query)))
        found = {}
        for some in batches(only):
            rows = connection.execute(query.where(DOCUMENTS.c.name.in_(some)))
            found.update({row.name: row.version for row in rows})
        return dict(sorted(found.items()))


def documents(engine: Engine, names: Collection[str]) -> dict[str, Stored]:
    """The documents called `names`; those that are not there are left out."""
    found: dict[str, Stored] = {}
    with reading(engine) as connection:
        for some in batches(names):
            rows = connection.execute(_SELECTED.where(DOCUMENTS.c.name.in_(some)))
            found.update({row.name: Stored(row.name, row.document, row.version) for row in rows})
    return found


def document_of(engine: Engine, address: str) -> Stored | None:
    """The document whose address has the keyed hash `address`."""
    with reading(engine) as connection:
        row = connection.execute(_SELECTED.where(DOCUMENTS.c.address == address)).one_or_none()
    return None if row is None else Stored(row.name, row.document, row.version)


def add_document(engine: Engine, name: str, address: str, text: str, at: datetime) -> Written:
    """A new document; refused where its name or its address (a keyed hash) is taken."""
    with writing(engine, lock=_LOCK) as connection:
        if connection.execute(sa.select(DOCUMENTS.c.name).where(DOCUMENTS.c.name == name)).scalar() is not None:
            return "name"
        if _is_taken(connection, name, address):
            return "address"
        row = {"name": name, "address": address, "document": text, "changed_at": at}
        connection.execute(sa.insert(DOCUMENTS), {**row, "version": 1 + secrets.randbelow(_FIRST)})
    return "written"


def replace_document(engine: Engine, name: str, address: str, text: str, at: datetime, *, version: int) -> Written:
    """Puts `text` in the place of the document that has this `version`; refused where it has another one by now."""
    with writing(engine, lock=_LOCK) as connection:
        present = connection.execute(sa.select(DOCUMENTS.c.version).where(DOCUMENTS.c.name == name)).scalar()
        if present is None:
            return "gone"
        if present != version:
            return "changed"
        if _is_taken(connection, name, address):
            return "address"
        values = {"address": address, "document": text, "changed_at": at, "version": version + 1}
        connection.execute(sa.update(DOCUMENTS).where(DOCUMENTS.c.name == name).values(values))
    return "written"


def remove_document(engine: Engine, name: str) -> bool:
    """Takes the document away; False where there was none."""
    with writing(engine, lock=_LOCK) as connection:
        return bool(connection.execute(sa.delete(DOCUMENTS).where(DOCUMENTS.c.name == name)).rowcount)


_SELECTED = sa.select(DOCUMENTS.c.name, DOCUMENTS.c.document, DOCUMENTS.c.version)


def _is_taken(connection: Connection, name: str, address: str) -> bool:
    query = sa.select(DOCUMENTS.c.name).where(DOCUMENTS.c.address == address, DOCUMENTS.c.name != name)
    return connection.execute(query).scalar() is not None
