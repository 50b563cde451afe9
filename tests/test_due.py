"""The rules of who is due when, over every zone and every change of the clocks from 2024 to 2027."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.due import Due, FetchTime, due, edition_day, missed, next_due, scheduled
from newsletter.model import Profile, Subscriber

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
GRACE = 8 * HOUR
FETCH = FetchTime(time(6))


def reader(
    zone: str = "Europe/London", at: time = time(7, 30), days: frozenset[int] = frozenset(range(1, 8)), **more
) -> Subscriber:
    return Subscriber("ada", "ada@example.org", Profile(), timezone=zone, send_at=at, days=days, **more)


def changes(zone: ZoneInfo) -> list[datetime]:
    """The instants, to the minute, at which the zone's offset changes from 2024 to 2027."""
    found, day = [], FIRST
    while day < LAST:
        low, high = day, day + DAY
        if offset(low, zone) != offset(high, zone):
            while high - low > MINUTE:
                middle = (low + (high - low) / 2).replace(second=0, microsecond=0)
                low, high = (middle, high) if offset(low, zone) == offset(middle, zone) else (low, middle)
            found.append(high)
        day += DAY
    return found


def offset(instant: datetime, zone: ZoneInfo) -> timedelta | None:
    return instant.astimezone(zone).utcoffset()


@cache
def clock_changes() -> dict[str, list[datetime]]:
    """Every zone with its changes of the clocks; of zones whose clocks agree throughout (aliases) the first alone."""
    found: dict[tuple, tuple[str, list[datetime]]] = {}
    for name in ZONES:
        zone, instants = ZoneInfo(name), changes(ZoneInfo(name))
        clock = (offset(FIRST, zone), *((instant, offset(instant, zone)) for instant in instants))
        found.setdefault(clock, (name, instants))
    return dict(found.values())


