"""Editions: frozen once letters are planned, and gathered for readers who do not read daily."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from newsletter import pipeline
from newsletter.model import Digest, Paper, Profile, Skip, Subscriber
from newsletter.pipeline.editions import gather
from newsletter.store import archive, ledger

MONDAY = date(2025, 3, 10)
TOPICS = ("graph retrieval with dense vectors", "video diffusion transformers", "robot grasping policies")


def papers(day: date, count: int = 12) -> tuple[Paper, ...]:
    return tuple(
        Paper(
            f"arxiv:{day:%y%m}.{day.day:02}{n:03}",
            f"{TOPICS[n % 3].title()} {n} of {day}",
            f"We study {TOPICS[n % 3]} in setting {n}. It works better than before.",
        )
        for n in range(count)
    )


@pytest.fixture
def workspace(tmp_path: Path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "newsletter.yaml").write_text("from: Papers <papers@example.org>\n")
    with pipeline.open_workspace(tmp_path / "config", {}) as opened:
        yield opened


def fill(workspace, days: int) -> None:
    for n in range(days):
        day = MONDAY + timedelta(days=n)
        archive.add_digest(workspace.engine, Digest("page", day, papers(day)))


@pytest.mark.slow
def test_a_gathered_edition_has_every_paper_in_a_theme_of_its_last_day(workspace):
    """Days without an edition of their own are placed too: nobody read on them."""
    fill(workspace, 4)
    thursday = MONDAY + timedelta(days=3)
    edition = pipeline.prepare(workspace, thursday)
    week = gather(workspace, edition, [MONDAY + timedelta(days=n) for n in range(4)])
    placed = [paper for theme in week.themes for paper in theme.papers]
    assert len(week.papers) == 48
    assert sorted(placed) == sorted(paper.id for paper in week.papers)
    assert {theme.id for theme in edition.themes} <= {theme.id for theme in week.themes}


@pytest.mark.slow
def test_papers_that_come_after_the_letters_were_planned_are_in_the_next_edition(workspace):
    fill(workspace, 2)
    edition = pipeline.prepare(workspace, MONDAY)
    now = datetime(2025, 3, 10, 7, tzinfo=UTC)
    ledger.plan(workspace.engine, edition.id, [Skip(edition.id, "ada", "ada@example.org", "test")], now, key=b"k")
    late = Paper("arxiv:2503.99999", "A Late Paper on Video Diffusion", "It came in the afternoon. It is about video.")
    archive.add_digest(workspace.engine, Digest("other", MONDAY, (late,)))
    assert pipeline.prepare(workspace, MONDAY) == edition
    assert late.id in {paper.id for paper in pipeline.prepare(workspace, MONDAY + timedelta(days=1)).papers}


def test_a_day_without_papers_has_an_edition_without_themes(workspace):
    fill(workspace, 1)
    empty = pipeline.prepare(workspace, MONDAY + timedelta(days=5))
    assert (empty.papers, empty.themes) == ((), ())


def test_what_the_ranking_cannot_use_of_a_profile_is_said(workspace):
    fill(workspace, 1)
    known = papers(MONDAY)[0].id
    reader = Subscriber("ada", "ada@example.org", Profile(likes=(known, "arxiv:1706.03762")))
    (said,) = pipeline.ignored(workspace, reader)
    assert "arxiv:1706.03762" in said
    assert known not in said
