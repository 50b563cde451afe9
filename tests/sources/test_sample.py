"""The packaged sample: real papers, own words."""

from __future__ import annotations

import gzip
import json
import re
from datetime import date

import pytest

from newsletter import sample
from newsletter.sources import read_path


@pytest.fixture(scope="module")
def digests():
    return [read_path(path, day=None, today=date(2026, 1, 1))[0] for path in sample.days()]


def test_six_consecutive_publishing_days_of_20_to_40_papers(digests):
    assert [d.day.isoformat() for d in digests] == [
        "2025-05-20",
        "2025-05-21",
        "2025-05-22",
        "2025-05-23",
        "2025-05-26",
        "2025-05-27",
    ]
    assert all(20 <= len(d.papers) <= 40 for d in digests)
    assert sum(len(d.papers) for d in digests) >= 150


def test_every_line_is_a_paper_and_no_paper_comes_twice(digests):
    papers = [p for d in digests for p in d.papers]
    assert [r for d in digests for r in d.refused] == []
    assert len({p.id for p in papers}) == len(papers)
    assert all(
        p.id.startswith("arxiv:") and p.url and p.authors and p.published and p.upvotes is not None for p in papers
    )


def test_abstracts_have_one_to_three_sentences_of_80_to_500_characters(digests):
    for paper in (p for d in digests for p in d.papers):
        assert 80 <= len(paper.abstract) <= 500, paper.id
        assert paper.abstract.endswith((".", "?", "!")), paper.id
        assert 1 <= len(re.findall(r"[.?!](?=\s|$)", paper.abstract)) <= 3, paper.id


def _runs(text: str, length: int = 8) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[n : n + length]) for n in range(len(words) - length + 1)}


def test_no_abstract_shares_eight_words_in_a_row_with_the_original(digests, shared):
    for digest in digests:
        answer = json.loads(gzip.decompress((shared / f"digests/huggingface/{digest.day}.json.gz").read_bytes()))
        originals = {f"arxiv:{item['paper']['id']}": item["paper"]["summary"] for item in answer}
        assert set(originals) == {p.id for p in digest.papers}
        for paper in digest.papers:
            assert not _runs(paper.abstract) & _runs(originals[paper.id]), paper.id
