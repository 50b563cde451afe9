"""Letters and editions as bytes and back.

A day's letters share their papers and themes, which are most of a letter. So a letter's JSON names them by the hash of
their own JSON, which is stored once: 10,000 letters cost their own words and no more. Content under a hash never
changes, so a frozen letter stays as it was planned whatever the archive learns later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from newsletter.model import Edition, Entry, Letter, Paper, Pick, Reason, Section, Theme

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["Freezer", "freeze_edition", "parse_letter", "parts_of", "thaw_edition", "thaw_letter", "thaw_part"]

_LISTS = ("top", "trending", "explore")
_LEAVE_OUT: dict[str, Any] = {
    **{name: {"__all__": {"pick": {"paper"}}} for name in _LISTS},
    "sections": {"__all__": {"theme": True, "entries": {"__all__": {"pick": {"paper"}}}}},
}


class Freezer:
    """Turns the letters of one plan into bytes and gathers the papers and themes that they share in `parts`.

    It knows shared objects by identity: the letters must outlive it, as those of a sequence do.
    """

    def __init__(self) -> None:
        self.parts: dict[str, bytes] = {}
        self._keys: dict[int, str] = {}

    def freeze(self, letter: Letter) -> bytes:
        """The letter's JSON. Raises ValueError for text that is not Unicode (lone surrogates)."""
        from pydantic_core import to_json

        tree: dict[str, Any] = _adapter(Letter).dump_python(letter, mode="json", exclude=_LEAVE_OUT)
        for name in _LISTS:
            self._name_papers(tree[name], getattr(letter, name))
        for branch, section in zip(tree["sections"], letter.sections, strict=True):
            branch["theme"] = self._part(section.theme, Theme)
            self._name_papers(branch["entries"], section.entries)
        return to_json(tree)

    def _name_papers(self, branches: list[dict[str, Any]], entries: tuple[Entry, ...]) -> None:
        for branch, entry in zip(branches, entries, strict=True):
            branch["pick"]["paper"] = self._part(entry.pick.paper, Paper)

    def _part(self, value: Paper | Theme, kind: type) -> str:
        key = self._keys.get(id(value))
        if key is None:
            body = _adapter(kind).dump_json(value)
            key = f"{kind.__name__.lower()}:{hashlib.sha256(body).hexdigest()[:32]}"
            self.parts[key] = body
            self._keys[id(value)] = key
        return key


def parse_letter(body: bytes) -> dict[str, Any]:
    """A frozen letter's JSON as objects, for `parts_of` and then `thaw_letter`, which uses it up."""
    from pydantic_core import from_json

    tree: dict[str, Any] = from_json(body)
    return tree


def parts_of(tree: dict[str, Any]) -> set[str]:
    """The keys of the papers and themes that a parsed letter names."""
    return {branch[name] for branch, name in _places(tree)}


def thaw_letter(tree: dict[str, Any], parts: Mapping[str, Paper | Theme]) -> Letter:
    """The letter as it was frozen. `parts` are the thawed papers and themes that it names.

    Built by hand, which takes a third of the time that pydantic takes; pydantic takes letters of older programs.
    """
    try:
        return _built(tree, parts)
    except (KeyError, TypeError, ValueError):
        for branch, name in _places(tree):
            branch[name] = parts[branch[name]]
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
    pick = branch["pick"]
    reasons = tuple([Reason(**{**reason, "words": tuple(reason["words"])}) for reason in pick["reasons"]])
    return Entry(**{**branch, "pick": Pick(**{**pick, "paper": parts[pick["paper"]], "reasons": reasons})})


def thaw_part(key: str, body: bytes) -> Paper | Theme:
    """The paper or theme under a key."""
    part: Paper | Theme = _adapter(Paper if key.startswith("paper:") else Theme).validate_json(body)
    return part


def freeze_edition(edition: Edition) -> bytes:
    """The edition's JSON."""
    return _adapter(Edition).dump_json(edition)


def thaw_edition(body: bytes) -> Edition:
    """The edition as it was frozen."""
    edition: Edition = _adapter(Edition).validate_json(body)
    return edition


def _places(tree: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Where a letter's JSON names a paper or theme: the object and its member."""
    entries = [entry for name in _LISTS for entry in tree[name]]
    for section in tree["sections"]:
        yield section, "theme"
        entries += section["entries"]
    for entry in entries:
        yield entry["pick"], "paper"


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
