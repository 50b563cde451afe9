"""Picks of one reader -> Letter | Skip: what the letter says and in which order. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

from newsletter.letter.headline import preheader, subject
from newsletter.letter.summary import summarise
from newsletter.letter.wording import clipped, label, people
from newsletter.model import Edition, Entry, Letter, Momentum, Pick, Profile, Section, Skip, Subscriber, Theme
from newsletter.text import readable

__all__ = ["compose"]

_TOP = 3
NONE: Mapping[str, Sequence[str]] = MappingProxyType({})
_MORE = Theme("more", "More papers", (), (), Momentum("steady", 1.0, 1.0, 1.0))


def compose(
    subscriber: Subscriber, edition: Edition, picks: Sequence[Pick], *, total: int = 0, previous: str = "",
    summaries: Mapping[str, Sequence[str]] = NONE,
) -> Letter | Skip:  # fmt: skip
    """The reader's letter of this edition, or why there is none.

    `picks` come best first; `total` is the number of papers read for the edition (its own count where 0); `previous`
    the subject of the reader's last letter, where it is known; `summaries` sentences written of papers, by id, in place
    of the abstract's own. Three best in full, the rest by theme, the reader's best theme first, then what is trending
    beyond the interests and the step outside.
    """
    if why := _silence(subscriber.profile, picks):
        return Skip(edition.id, subscriber.name, subscriber.email, why)
    own = [pick for pick in picks if pick.kind == "pick"]
    trending = [pick for pick in picks if pick.kind == "trending"]
    explore = [pick for pick in picks if pick.kind == "explore"]
    ordered = (*own, *trending, *explore)
    titles = [_title(pick) for pick in ordered]
    language, themes = subscriber.language, {theme.id: theme for theme in edition.themes}
    top = tuple(_entry(pick, summaries) for pick in own[:_TOP])
    beyond = tuple(_entry(pick, summaries, compact=bool(own) or n >= _TOP) for n, pick in enumerate(trending))
    lead = ordered[0]
    fillers = (label(themes.get(lead.theme, _MORE), language), people(lead.paper.authors, language, 2))
    return Letter(
        edition=edition.id,
        day=edition.day,
        subscriber=subscriber.name,
        email=subscriber.email,
        display_name=clipped(readable(subscriber.display_name), 80),
        language=language,
        subject=subject(titles, fillers, edition.day, language, previous=previous),
        preheader=preheader(titles, _summary(lead, summaries, (), 1), fillers, edition.day, language),
        top=top,
        sections=_sections(own, themes, summaries),
        trending=beyond,
        explore=tuple(_entry(pick, summaries, compact=True) for pick in explore),
        text_only=subscriber.text_only,
        hint="" if _told(subscriber.profile) else "interests",
        total=total or len(edition.papers),
    )


def _silence(profile: Profile, picks: Sequence[Pick]) -> str:
    """Why this reader gets no letter; empty where there is something to say."""
    if not picks:
        return "no new paper for this reader"
    if profile.quiet_days == "skip" and _told(profile) and not any(pick.kind == "pick" for pick in picks):
        return "a quiet day: nothing matched the interests, and quiet_days is skip"
    return ""


def _told(profile: Profile) -> bool:
    return bool(profile.interests or profile.likes or profile.follow_authors or profile.follow_keywords)


def _sections(
    own: Sequence[Pick], themes: dict[str, Theme], summaries: Mapping[str, Sequence[str]]
) -> tuple[Section, ...]:
    """The picks after the best, grouped by theme in the order in which the reader's picks name the themes."""
    named = dict.fromkeys(pick.theme for pick in own if pick.theme in themes and pick.theme != "more")
    order = {theme: place for place, theme in enumerate(named)}

    def place(pick: Pick) -> int:
        return order.get(pick.theme, len(order))

    grouped = groupby(sorted(own[_TOP:], key=place), key=place)
    groups = [list(group) for _, group in grouped]
    return tuple(
        Section(themes.get(picks[0].theme, _MORE), tuple(_entry(pick, summaries, compact=True) for pick in picks))
        for picks in groups
    )


def _entry(pick: Pick, summaries: Mapping[str, Sequence[str]], *, compact: bool = False) -> Entry:
    words = [word for reason in pick.reasons for word in reason.words]
    return Entry(pick, _title(pick), _summary(pick, summaries, words, 1 if compact else 2), compact)


def _summary(pick: Pick, summaries: Mapping[str, Sequence[str]], matched: Sequence[str], count: int) -> str:
    if sentences := summaries.get(pick.paper.id):
        return " ".join(sentences[:count])
    return summarise(pick.paper.title, pick.paper.abstract, matched=matched, count=count)


def _title(pick: Pick) -> str:
    """The paper's title in readable text; its id where the title holds nothing to read."""
    return clipped(readable(pick.paper.title), 300) or pick.paper.id
