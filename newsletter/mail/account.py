"""What a run of outcomes says about going on. Pure: outcomes in, advice out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from newsletter.mail.replies import is_our_fault
from newsletter.model import Outcome

Advice = Literal["faster", "slower", "stop", "as before"]
RELAY = ""
"""The account of the server itself, which refused our sender; the others are recipients' domains."""

_CLOSING = 421
_SILENCES = 3  # letters that may be doubled or lost: few are enough to call a person


@dataclass(slots=True)
class Account:
    """Counts failures in a row.

    `limit` refusals in a row that are our fault pause a domain, and so do not burn its other readers; as many of our
    sender, or as many letters sent away or left without an answer, stop the run; so do three without an answer after
    the dot.
    """

    limit: int
    paused: dict[str, Outcome] = field(default_factory=dict)
    _ours: dict[str, int] = field(default_factory=dict)
    _away: int = 0
    _silent: int = 0

    def note(self, domain: str, found: Outcome) -> Advice:
        """Enter one outcome of a letter to `domain`."""
        if found.kind == "stop":
            return "stop"
        if found.kind == "accepted":
            self._away = self._silent = 0
            self._ours.pop(domain, None)
            self._ours.pop(RELAY, None)
            return "faster"
        if found.kind == "uncertain":
            self._silent += 1
            return "stop" if self._silent >= _SILENCES else "slower"
        if is_our_fault(found):
            return self._blame(RELAY if found.phase == "mail" and found.code else domain, found)
        if found.code == _CLOSING or (found.kind == "deferred" and not found.code):
            self._away += 1
            return "stop" if self._away >= self.limit else "slower"
        self._away = 0  # a server that answers is there
        return "as before"

    def _blame(self, domain: str, found: Outcome) -> Advice:
        self._ours[domain] = self._ours.get(domain, 0) + 1
        if self._ours[domain] < self.limit:
            return "as before"
        self.paused[domain] = found
        return "stop" if domain == RELAY else "as before"

    def verdict(self, domain: str) -> Outcome | None:
        """The outcome of a letter to a paused domain, which is not tried."""
        last = self.paused.get(domain)
        if last is None:
            return None
        why = f"{domain} refused {self.limit} letters in a row: {last.code} {last.text}"
        return Outcome("deferred", "mail", text=f"not tried: {why}")
