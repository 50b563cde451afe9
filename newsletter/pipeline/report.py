"""How a run ended, in counts and in sentences for the person who started it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from newsletter.model import Outcome

_ON_THEIR_WAY = ("planned", "sending", "deferred", "failed", "uncertain")
_WAITING = {
    "deferred": "newsletter run tries again by itself, or newsletter send --date {day}",
    "sending": "another sender is at work on these",
    "planned": "newsletter send --date {day}",
}
_URGENT = {
    "failed": "see why with newsletter deliveries --date {day} --state failed",
    "uncertain": "the server may have these letters; they are sent again only if you say so: "
    "newsletter resend --date {day} --state uncertain",
}
_UNBALANCED = (
    "the ledger's sums do not balance, so it cannot say that the edition is done: stop every sender, restore the last "
    "backup of the database, and see newsletter status"
)


@dataclass(frozen=True, slots=True)
class Report:
    """The edition's counts by state after a run; sentences on what waits by itself, and on what needs a person."""

    counts: Mapping[str, int]
    waiting: tuple[str, ...] = ()
    urgent: tuple[str, ...] = ()
    stopped: bool = False

    @property
    def needs(self) -> tuple[str, ...]:
        """The kinds of what needs a person: stopped, failed, uncertain."""
        return (*(("stopped",) if self.stopped else ()), *(state for state in _URGENT if self.counts[state]))

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that keeps the edition from being done."""
        return self.urgent + self.waiting

    @property
    def failed(self) -> bool:
        """Whether any letter of the edition has neither been accepted nor skipped, or the sums do not show it."""
        return any(self.counts[state] for state in _ON_THEIR_WAY) or not balanced(self.counts)


def balanced(counts: Mapping[str, int]) -> bool:
    """Whether the letters by state add up to the `total`, which was counted apart."""
    return sum(number for state, number in counts.items() if state != "total") == counts["total"]


def report(edition: str, counts: Mapping[str, int], ended: Outcome | None, again: datetime | None) -> Report:
    """What to say of a run that `ended` early or not; `again` is when the next deferred letter is due."""
    day = edition.partition("/")[2]
    stopped = () if ended is None else (_stopped(ended, day),)
    unsound = () if balanced(counts) else (_UNBALANCED,)
    urgent = (f"{counts[state]} {state}: {text.format(day=day)}" for state, text in _URGENT.items() if counts[state])
    waiting = [
        f"{counts[state]} {state}{_when(state, again)}: {text.format(day=day)}"
        for state, text in _WAITING.items()
        if counts[state] and not (state == "planned" and ended is not None)
    ]
    return Report(counts, tuple(waiting), (*stopped, *unsound, *urgent), stopped=ended is not None)


def _stopped(ended: Outcome, day: str) -> str:
    said = " ".join(part for part in (str(ended.code or ""), ended.enhanced, ended.text) if part)
    return f"Sending stopped ({ended.phase}): {said}. No letter is lost: mend this, then newsletter send --date {day}"


def _when(state: str, again: datetime | None) -> str:
    return f", the next try is due at {again.astimezone():%H:%M}" if again and state == "deferred" else ""
