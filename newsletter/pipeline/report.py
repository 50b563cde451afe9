"""How a run ended, in counts and in sentences for the person who started it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from newsletter.model import Outcome

_ON_THEIR_WAY = ("planned", "sending", "deferred", "failed", "uncertain")


@dataclass(frozen=True, slots=True)
class Report:
    """The edition's counts by state after a run, and a sentence for each thing that a person should know."""

    counts: Mapping[str, int]
    problems: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether any letter of the edition has neither been accepted nor skipped."""
        return any(self.counts[state] for state in _ON_THEIR_WAY)


def report(edition: str, counts: Mapping[str, int], ended: Outcome | None, again: datetime | None) -> Report:
    """What to say of a run that `ended` early or not; `again` is when the next deferred letter is due."""
    day = edition.partition("/")[2]
    told: list[str] = []
    if ended is not None:
        said = " ".join(part for part in (str(ended.code or ""), ended.enhanced, ended.text) if part)
        told.append(
            f"Sending stopped ({ended.phase}): {said}. No letter is lost: mend this, then {_command('send', day)}"
        )
    for state, sentence in _SENTENCES.items():
        if counts[state] and not (state == "planned" and ended is not None):
            when = f", the next try is due at {again.astimezone():%H:%M}" if again and state == "deferred" else ""
            told.append(f"{counts[state]} {state}{when}: {sentence.format(day=day)}")
    return Report(counts, tuple(told))


_SENTENCES = {
    "deferred": "newsletter run tries again by itself, or newsletter send --date {day}",
    "failed": "see why with newsletter deliveries --date {day} --state failed",
    "uncertain": "the server may have these letters; they are sent again only if you say so: "
    "newsletter resend --date {day} --state uncertain",
    "sending": "another sender is at work on these",
    "planned": "newsletter send --date {day}",
}


def _command(name: str, day: str) -> str:
    return f"newsletter {name} --date {day}"
