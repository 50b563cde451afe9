"""How long a run may last, and when to stop asking a model that does not answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Run"]

_FAILURES = 3  # without an answer in between: the server is away, and the rest would only wait for it


@dataclass(slots=True)
class Run:
    """What one run may take: `seconds` altogether. Questions of several threads share it.

    `answers` counts what was of use, `refused` answers that were not right, `why` is the last thing that went wrong.
    """

    seconds: float
    clock: Callable[[], float] = time.monotonic
    answers: int = 0
    refused: int = 0
    why: str = ""
    _failures: int = 0
    _start: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._start = self.clock()

    def left(self, most: float) -> float:
        """Seconds for the next question, `most` at most; 0 where none may be asked any more."""
        if self._failures >= _FAILURES:
            return 0.0
        left = min(most, self._start + self.seconds - self.clock())
        if left <= 0 and not self.why:
            self.why = "the time for this run is over"
        return max(0.0, left)

    def answered(self) -> None:
        with self._lock:
            self.answers += 1
            self._failures = 0

    def refuse(self, why: str) -> None:
        """The model answered, but not as it should: the next question may fare better."""
        with self._lock:
            self.refused += 1
            self.why = why
            self._failures = 0

    def failed(self, why: str) -> None:
        with self._lock:
            self.why = why
            self._failures += 1
