"""A workspace of its own: real files, a real SQLite database, and clients that replay arXiv's recorded answers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import stamina

from newsletter import pipeline
from newsletter.sources import http


@dataclass
class Desk:
    """A configuration folder, and the workspace that it opens."""

    config: Path
    environ: dict[str, str] = field(default_factory=dict)

    def subscriber(self, name: str, text: str) -> Path:
        path = self.config / "subscribers" / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def open(self, **more: object) -> contextlib.AbstractContextManager[pipeline.Workspace]:
        return pipeline.open_workspace(self.config, self.environ, **more)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A newsletter without sources, and one subscriber: Ada."""
    config = tmp_path / "config"
    (config / "subscribers").mkdir(parents=True)
    (config / "newsletter.yaml").write_text(
        "from: Papers <papers@example.org>\nsmtp: {host: 127.0.0.1, security: none, port: 9}\n", encoding="utf-8"
    )
    made = Desk(config)
    made.subscriber(
        "ada", "# Ada\nemail: ada@example.org\ninterests: [graph retrieval]  # hers\n\n# the end\ntrending: 0.3\n"
    )
    return made


@pytest.fixture
def arxiv(shared: Path) -> Callable[[str], str]:
    """A recorded answer of arXiv's API, by the beginning of its file's name."""

    def _answer(start: str) -> str:
        (path,) = (shared / "payloads" / "arxiv_api_atom").glob(f"{start}*.xml")
        return path.read_text(encoding="utf-8")

    return _answer


@pytest.fixture
def client() -> Iterator[Callable[..., httpx.Client]]:
    """Clients as in production, without waiting, whose answers the given function makes."""
    with contextlib.ExitStack() as open_clients, stamina.set_testing(True, attempts=http.ATTEMPTS):

        def _client(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.Client:
            made = http.open_client(transport=httpx.MockTransport(answer), pace=http.Pace(sleep=lambda _: None))
            return open_clients.enter_context(made)

        yield _client
