"""Commands run in this process as `main` runs them, on a configuration of their own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from newsletter.cli import main


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A newsletter without sources, and one subscriber: Ada."""
    folder = tmp_path / "config"
    (folder / "subscribers").mkdir(parents=True)
    (folder / "newsletter.yaml").write_text(
        "from: Papers <papers@example.org>\nsmtp: {host: 127.0.0.1, security: none, port: 9}\n", encoding="utf-8"
    )
    profile = "email: ada@example.org\ndays: daily\ninterests: [graph retrieval, video diffusion]\n"
    (folder / "subscribers" / "ada.yaml").write_text(profile, encoding="utf-8")
    return folder


@pytest.fixture
def newsletter(config: Path, monkeypatch, capsys) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Run `newsletter ARGS`: exit status, what was printed, and what was said on stderr."""

    def _run(*args: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["newsletter", "--config", str(config), *map(str, args)])
        try:
            main()
        except SystemExit as end:
            status = end.code or 0
        else:
            status = 0
        said = capsys.readouterr()
        return int(status), said.out, said.err

    yield _run
    structlog.reset_defaults()  # the commands' log goes to this test's stderr


@pytest.fixture
def digest(tmp_path: Path) -> Path:
    """A digest of six papers on 2025-03-13."""
    path = tmp_path / "2025-03-13.jsonl"
    topics = ("graph retrieval", "video diffusion", "protein folding")
    lines = [
        {
            "id": f"2503.{n:05}", "title": f"Study {n}: {topics[n % 3]} in practice", "published": "2025-03-13",
            "abstract": f"We study {topics[n % 3]} with method {n}. It improves {topics[n % 3]} by {n + 3} percent.",
            "authors": ["Ada Lovelace"], "upvotes": n,
        }
        for n in range(6)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path
