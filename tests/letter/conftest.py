"""Readers, editions and picks for the letter's tests; papers are facts (titles, ids), their abstracts our own words."""

from dataclasses import replace
from datetime import date
from email import message_from_string
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from newsletter.letter import Imprint, Links, load_templates
from newsletter.model import Edition, Interest, Momentum, Paper, Pick, Profile, Reason, Subscriber, Theme
from newsletter.sources import read_path

DAY = date(2025, 3, 13)
THEMES = (
    ("video", "Video generation", Momentum("rising", 2.1, 1.4, 3.0, tuple(range(60)))),
    ("reason", "Reasoning in language models", Momentum("steady", 1.0, 0.8, 1.2, (2, 3, 0) * 20)),
    ("agents", "Agents that use a screen", Momentum("new", 3.0, 1.0, 5.0, (0, 0, 1, 3))),
    ("search", "Nearest neighbour search", Momentum("steady", 0.7, 0.5, 0.9, (3, 2, 1, 0))),
)
REASONS = (
    Reason("interest", "controllable video generation", 0.6, ("video", "diffusion")),
    Reason("like", "Approximate Nearest Neighbor Search under Neural Similarity", 0.4),
    Reason("author", "Jimmy Lin", 0.5),
    Reason("keyword", "HNSW", 0.7),
    Reason("interest", "data selection for pretraining", 0.5),
)
ABSTRACT = (
    "Long letters are tiring to read. In this paper, we propose a way of writing number {n} that keeps what matters "
    "and leaves out the rest. We asked forty readers, e.g. librarians, to judge the outcome of Fig. {n}. The results "
    "show that they finish the shorter letters {n} times as often. Our code is available at https://example.org/{n}."
)


def paper(n: int, **fields) -> Paper:
    given = {
        "id": f"arxiv:2503.{n:05d}",
        "title": f"Short Letters {n}: How Little Writing Is Enough for Reader {n}",
        "abstract": ABSTRACT.format(n=n),
        "authors": ("Ada Lovelace", "Charles Babbage", "Mary Somerville"),
        "url": f"https://arxiv.org/abs/2503.{n:05d}",
        "pdf": f"https://arxiv.org/pdf/2503.{n:05d}",
        "upvotes": n,
    }
    return Paper(**{**given, **fields})


def edition(papers, day=DAY) -> Edition:
    themes = tuple(
        Theme(key, label, ("word",), tuple(p.id for n, p in enumerate(papers) if n % 4 == place), moves)
        for place, (key, label, moves) in enumerate(THEMES)
    )
    return Edition(f"daily/{day}", day, tuple(papers), themes)


def picks(papers) -> list[Pick]:
    """The papers as picks, best first: two that are trending and a step outside at the end of a long list."""

    def kind(n: int) -> str:
        return "pick" if n < 6 or n < len(papers) - 3 else "explore" if n == len(papers) - 1 else "trending"

    found = {"trending": (Reason("trending", "", 0.9),), "explore": (Reason("explore", "", 1.0),)}
    return [
        Pick(
            p,
            THEMES[n % 4][0],
            1 - n / len(papers),
            {"interest": 1.0},
            found.get(kind(n), (REASONS[n % 5], REASONS[(n + 1) % 5])),
            kind(n),
        )
        for n, p in enumerate(papers)
    ]


def reader(**fields) -> Subscriber:
    given = {
        "name": "ada",
        "email": "ada@example.org",
        "profile": Profile(interests=(Interest("video"),)),
        "display_name": "Ada",
    }
    return Subscriber(**{**given, **fields})


LINKS = Links(
    view="https://papers.example.org/letters/abc",
    preferences="https://papers.example.org/me/abc",
    unsubscribe="https://papers.example.org/unsubscribe/abc",
    pause="https://papers.example.org/pause/abc",
)
RATED = replace(LINKS, feedback="https://papers.example.org/f/YWJjZGVmZ2hpamtsbW5vcA.0123456789-_abcdefghij")
IMPRINT = Imprint("Trending papers", "Example Society, 1 Library Lane, London", "papers@example.org")


GOLDEN = Path(__file__).resolve().parents[1] / "golden"
HEAD = {
    "From": "Papers <papers@example.org>",
    "To": "ada@example.org",
    "Date": "Thu, 13 Mar 2025 07:30:00 +0000",
    "Message-ID": "<abc@example.org>",
    "List-Id": "Papers <papers.example.org>",
    "List-Unsubscribe": "<https://papers.example.org/unsubscribe/abc>, <mailto:leave@example.org>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "Auto-Submitted": "auto-generated",
    "DKIM-Signature": "v=1; h=From:To:Subject:Date:Message-ID:List-Unsubscribe:List-Unsubscribe-Post; b=x",
}


def message(case="full", *, head=None, html=("", ""), text=("", "")) -> bytes:
    """A golden letter as a message, with header fields and parts changed; a header of None is left out."""
    mail = EmailMessage(policy=SMTP.clone(max_line_length=900))
    golden = message_from_string((GOLDEN / f"{case}.headers").read_text("utf-8"), policy=SMTP)
    for name, value in {**HEAD, "Subject": golden["Subject"], **(head or {})}.items():
        if value is not None:
            mail[name] = value
    mail.set_content((GOLDEN / f"{case}.txt").read_text("utf-8").replace(*text))
    mail.add_alternative((GOLDEN / f"{case}.html").read_text("utf-8").replace(*html), subtype="html")
    return mail.as_bytes()


@pytest.fixture(scope="session")
def templates():
    return load_templates()


@pytest.fixture(scope="session")
def build():
    """The makers above, for tests that are given no import of this file."""

    class Build:
        pass

    made = Build()
    for maker in (paper, edition, picks, reader, message):
        setattr(made, maker.__name__, maker)
    made.LINKS, made.IMPRINT, made.DAY, made.HEAD = LINKS, IMPRINT, DAY, HEAD
    made.RATED = RATED
    return made


@pytest.fixture(scope="session")
def real_papers(shared):
    """(title, abstract) of every paper of the shared digests."""
    folders = [shared / "digests" / name for name in ("huggingface", "text")]
    digests = [digest for folder in folders for digest in read_path(folder, day=None, today=date(2025, 6, 30))]
    return [(p.title, p.abstract) for digest in digests for p in digest.papers]
