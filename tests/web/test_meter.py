"""What costs work and stores nothing is given so many times in a window, and remembering it takes no growing room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from newsletter.web.meter import Meter

NOW = datetime(2025, 5, 27, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROOM = 10_000


def test_each_key_has_its_own_limit_in_each_window():
    meter = Meter(2, MINUTE)
    assert [meter.takes("a", NOW) for _ in range(3)] == [True, True, False]
    assert meter.takes("b", NOW)
    assert not meter.takes("a", NOW + MINUTE - timedelta(seconds=1))
    assert [meter.takes("a", NOW + MINUTE) for _ in range(3)] == [True, True, False]


def test_the_window_begins_with_the_first_call():
    """Calls that are refused do not make it longer."""
    meter = Meter(1, MINUTE)
    assert meter.takes("a", NOW)
    assert not meter.takes("a", NOW + MINUTE / 2)
    assert meter.takes("a", NOW + MINUTE)


def test_what_is_old_is_forgotten_when_room_is_needed_and_what_is_young_is_kept():
    meter = Meter(1, MINUTE)
    for n in range(ROOM - 1):
        meter.takes(f"old {n}", NOW)
    meter.takes("young", NOW + MINUTE / 2)
    meter.takes("one more", NOW + MINUTE)
    assert set(meter._counts) == {"young", "one more"}
    assert not meter.takes("young", NOW + MINUTE)


def test_it_never_grows_beyond_its_room():
    """Not even where everything is young."""
    meter = Meter(1, MINUTE)
    for n in range(2 * ROOM + 5):
        meter.takes(str(n), NOW)
        assert len(meter._counts) <= ROOM
