"""Letters and editions as bytes and back.

A day's letters share their papers, their themes and what is said of a paper, which are most of a letter. So a letter's
JSON names them by the hash of their own JSON, which is stored once: 10,000 letters cost their own words and no more.
Content under a hash never changes, so a frozen letter stays as it was planned whatever the archive learns later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from newsletter.model import Edition, Entry, Letter, Paper, Pick, Reason, Section, Theme

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = [
    "Freezer", "Part", "Words", "freeze_edition", "parse_letter", "parts_of", "thaw_edition", "thaw_letter",
    "thaw_part",
]  # fmt: skip

_LISTS = ("top", "trending", "explore")
_OF_LETTER = tuple(f.name for f in fields(Letter) if f.name not in (*_LISTS, "sections"))
_OF_ENTRY = tuple(f.name for f in fields(Entry) if f.name not in ("pick", "title", "summary"))
_OF_PICK = tuple(f.name for f in fields(Pick) if f.name != "paper")


@dataclass(frozen=True, slots=True)
class Words:
    """What a letter says of a paper; letters whose readers share an interest say the same."""

    title: str
    summary: str


Part = Paper | Theme | Words
_KINDS: dict[str, type] = {kind.__name__.lower(): kind for kind in (Paper, Theme, Words)}


class Freezer:
    """Turns the letters of one plan into bytes and gathers the parts that they share in `parts`.

    It knows shared objects by identity: the letters must outlive it, as those of a sequence do.
    """

    def __init__(self) -> None:
        self.parts: dict[str, bytes] = {}
        self._keys: dict[int | tuple[str, str], str] = {}

    def freeze(self, letter: Letter) -> bytes:
        """The letter's JSON. Raises ValueError for text that is not Unicode (lone surrogates)."""
        from pydantic_core import to_json

        tree: dict[str, Any] = {name: getattr(letter, name) for name in _OF_LETTER}
        for name in _LISTS:
            tree[name] = self._entries(getattr(letter, name))
        tree["sections"] = [
            {"theme": self._key(id(section.theme), section.theme), "entries": self._entries(section.entries)}
            for section in letter.sections
        ]
        return to_json(tree)

    def _entries(self, entries: tuple[Entry, ...]) -> list[dict[str, Any]]:
        return [self._entry(entry) for entry in entries]

    def _entry(self, entry: Entry) -> dict[str, Any]:
        pick, said = entry.pick, (entry.title, entry.summary)
        branch: dict[str, Any] = {name: getattr(entry, name) for name in _OF_ENTRY}
        branch["words"] = self._keys.get(said) or self._key(said, Words(*said))
        branch["pick"] = {name: getattr(pick, name) for name in _OF_PICK}
        branch["pick"]["paper"] = self._key(id(pick.paper), pick.paper)
        return branch

    def _key(self, name: int | tuple[str, str], part: Part) -> str:
        if name not in self._keys:
            kind: type = type(part)
            body = _adapter(kind).dump_json(part)
            key = f"{kind.__name__.lower()}:{hashlib.sha256(body).hexdigest()[:32]}"
            self.parts[key] = body
            self._keys[name] = key
        return self._keys[name]


def parse_letter(body: bytes) -> dict[str, Any]:
    """A frozen letter's JSON as objects, for `parts_of` and then `thaw_letter`, which uses it up."""
    from pydantic_core import from_json

    tree: dict[str, Any] = from_json(body)
    return tree


def parts_of(tree: dict[str, Any]) -> set[str]:
    """The keys of the parts that a parsed letter names."""
    return {branch[name] for branch, name in _places(tree)}


def thaw_letter(tree: dict[str, Any], parts: Mapping[str, Part]) -> Letter:
    """The letter as it was frozen. `parts` are the thawed parts that it names.

    Built by hand, which takes a third of the time that pydantic takes; pydantic takes letters of older programs.
    """
    try:
        return _built(tree, parts)
    except (KeyError, TypeError, ValueError):
        for branch, name in list(_places(tree)):
            part = parts[branch[name]]
            if isinstance(part, Words):
                branch |= {"title": part.title, "summary": part.summary}
            else:
                branch[name] = part
        letter: Letter = _adapter(Letter).validate_python(tree)
        return letter


def _built(tree: dict[str, Any], parts: Mapping[str, Any]) -> Letter:
    lists = {name: tuple([_entry(branch, parts) for branch in tree[name]]) for name in _LISTS}
    sections = tuple(
        [
            Section(parts[branch["theme"]], tuple([_entry(entry, parts) for entry in branch["entries"]]))
            for branch in tree["sections"]
        ]
    )
    return Letter(**{**tree, **lists, "sections": sections, "day": date.fromisoformat(tree["day"])})


def _entry(branch: dict[str, Any], parts: Mapping[str, Any]) -> Entry:
    pick, words = branch["pick"], parts[branch["words"]]
    reasons = tuple([Reason(**(reason | {"words": tuple(reason["words"])})) for reason in pick["reasons"]])
    own = {name: branch[name] for name in _OF_ENTRY}
    return Entry(
        Pick(**(pick | {"paper": parts[pick["paper"]], "reasons": reasons})), words.title, words.summary, **own
    )


def thaw_part(key: str, body: bytes) -> Part:
    """The part under a key."""
    kind = _KINDS[key.partition(":")[0]]
    part: Part = _adapter(kind).validate_json(body)
    return part


def freeze_edition(edition: Edition) -> bytes:
    """The edition's JSON."""
    return _adapter(Edition).dump_json(edition)


def thaw_edition(body: bytes) -> Edition:
    """The edition as it was frozen."""
    edition: Edition = _adapter(Edition).validate_json(body)
    return edition


def _places(tree: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Where a letter's JSON names a part: the object and its member."""
    entries = [entry for name in _LISTS for entry in tree[name]]
    for section in tree["sections"]:
        yield section, "theme"
        entries += section["entries"]
    for entry in entries:
        yield entry["pick"], "paper"
        if "words" in entry:  # older programs wrote them into the letter
            yield entry, "words"


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
