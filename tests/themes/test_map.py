"""The map: one file that works without a network and escapes what papers bring."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pytest

from newsletter.model import ArchivedPaper, KnownTheme, Paper
from newsletter.themes import write_map
from newsletter.themes.map import arranged, flat

DAY = date(2025, 3, 13)


def window_of(count: int) -> list[ArchivedPaper]:
    papers = [Paper(f"title:{i}", f"Video diffusion {i} <script>alert(1)</script>", "") for i in range(count)]
    return [ArchivedPaper(paper, DAY) for paper in papers]


def theme_of(window) -> KnownTheme:
    ids = tuple(archived.paper.id for archived in window)
    return KnownTheme("t1", "Video <Diffusion>", ("video",), ids, (1.0,), "words", DAY, DAY, DAY)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_map_of_a_handful_of_papers_is_written(tmp_path, count):
    window = window_of(count)
    write_map(tmp_path / "deep" / "map.html", window, np.ones((count, 4), np.float32), [theme_of(window[:3])], seed=1)
    page = (tmp_path / "deep" / "map.html").read_text(encoding="utf-8")
    assert "Plotly" in page
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page)


def test_titles_and_labels_are_escaped(tmp_path):
    window = window_of(3)
    write_map(tmp_path / "map.html", window, np.eye(3, dtype=np.float32), [theme_of(window)], seed=1)
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "Video <Diffusion>" not in page
    assert "alert(1)" in page


@pytest.mark.slow
def test_near_papers_are_near_on_the_map():
    rng = np.random.default_rng(0)
    vectors = (np.repeat(np.eye(8), 10, axis=0) + rng.normal(0, 0.05, (80, 8))).astype(np.float32)
    points = flat(vectors, seed=1)
    inside = np.linalg.norm(points[:10] - points[:10].mean(axis=0), axis=1).mean()
    between = np.linalg.norm(points.reshape(8, 10, 2).mean(axis=1) - points.mean(axis=0), axis=1).mean()
    assert inside < between
    assert np.array_equal(points, flat(vectors, seed=1))


@pytest.mark.slow
def test_places_last_from_day_to_day():
    """Papers that were on the map before stay near where they were; a new one stands among its like."""
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(4, 16))
    rows = (np.repeat(centres, 20, axis=0) + 0.7 * rng.normal(size=(80, 16))).astype(np.float32)
    ids = [f"title:{n}" for n in range(80)]
    first = arranged(rows[:75], ids[:75], {}, seed=1)
    assert arranged(rows[:75], ids[:75], {}, seed=1).tolist() == first.tolist(), "deterministic"
    before = {paper: (float(x), float(y)) for paper, (x, y) in zip(ids[:75], first, strict=True)}
    second = arranged(rows[5:], ids[5:], before, seed=1)
    size = np.linalg.norm(np.ptp(first, axis=0))
    moved = np.linalg.norm(second[:70] - first[5:], axis=1)
    assert (
        np.median(moved) < 0.2 * size
    )  # turned or mirrored at will it would be about 0.4; real days move 0.03 to 0.06
    group = np.arange(5, 80) // 20
    nearest = np.argsort(np.linalg.norm(second[:, None] - second[None], axis=2), axis=1)[:, 1:6]
    assert (group[nearest[-5:]] == 3).mean() > 0.6


@pytest.mark.parametrize("count", [0, 1, 5, 6, 12])
def test_any_number_of_papers_has_places(count):
    rows = np.eye(12, dtype=np.float32)[:count] if count else np.zeros((0, 4), np.float32)
    places = arranged(
        rows, [f"title:{n}" for n in range(count)], {"title:0": (1.0, 2.0), "title:77": (0.0, 0.0)}, seed=1
    )
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()


def test_papers_that_are_all_alike_have_places():
    places = arranged(np.ones((40, 8), np.float32), [f"title:{n}" for n in range(40)], {}, seed=1)
    assert np.isfinite(places).all()
    assert len({tuple(place) for place in places.tolist()}) == 40
