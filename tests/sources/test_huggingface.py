"""Hugging Face daily papers: all 128 recorded days, with their drift."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import date

import pytest

from newsletter.sources import json_document, read_path


@pytest.fixture(scope="module")
def digests(shared):
    return read_path(shared / "digests/huggingface", day=None, today=date(2026, 11, 20))


def test_every_one_of_the_128_files_is_read(digests):
    """1,814 papers, counted apart from this reader; nothing is refused."""
    assert (len(digests), sum(len(d.papers) for d in digests)) == (128, 1814)
    assert Counter(d.source for d in digests) == {"huggingface": 128}
    assert [r for d in digests for r in d.refused] == []


def test_each_file_belongs_to_the_day_of_its_name(digests, shared):
    names = [path.name[:10] for path in sorted((shared / "digests/huggingface").iterdir())]
    assert [d.day.isoformat() for d in digests] == names


@pytest.mark.parametrize(
    ("day", "papers"),
    [("2024-12-10", 12), ("2024-12-11", 26), ("2025-01-09", 13), ("2025-01-10", 9), ("2025-05-30", 42)],
)
def test_the_drifts_of_the_answers_all_give_their_papers(digests, day, papers):
    """A list of objects, a list of Python literals, a wrapped list of literals, and lists of objects again."""
    digest = next(d for d in digests if d.day.isoformat() == day)
    assert len(digest.papers) == papers


def test_the_facts_of_a_paper_arrive(digests):
    papers = {p.id: p for d in digests for p in d.papers}
    paper = papers["arxiv:2503.19325"]
    assert paper.title == "Long-Context Autoregressive Video Modeling with Next-Frame Prediction"
    assert paper.authors[:2] == ("Yuchao Gu", "Weijia Mao")
    assert (paper.upvotes, paper.comments, paper.published) == (48, 1, date(2025, 3, 25))
    assert (paper.url, paper.pdf) == ("https://arxiv.org/abs/2503.19325", "https://arxiv.org/pdf/2503.19325")
    assert paper.thumbnail.startswith("https://")
    assert sum(bool(p.code) for p in papers.values()) > 400
    assert sum(bool(p.project) for p in papers.values()) > 200


def test_every_text_is_tidy_and_every_link_is_http(digests):
    for paper in (p for d in digests for p in d.papers):
        assert "\n" not in paper.title + paper.abstract
        assert all(
            not link or link.startswith(("https://", "http://"))
            for link in (paper.url, paper.pdf, paper.code, paper.project, paper.thumbnail)
        )


def test_without_a_name_the_wrapped_date_or_the_submission_days_tell_the_day(shared):
    def content(name):
        return json_document.read(
            gzip.decompress((shared / f"digests/huggingface/{name}.json.gz").read_bytes()).decode()
        )

    assert content("2025-01-10").day == date(2025, 1, 10)
    assert content("2025-03-26").day == date(2025, 3, 26)
    assert content("2024-12-03").day is None  # older answers do not tell


def test_fields_of_wrong_types_are_left_out_and_the_paper_stays():
    item = {
        "paper": {
            "id": 7,
            "title": "T",
            "summary": "S",
            "authors": [{"name": None}, "x", {"name": "Ada"}],
            "upvotes": "many",
            "githubRepo": "javascript:alert(1)",
            "publishedAt": 3,
        },
        "numComments": True,
        "thumbnail": "ftp://x/y",
    }
    (paper,) = json_document.read(json.dumps([item])).papers
    assert paper.authors == ("Ada",)
    assert (paper.upvotes, paper.comments, paper.published) == (None, None, None)
    assert paper.code == paper.thumbnail == paper.url == ""
