"""Which cuts make a document hold other values: every byte that need not change stays, comments above all.

data as it is, data as it shall be -> lists matched item by item, maps key by key -> cuts of the text
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from typing import Any

from newsletter.settings.layout import Comment, Entry, Layout, LayoutError, Part
from newsletter.settings.matching import matched, name_of

__all__ = ["Path", "Splices", "as_read", "same"]

Path = tuple[str, ...]
Cut = tuple[int, int, str]  # from, to, what comes there

_QUOTED = re.compile(r"\d{1,2}:\d{2}$|[?:-]")  # a time of day; what may be read as a mark inside brackets
_ID = re.compile(r"[a-z]{3,}:[A-Za-z0-9./_-]*[A-Za-z0-9]")  # text without quotes in every YAML
_LONG = 6  # items of a list in brackets, which stays one line


@dataclass
class Splices:
    """Collects the cuts of one text. `notes` are comments to write behind new items, by the path of their list.

    `own` are the comments that go with what is removed.
    """

    layout: Layout
    notes: Mapping[Path, Mapping[Any, str]] = field(default_factory=dict)
    cuts: list[Cut] = field(default_factory=list)
    own: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The text after the cuts. Raises LayoutError where two of them meet in one place."""
        pieces, done = [], 0
        for start, end, new in sorted(self.cuts, key=lambda cut: cut[:2]):
            if start < done:
                raise LayoutError
            pieces += [self.layout.text[done:start], new]
            done = end
        return "".join(pieces) + self.layout.text[done:]

    def change(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """The cuts that make the root `new`. Raises LayoutError."""
        root = self.layout.root
        if root is None:
            self._append(len(self.layout.text), new, "")
        elif root.kind != "map" or not (root.entries and new):
            raise LayoutError
        else:
            self._map(root, old, new, ())

    def _value(self, entry: Entry, old: Any, new: Any, path: Path, *, flow: bool) -> None:
        """The cuts that give `entry`, which stands in brackets where `flow`, another value."""
        part = entry.value
        if same(old, as_read(new)):
            return
        if isinstance(new, dict) and part.kind == "map" and any(one.name in new for one in part.entries):
            self._map(part, old, new, path)
        elif isinstance(new, list | tuple) and new and part.kind == "list" and part.entries:
            self._list(entry, old, list(new), path, flow=flow)
        else:
            self._replace(entry, new, path, flow=flow)

    def _map(self, part: Part, old: Mapping[str, Any], new: Mapping[str, Any], path: Path) -> None:
        kept = [entry for entry in part.entries if entry.name in new]
        if not kept:
            raise LayoutError
        for entry in part.entries:
            if entry.name in new:
                self._value(entry, old[entry.name], new[entry.name], (*path, entry.name), flow=part.flow)
            else:
                self._remove(part, entry)
        added = {key: value for key, value in new.items() if key not in old}
        if not added:
            return
        if part.flow:
            self._into_brackets(
                part, kept[-1], [(f"{flow_of(key)}: {flow_of(item)}", "") for key, item in added.items()]
            )
            return
        indent = self.layout.indent(part.entries[0], dashes=True)
        last = self.layout.below(part.entries[-1].end)
        ends = path or re.search(r"^\.\.\.", self.layout.mask[last:], re.MULTILINE)
        self._append(last if ends else len(self.layout.text), added, indent, path)

    def _append(self, place: int, added: Mapping[str, Any], indent: str, path: Path = ()) -> None:
        """New keys, each from a line of its own on."""
        lines = [
            line
            for key, value in added.items()
            for line in _lines(f"{indent}{flow_of(key)}:", value, indent + "  ", self.notes.get((*path, key), {}))
        ]
        self.cuts.append((place, place, "".join(line + self.layout.eol for line in lines)))

    def _list(self, entry: Entry, old: Sequence[Any], new: list[Any], path: Path, *, flow: bool) -> None:
        part, notes = entry.value, self.notes.get(path, {})
        pairs, gone, added = matched(old, new)
        one_line = part.flow and "\n" not in self.layout.text[part.start : part.end]
        if one_line and (gone or added):
            there = {j: part.entries[i].value for i, j in pairs if same(old[i], as_read(new[j]))}
            items = [
                self.layout.text[there[j].start : there[j].end] if j in there else flow_of(item)
                for j, item in enumerate(new)
            ]
            long = path in self.notes and (any(item in notes for item in _texts(new)) or len(new) > _LONG)
            if long and not flow and part.start >= entry.after and not self.layout.rest(part.end):
                self._unfold(
                    entry, [(text, _tail(notes.get(item))) for text, item in zip(items, _texts(new), strict=True)]
                )
            else:
                self.cuts.append((part.start, part.end, f"[{', '.join(items)}]"))
            return
        for i, j in pairs:
            self._value(part.entries[i], old[i], new[j], (*path, str(i)), flow=part.flow)
        for i in gone:
            self._remove(part, part.entries[i])
        moving: dict[str, list[str]] = {}
        for i in gone:
            moving.setdefault(name_of(old[i]), []).append(self._behind(part, part.entries[i]))
        for after, items in added.items():
            tails = [_tail(notes.get(text)) for text in _texts(items)]
            tails = [tail or (moving.get(name_of(i)) or [""]).pop(0) for i, tail in zip(items, tails, strict=True)]
            self._insert(part, after, list(zip(map(flow_of, items), tails, strict=True)))

    def _behind(self, part: Part, entry: Entry) -> str:
        """The comments in the lines of an item, which go with it where it moves."""
        end = max(entry.end, entry.comma + 1)
        first, below = self.layout.line(entry.start), self.layout.below(end)
        if part.flow and (self.layout.text[first : entry.start].strip() or self.layout.rest(end)):
            return ""  # they stay where they are
        return "".join(f"  {one.text}" for one in self.layout.within(first, below))

    def _insert(self, part: Part, after: int, items: Sequence[tuple[str, str]]) -> None:
        """Items, each with the comment behind it, below the one numbered `after`, -1 for before all."""
        if part.flow:
            self._into_brackets(part, part.entries[after] if after >= 0 else None, items)
            return
        indent = self.layout.indent(part.entries[0])
        place = self.layout.line(part.entries[0].start)
        if after >= 0:
            self.layout.indent(part.entries[after])
            place = self.layout.below(part.entries[after].end)
        self.cuts.append((place, place, "".join(f"{indent}- {i}{n}" + self.layout.eol for i, n in items)))

    def _into_brackets(self, part: Part, after: Entry | None, items: Sequence[tuple[str, str]]) -> None:
        """New entries in brackets: in lines of their own where the one before ends its line."""
        joined = ", ".join(text for text, _ in items)
        if after is None:
            place = self.layout.text.index("[", part.start) + 1
            rows = "".join(f"{self.layout.eol}  {text},{tail}" for text, tail in items) + self.layout.eol
            self.cuts.append((place, place, rows if any(tail for _, tail in items) else f"{joined}, "))
            return
        comma, text = after.comma, self.layout.text
        start = self.layout.line(after.start)
        indent = text[start : after.start] if not text[start : after.start].strip(" ") else ""
        end = max(after.end, comma + 1)
        if "\n" in text[after.end : end] or not (indent and not self.layout.rest(end)):
            place, new = (end, f" {joined},") if comma >= 0 else (after.end, f", {joined}")
            if any(note for _, note in items) and "\n" in text[part.start : part.end]:
                lines = [f"{indent or '  '}{item},{note}" for item, note in items]
                new = self.layout.eol.join(["," * (comma < 0), *lines, indent or "  "])
            self.cuts.append((place, place, new))
            return
        if comma < 0:
            self.cuts.append((end, end, ","))
        below = self.layout.below(end)
        self.cuts.append((below, below, "".join(f"{indent}{i},{n}" + self.layout.eol for i, n in items)))

    def _remove(self, part: Part, entry: Entry) -> None:
        """The lines of an entry go, with the comments in them; those above and below stay."""
        here = self.layout
        if not part.flow:
            here.indent(entry)
            start, end = here.line(entry.start), here.below(entry.end)
            if here.rest(entry.end):
                raise LayoutError
            self._cut(start, end, "")
            return
        end, near = entry.end, entry.comma >= 0 and "\n" not in here.text[entry.end : entry.comma]
        if near:
            end = entry.comma + 1
        elif entry.comma >= 0:
            self._cut(entry.comma, entry.comma + 1, "")
        start = here.line(entry.start)
        if not here.text[start : entry.start].strip() and not here.rest(end):
            self._cut(start, here.below(end), "")
        else:
            self._cut(entry.start, end, "")

    def _unfold(self, entry: Entry, items: Sequence[tuple[str, str]]) -> None:
        """A list in brackets goes on as one item a line, its own comment behind the key."""
        here = self.layout
        indent = here.indent(entry) + "  "
        end = here.stop(entry.value.end)
        lines = [here.text[entry.value.end : end].rstrip(), *(f"{indent}- {i}{n}" for i, n in items)]
        self.cuts.append((entry.after, end, here.eol.join(lines)))

    def _replace(self, entry: Entry, new: Any, path: Path, *, flow: bool) -> None:
        """Another value in the place of the whole old one, below or before the comments in it that stay."""
        here, part = self.layout, entry.value
        rows = isinstance(new, list | tuple) or (isinstance(new, dict) and entry.end == entry.after)
        block = bool(new) and rows and not flow and not entry.item
        beside = part.end > part.start and "\n" not in here.text[entry.after : part.start]
        start = part.start if beside and not block else entry.after
        lead = "" if start == part.start and start > entry.after else " " * (not flow or here.text[start - 1] == ":")
        inner, end = here.within(start, entry.end), here.stop(entry.end)
        behind = here.within(entry.end, end)
        if not inner and (not block or not behind) and not (block and here.rest(entry.end)):
            lines = _lines("", new, self._deeper(entry), self.notes.get(path, {})) if block else [lead + flow_of(new)]
            self.cuts.append((start, entry.end, here.eol.join(lines)))
            return
        if flow or here.rest(entry.end):
            raise LayoutError
        kept = self._kept(entry, [*inner, *behind], here.below(start))
        first = kept[0] if kept and (kept[0].start < here.below(start) or not inner) else None
        lines = _lines("", new, self._deeper(entry), self.notes.get(path, {})) if block else [lead + flow_of(new)]
        if first:
            gap = here.text[: first.start]
            lines[0] += gap[len(gap.rstrip(" \t")) :] + first.text
        for one in kept[bool(first) :]:
            lines.append((here.text[here.line(one.start) : one.start] if one.alone else self._deeper(entry)) + one.text)
        self.cuts.append((start, end, here.eol.join(lines)))

    def _deeper(self, entry: Entry) -> str:
        return self.layout.indent(entry) + "  "

    def _kept(self, entry: Entry, comments: Sequence[Comment], below: int) -> list[Comment]:
        """But for those behind the items and keys that go, in the lines from `below` on."""
        if not entry.value.entries or entry.item:
            return list(comments)
        last = self.layout.line(entry.value.end) if entry.value.flow else len(self.layout.text)
        gone = [one for one in comments if not one.alone and below <= one.start < last]
        self.own += [one.text for one in gone]
        return [one for one in comments if one not in gone]

    def _cut(self, start: int, end: int, new: str) -> None:
        self.own += [one.text for one in self.layout.within(start, end)]
        self.cuts.append((start, end, new))


def _texts(items: Sequence[Any]) -> list[str]:
    return [item if isinstance(item, str) else "" for item in items]


def as_read(value: Any) -> Any:
    """The value as reading what was written gives it."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [as_read(item) for item in value]
    return {key: as_read(item) for key, item in value.items()} if isinstance(value, dict) else value


def same(one: Any, other: Any) -> bool:
    """Equal, and true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _lines(head: str, value: Any, indent: str, notes: Mapping[Any, str]) -> list[str]:
    """A key and its value: items and keys in lines of their own, anything else behind it."""
    if isinstance(value, list | tuple) and value:
        pairs = zip(value, _texts(value), strict=True)
        return [head, *(f"{indent}- {flow_of(item)}{_tail(notes.get(text))}" for item, text in pairs)]
    if isinstance(value, dict) and value:
        inner = (_lines(f"{indent}{flow_of(key)}:", item, indent + "  ", {}) for key, item in value.items())
        return [head, *(line for lines in inner for line in lines)]
    return [f"{head} {flow_of(value)}"]


def _tail(note: str | None) -> str:
    return f"  # {' '.join(note.split())}" if note else ""


def flow_of(value: Any) -> str:
    """The value in one line, safe inside brackets."""
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    out = StringIO()
    _writer().dump({"x": _written(value)}, out)  # in a list, a map of one key would lose its braces
    return out.getvalue().strip().removeprefix("{x:").removesuffix("}").strip()


def _writer() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.default_flow_style = True
    yaml.width = 1_000_000
    return yaml


def _written(value: Any) -> Any:
    """The value, double quotes around what others may read otherwise (07:30: a number in YAML 1.1) or must escape."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if isinstance(value, dict):
        return {key: _written(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_written(item) for item in value]
    odd = isinstance(value, str) and (_QUOTED.match(value) or not value.isprintable())
    return DoubleQuotedScalarString(value) if odd else value
