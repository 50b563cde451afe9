"""What public pages read: the same on both databases, and nothing of any reader."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from newsletter.model import Digest, KnownTheme, ThemeEvent
from newsletter.store import archive, editions, maps, shelf

DAY = date(2025, 3, 13)


def known(theme: str, papers, day: date = DAY, label: str = "") -> KnownTheme:
    return KnownTheme(theme, label or theme.title(), ("count",), tuple(papers), (0.6, 0.8), "packaged", DAY, day, DAY)


@pytest.fixture
def filled(store, make_paper, make_edition):
    """Twenty days with a paper each, the first of them in editions, a theme that lives and one that ended."""
    for number in range(20):
        day = DAY + timedelta(days=number)
        paper = make_paper(number)
        archive.add_digest(store, Digest("page", day, (paper,)))
        editions.save_edition(store, make_edition([paper], day))
        alive = [
            known("t1", [f"arxiv:2503.{n:05d}" for n in range(max(0, number - 9), number + 1)], day, f"Name {number}")
        ]
        events = [ThemeEvent(day, "split", "t1", "t2")] if number == 3 else []
        editions.save_themes(store, day, [*alive, *([known("t2", [paper.id], day)] if number < 5 else [])], events)
    archive.add_unlisted(store, [make_paper(99, title="A private liking")])
    return store


def test_editions_are_listed_by_day(filled):
    assert len(shelf.edition_days(filled)) == 20
    found = shelf.editions_between(filled, DAY, DAY + timedelta(days=2))
    assert [edition.day.day for edition in found] == [15, 14, 13]


def test_a_themes_life_holds_the_papers_of_all_its_days(filled):
    life = shelf.theme_life(filled, "t1")
    assert (life.theme.label, len(life.papers)) == ("Name 19", 20)
    assert shelf.theme_life(filled, "t2").theme.last_day == DAY + timedelta(days=4)
    assert shelf.theme_life(filled, "never") is None
    assert shelf.labels(filled, {"t1", "never"}) == {"t1": "Name 19"}


def test_a_paper_that_went_to_another_theme_is_in_that_one_alone(filled):
    went, *stayed = sorted(shelf.theme_life(filled, "t1").theme.papers)
    day = DAY + timedelta(days=20)
    editions.save_themes(filled, day, [known("t1", stayed, day), known("t3", [went], day)], ())
    assert went not in shelf.theme_life(filled, "t1").papers
    assert shelf.theme_life(filled, "t1").papers.issuperset(stayed)
    assert shelf.theme_life(filled, "t3").papers == {went}


def test_what_happened_to_a_theme_is_told_from_both_sides(filled):
    assert [event.kind for event in shelf.events_of(filled, "t1")] == ["split"]
    assert shelf.events_of(filled, "t2") == shelf.events_of(filled, "t1")


def test_a_paper_is_found_under_every_name_unless_it_is_only_some_readers_liking(filled):
    for name in ("arxiv:2503.00001", "https://arxiv.org/abs/2503.00001v3", "On the number 1"):
        assert shelf.public_paper(filled, name).paper.id == "arxiv:2503.00001"
    assert shelf.public_paper(filled, "arxiv:2503.00099") is None
    assert shelf.public_paper(filled, "nothing \x00 like it") is None
    assert "arxiv:2503.00099" not in shelf.listed(filled, ["arxiv:2503.00099", "arxiv:2503.00001"])
    assert "arxiv:2503.00099" not in shelf.papers_between(filled, date.min, date(9999, 12, 30))


def test_a_paper_knows_its_editions_and_its_newest_theme(filled):
    held, theme = shelf.themes_of_paper(filled, shelf.public_paper(filled, "arxiv:2503.00001"))
    assert [edition.id for edition in held] == ["daily/2025-03-14"]
    assert theme.id == "t1"


def test_papers_are_listed_newest_first(filled):
    between = shelf.papers_between(filled, DAY, DAY + timedelta(days=2))
    assert list(between.values()) == [DAY + timedelta(days=back) for back in (2, 1, 0)]
    assert list(shelf.listed(filled, between)) == list(between)


def test_a_map_is_kept_and_found_again(store):
    drawn = maps.ThemeMap(
        "daily/2025-03-13", DAY, 1, (maps.Point("arxiv:1", "A <b>", "t1", DAY, 0.5, -1.25),), (), {"a": "b"}
    )
    maps.save_map(store, drawn)
    maps.save_map(store, drawn)
    assert maps.load_map(store, "daily/2025-03-13") == drawn
    assert maps.load_map(store, "daily/2025-03-14") is None
    assert maps.map_before(store, DAY) is None
    assert maps.map_before(store, DAY + timedelta(days=9)) == drawn
