"""A real SMTP server that misbehaves on command, certificates good and bad, and a letter to send."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import trustme
from misbehaving import Misbehaving, server_context

from newsletter.mail.message import build, sender
from newsletter.mail.smtp import Server
from newsletter.model import Letter, Message


@pytest.fixture
def misbehaving() -> type[Misbehaving]:
    return Misbehaving


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """A client's context that trusts the tests' authority alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


@pytest.fixture(scope="session")
def certificates(authority: trustme.CA) -> Mapping[str, ssl.SSLContext]:
    """Server contexts: good, expired, of another host, of an unknown authority."""
    past = datetime.now(UTC) - timedelta(days=1)
    return {
        "good": server_context(authority.issue_cert("127.0.0.1", "localhost")),
        "expired": server_context(authority.issue_cert("127.0.0.1", "localhost", not_after=past)),
        "other host": server_context(authority.issue_cert("mail.example.org")),
        "unknown authority": server_context(trustme.CA().issue_cert("127.0.0.1", "localhost")),
    }


@dataclass(frozen=True)
class Pages:
    html: str
    text: str


@pytest.fixture
def letter() -> Letter:
    return Letter(
        edition="daily/2025-03-13",
        day=date(2025, 3, 13),
        subscriber="ada",
        email="ada@example.net",
        display_name="Ada Lovelace",
        language="en",
        subject="Graphs that learn, and 11 more papers",
        preheader="",
        top=(),
        sections=(),
    )


@pytest.fixture
def pages() -> type[Pages]:
    return Pages


@pytest.fixture
def make_message(letter: Letter) -> Callable[..., Message]:
    """A message to one address; `padding` octets of text make it large."""
    from dataclasses import replace

    origin = sender("Papers <papers@example.org>", title="Trending papers")

    def make(to: str = "ada@example.net", padding: int = 0) -> Message:
        page = Pages("<p>Hello</p>" + "<p>word</p>\n" * (padding // 12), "Hello\n.\n.dot\n")
        changed = replace(letter, email=to, subscriber=to.partition("@")[0])
        return build(
            changed,
            page,
            origin,
            unsubscribe="https://example.org/u/1",
            date=datetime(2025, 3, 13, tzinfo=UTC),
            key=b"k",
        )

    return make


@pytest.fixture
def plain_server() -> Callable[..., Server]:
    """Settings for a server on loopback, with short timeouts."""

    def make(port: int, **more: Any) -> Server:
        settings: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": port,
            "security": "none",
            "rate_per_second": 0,
            "timeout": 5.0,
            "dot_timeout": 5.0,
        }
        return Server(**(settings | more))

    return make


@dataclass
class Began:
    """Counts the intents that were recorded; `answer` is what the ledger says."""

    answer: bool = True
    times: int = 0
    error: Exception | None = None

    async def __call__(self) -> bool:
        self.times += 1
        if self.error:
            raise self.error
        return self.answer


@pytest.fixture
def began() -> Began:
    return Began()
