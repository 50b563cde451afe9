"""How often one reader is mailed a link: whoever holds a forwarded letter must not fill their mailbox."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fastapi import Request

__all__ = ["Spacing", "spacing_of"]

_MOST = 10_000  # readers that are remembered


@dataclass(slots=True)
class Spacing:
    """One for each process: of several calls for a key within `gap`, the first alone may go."""

    gap: timedelta = timedelta(minutes=10)
    _last: dict[str, datetime] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def may(self, key: str, now: datetime) -> bool:
        """Whether it may go; then it counts as gone."""
        with self._turn:
            if key in self._last and now - self._last[key] < self.gap:
                return False
            if len(self._last) >= _MOST:
                self._last = {one: at for one, at in self._last.items() if now - at < self.gap}
            self._last[key] = now
            return True


def spacing_of(request: Request) -> Spacing:
    """The application's."""
    state = request.app.state
    if not hasattr(state, "spacing"):
        state.spacing = Spacing()
    spacing: Spacing = state.spacing
    return spacing
