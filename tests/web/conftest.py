"""A newsletter with readers, six days of papers, an edition and its letters, and its web side: made once, copied."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from browsing import AXE, CHROMIUM, chromium
from fastapi.testclient import TestClient

from newsletter import pipeline, sample
from newsletter.pipeline import Workspace
from newsletter.web.app import create_app
from newsletter.web.desk import Desk

DAY = date(2025, 5, 27)  # the sample's last
NOW = datetime(2025, 5, 27, 9, 0, tzinfo=UTC)
SETTINGS = """\
title: Trending papers
from: Papers <papers@example.org>
base_url: {base}
data: ../data
sources: []
secret_key: a-key-of-the-tests-alone
smtp: {{host: 127.0.0.1, port: 2525, security: none, rate_per_second: 10000}}
web: {{}}
admin: {{password: correct horse battery}}
"""
ADA = """\
# Ada reads about retrieval.
email: ada@example.org
name: Ada
timezone: Europe/London
send_at: "07:30"
days: daily
papers: 6
interests:
  - retrieval-augmented generation  # the main one
  - {text: efficient inference of language models, weight: 2}
avoid: [medical imaging]
trending: 0.2
"""
KENJI = """\
email: kenji@example.org
name: Kenji
days: daily
papers: 6
interests: [video generation with diffusion models]
"""


@dataclass
class Now:
    """The tests' clock: it stands until it is moved."""

    moment: datetime = NOW

    def __call__(self) -> datetime:
        return self.moment

    def later(self, **by: float) -> None:
        self.moment += timedelta(**by)


@dataclass
class Site:
    """An open newsletter: `client` asks its web side without a network, `clock` is its time."""

    folder: Path
    workspace: Workspace
    desk: Desk
    clock: Now
    client: TestClient
    environ: dict[str, str] = field(default_factory=dict)
    token: str = ""

    def document(self, name: str) -> str:
        return (self.folder / "config" / "subscribers" / f"{name}.yaml").read_text("utf-8")


@pytest.fixture(scope="session")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A newsletter whose edition of 27 May is in the ledger, sent into a folder. Read only: copy it."""
    folder = tmp_path_factory.mktemp("printed")
    (folder / "config" / "subscribers").mkdir(parents=True)
    (folder / "config" / "newsletter.yaml").write_text(SETTINGS.format(base="https://papers.example.org"))
    for name, text in {"ada": ADA, "kenji": KENJI}.items():
        (folder / "config" / "subscribers" / f"{name}.yaml").write_text(text)
    with pipeline.open_workspace(folder / "config", {}) as workspace:
        for path in sample.days():
            pipeline.fetch_path(workspace, path, day=None, today=DAY)
        for day in (DAY - timedelta(days=1), DAY):
            pipeline.prepare(workspace, day)
        pipeline.send(workspace, DAY, at=NOW - timedelta(hours=1), outbox=folder / "outbox")
    return folder


@pytest.fixture
def make_site(printed: Path, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Opens a copy of the printed newsletter; `base` is its base_url, `settings` are lines added to its settings."""
    opened: list[Any] = []

    def make(*, base: str = "https://papers.example.org", settings: str = "", replace: dict[str, str] | None = None):
        folder = tmp_path / f"site{len(opened)}"
        shutil.copytree(printed, folder)
        text = SETTINGS.format(base=base)
        for old, new in (replace or {}).items():
            assert old in text
            text = text.replace(old, new)
        (folder / "config" / "newsletter.yaml").write_text(text + settings)
        context = pipeline.open_workspace(folder / "config", {})
        workspace = context.__enter__()
        opened.append(context)
        clock = Now()
        desk = Desk(workspace, {}, clock)
        client = TestClient(create_app(desk), base_url=base, follow_redirects=False, raise_server_exceptions=False)
        return Site(folder, workspace, desk, clock, client)

    yield make
    for context in opened:
        context.__exit__(None, None, None)


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """The printed newsletter, under https."""
    return make_site()


@contextmanager
def listening(make: Callable[[str], Any]) -> Iterator[str]:
    """A real uvicorn on a free port of loopback; `make` is given its address and returns the application."""
    import uvicorn

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{bound.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(make(base), log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield base
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def served(make_site: Callable[..., Site]) -> Iterator[tuple[str, Site]]:
    """The printed newsletter behind a real server: its address, and the site."""
    made: list[Site] = []

    def make(base: str) -> Any:
        made.append(make_site(base=base))
        return made[0].client.app

    with listening(make) as base:
        yield base, made[0]


@pytest.fixture(scope="module")  # as long as it is open, playwright's event loop runs and asyncio.run cannot
def browser() -> Iterator[Any]:
    """Debian's Chromium; skips, and says so, where there is none."""
    if CHROMIUM is None:
        pytest.skip("PAGES NOT LOOKED AT: no chromium (apt-get install chromium)")
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="session")
def violations() -> Callable[[Any], list[str]]:
    """What axe-core finds wrong on an open page (WCAG 2.2 AA), a line each."""
    if not AXE.is_file():
        pytest.skip("ACCESSIBILITY NOT CHECKED: no axe-core (npm ci --prefix tests/node)")
    source = AXE.read_text("utf-8")
    run = """() => axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})"""

    def look(page: Any) -> list[str]:
        page.evaluate(source)  # not a script element: the pages' policy forbids those of others
        found = page.evaluate(run)["violations"]
        return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]

    return look


@pytest.fixture
def inside(site: Site) -> Site:
    """The site with a session of the operator, and in `token` what the forms carry."""
    from operating import log_in, token_of

    assert log_in(site.client).status_code == 303
    site.token = token_of(site.client.get("/admin/test"))
    return site
