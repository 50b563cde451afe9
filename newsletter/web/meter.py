"""How often one network may ask for what costs us work and stores nothing: counted in this process alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Meter"]

_MINUTE = 60.0
_MOST = 10_000  # networks that are remembered


@dataclass(slots=True)
class Meter:
    """`limit` calls a minute from each network."""

    limit: int
    clock: Callable[[], float] = time.monotonic
    _minute: float = 0.0
    _counts: dict[str, int] = field(default_factory=dict)

    def takes(self, network: str) -> bool:
        """Whether one more call from `network` is within the limit; it is counted."""
        now = self.clock()
        if now - self._minute >= _MINUTE or len(self._counts) >= _MOST:
            self._minute, self._counts = now, {}
        count = self._counts[network] = self._counts.get(network, 0) + 1
        return count <= self.limit
