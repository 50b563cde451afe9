"""One preview for the form and the first page: today's letter for a profile, and nothing written down."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import sqlalchemy as sa

from newsletter.model import Interest, Profile, Subscriber
from newsletter.store.tables import DELIVERIES, METADATA
from newsletter.web import previewing
from newsletter.web.previewing import preview_of


def stranger(*interests: str, **values) -> Subscriber:
    profile = Profile(interests=tuple(Interest(text) for text in interests), papers=6, trending=0.2)
    return Subscriber("", "nobody@example.org", profile, **values)


def sizes(site) -> dict[str, int]:
    with site.workspace.engine.connect() as connection:
        count = sa.select(sa.func.count())
        return {t.name: connection.execute(count.select_from(t)).scalar_one() for t in METADATA.sorted_tables}


def test_a_stranger_sees_what_their_letter_would_hold(site):
    before = sizes(site)
    shown = preview_of(site.desk, stranger("robotics"))
    assert (shown.day, shown.why) == (date(2025, 5, 27), "")
    assert 0 < shown.count <= 6
    assert shown.total == 35
    assert any("robotics" in paper.reason for section in shown.sections for paper in section.papers)
    assert sizes(site) == before


def test_a_pause_does_not_hide_the_preview(site):
    assert preview_of(site.desk, stranger("robotics", paused_until=date(2026, 1, 1))).count > 0


def test_a_reader_who_has_todays_letter_sees_it_again(site):
    """What is in today's letter counts as new in a preview of today."""
    from newsletter.pipeline import roster

    reader = roster.reader_of(site.workspace, "ada")
    assert reader is not None
    with site.workspace.engine.connect() as connection:
        assert (
            connection.execute(sa.select(DELIVERIES.c.state).where(DELIVERIES.c.subscriber == "ada")).scalar() == "sent"
        )
    assert preview_of(site.desk, reader).count == 6


def test_before_the_first_edition_it_says_so(site):
    site.clock.moment -= timedelta(days=4000)
    shown = preview_of(site.desk, stranger("robotics"))
    assert (shown.day, shown.sections) == (None, ())
    assert shown.why == "no edition has been printed yet"


def test_many_at_once_do_not_hold_up_the_pages(site, monkeypatch):
    """Beyond two at a time, one waits, and then is told so in place of an answer."""
    monkeypatch.setattr(previewing, "_PATIENCE", 0.01)
    hands = threading.BoundedSemaphore(2)
    monkeypatch.setattr(previewing, "_HANDS", hands)
    hands.acquire()
    hands.acquire()
    assert "too many" in preview_of(site.desk, stranger("robotics")).why
    hands.release()
    assert preview_of(site.desk, stranger("robotics")).why == ""
