"""Who is due when: each reader's own time and days, in their own zone. Pure; the ledger's unique key is the guard.

A tick of the service may fall on any minute, twice, or hours late. `due` answers the same local day for every tick
until the next one, so a letter planned under the key (edition, subscriber) exists once however often it is asked for.

A wall time that the clocks skip in spring is read with the offset before the gap, one that they repeat in autumn is its
first occurrence: RFC 5545 section 3.3.5, and what `zoneinfo` does for ``fold=0``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from newsletter.model import Subscriber

Verdict = Literal["send", "late", "paused"]

_DAY = timedelta(days=1)
_WEEK = 7
_LAST_YEAR = date.max.year - 1  # a pause for ever


@dataclass(frozen=True, slots=True)
class FetchTime:
    """When an edition's papers are fetched: `at` on the edition's day, in `timezone`."""

    at: time
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Due:
    """One reader's letter of one local day.

    day: the reader's local date; at: the instant (UTC) from which it is due; edition: day of the edition it carries;
    editions: every edition day since the reader's letter before, `edition` last (seven for a weekly letter);
    verdict: send it, or skip it as too late or as paused, for the reason in `why`.
    """

    day: date
    at: datetime
    edition: date
    editions: tuple[date, ...]
    verdict: Verdict
    why: str = ""


def due(subscriber: Subscriber, now: datetime, *, grace: timedelta, fetch: FetchTime | None = None) -> Due | None:
    """The latest letter scheduled up to the aware `now`; None for a reader without days.

    It is to be sent up to `grace` after its time; later it is to be skipped where people can see it. With `fetch`, its
    edition is the latest that is fetched before the letter's time all year round; without, the local day's own.
    """
    if not subscriber.days:
        return None
    day = now.astimezone(ZoneInfo(subscriber.timezone)).date()
    while day.isoweekday() not in subscriber.days or scheduled(subscriber, day) > now:
        day -= _DAY
    return _decided(subscriber, day, now, grace, fetch)


def missed(
    subscriber: Subscriber, after: datetime, now: datetime, *, grace: timedelta, fetch: FetchTime | None = None
) -> tuple[Due, ...]:
    """Every letter scheduled after `after` and up to `now`, oldest first: what a sleeping machine has left behind."""
    found: list[Due] = []
    last = due(subscriber, now, grace=grace, fetch=fetch)
    while last and last.at > after:
        found.append(last)
        last = _decided(subscriber, _before(subscriber, last.day), now, grace, fetch)
    return tuple(reversed(found))


def next_due(subscriber: Subscriber, after: datetime) -> datetime | None:
    """The instant (UTC) of the first letter after the aware `after`, past any pause; None where there will be none."""
    day = after.astimezone(ZoneInfo(subscriber.timezone)).date()
    day = max(day, subscriber.paused_until or day)
    if not subscriber.days or day.year > _LAST_YEAR:
        return None
    while day.isoweekday() not in subscriber.days or (at := scheduled(subscriber, day)) <= after:
        day += _DAY
    return at


def scheduled(subscriber: Subscriber, day: date) -> datetime:
    """The instant (UTC) of the reader's send time on the local date `day`."""
    wall = datetime.combine(day, subscriber.send_at, ZoneInfo(subscriber.timezone))
    return wall.astimezone(UTC)


def edition_day(subscriber: Subscriber, day: date, fetch: FetchTime) -> date:
    """The edition that the reader's letter of the local date `day` carries: the latest one fetched by then.

    At 07:30 in Auckland the papers of the day are still to come at 06:00 UTC, so the letter carries those of the day
    before. How many days before is the same all year (the clocks' worst case), so that no edition comes twice or never.
    """
    latest = max(_offsets(subscriber.timezone, day.year))
    earliest = min(_offsets(fetch.timezone, day.year))
    wait = (_since_midnight(fetch.at) - earliest) - (_since_midnight(subscriber.send_at) - latest)
    return day - max(-(-wait // _DAY), 0) * _DAY


def _decided(subscriber: Subscriber, day: date, now: datetime, grace: timedelta, fetch: FetchTime | None) -> Due:
    at = scheduled(subscriber, day)
    edition = edition_day(subscriber, day, fetch) if fetch else day
    count = (day - _before(subscriber, day)).days
    editions = tuple(edition - back * _DAY for back in range(count - 1, -1, -1))
    if subscriber.paused_until and day < subscriber.paused_until:
        return Due(day, at, edition, editions, "paused", f"paused until {subscriber.paused_until}")
    if now - at > grace:
        why = f"due on {day} at {subscriber.send_at:%H:%M} ({subscriber.timezone}), more than {_spoken(grace)} ago"
        return Due(day, at, edition, editions, "late", why)
    return Due(day, at, edition, editions, "send")


def _before(subscriber: Subscriber, day: date) -> date:
    """The reader's scheduled local date before `day`."""
    return next(
        day - back * _DAY for back in range(1, _WEEK + 1) if (day - back * _DAY).isoweekday() in subscriber.days
    )


@lru_cache(maxsize=4096)
def _offsets(timezone: str, year: int) -> tuple[timedelta, ...]:
    """The zone's offsets from UTC in the two seasons of `year`."""
    zone = ZoneInfo(timezone)
    found = (datetime(year, month, 1, 12, tzinfo=zone).utcoffset() for month in (1, 7))
    return tuple(offset for offset in found if offset is not None)


def _since_midnight(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute)


def _spoken(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
