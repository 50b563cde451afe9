"""A configuration folder of a few lines, for the tests to break."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.settings import Problem, Subscribers, load_subscribers, read_subscriber

MINIMAL = "from: Papers <papers@example.org>\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A folder with the least that settings need and no subscriber."""
    folder = tmp_path / "config"
    (folder / "subscribers").mkdir(parents=True)
    (folder / "newsletter.yaml").write_text(MINIMAL, encoding="utf-8")
    return folder


@pytest.fixture
def with_subscribers(config: Path) -> Callable[..., Subscribers]:
    """Writes files (name to text or bytes) into the subscribers' folder and loads it."""

    def load(**files: str | bytes) -> Subscribers:
        for name, text in files.items():
            stem, _, suffix = name.partition("__")
            path = config / "subscribers" / f"{stem}.{suffix or 'yaml'}"
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_subscribers(config)

    return load


@pytest.fixture
def problems_of() -> Callable[[str], list[str]]:
    """What is wrong with one subscriber's document, each as ``line:column: message``."""

    def read(text: str) -> list[str]:
        found: tuple[Problem, ...] = read_subscriber("ada", text.encode(), "ada.yaml")[1]
        return [str(problem).removeprefix("ada.yaml:") for problem in found]

    return read
