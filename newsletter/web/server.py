"""uvicorn as the web side needs it: beside the service in one process, or alone with several.

Addresses hold tokens, so uvicorn's access log is off; `newsletter --verbose` logs routes (newsletter.web.arrival).
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from asyncio import TimerHandle, Transport
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.supervisors import Multiprocess

from newsletter.errors import NewsletterError
from newsletter.settings.web import WebSettings
from newsletter.web.app import create_app, one_core
from newsletter.web.desk import Desk

__all__ = ["address_of", "listen", "run_alone", "run_workers", "serving"]

log = structlog.get_logger()
FACTORY = "newsletter.web.app:from_environment"
ARRIVAL = 20.0  # seconds that a whole request may take to arrive; forms are small
_GRACE = 20  # seconds that requests under way have when the server stops
_CONNECTIONS = 500  # of one process; more are answered 503, below the usual limit of 1,024 open files
_HEAD = 32 * 1024  # bytes of a request's head; tokens are at most 1 kB
_START = 30  # seconds until a worker must say that it lives; on a busy machine its imports alone take ten
_BREATH = 5.0  # seconds before a worker that could not begin ends, and the next one tries


class Patient(H11Protocol):
    """HTTP/1.1 with an end to waiting: uvicorn's own patience begins only after the first answer."""

    _waiting: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """The clock runs from here: who connects must ask."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """The clock runs from a request's first byte to its last."""
        if self._waiting is None:
            self._wait()
        super().data_received(data)
        if self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete:
            self._settle()  # the request is whole; a cycle that is complete belongs to the one before

    def connection_lost(self, exc: Exception | None) -> None:
        """No clock without a connection."""
        self._settle()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(ARRIVAL, self.transport.abort)

    def _settle(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


class Serving(uvicorn.Config):
    """uvicorn's configuration, which also begins each of its processes."""

    def __init__(self, app: Any, web: WebSettings, *, begin: Callable[[], None] | None = None, **more: Any) -> None:
        self._begin = begin
        super().__init__(
            app, http=Patient, ws="none", access_log=False, log_config=None, server_header=False,
            proxy_headers=False,  # the application does it, after it has seen who is at the door
            timeout_keep_alive=65 if web.proxies else 10,  # proxies keep theirs for a minute
            timeout_graceful_shutdown=_GRACE, timeout_worker_healthcheck=_START, limit_concurrency=_CONNECTIONS,
            h11_max_incomplete_event_size=_HEAD, **more,
        )  # fmt: skip

    def configure_logging(self) -> None:
        """uvicorn's own words go where ours go. Called once in each process."""
        if self._begin is not None:
            self._begin()
        for name in ("uvicorn.error", "uvicorn.asgi"):
            said = logging.getLogger(name)
            said.handlers, said.propagate = [_Said()], False
            said.setLevel(logging.WARNING)
        if multiprocessing.parent_process() is not None:
            threading.Thread(target=_end_with_parent, daemon=True).start()

    def load(self) -> None:
        """The application; a worker that cannot open the store says so, and is tried again after a breath."""
        try:
            super().load()
        except NewsletterError as error:
            log.error("the web side cannot begin", why=str(error))  # noqa: TRY400  the message says it all
            time.sleep(_BREATH)
            sys.exit(1)


class _Said(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        log.log(record.levelno, "web server", says=record.getMessage(), exc_info=record.exc_info)


def _end_with_parent() -> None:
    """Workers whose supervisor was killed would hold the port for ever."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def listen(host: str, port: int) -> socket.socket:
    """The listening socket; raises NewsletterError where it is not to be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        do = "Stop the other program, or name another port: web.port in newsletter.yaml, newsletter web --port"
        raise NewsletterError("Cannot listen on", which=f"{host}:{port}", why=why, do=do) from error
    bound.set_inheritable(True)
    return bound


def address_of(bound: socket.socket) -> str:
    """``http://127.0.0.1:8000``."""
    host, port, *_ = bound.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run_alone(desk: Desk, bound: socket.socket) -> None:
    """Serve in this process until SIGTERM or SIGINT; requests under way are finished."""
    one_core()
    server = uvicorn.Server(Serving(create_app(desk), desk.web))

    def end(*_: object) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):  # before uvicorn's own, and when it raises them again at its end
        signal.signal(number, end)
    server.run(sockets=[bound])


def run_workers(web: WebSettings, bound: socket.socket, workers: int, *, begin: Callable[[], None]) -> None:
    """Serve in `workers` processes until SIGTERM or SIGINT; one that dies is replaced, SIGHUP renews all one by one.

    Each opens the configuration that NEWSLETTER_CONFIG names. `begin` (picklable) is called at the start of each.
    """
    Multiprocess(Serving(FACTORY, web, begin=begin, factory=True, workers=workers), sockets=[bound]).run()


@contextmanager
def serving(desk: Desk, bound: socket.socket, *, failed: Callable[[], None]) -> Iterator[None]:
    """Serve in a thread of this process; requests under way are finished on leaving. `failed` is called when it ends
    by itself."""
    server = uvicorn.Server(Serving(create_app(desk), desk.web))
    thread = threading.Thread(target=_serve, args=(server, bound, failed), name="web")
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def _serve(server: uvicorn.Server, bound: socket.socket, failed: Callable[[], None]) -> None:
    try:
        server.run(sockets=[bound])
    except Exception:
        log.exception("the web side has ended")
    finally:
        bound.close()
        if not server.should_exit:
            failed()
