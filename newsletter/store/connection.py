"""Connections and transactions as the store wants them, and the drivers' errors in the operator's words."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event

from newsletter.errors import StoreError

__all__ = ["batches", "connect", "insert", "insert_plain", "place", "reading", "reporting", "writing"]

_T = TypeVar("_T")
_BATCH = 5_000  # bound values in one statement: SQLite takes 32,766, PostgreSQL 65,535
_WRITER = "newsletter_writer"
_FULL = "Free some space; nothing that was reported as done is lost, then run the command again"
_TORN = (
    "Stop every program that uses it, restore the last backup, or rescue what can be read with `sqlite3 FILE .recover`"
)
_LOCKED = "Wait for the other program to finish or stop it, then run the command again"

# SQLite's primary result codes (https://sqlite.org/rescode.html): why, and what to do
_SQLITE = {
    sqlite3.SQLITE_BUSY: ("the database is locked by another program", _LOCKED),
    sqlite3.SQLITE_LOCKED: ("the database is locked by another program", _LOCKED),
    sqlite3.SQLITE_FULL: ("the disk or the file-size limit is full", _FULL),
    sqlite3.SQLITE_IOERR: ("the disk is full or failing", _FULL),
    sqlite3.SQLITE_CORRUPT: ("the database file is torn", _TORN),
    sqlite3.SQLITE_NOTADB: (
        "the file is not a database",
        "Name another file in `data` or `database`, or restore a backup",
    ),
    sqlite3.SQLITE_READONLY: ("the file is not writable", "Give this user the right to write the file and its folder"),
    sqlite3.SQLITE_PERM: ("the file is not writable", "Give this user the right to write the file and its folder"),
    sqlite3.SQLITE_CANTOPEN: ("the file cannot be opened", "Give this user the right to write the file and its folder"),
}
# PostgreSQL's classes and codes (https://www.postgresql.org/docs/current/errcodes-appendix.html), longest prefix first
_POSTGRES = {
    "53100": ("the server's disk is full", _FULL),
    "53": ("the server has no room or no free connection", "Free some on the server, then run the command again"),
    "55P03": ("the rows are locked by another program", _LOCKED),
    "25006": ("the server takes no writes (a standby?)", "Name the primary server in `database`"),
    "28": ("the server refused the login", "Check user and password in `database`"),
    "3D": ("there is no such database", "Create it with `createdb`, or correct `database`"),
    "42501": ("the user has no right to do this", "Grant it the right to create tables in the schema"),
    "XX001": ("the database is torn", "Restore the last backup"),
    "XX002": ("the database is torn", "Restore the last backup"),
}


def connect(url: str, patience: float) -> Engine:
    """An engine whose transactions begin explicitly; nothing is opened yet, but SQLite's folder is there.

    SQLite writers begin IMMEDIATE: a deferred transaction that writes after reading cannot wait for the lock, it fails.
    """
    try:
        parsed = sa.make_url(url)
        backend = parsed.get_backend_name()
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError) as error:
        raise StoreError("cannot use the database URL", why=str(error), do="Write it as sqlite:///path") from error
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return _sqlite(parsed, patience)
    if backend == "postgresql":
        return _postgres(parsed, patience)
    raise StoreError(
        "cannot use the database", which=backend, why="letters must survive a restart, in SQLite's file or PostgreSQL",
        do="Write `database` as sqlite:///path or postgresql+psycopg://user@host/name",
    )  # fmt: skip


def _sqlite(url: sa.URL, patience: float) -> Engine:
    path = Path(url.database or "")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why, do = error.strerror or "", "Name a folder in `data` that this user can write"
        raise StoreError("cannot create the database's folder", which=str(path.parent), why=why, do=do) from error
    engine = sa.create_engine(url, connect_args={"timeout": patience})

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # no implicit BEGIN by the driver: `begin` below does it
        for pragma in ("synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        writer = connection.get_execution_options().get(_WRITER)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")

    return engine


def _postgres(url: sa.URL, patience: float) -> Engine:
    options = f"-c lock_timeout={int(patience * 1000)}"
    try:
        return sa.create_engine(url, connect_args={"options": options, "connect_timeout": max(2, int(patience))})
    except ModuleNotFoundError as error:
        raise StoreError(
            "cannot reach PostgreSQL", which=place(url), why=f"the package {error.name} is not installed",
            do="Install it with `pip install 'newsletter[postgres]'` and write postgresql+psycopg://...",
        ) from error  # fmt: skip


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that only reads. Raises StoreError."""
    with reporting(engine), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, lock: str = "") -> Iterator[Connection]:
    """One transaction that writes, durable when the block is left. Raises StoreError, and then nothing was written.

    SQLite has one writer at a time. PostgreSQL has many: those that name the same `lock` take turns.
    """
    with reporting(engine), engine.connect().execution_options(**{_WRITER: True}) as connection, connection.begin():
        if lock and engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(lock, 0))))
        yield connection


@contextmanager
def reporting(engine: Engine) -> Iterator[None]:
    """Turns a driver's error into a StoreError that says why and what to do. Bugs in statements pass as they are."""
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise StoreError("cannot use the database", which=place(engine.url), why="every connection is busy") from error
    except (sa.exc.DBAPIError, sqlite3.Error) as error:  # the latter from a new connection's first statements
        known = _explain(error.orig if isinstance(error, sa.exc.DBAPIError) else error)
        if known is None:
            raise
        why, do = known
        raise StoreError("cannot use the database", which=place(engine.url), why=why, do=do) from error


def place(url: sa.URL) -> str:
    """Where the database is, without the password: a file's path, or the URL."""
    return (url.database or "") if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)


def insert(connection: Connection, table: sa.Table) -> Any:
    """The dialect's INSERT, which knows ON CONFLICT. Typed Any: the two dialects share no type for it."""
    from sqlalchemy.dialects import postgresql, sqlite

    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def insert_plain(connection: Connection, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Adds rows with a value for each column, in the table's order, that the database takes as it is.

    For many rows of two columns: SQLAlchemy looks at every value, for longer than SQLite takes to write it.
    """
    if not rows:
        return
    made = sa.insert(table).compile(dialect=connection.dialect)
    names = table.columns.keys()
    values = rows if made.positional else [dict(zip(names, row, strict=True)) for row in rows]
    connection.exec_driver_sql(str(made), values)


def batches(values: Collection[_T]) -> Iterator[list[_T]]:
    """The values in lists short enough for one statement."""
    everything = list(values)
    for start in range(0, len(everything), _BATCH):
        yield everything[start : start + _BATCH]


def _explain(error: BaseException | None) -> tuple[str, str] | None:
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        return _SQLITE.get(code & 0xFF) if code is not None else None
    state = getattr(error, "sqlstate", None)
    for prefix, known in _POSTGRES.items():
        if state and state.startswith(prefix):
            return known
    if state is None or state.startswith(("08", "57P")):
        return f"the server cannot be reached ({_first_line(error)})", "Check that it runs and that `database` names it"
    return None


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0]
