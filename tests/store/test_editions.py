"""Editions are frozen once letters are planned; themes are kept as each day left them; feedback is kept once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from newsletter.errors import StoreError
from newsletter.model import KnownTheme, ThemeEvent
from newsletter.store.editions import (
    known_themes,
    load_edition,
    save_edition,
    save_themes,
    theme_events,
    theme_history,
)
from newsletter.store.feedback import Feedback, feedback, record_feedback
from newsletter.store.ledger import plan

NOON = datetime(2025, 3, 13, 12, tzinfo=UTC)
DAY = date(2025, 3, 13)


def test_an_edition_comes_back_as_it_was_saved(store, make_edition, make_paper):
    edition = make_edition([make_paper(n, published=DAY, upvotes=n) for n in range(5)])
    assert load_edition(store, edition.id) is None
    save_edition(store, edition)
    assert load_edition(store, edition.id) == edition


def test_an_edition_may_be_made_anew_until_a_letter_is_planned(store, make_edition, make_letter, make_paper):
    first, second = make_edition([make_paper(1)]), make_edition([make_paper(1), make_paper(2)])
    save_edition(store, first)
    save_edition(store, second)
    assert load_edition(store, first.id) == second
    plan(store, first.id, [make_letter("ada", second.papers)], NOON, key=b"k")
    save_edition(store, second)  # the same content is no change
    with pytest.raises(StoreError, match=r"daily/2025-03-13.*frozen"):
        save_edition(store, first)
    assert load_edition(store, first.id) == second


def _theme(name: str, day: date, papers: int = 2) -> KnownTheme:
    centroid = (0.1, -1 / 3, 0.7)
    return KnownTheme(
        name, name.title(), ("a", "b"), tuple(f"p{n}" for n in range(papers)), centroid, "packaged", day, day, day
    )


def test_themes_are_known_as_the_day_before_left_them(store):
    """So that learning a day again starts from where it started the first time."""
    monday, friday = [_theme("b", DAY), _theme("a", DAY)], [_theme("c", DAY)]
    save_themes(store, DAY, monday, [])
    save_themes(store, DAY + timedelta(days=4), friday, [])
    assert known_themes(store, DAY) == ()
    assert known_themes(store, DAY + timedelta(days=1)) == tuple(monday)
    assert known_themes(store, DAY + timedelta(days=4)) == tuple(monday)
    assert known_themes(store, DAY + timedelta(days=9)) == tuple(friday)


def test_a_day_learned_again_replaces_what_it_left(store):
    save_themes(
        store, DAY, [_theme("a", DAY), _theme("b", DAY)], [ThemeEvent(DAY, "born", "a"), ThemeEvent(DAY, "born", "b")]
    )
    events = [ThemeEvent(DAY, "split", "c", "a"), ThemeEvent(DAY, "renamed", "a")]
    save_themes(store, DAY, [_theme("c", DAY)], events)
    assert known_themes(store, DAY + timedelta(days=1)) == (_theme("c", DAY),)
    assert theme_events(store, DAY, 1) == tuple(events)
    assert theme_events(store, DAY - timedelta(days=1), 30) == ()


def test_a_themes_history_is_one_entry_for_each_day(store):
    for offset in range(4):
        save_themes(store, DAY + timedelta(days=offset), [_theme("a", DAY, offset + 1), _theme("b", DAY)], [])
    history = theme_history(store, "a", DAY + timedelta(days=3), 3)
    assert [len(theme.papers) for theme in history] == [2, 3, 4]


def test_feedback_is_kept_once_and_more_takes_back_less(store):
    said = Feedback("ada", "arxiv:1", "less", NOON)
    for one in (
        said,
        replace(said, kind="more"),
        replace(said, kind="save"),
        replace(said, paper="arxiv:2", kind="click"),
    ):
        record_feedback(store, one)
    later = NOON + timedelta(hours=1)
    record_feedback(store, replace(said, kind="save", at=later))
    record_feedback(store, replace(said, subscriber="bob"))
    assert feedback(store, ["ada", "eve"]) == {
        "ada": (
            Feedback("ada", "arxiv:1", "more", NOON),
            Feedback("ada", "arxiv:2", "click", NOON),
            Feedback("ada", "arxiv:1", "save", later),
        )
    }
