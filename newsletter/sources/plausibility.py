"""Is this digest what the source usually gives? Pure: nothing is fetched, stored or refused here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from newsletter.model import Digest

# Of the usual size: below it something is likely broken at the source. On 128 recorded days of Hugging Face this calls
# one small, the day after New Year; 0.25 calls three, all of them holidays or near one.
SMALL_SHARE = 0.2
SMALL_USUAL = 10  # a source that usually gives fewer papers than this varies too much to judge


@dataclass(frozen=True, slots=True)
class Judgement:
    """fetched: as usual; empty: no papers; stale: all of them are yesterday's; small: far fewer than usual."""

    state: Literal["fetched", "empty", "stale", "small"]
    reason: str = ""


def judge(digest: Digest, usual_size: float | None, overlap_with_yesterday: float) -> Judgement:
    """Judge a digest; "small" and "stale" are to be refused unless the operator forces them.

    usual_size: papers per digest of this source (median of the last 30 days), None where it is not known yet;
    overlap_with_yesterday: share of its papers, 0 to 1, that the source's digest of the day before held.
    """
    papers = len(digest.papers)
    if papers == 0:
        first = digest.refused[0] if digest.refused else None
        refused = f" ({len(digest.refused)} refused; {first.where}: {first.why})" if first else ""
        return Judgement("empty", f"{digest.source} gave no papers for {digest.day}{refused}")
    if overlap_with_yesterday >= 1:
        held = "its only paper was" if papers == 1 else f"all its {papers} papers were"
        return Judgement("stale", f"{digest.source} has not moved on: {held} in the digest of the day before")
    if usual_size is not None and usual_size >= SMALL_USUAL and papers < SMALL_SHARE * usual_size:
        gave = "1 paper" if papers == 1 else f"{papers} papers"
        return Judgement("small", f"{digest.source} gave {gave} for {digest.day}, usually about {usual_size:.0f}")
    return Judgement("fetched")
