"""How often something may be asked for that costs work or mails and stores nothing: counted in this process alone."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

__all__ = ["Meter"]

_MOST = 10_000  # keys that are remembered


@dataclass(slots=True)
class Meter:
    """`limit` calls for each key in a `window`, which begins with the key's first call."""

    limit: int
    window: timedelta
    _counts: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def takes(self, key: str, now: datetime) -> bool:
        """Whether one more call for `key` is within the limit; it is counted."""
        with self._turn:
            since, count = self._counts.get(key, (now, 0))
            if now - since >= self.window:
                since, count = now, 0
            if len(self._counts) >= _MOST:
                young = {one: kept for one, kept in self._counts.items() if now - kept[0] < self.window}
                self._counts = young if len(young) < _MOST else {}  # to forget all is better than to grow for ever
            self._counts[key] = since, count + 1
            return count < self.limit
