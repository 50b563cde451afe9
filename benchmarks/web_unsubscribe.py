"""Readers who leave with one click (RFC 8058), 500 a second, against `newsletter web` with two workers; none is lost.

    python benchmarks/web_unsubscribe.py                       500/s for 30 s: 15,000 readers, each once
    python benchmarks/web_unsubscribe.py --rate 0              as fast as 64 connections take it
    python benchmarks/web_unsubscribe.py --database URL        PostgreSQL instead of SQLite with synchronous FULL
    python benchmarks/web_unsubscribe.py --folder              every reader has a file, which the workers re-read

The clients are a process of their own. A request's time counts from when it was due, not from when it was sent, so a
server that falls behind cannot hide it. One JSON object; `rows` are counted in the database after the server has ended.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from newsletter import pipeline
from newsletter.pipeline.links import unsubscribe_link
from newsletter.store.tables import CONSENTS, SUPPRESSIONS

BODY = b"List-Unsubscribe=One-Click"
HEAD = (
    "POST {path} HTTP/1.1\r\nHost: papers.example.org\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    "Content-Length: {size}\r\n\r\n"
)
SETTINGS = """\
title: Trending papers
from: Papers <papers@example.org>
base_url: https://papers.example.org
data: ../data
{database}
sources: []
secret_key: a-key-of-the-benchmark-alone
smtp: {{host: 127.0.0.1, port: 2525, security: none}}
web: {{workers: 2, port: 0}}
"""
READER = "email: r{n:06}@example.org\ninterests: [data selection for pretraining, nearest neighbour search]\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=500, help="requests a second; 0: as many as there can be")
    parser.add_argument("--readers", type=int, default=15_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database", default="")
    parser.add_argument("--folder", action="store_true")
    parser.add_argument("--clients", help=argparse.SUPPRESS)  # PORT: this process is the clients
    given = parser.parse_args()
    if given.clients:
        paths = sys.stdin.read().split()
        print(json.dumps(asyncio.run(clients(int(given.clients), paths, given.rate, given.connections))))
        return
    with TemporaryDirectory() as folder:
        print(json.dumps(measured(Path(folder), given)))


def measured(folder: Path, given: argparse.Namespace) -> dict[str, float | int]:
    """Server and clients started, the clients' own figures, and what the database says afterwards."""
    config = folder / "config"
    (config / "subscribers").mkdir(parents=True)
    database = f"database: {given.database}" if given.database else ""
    (config / "newsletter.yaml").write_text(SETTINGS.format(database=database))
    with pipeline.open_workspace(config) as workspace:
        now = datetime.now(UTC)
        links = [unsubscribe_link(workspace, f"r{n:06}", f"r{n:06}@example.org", at=now) for n in range(given.readers)]
    for n in range(given.readers if given.folder else 1):
        (config / "subscribers" / f"r{n:06}.yaml").write_text(READER.format(n=n))
    command = [sys.executable, "-m", "newsletter", "--config", str(config), "web", "--workers", str(given.workers)]
    environ = os.environ | {"COLUMNS": "300"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ) as server:
        assert server.stderr
        port = next(line for line in server.stderr if "Pages at" in line).split(" (")[0].rsplit(":", 1)[1]
        asyncio.run(wait_for(int(port)))
        time.sleep(2 + given.readers / 2000 * given.folder)  # every worker has begun
        told = [sys.executable, __file__, "--clients", port, "--rate", str(given.rate)]
        told += ["--connections", str(given.connections)]
        paths = "\n".join(link.removeprefix("https://papers.example.org") for link in links)
        done = subprocess.run(told, input=paths, stdout=subprocess.PIPE, text=True, check=True)
        server.send_signal(signal.SIGTERM)
        server.stderr.read()
    with pipeline.open_workspace(config, only=frozenset()) as workspace, workspace.engine.connect() as connection:
        rows = {t.name: connection.scalar(sa.select(sa.func.count()).select_from(t)) for t in (SUPPRESSIONS, CONSENTS)}
    return json.loads(done.stdout) | {"rows": rows, "readers": given.readers}


async def wait_for(port: int) -> None:
    """Until somebody answers; the path is that of no page."""
    for _ in range(600):
        try:
            status, _ = await _ask(
                *await asyncio.open_connection("127.0.0.1", port), b"GET /u/x HTTP/1.1\r\nHost: x\r\n\r\n"
            )
        except OSError:
            await asyncio.sleep(0.1)
            continue
        if status:
            return
    raise SystemExit("the server does not answer")


async def clients(port: int, paths: list[str], rate: float, connections: int) -> dict[str, float | int]:
    """Every path POSTed once, `rate` a second, over so many connections that stay open."""
    requests = [HEAD.format(path=path, size=len(BODY)).encode() + BODY for path in paths]
    start, turn, waits, wrong = time.perf_counter(), iter(range(len(requests))), list[float](), list[str]()

    async def client() -> None:
        stream = await asyncio.open_connection("127.0.0.1", port)
        for n in turn:
            due = start + n / rate if rate else time.perf_counter()
            await asyncio.sleep(max(0, due - time.perf_counter()))
            try:
                status, _ = await _ask(*stream, requests[n])
            except OSError as error:
                wrong.append(repr(error))
                stream = await asyncio.open_connection("127.0.0.1", port)
                continue
            waits.append(time.perf_counter() - due)
            if status != 200:
                wrong.append(str(status))

    await asyncio.gather(*(client() for _ in range(connections)))
    took = time.perf_counter() - start
    cuts = statistics.quantiles(waits, n=1000)
    return {
        "answered_per_s": round(len(waits) / took, 1), "seconds": round(took, 2), "answered": len(waits),
        "errors": len(wrong), "first_error": wrong[0] if wrong else "",
        "p50_ms": round(1e3 * cuts[499], 1), "p99_ms": round(1e3 * cuts[989], 1), "max_ms": round(1e3 * max(waits), 1),
    }  # fmt: skip


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[int, bytes]:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    size = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    return int(head[9:12]), await reader.readexactly(size)


if __name__ == "__main__":
    main()
