"""`newsletter run`: the service."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import typer
from filelock import FileLock, Timeout

from newsletter import pipeline, schedule
from newsletter.cli.app import app
from newsletter.cli.output import console
from newsletter.due import next_due
from newsletter.errors import ConfigError, NewsletterError


@app.command()
def run(context: typer.Context) -> None:
    """Run until stopped: fetch once a day, send each letter at its reader's own time, serve the pages where `web` is
    configured. SIGTERM ends it cleanly."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with (
        pipeline.open_workspace(context.obj) as workspace,
        _alone(workspace.settings.data),
        _pages(workspace, stop) as address,
    ):
        _greet(workspace, address)
        service = schedule.Service(workspace, os.environ, address)
        schedule.serve(service, clock=lambda: datetime.now(UTC), stop=stop)
    console(stderr=True).print("Stopped; what was in flight is settled, the rest is planned.", markup=False)


@contextmanager
def _pages(workspace: pipeline.Workspace, stop: threading.Event) -> Iterator[str]:
    """The web side in a thread, where it is configured; gives its address. Its end is the service's end."""
    web = workspace.settings.web
    if web is None:
        yield ""
        return
    from newsletter.web import server
    from newsletter.web.desk import Desk

    ended = threading.Event()

    def failed() -> None:
        ended.set()
        stop.set()

    bound = server.listen(web.host, web.port)
    address = server.address_of(bound)
    with server.serving(Desk(workspace, os.environ, lambda: datetime.now(UTC)), bound, failed=failed):
        yield address
    if ended.is_set():
        raise NewsletterError("The web side has ended by itself", do="Start again; the log above says why")


def _greet(workspace: pipeline.Workspace, address: str) -> None:
    moments = [at for reader in pipeline.readers(workspace) if (at := next_due(reader, datetime.now(UTC)))]
    settings = workspace.settings.schedule
    said = (
        f"Fetching daily at {settings.fetch_at:%H:%M} {settings.timezone}; {len(pipeline.readers(workspace))} readers"
    )
    if moments:
        said += f"; the next letter is due at {min(moments).astimezone():%Y-%m-%d %H:%M}"
    if address:
        said += f"; pages at {address}"
    console(stderr=True).print(f"{said}. Stop with Ctrl-C or SIGTERM.", markup=False)


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """One service for one data folder; the second is refused."""
    lock = FileLock(data / "service.lock", timeout=0)
    try:
        with lock:
            yield
    except Timeout:
        raise ConfigError(
            "Cannot start a second service on",
            which=str(data),
            why="newsletter run is already at work there",
            do="Stop it first, or name another data folder",
        ) from None
