"""Evaluation suites -> results, through the product's own ranking."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from newsletter.embedding import load
from newsletter.errors import DigestError
from newsletter.evaluation import evaluate, read, write
from newsletter.model import Interest, Profile
from newsletter.ranking import Corpus, Options, rank
from newsletter.text import paper_text

SUITES = Path(__file__).parents[2] / "shared" / "eval"
needs_suites = pytest.mark.skipif(not SUITES.is_dir(), reason="the evaluation suites are not beside this checkout")
# What this half of each suite must not fall below: a little under what is reached, above every floor of its README.
LEAST = {
    "gold-reviewer": ("loss", 0.215),
    "trending": ("spearman", 0.875),
    "reviews": ("average_precision", 0.355),
}


def save(folder: Path, name: str, lines: list[dict]) -> None:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    if name.endswith(".gz"):
        (folder / name).write_bytes(gzip.compress(text.encode()))
    else:
        (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def suite(tmp_path) -> Path:
    """Two days of papers on two subjects, and two profiles."""
    titles = [
        "Graph search",
        "Grasping robots",
        "Nearest neighbour search",
        "Robot hands",
        "Vector search",
        "Robot policies",
    ]
    papers = [
        {
            "id": f"p{i}",
            "title": t,
            "abstract": f"We study {t.lower()}.",
            "date": f"2025-03-1{2 + i // 3}",
            "upvotes": i,
        }
        for i, t in enumerate(titles)
    ]
    save(tmp_path, "papers.jsonl.gz", papers)
    profiles = [
        {"id": "ada", "interests": ["nearest neighbour search"]},
        {"id": "bo", "likes": ["p1"], "avoid": ["graph"]},
    ]
    save(tmp_path, "profiles.jsonl", profiles)
    days = {"2025-03-12": ["p0", "p1", "p2"], "2025-03-13": ["p3", "p4", "p5"]}
    groups = [{"profile": p, "group": d, "candidates": c} for d, c in days.items() for p in ("ada", "bo")]
    save(tmp_path, "groups.jsonl.gz", groups)
    (tmp_path / "suite.json").write_text(json.dumps({"name": "tiny", "task": "ranking"}), encoding="utf-8")
    return tmp_path


def test_every_candidate_is_ranked_once_in_the_order_of_the_groups(suite, tmp_path):
    results = evaluate(suite)
    assert [(r["profile"], r["group"]) for r in results] == [
        (p, d) for d in ("2025-03-12", "2025-03-13") for p in ("ada", "bo")
    ]
    for result in results:
        assert len(set(result["ranked"])) == len(result["ranked"]) == len(result["scores"]) == 3
        assert result["scores"] == sorted(result["scores"], reverse=True)
    assert results[0]["ranked"][0] == "p2"
    assert results[3]["ranked"][-1] == "p4"
    assert write(results, tmp_path / "out.jsonl") == 4
    assert [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()] == results


def test_the_scores_are_a_letter_s_scores(suite):
    """The same code path: `rank` on the same day and archive gives the same figures."""
    known = list(read(suite, "tiny").papers.values())
    encode = load().encode
    corpus = lambda papers: Corpus(tuple(papers), encode([paper_text(p) for p in papers]))  # noqa: E731  a shorthand
    day, archive = corpus(known[3:]), corpus(known)
    profile = Profile(interests=(Interest("nearest neighbour search"),), explore=0, papers=3)
    given = {"themes": {}, "momentum": {}, "seen": [set()], "today": date(2025, 3, 13)}
    picks = rank([profile], day, archive, encode=encode, options=Options(cut=-99, diversity=0, theme_share=1), **given)[
        0
    ]
    result = evaluate(suite)[2]
    assert [p.paper.id for p in picks] == result["ranked"]
    assert np.allclose([p.score for p in picks], result["scores"], atol=1e-4)


def test_a_day_does_not_know_the_days_after_it(suite):
    """What comes later in a dated suite changes no earlier group."""
    before = evaluate(suite)[:2]
    lines = [json.loads(line) for line in gzip.decompress((suite / "papers.jsonl.gz").read_bytes()).splitlines()]
    for line in lines[3:]:
        line["title"] = line["abstract"] = "nearest neighbour search graph grasping"
    save(suite, "papers.jsonl.gz", lines)
    assert evaluate(suite)[:2] == before


@pytest.mark.parametrize("name", ["suite.json", "papers.jsonl.gz", "groups.jsonl.gz", "profiles.jsonl"])
@pytest.mark.parametrize("broken", [None, b"", b"\x1f\x8b\x08", b"{", b"[1]\n", b'{"id": 3'])
def test_a_broken_suite_is_a_clear_error(suite, name, broken):
    """Missing, cut off, of the wrong shape: which folder, and why. (An empty list of lines is no error.)"""
    (suite / name).unlink()
    if broken is not None:
        (suite / name).write_bytes(broken)
    if broken == b"" and name != "suite.json":
        return
    with pytest.raises(DigestError, match=r"Cannot read the evaluation suite"):
        evaluate(suite)


@needs_suites
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LEAST))
def test_what_a_suite_must_not_fall_below(name, tmp_path):
    """Scored by the suites' own score.py, with the packaged embedding."""
    metric, least = LEAST[name]
    write(evaluate(SUITES / name), tmp_path / "r.jsonl")
    command = [sys.executable, str(SUITES / "score.py"), str(SUITES / name), str(tmp_path / "r.jsonl")]
    found = json.loads(subprocess.check_output(command, text=True))
    assert found[metric] <= least if metric == "loss" else found[metric] >= least
