"""Judging a digest against what its source usually gives."""

from __future__ import annotations

from datetime import date, timedelta
from statistics import median

import pytest

from newsletter.model import Digest, Paper, Refusal
from newsletter.sources import judge, read_path

DAY = date(2025, 3, 13)


def digest(papers: int, *refused: Refusal) -> Digest:
    return Digest("daily", DAY, tuple(Paper(f"title:{n}", f"T{n}", "A.") for n in range(papers)), refused)


@pytest.mark.parametrize(
    ("papers", "usual", "overlap", "state"),
    [
        (0, None, 0.0, "empty"),
        (0, 20.0, 1.0, "empty"),
        (5, 20.0, 1.0, "stale"),
        (20, 20.0, 0.99, "fetched"),
        (3, 20.0, 0.0, "small"),
        (4, 20.0, 0.0, "fetched"),
        (1, 9.0, 0.0, "fetched"),
        (1, None, 0.0, "fetched"),
        (70, 20.0, 0.0, "fetched"),
    ],
)
def test_every_state(papers, usual, overlap, state):
    judgement = judge(digest(papers), usual, overlap)
    assert judgement.state == state
    assert bool(judgement.reason) == (state != "fetched")


def test_the_reason_says_what_the_operator_needs():
    assert judge(digest(3), 20.0, 0.0).reason == "daily gave 3 papers for 2025-03-13, usually about 20"
    assert (
        judge(digest(2), 20.0, 1.0).reason
        == "daily has not moved on: all its 2 papers were in the digest of the day before"
    )
    assert judge(digest(0, Refusal("item 1", "it has no title")), 20.0, 0.0).reason == (
        "daily gave no papers for 2025-03-13 (1 refused; item 1: it has no title)"
    )


def test_of_128_real_days_only_the_one_after_new_year_is_called_small(shared, today):
    days = read_path(shared / "digests/huggingface", day=None, today=today)
    called = []
    for n, now in enumerate(days[1:], start=1):
        before = [len(d.papers) for d in days[:n] if now.day - d.day <= timedelta(days=30)]
        yesterday = {p.id for p in days[n - 1].papers}
        overlap = sum(p.id in yesterday for p in now.papers) / len(now.papers)
        if (judgement := judge(now, median(before), overlap)).state != "fetched":
            called.append((now.day.isoformat(), judgement.state, len(now.papers)))
    assert called == [("2025-01-02", "small", 3)]
