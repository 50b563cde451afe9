"""How fast letters may go: rates that halve when a server asks for mercy and recover with every success.

Time is an argument (seconds of any monotonic clock); nothing here waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_FLOOR = 64  # never slower than a 64th of the ceiling, so that one bad hour cannot stop a run
_RECOVERY = 50  # successes that bring a rate back from nothing to its ceiling
UNLIMITED = 10_000.0  # letters a second; more than one process can send


@dataclass(slots=True)
class Pace:
    """Letters a second, at most `ceiling`: additive increase, multiplicative decrease (Chiu and Jain, 1989)."""

    ceiling: float
    rate: float = field(init=False)
    _free_at: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.ceiling = self.ceiling or UNLIMITED
        self.rate = self.ceiling

    def reserve(self, now: float) -> float:
        """Take the next slot; the seconds to wait for it."""
        at = max(now, self._free_at)
        self._free_at = at + 1 / self.rate
        return at - now

    def slow(self) -> None:
        """The server had enough."""
        self.rate = max(self.rate / 2, self.ceiling / _FLOOR)

    def recover(self) -> None:
        """The server took a letter."""
        if self.rate < self.ceiling:
            self.rate = min(self.ceiling, self.rate + self.ceiling / _RECOVERY)


@dataclass(slots=True)
class Room:
    """How many connections may be open: halved on refusal, one more after every `_STEP` letters that went well."""

    most: int
    limit: int = field(init=False)
    _well: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.limit = self.most

    def shrink(self, proven: int) -> None:
        """A connection was refused while `proven` others worked."""
        self.limit = max(1, min(self.limit // 2, proven or self.limit))
        self._well = 0

    def recover(self) -> None:
        """A letter went well."""
        if self.limit < self.most:
            self._well += 1
            if self._well >= _STEP:
                self.limit, self._well = self.limit + 1, 0


_STEP = 100
