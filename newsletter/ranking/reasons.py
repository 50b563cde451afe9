"""Why a paper was picked: the parts of its score in words. Nothing is named that did not count."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from newsletter.model import Reason, ReasonKind

_PLAIN: Mapping[ReasonKind, Callable[[Reason], str]] = {
    "interest": lambda r: f"matches your interest “{r.what}”{_through(r)}",
    "like": lambda r: f"is close to “{r.what}”, which you liked{_through(r)}",
    "author": lambda r: f"is by {r.what}, whom you follow",
    "keyword": lambda r: f"mentions {r.what}, which you follow",
    "trending": lambda r: f"is widely read today: {r.what}" if r.what else "is widely read today",
    "fresh": lambda _: "is new",
    "explore": lambda _: "is a step outside your interests",
}


def describe(reason: Reason) -> str:
    """The reason in plain English, to follow "This paper"; with its share of the score where it has one."""
    share = f" ({reason.share:.0%} of the score)" if reason.share else ""
    return _PLAIN[reason.kind](reason) + share


def _through(reason: Reason) -> str:
    return f" through {', '.join(reason.words)}" if reason.words else ""
