"""Bringing a database to the schema that this program knows, once, however many programs open it at the same time."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from newsletter.errors import StoreError
from newsletter.store.connection import place, reading, writing
from newsletter.store.tables import METADATA

__all__ = ["HEAD", "migrate"]

HEAD = "0005"  # the newest of migrations/versions; opening a current database need not import Alembic
_SCRIPTS = Path(__file__).with_name("migrations")


def migrate(engine: Engine, patience: float) -> None:
    """Creates or upgrades the tables. Raises StoreError for a newer schema or another program's database."""
    if engine.dialect.name == "sqlite":
        _use_write_ahead_log(engine, patience)
    with reading(engine) as connection:
        if _revision(connection) == HEAD:
            return
    with writing(engine, lock="newsletter migration") as connection:
        revision = _revision(connection)  # another program may have been faster
        if revision != HEAD:
            _upgrade(connection, revision)


def _use_write_ahead_log(engine: Engine, patience: float) -> None:
    """WAL is a property of the file. Changing to it does not wait for a lock as statements do, so it is tried again."""
    give_up = time.monotonic() + patience
    while True:
        with closing(engine.raw_connection()) as connection:
            try:
                connection.cursor().execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > give_up:
                    raise
            else:
                return
        time.sleep(0.05)


def _revision(connection: Connection) -> str | None:
    tables = set(sa.inspect(connection).get_table_names())
    if "alembic_version" in tables:
        found: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        return found
    foreign = tables if connection.dialect.name == "sqlite" else tables & set(METADATA.tables)
    if foreign:
        raise StoreError(
            "cannot use the database", which=place(connection.engine.url),
            why=f"it belongs to another program (tables {', '.join(sorted(foreign)[:3])})",
            do="Name another file or database in `data` or `database`",
        )  # fmt: skip
    return None


def _upgrade(connection: Connection, revision: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            "cannot use the database", which=place(connection.engine.url),
            why=f"a newer newsletter wrote it (schema {revision}, this program knows {HEAD})",
            do="Install the newer version, or restore the backup from before its first run",
        )  # fmt: skip
    command.upgrade(config, "head")
