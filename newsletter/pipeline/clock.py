"""The time, or a moment that stands still."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from newsletter.errors import ConfigError

__all__ = ["clock"]

_NAME = "NEWSLETTER_NOW"


def clock(environ: Mapping[str, str]) -> Callable[[], datetime]:
    """The time in UTC; `NEWSLETTER_NOW` (ISO 8601) stops it, for a rehearsal. Raises ConfigError if that is no time."""
    fixed = environ.get(_NAME)
    if not fixed:
        return lambda: datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(fixed).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        do = f"Set {_NAME} to a time such as 2025-03-13T07:00:00+00:00, or unset it"
        raise ConfigError("Cannot read the time in", which=_NAME, why=str(error), do=do) from error
    return lambda: moment
