"""`newsletter preview --serve`: a page on this machine with the letter in every way it is read, new on every save.

Only loopback, and only under a loopback name: a web page elsewhere cannot reach it by rebinding a name of its own
(the Host header is checked). The letter stands in sandboxed frames in which nothing runs.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from newsletter import pipeline
from newsletter.cli import proofsheet
from newsletter.cli.app import now
from newsletter.cli.output import console
from newsletter.cli.watching import interrupted, look, must_exist, saves
from newsletter.errors import ConfigError
from newsletter.letter.templates import shipped
from newsletter.model import Edition, Subscriber
from newsletter.pipeline import Proof

ADDRESS = "127.0.0.1"
_PATIENCE = 20.0  # seconds that a question for changes waits
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src {pictures}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_TYPES = {".css": "text/css", ".js": "text/javascript"}


@dataclass(slots=True)
class Board:
    """What the page shows: the last good proof, what is wrong since, and a version that changes with them."""

    name: str
    proof: Proof | None = None
    problems: tuple[str, ...] = ()
    stale: bool = False
    at: str = ""
    looks: int = 0
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def version(self) -> str:
        return f"{self.run}-{self.looks}"

    def put(self, proof: Proof | None, problems: tuple[str, ...], at: str) -> None:
        """A new look; without a proof the last one stays."""
        with self._changed:
            self.problems, self.stale = problems, proof is None
            if proof is not None:
                self.proof, self.at = proof, at
            self.looks += 1
            self._changed.notify_all()

    def wait(self, seen: str, seconds: float) -> str:
        """The version, as soon as it is not `seen`."""
        with self._changed:
            self._changed.wait_for(lambda: self.version != seen, seconds)
            return self.version


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: body, type and the policy that goes with it."""

    body: bytes
    kind: str = "text/plain; charset=utf-8"
    policy: str = "default-src 'none'"
    status: HTTPStatus = HTTPStatus.OK


def serve_preview(
    config: Path, name: str, day: date | None, port: int, *, stop: threading.Event | None = None,
    ready: Callable[[str], None] = lambda _url: None,
) -> None:  # fmt: skip
    """Serve the page until Ctrl-C or `stop`; `ready` is told its address. Raises ConfigError: no such reader, port."""
    must_exist(config, name)
    board = Board(name)
    with _listening(board, port) as server:
        url = f"http://{ADDRESS}:{server.server_address[1]}/"
        console(stderr=True).print(f"The letter of {name} is at {url} and follows every save. Stop with Ctrl-C.")
        thread = threading.Thread(target=server.serve_forever, args=(0.2,), daemon=True)
        thread.start()
        ready(url)
        try:
            with suppress(KeyboardInterrupt), nullcontext(stop) if stop else interrupted() as ended:
                for _ in saves(config, name, ended):
                    seen = look(config, name, day, _proof)
                    board.put(seen.made, seen.problems, f"{now():%H:%M:%S}")
        finally:
            server.shutdown()
            thread.join()


def _proof(workspace: pipeline.Workspace, edition: Edition, reader: Subscriber) -> Proof:
    return pipeline.proof(workspace, edition, reader, at=now())


def _listening(board: Board, port: int) -> ThreadingHTTPServer:
    try:
        server = ThreadingHTTPServer((ADDRESS, port), _handler(board))
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError("Cannot serve on", which=f"{ADDRESS}:{port}", why=why, do="Name another --port") from error
    server.daemon_threads = True
    server.block_on_close = False  # a question for changes may still wait
    return server


def _handler(board: Board) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "newsletter", ""

        def do_GET(self) -> None:
            reply = self._reply()
            with suppress(ConnectionError):  # whoever asked has gone
                self.send_response(reply.status)
                fields = {"Content-Type": reply.kind, "Content-Length": str(len(reply.body)), **_HEADERS}
                for name, value in {**fields, "Content-Security-Policy": reply.policy}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

        def _reply(self) -> Reply:
            port = self.connection.getsockname()[1]
            if self.headers.get("Host", "").lower() not in (f"{ADDRESS}:{port}", f"localhost:{port}"):
                return Reply(b"This page answers to its own name alone.\n", status=HTTPStatus.MISDIRECTED_REQUEST)
            asked = urlsplit(self.path)
            return answer(board, asked.path, {key: values[0] for key, values in parse_qs(asked.query).items()})

        def log_message(self, *_args: object) -> None:
            """Requests are of no interest."""

    return Handler


def answer(board: Board, path: str, query: Mapping[str, str]) -> Reply:
    """What the page's address `path` answers."""
    if path == "/":
        return Reply(_page(board).encode(), "text/html; charset=utf-8", _PAGE_POLICY)
    if path == "/changes":
        version = board.wait(query.get("seen", ""), _PATIENCE)
        return Reply(json.dumps({"version": version}).encode(), "application/json")
    if path in ("/preview.css", "/preview.js"):
        return Reply((shipped() / "preview" / path[1:]).read_bytes(), f"{_TYPES[Path(path).suffix]}; charset=utf-8")
    if board.proof is not None and path == "/letter.html":
        scheme: proofsheet.Scheme = "dark" if query.get("scheme") == "dark" else "light"
        policy = _LETTER_POLICY.format(pictures="'none'" if query.get("pictures") == "off" else "https: data:")
        html = proofsheet.framed(board.proof.rendered.html, scheme)
        return Reply(html.encode(), "text/html; charset=utf-8", policy)
    if board.proof is not None and path == "/letter.eml":
        return Reply(board.proof.message.data)
    return Reply(b"There is nothing here.\n", status=HTTPStatus.NOT_FOUND)


def _page(board: Board) -> str:
    known: dict[str, Any] = proofsheet.shown(board.proof) if board.proof else {}
    return str(
        _template().render(
            name=board.name, problems=board.problems, version=board.version, looked=board.looks > 0, at=board.at,
            stale=board.stale, proof=known,
        )
    )  # fmt: skip


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    jinja = Environment(
        loader=FileSystemLoader(shipped() / "preview"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return jinja.get_template("page.html")