sends = st.times().map(lambda at: at.replace(second=0, microsecond=0))
instants = st.datetimes(datetime(2024, 1, 10), datetime(2027, 12, 20)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
weekdays = st.frozensets(st.integers(1, 7), min_size=1)
zones = st.sampled_from(ZONES)


def test_the_clocks_change_in_many_ways() -> None:
    assert len(clock_changes()) > 60
    assert sum(map(len, clock_changes().values())) > 200


@pytest.mark.slow
def test_every_change_of_the_clocks_gives_one_letter_for_each_local_day() -> None:
    """Send times before, inside and after the skipped or doubled hour; a tick each quarter of an hour for four days."""
    for name, change in ((name, change) for name, instants in clock_changes().items() for change in instants):
        local = change.astimezone(ZoneInfo(name))
        for shift in (-90, -30, 0, 30):
            subscriber = reader(name, (local + shift * MINUTE).time().replace(second=0, microsecond=0))
            ticks = [change - 2 * DAY + quarter * 15 * MINUTE for quarter in range(4 * 24 * 4)]
            answers = [due(subscriber, tick, grace=GRACE) for tick in ticks]
            sent = Counter((answer.day, answer.at) for answer in answers if answer and answer.verdict == "send")
            days = sorted(day for day, _ in sent)
            assert days == [days[0] + n * DAY for n in range(len(days))], (name, change, subscriber.send_at)
            assert len(days) in (4, 5)
            spaces = [later - earlier for (_, earlier), (_, later) in pairwise(sorted(sent))]
            assert min(spaces) >= 20 * HOUR
            assert max(spaces) <= 28 * HOUR


def days_between(start: datetime, end: datetime, zone: str) -> list[date]:
    first = start.astimezone(ZoneInfo(zone)).date()
    return [first + n * DAY for n in range((end - start).days + 2)]


@given(zones, sends, weekdays, instants, st.integers(7, 59))
@settings(max_examples=100, deadline=None)
def test_whichever_minutes_the_ticks_fall_on_each_scheduled_day_is_answered_once(zone, at, days, start, step) -> None:
    subscriber = reader(zone, at, days)
    ticks = [start + n * step * MINUTE for n in range(8 * 24 * 60 // step + 1)]
    keys = Counter(
        answer.day for tick in ticks if (answer := due(subscriber, tick, grace=GRACE)) and answer.verdict == "send"
    )
    wanted = [
        day
        for day in days_between(start, ticks[-1], zone)
        if day.isoweekday() in days and start < scheduled(subscriber, day) <= ticks[-1]
    ]
    assert set(wanted) <= set(keys)
    assert all(day.isoweekday() in days for day in keys)
    assert len(set(keys) - set(wanted)) <= 1, "besides, only the letter that was due just before the first tick"


@given(zones, sends, weekdays, instants, st.timedeltas(timedelta(0), timedelta(days=20)))
@settings(max_examples=300, deadline=None)
def test_a_sleep_leaves_each_scheduled_day_behind_once_and_the_late_ones_say_so(zone, at, days, start, asleep) -> None:
    subscriber, now = reader(zone, at, days), start + asleep
    left = missed(subscriber, start, now, grace=GRACE)
    assert [letter.day for letter in left] == [
        day
        for day in days_between(start, now, zone)
        if day.isoweekday() in days and start < scheduled(subscriber, day) <= now
    ]
    for letter in left:
        assert letter.verdict == ("send" if now - letter.at <= GRACE else "late")
        assert bool(letter.why) == (letter.verdict == "late")


@given(zones, sends, weekdays, instants)
@settings(max_examples=300, deadline=None)
def test_the_next_letter_is_the_one_that_falls_due_next(zone, at, days, after) -> None:
    subscriber = reader(zone, at, days)
    upcoming = next_due(subscriber, after)
    assert upcoming is not None
    assert upcoming > after
    answer, before = due(subscriber, upcoming, grace=GRACE), due(subscriber, upcoming - MINUTE, grace=GRACE)
    assert answer is not None
    assert answer.at == upcoming
    assert before is not None
    assert before.day < answer.day
    assert before.at <= after, "nothing between"


@given(
    zones,
    sends,
    st.times(),
    st.sampled_from(["UTC", "America/New_York", "Asia/Tokyo", "Pacific/Auckland"]),
    st.integers(2024, 2027),
)
@settings(max_examples=200, deadline=None)
def test_a_year_of_letters_carries_every_edition_once_and_none_before_it_is_fetched(
    zone, at, fetched, fetch_zone, year
) -> None:
    subscriber, fetch = reader(zone, at), FetchTime(fetched.replace(second=0, microsecond=0), fetch_zone)
    days = [date(year, 1, 1) + n * DAY for n in range(365)]
    editions = [edition_day(subscriber, day, fetch) for day in days]
    assert {(day - edition).days for day, edition in zip(days, editions, strict=True)} == {(days[0] - editions[0]).days}
    assert editions[0] <= days[0]
    for day, edition in zip(days[::30], editions[::30], strict=True):
        ready = datetime.combine(edition, fetch.at, ZoneInfo(fetch_zone))
        # Zones whose two seasons are not January's and July's (Ramadan in Morocco) or that change their law may wait
        assert ready.astimezone(UTC) <= scheduled(subscriber, day) + HOUR


@pytest.mark.parametrize(
    ("zone", "at", "edition"),
    [
        ("UTC", time(7, 30), date(2025, 3, 13)),
        ("America/Los_Angeles", time(7, 30), date(2025, 3, 13)),
        ("America/Los_Angeles", time(23, 0), date(2025, 3, 13)),  # never the edition of tomorrow's date
        ("Europe/London", time(6, 30), date(2025, 3, 12)),  # 05:30 UTC in summer
        ("Pacific/Auckland", time(7, 30), date(2025, 3, 12)),
        ("Pacific/Kiritimati", time(0, 0), date(2025, 3, 12)),
    ],
)
def test_the_edition_is_the_latest_that_is_fetched_before_the_letter(zone: str, at: time, edition: date) -> None:
    assert edition_day(reader(zone, at), date(2025, 3, 13), FETCH) == edition


def test_a_time_inside_the_skipped_hour_is_read_with_the_offset_before_it() -> None:
    subscriber = reader("America/New_York", time(2, 30))
    assert scheduled(subscriber, date(2025, 3, 9)) == datetime(2025, 3, 9, 7, 30, tzinfo=UTC)  # 03:30 EDT


def test_a_time_inside_the_doubled_hour_is_its_first_occurrence() -> None:
    subscriber = reader("America/New_York", time(1, 30))
    assert scheduled(subscriber, date(2025, 11, 2)) == datetime(2025, 11, 2, 5, 30, tzinfo=UTC)  # EDT
    second = due(subscriber, datetime(2025, 11, 2, 6, 30, tzinfo=UTC), grace=GRACE)
    assert second is not None
    assert second.day == date(2025, 11, 2), "the second 01:30 is the same day's letter"


def test_the_grace_is_inclusive_and_a_minute_more_is_late() -> None:
    subscriber, at = reader(), datetime(2025, 3, 13, 7, 30, tzinfo=UTC)
    on_time = due(subscriber, at + GRACE, grace=GRACE)
    assert on_time == Due(date(2025, 3, 13), at, date(2025, 3, 13), (date(2025, 3, 13),), "send")
    late = due(subscriber, at + GRACE + MINUTE, grace=GRACE)
    assert late is not None
    assert (late.verdict, late.why) == ("late", "due on 2025-03-13 at 07:30 (Europe/London), more than 8 h ago")


def test_the_very_minute_of_a_letter_belongs_to_it_and_not_to_the_next_span() -> None:
    subscriber, at = reader(), datetime(2025, 3, 13, 7, 30, tzinfo=UTC)
    assert next_due(subscriber, at) == at + DAY
    assert next_due(subscriber, at - MINUTE) == at
    assert [letter.at for letter in missed(subscriber, at - DAY, at, grace=GRACE)] == [at]
    assert missed(subscriber, at, at + HOUR, grace=GRACE) == ()


def test_a_weekly_letter_gathers_seven_editions_and_a_monday_letter_the_weekend() -> None:
    now = datetime(2025, 3, 17, 12, tzinfo=UTC)  # a Monday
    week = due(reader(days=frozenset({1}), weekly=True), now, grace=GRACE)
    assert week is not None
    assert week.editions == tuple(date(2025, 3, 11) + n * DAY for n in range(7))
    monday = due(reader(days=frozenset(range(1, 6))), now, grace=GRACE)
    assert monday is not None
    assert monday.editions == (date(2025, 3, 15), date(2025, 3, 16), date(2025, 3, 17))


def test_a_pause_ends_with_a_letter_on_its_day() -> None:
    subscriber = reader(paused_until=date(2025, 3, 15))
    paused = due(subscriber, datetime(2025, 3, 14, 8, tzinfo=UTC), grace=GRACE)
    assert paused is not None
    assert (paused.verdict, paused.why) == ("paused", "paused until 2025-03-15")
    assert next_due(subscriber, datetime(2025, 3, 1, tzinfo=UTC)) == datetime(2025, 3, 15, 7, 30, tzinfo=UTC)
    back = due(subscriber, datetime(2025, 3, 15, 8, tzinfo=UTC), grace=GRACE)
    assert back is not None
    assert back.verdict == "send"


def test_no_days_or_a_pause_for_ever_have_no_next_letter() -> None:
    now = datetime(2025, 3, 13, tzinfo=UTC)
    assert due(reader(days=frozenset()), now, grace=GRACE) is None
    assert missed(reader(days=frozenset()), now - DAY, now, grace=GRACE) == ()
    assert next_due(reader(days=frozenset()), now) is None
    assert next_due(reader(paused_until=date.max), now) is None


@given(zones, instants)
@example("Asia/Almaty", datetime(2024, 2, 29, 20, tzinfo=UTC))
@settings(max_examples=100, deadline=None)
def test_the_zone_in_which_now_is_told_does_not_matter(zone, now) -> None:
    subscriber = reader(zone)
    assert due(subscriber, now, grace=GRACE, fetch=FETCH) == due(
        subscriber, now.astimezone(ZoneInfo("Asia/Kolkata")), grace=GRACE, fetch=FETCH
    )


def test_a_reader_who_moves_changes_the_instant_and_not_the_day() -> None:
    now = datetime(2025, 3, 13, 20, tzinfo=UTC)
    tokyo = reader("Asia/Tokyo")
    here = replace(tokyo, timezone="America/New_York")
    first, second = due(tokyo, now, grace=DAY), due(here, now, grace=DAY)
    assert first is not None
    assert second is not None
    assert (first.day, second.day) == (date(2025, 3, 13), date(2025, 3, 13))
