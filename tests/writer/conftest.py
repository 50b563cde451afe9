"""A server that speaks chat completions on loopback, well or badly, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stamina

from newsletter.writer import Endpoint

GOOD = {
    "did": "The authors study graph retrieval with a new method for long documents.",
    "found": "It improves graph retrieval by 12 percent over the usual methods.",
}


@dataclass
class Model:
    """`answer` makes of the question's data what the model says: a text, an object, or a misbehaviour."""

    url: str = ""
    answer: Callable[[dict[str, Any]], Any] = lambda _data: GOOD
    questions: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(self.url, "llama", key="sk-secret", timeout=5.0)


@dataclass
class Misbehaviour:
    """An answer that is no chat completion."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    drip: float = 0.0
    drop: bool = False


@pytest.fixture
def misbehave() -> type[Misbehaviour]:
    return Misbehaviour


@pytest.fixture
def good() -> dict[str, str]:
    return GOOD


@pytest.fixture
def model() -> Iterator[Model]:
    """The server; it ends with the test."""
    made = Model()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            made.questions.append(question)
            made.headers.append({"path": self.path, **dict(self.headers)})
            said = made.answer(json.loads(question["messages"][1]["content"]))
            _send(self, said if isinstance(said, Misbehaviour) else Misbehaviour(body=_completion(said)))

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        with stamina.set_testing(True, attempts=3):
            yield made
        server.shutdown()
        thread.join()


def _completion(said: Any) -> bytes:
    text = said if isinstance(said, str) else json.dumps(said)
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()


def _send(handler: BaseHTTPRequestHandler, how: Misbehaviour) -> None:
    try:
        time.sleep(how.wait)
        if how.drop:
            handler.connection.close()
            return
        handler.send_response(how.status)
        for name, value in {"Content-Length": str(len(how.body)), **how.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        for n in range(0, len(how.body), 50 if how.drip else len(how.body) or 1):
            handler.wfile.write(how.body[n : n + 50] if how.drip else how.body)
            time.sleep(how.drip)
    except OSError:
        pass  # whoever asked has gone
