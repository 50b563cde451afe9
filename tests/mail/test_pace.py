"""Rates and rooms: arithmetic with the time as an argument."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter.mail.pace import Pace, Room


def test_slots_are_evenly_spaced():
    pace = Pace(10)
    assert [round(pace.reserve(0.0), 3) for _ in range(4)] == [0.0, 0.1, 0.2, 0.3]
    assert pace.reserve(5.0) == 0.0


def test_a_rest_is_not_saved_up():
    """After a quiet minute there is no burst."""
    pace = Pace(10)
    pace.reserve(0.0)
    assert [round(pace.reserve(60.0), 3) for _ in range(2)] == [0.0, 0.1]


def test_halved_by_refusal_recovered_by_success():
    pace = Pace(100)
    pace.slow()
    assert pace.rate == 50
    for _ in range(25):
        pace.recover()
    assert pace.rate == 100


@given(st.floats(0, 1e5), st.lists(st.booleans(), max_size=200))
def test_rate_stays_between_floor_and_ceiling(ceiling, events):
    pace = Pace(ceiling)
    for slow in events:
        (pace.slow if slow else pace.recover)()
        assert pace.ceiling / 64 <= pace.rate <= pace.ceiling


def test_room_shrinks_to_what_was_proven_and_comes_back():
    room = Room(8)
    room.shrink(2)
    assert room.limit == 2
    for _ in range(600):
        room.recover()
    assert room.limit == 8


@given(st.integers(1, 50), st.lists(st.integers(0, 50), max_size=50))
def test_room_is_never_shut(most, proven):
    room = Room(most)
    for n in proven:
        room.shrink(n)
        assert 1 <= room.limit <= most
