"""Opening the store: created, migrated, refused with a reason."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from newsletter.errors import StoreError
from newsletter.store import archive, open_store
from newsletter.store.migration import HEAD
from newsletter.store.tables import METADATA


def _kept_by_the_database(name: str | None) -> bool:
    """Search (migration 0005): FTS5 with its shadow tables, or PostgreSQL's table of tsvectors.

    Metadata have no word for either, and no code of ours writes them: tests/store/test_search.py shows that they follow
    the papers.
    """
    return name == "paper_search" or (name or "").startswith("paper_search_")


def _path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _digest(make_paper, count: int = 3):
    from datetime import date

    from newsletter.model import Digest

    return Digest("page", date(2025, 3, 13), tuple(make_paper(n) for n in range(count)))


def test_migrations_lead_to_the_tables_that_the_code_uses(store):
    """A table changed without a migration, or the other way round, fails here."""
    with store.connect() as connection:
        opts = {
            "compare_type": True,
            "compare_server_default": True,
            "include_name": lambda name, kind, _: not (kind == "table" and _kept_by_the_database(name)),
        }
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, METADATA) == []
        inspector = sa.inspect(connection)
        for table in METADATA.sorted_tables:
            wanted = {c.name: str(c.sqltext) for c in table.constraints if isinstance(c, sa.CheckConstraint)}
            found = {c["name"]: c["sqltext"] for c in inspector.get_check_constraints(table.name)}
            assert found.keys() == wanted.keys()
            if store.dialect.name == "sqlite":  # PostgreSQL writes IN in another way
                assert found == wanted


def test_the_head_is_the_newest_migration(sqlite_url):
    """`HEAD` is a constant so that opening need not import Alembic; it must not fall behind."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    from newsletter.store import migration

    config = Config()
    config.set_main_option("script_location", str(migration._SCRIPTS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_opening_again_keeps_what_is_there(url, make_paper):
    for expected in (3, 0):
        engine = open_store(url)
        assert len(archive.add_digest(engine, _digest(make_paper)).new) == expected
        engine.dispose()


def test_a_current_database_opens_without_alembic(sqlite_url):
    """Alembic takes longer to import than a letter takes to send."""
    open_store(sqlite_url).dispose()
    code = (
        "import sys; from newsletter.store import open_store;"
        f"open_store({sqlite_url!r}); print('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_many_may_open_a_new_database_at_once(url):
    """Whoever comes second waits and finds the tables."""
    with ThreadPoolExecutor(6) as pool:
        engines = list(pool.map(open_store, [url] * 6))
    for engine in engines:
        assert archive.days(engine) == {}
        engine.dispose()


def _open_in_child(url: str, ready, results) -> None:
    ready.wait()
    try:
        open_store(url).dispose()
        results.put("")
    except StoreError as error:
        results.put(str(error))


@pytest.mark.slow
def test_many_processes_may_open_a_new_database_at_once(sqlite_url):
    context = multiprocessing.get_context("spawn")
    ready, results = context.Event(), context.Queue()
    children = [context.Process(target=_open_in_child, args=(sqlite_url, ready, results)) for _ in range(4)]
    for child in children:
        child.start()
    ready.set()
    assert [results.get(timeout=60) for _ in children] == [""] * 4
    for child in children:
        child.join()


def test_sqlite_is_durable_and_keeps_references(sqlite_url):
    engine = open_store(sqlite_url)
    with engine.connect() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    engine.dispose()
    assert found == ["wal", 2, 1]


def test_the_folder_is_created(tmp_path):
    open_store(f"sqlite:///{tmp_path / 'a' / 'b' / 'news.db'}").dispose()
    assert (tmp_path / "a" / "b" / "news.db").exists()


def _refusal(url: str, **options: float) -> str:
    with pytest.raises(StoreError) as caught:
        open_store(url, **options)
    assert caught.value.do, "an error says what to do"
    return str(caught.value)


def test_a_file_that_is_no_database_is_refused(sqlite_url):
    _path(sqlite_url).write_text("title: Trending papers\n" * 100)
    message = _refusal(sqlite_url)
    assert "is not a database" in message
    assert str(_path(sqlite_url)) in message
    assert _path(sqlite_url).read_text().startswith("title:")


def test_another_programs_database_is_refused(sqlite_url):
    with closing(sqlite3.connect(_path(sqlite_url))) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
        connection.commit()
    assert "belongs to another program (tables bookmarks)" in _refusal(sqlite_url)


def test_a_newer_schema_is_refused(store, store_url):
    with store.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    assert "a newer newsletter wrote it (schema 9999" in _refusal(store_url)


def test_a_torn_file_is_refused_and_left_as_it_is(sqlite_url, make_paper):
    engine = open_store(sqlite_url)
    archive.add_digest(engine, _digest(make_paper, 500))
    with engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    whole = _path(sqlite_url).read_bytes()
    torn = whole[:4096] + os.urandom(len(whole) // 2)
    _path(sqlite_url).write_bytes(torn)
    assert "torn" in _refusal(sqlite_url)
    assert _path(sqlite_url).stat().st_size == len(torn)


def test_a_torn_page_is_told_when_it_is_read(sqlite_url, make_paper):
    engine = open_store(sqlite_url)
    archive.add_digest(engine, _digest(make_paper, 500))
    engine.dispose()
    with closing(sqlite3.connect(_path(sqlite_url))) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'papers'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with _path(sqlite_url).open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(os.urandom(size))
    engine = open_store(sqlite_url)
    with pytest.raises(StoreError, match=r"torn.*restore the last backup"):
        archive.papers(engine, ["arxiv:2503.00001"])
    engine.dispose()


def test_a_lock_of_another_program_is_waited_for_and_then_told(sqlite_url, make_paper):
    engine = open_store(sqlite_url, patience=0.2)
    with closing(sqlite3.connect(_path(sqlite_url), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"locked by another program.*stop it"):
            archive.add_digest(engine, _digest(make_paper))
        assert archive.days(engine) == {}, "readers go on"
        other.execute("ROLLBACK")
    assert len(archive.add_digest(engine, _digest(make_paper)).new) == 3
    engine.dispose()


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "data").write_text("")
    assert "cannot create the database's folder" in _refusal(f"sqlite:///{tmp_path}/data/news.db")


def test_a_file_that_may_not_be_written_is_refused(sqlite_url):
    """A child without rights, because the tests may run as root, whom no file mode stops."""
    open_store(sqlite_url).dispose()
    path = _path(sqlite_url)
    path.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    path.parent.chmod(0o555)
    code = (
        "import os, sys\n"
        "from datetime import date\n"
        "from newsletter.errors import StoreError\n"
        "from newsletter.store import archive, open_store\n"
        "import sqlalchemy.dialects.sqlite, alembic.command\n"
        "os.chdir('/')\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "try:\n"
        f"    engine = open_store({sqlite_url!r})\n"
        "    archive.record_source(engine, 'page', date(2025, 3, 13), 'empty')\n"
        "except StoreError as error: print(error)\n"
    )
    folders = [folder for folder in path.parents if folder.stat().st_uid == os.geteuid() and folder != Path("/")]
    modes = {folder: folder.stat().st_mode for folder in folders}
    for folder in folders:
        folder.chmod(modes[folder] | 0o011)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    for folder, mode in modes.items():
        folder.chmod(mode)
    path.parent.chmod(0o755)
    assert "not writable" in result.stdout or "cannot be opened" in result.stdout, result.stderr


def test_a_full_disk_loses_nothing_that_was_reported(sqlite_url, make_paper):
    """The digest that does not fit is refused as a whole; what was there stays, and after tidying up it goes in."""
    engine = open_store(sqlite_url)
    assert len(archive.add_digest(engine, _digest(make_paper)).new) == 3
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    limited = open_store(sqlite_url)

    @sa.event.listens_for(limited, "begin")
    def _(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 5}")

    with pytest.raises(StoreError, match=r"full.*Free some space"):
        archive.add_digest(limited, _digest(make_paper, 5_000))
    limited.dispose()
    assert sum(archive.days(engine).values()) == 3
    assert len(archive.add_digest(engine, _digest(make_paper, 5_000)).new) == 4_997
    engine.dispose()


def _fill_in_child(url: str, results) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
    sys.path.insert(0, str(Path(__file__).parent))
    from conftest import paper

    try:
        engine = open_store(url)
        archive.add_digest(engine, _digest(paper, 20_000))
        results.put("it fitted")
    except StoreError as error:
        results.put(str(error))


@pytest.mark.slow
def test_a_file_size_limit_is_told_as_a_full_disk(sqlite_url):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    child = context.Process(target=_fill_in_child, args=(sqlite_url, results))
    child.start()
    message = results.get(timeout=60)
    child.join()
    assert "full" in message
    engine = open_store(sqlite_url)
    assert archive.days(engine) == {}
    engine.dispose()


def test_memory_and_unknown_databases_are_refused():
    assert "must survive a restart" in _refusal("sqlite://")
    assert "must survive a restart" in _refusal("mysql://x/y")
    assert "cannot use the database URL" in _refusal("nothing at all")


def test_a_server_that_is_away_is_told_without_the_password():
    message = _refusal("postgresql+psycopg://ada:secret@127.0.0.1:1/news", patience=2)
    assert "cannot be reached" in message
    assert "secret" not in message
    assert "ada" in message


def test_importing_the_store_is_cheap():
    """Neither Alembic nor pydantic nor numpy: a command that only asks for the state of things needs none of them."""
    heavy = ("alembic", "pydantic", "numpy", "psycopg")
    code = (
        "import sys; import newsletter.store.ledger, newsletter.store.archive, newsletter.store.editions;"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
