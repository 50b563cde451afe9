"""Which papers of a digest the archive already has, decided without a database.

A paper is the same under any of its identity keys (arXiv id whatever the version, DOI, normalised title), with one
exception: two different arXiv ids, or two different DOIs, under one title are two papers unless they share an author
("Editorial" and "Foundation models" are titles of many papers; a lost one would never reach a reader).
When a digest shows that two records are one, the one seen first stays and the other's keys lead to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date

from newsletter.identity import arxiv_id, doi_id, identity_keys, title_key
from newsletter.model import Digest, Paper

__all__ = ["UNLISTED", "Added", "Changes", "Record", "key_of", "keys_of", "reconcile", "take_in"]

# First and last day of a paper that no digest has listed (a reader's like): the earlier of UNLISTED[0] and any day is
# that day, and so is the later of UNLISTED[1] and it
UNLISTED = (date.max, date.min)

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_COUNTS = ("upvotes", "comments", "stars")
_KEPT = frozenset({"id", "title", *_COUNTS})


@dataclass(frozen=True, slots=True)
class Added:
    """The ids, as the archive knows them, of a digest's papers that were new and that were known. No id twice."""

    new: tuple[str, ...]
    known: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """A paper in the archive with its number in order of arrival, its days, and the identity keys that lead to it."""

    number: int
    paper: Paper
    first_day: date
    last_day: date
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a digest does to the archive. `merged` maps a record's number to the one that takes its place.

    `reworded` are the numbers of records whose text changed, so that their vectors are out of date.
    """

    added: Added
    inserted: tuple[Record, ...]
    updated: tuple[Record, ...]
    merged: Mapping[int, int]
    reworded: frozenset[int]
    sighted: tuple[int, ...]


def key_of(text: str) -> str:
    """The identity key behind any way to name a paper: id, arXiv id or URL of any version, DOI, title."""
    if text.startswith("title:"):
        return text
    return arxiv_id(text) or doi_id(text) or title_key(text)


def keys_of(paper: Paper) -> tuple[str, ...]:
    """The paper's identity keys, strongest first, the id's version and spelling folded away."""
    name = arxiv_id(paper.id) or doi_id(paper.id) or paper.id
    return identity_keys(paper if name == paper.id else replace(paper, id=name))


def reconcile(digest: Digest, known: Sequence[Record], first_free: int) -> Changes:
    """The changes for `digest`, given every record that shares a key with it, and the first free number."""
    return take_in(digest.papers, (digest.day, digest.day), known, first_free)


def take_in(papers: Sequence[Paper], span: tuple[date, date], known: Sequence[Record], first_free: int) -> Changes:
    """`reconcile` for papers that were listed from the first to the last day of `span`, or are UNLISTED."""
    before = {record.number: record for record in known}
    now = dict(before)
    by_key = {key: record.number for record in known for key in record.keys}
    merged: dict[int, int] = {}
    listed: list[int] = []
    for paper in map(_storable, papers):
        keys = keys_of(paper)
        same = _same(paper, keys, by_key, now)
        if same:
            record = _update(_merge(same, span[0]), paper, span, keys[0])
        else:
            record = Record(first_free, replace(paper, id=keys[0]), *span, frozenset())
            first_free += 1
        for other in same:
            if other.number != record.number:
                merged[other.number] = record.number
                del now[other.number]
                by_key.update(dict.fromkeys(other.keys, record.number))
        # a title that leads to another paper goes on leading there
        own = record.keys | {key for key in keys if by_key.setdefault(key, record.number) == record.number}
        now[record.number] = replace(record, keys=own)
        listed.append(record.number)
    return _changes(before, now, _final(merged), listed)


def _same(paper: Paper, keys: Sequence[str], by_key: Mapping[str, int], now: Mapping[int, Record]) -> list[Record]:
    """The records that are this paper, the one that the strongest key names first."""
    numbers = dict.fromkeys(by_key[key] for key in keys if key in by_key)
    strong = frozenset(key for key in keys if not key.startswith("title:"))
    same: list[Record] = []
    for record in (now[number] for number in numbers):
        named = bool(strong & record.keys) and not same
        if named or not any(_different(*one, record) for one in ((strong, paper), *((r.keys, r.paper) for r in same))):
            same.append(record)
    return same


def _different(keys: frozenset[str], paper: Paper, record: Record) -> bool:
    """Two papers although a key is shared: each has its own arXiv id, or DOI, and no author in common."""
    for kind in ("arxiv:", "doi:"):
        mine = {key for key in keys if key.startswith(kind)}
        theirs = {key for key in record.keys if key.startswith(kind)}
        if mine and theirs:
            return not mine & theirs and not _authors(paper) & _authors(record.paper)
    return False


def _authors(paper: Paper) -> set[str]:
    return {" ".join(name.casefold().split()) for name in paper.authors}


def _merge(same: Sequence[Record], day: date) -> Record:
    """One record for all of them: the first seen keeps its number and id and takes what it lacks from the others."""
    first, *others = sorted(same, key=lambda record: (record.first_day, record.number))
    for other in others:
        paper = _fill(first.paper, other.paper, newer=other.last_day > first.last_day)
        last_day = max(first.last_day, other.last_day)
        first = replace(first, paper=paper, last_day=last_day, keys=first.keys | other.keys)
    return replace(first, first_day=min(first.first_day, day))


def _update(record: Record, paper: Paper, span: tuple[date, date], name: str) -> Record:
    """The record after `paper`, named `name`, was met again. A first listing tells more of a paper than a like did."""
    last_day = max(record.last_day, span[1])
    if record.last_day == UNLISTED[1] != last_day:
        return replace(record, paper=_fill(replace(paper, id=name), record.paper, newer=False), last_day=last_day)
    return replace(record, paper=_fill(record.paper, paper, newer=span[1] >= record.last_day), last_day=last_day)


def _fill(old: Paper, new: Paper, *, newer: bool) -> Paper:
    """Empty fields take the new value; counts take the newest that is known. Nothing known is ever erased."""
    changes = {
        f.name: value
        for f in fields(Paper)
        if f.name not in _KEPT and not getattr(old, f.name) and (value := getattr(new, f.name))
    }
    for name in _COUNTS:
        value = getattr(new, name)
        if value is not None and (newer or getattr(old, name) is None):
            changes[name] = value
    return replace(old, **changes) if changes else old


def _storable(paper: Paper) -> Paper:
    """The paper without NUL and lone surrogates, which no database takes; most papers come back as they are."""
    if not any(
        _UNSTORABLE.search(text)
        for text in (paper.title, paper.abstract, paper.doi, paper.id, *paper.authors, *paper.categories)
    ):
        return paper
    return replace(
        paper,
        id=_UNSTORABLE.sub("", paper.id),
        doi=_UNSTORABLE.sub("", paper.doi),
        title=_UNSTORABLE.sub("", paper.title),
        abstract=_UNSTORABLE.sub("", paper.abstract),
        authors=tuple(_UNSTORABLE.sub("", name) for name in paper.authors),
        categories=tuple(_UNSTORABLE.sub("", name) for name in paper.categories),
    )


def _final(merged: Mapping[int, int]) -> dict[int, int]:
    """Chains of merges cut short: 3 into 2 and 2 into 1 is 3 into 1."""
    final = {}
    for loser, winner in merged.items():
        last = winner
        while last in merged:
            last = merged[last]
        final[loser] = last
    return final


def _changes(
    before: Mapping[int, Record], now: Mapping[int, Record], merged: Mapping[int, int], listed: Sequence[int]
) -> Changes:
    sighted = tuple(dict.fromkeys(merged.get(number, number) for number in listed))
    known = {number for number in sighted if number in before and _listed(before[number]) >= _listed(now[number])}
    inserted = tuple(record for number, record in now.items() if number not in before)
    updated = tuple(record for number, record in now.items() if number in before and record != before[number])
    return Changes(
        Added(
            tuple(now[number].paper.id for number in sighted if number not in known),
            tuple(now[number].paper.id for number in sighted if number in known),
        ),
        inserted,
        updated,
        {loser: winner for loser, winner in merged.items() if loser in before},
        frozenset(r.number for r in updated if _text(r.paper) != _text(before[r.number].paper)),
        sighted,
    )


def _listed(record: Record) -> bool:
    return record.last_day != UNLISTED[1]


def _text(paper: Paper) -> tuple[str, str]:
    return paper.title, paper.abstract
