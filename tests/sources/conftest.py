"""What the tests of sources share: a fixed today, files on demand, and clients that replay recorded answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import httpx
import pytest
import stamina

from newsletter.sources import http

TODAY = date(2026, 11, 20)


@pytest.fixture
def today() -> date:
    return TODAY


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, bytes | str], Path]:
    """Write a file of this name and content; give its path."""

    def _write(name: str, data: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return _write


@pytest.fixture
def no_waiting():
    """stamina tries as often as it should, without backing off."""
    with stamina.set_testing(True, attempts=http.ATTEMPTS):
        yield


@pytest.fixture
def client_for(no_waiting):
    """A client as in production, arXiv's pace without waiting, whose answers the given function makes."""
    clients = []

    def _client(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.Client:
        client = http.open_client(
            contact="https://papers.example.org",
            transport=httpx.MockTransport(answer),
            pace=http.Pace(sleep=lambda _: None),
        )
        clients.append(client)
        return client

    yield _client
    for client in clients:
        client.close()
