"""Changing a document as a person would: comments, order and quotes stay; the file is replaced whole or not at all."""

from __future__ import annotations

import contextlib
import copy
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any

from newsletter.errors import ConfigError
from newsletter.settings.layout import Layout, LayoutError, layout
from newsletter.settings.reading import read_tree
from newsletter.settings.splicing import Path, Splices, as_read, same
from newsletter.settings.subscriber import TEXT_KEYS

Changes = Mapping[str, Any] | Mapping[Path, Any]


@dataclass(frozen=True)
class Append:
    """Adds to a list what is not yet in it; makes the list where there is none.

    `notes` are comments behind items; for them, a list in brackets goes on as one item a line.
    """

    items: tuple[Any, ...]
    notes: Mapping[Any, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Remove:
    """Takes these items from a list."""

    items: tuple[Any, ...]


class UneditableError(ValueError):
    """A document that a person has to change: ``str()`` is why, `do` what helps."""

    def __init__(self, why: str, do: str) -> None:
        super().__init__(why)
        self.do = do


def edited(text: str, changes: Changes) -> str:
    """A subscriber's `text` after `changes`: a key, or the keys that lead to it, to a value, Append, Remove or None.

    None takes the key away. What stays is untouched to the byte; a comment goes only with the item or key in whose
    lines it stands. An item whose `text` is the same is changed in its place. In a document of one line in braces there
    is no room for notes. The result has been read again; raises UneditableError where it would not say what was asked
    for, or a comment would be lost.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    before = text.removeprefix(mark)
    try:
        held = layout(before if before.endswith("\n") or not before else before + _line_end(before))
        data = _data(held.text) if held.root else {}
        paths = {(key,) if isinstance(key, str) else tuple(key): change for key, change in changes.items()}
        wanted, notes = _wanted(data, paths)
        splices = Splices(held, notes)
        splices.change(data, wanted)
        after = splices.text()
        right = after == held.text or (same(_data(after), as_read(wanted)) and _keeps(held, after, splices.own))
    except (LayoutError, ValueError):
        right = False
    if not right:
        raise _refusal(text)
    return mark + (after if before == held.text else after.removesuffix(held.eol))


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _data(text: str) -> Any:
    """The document as data. Raises ValueError for one with problems."""
    tree = read_tree(text.encode("utf-8", "surrogatepass"), "", text_keys=TEXT_KEYS)
    if tree.problems:
        raise ValueError(tree.problems[0].message)
    return tree.data


def _wanted(
    data: Mapping[str, Any], changes: Mapping[Path, Any]
) -> tuple[dict[str, Any], dict[Path, Mapping[Any, str]]]:
    """What the document shall hold, and the notes of items that are new in it, by the path of their list."""
    wanted, notes = copy.deepcopy(dict(data)), dict[Path, Mapping[Any, str]]()
    for path, change in changes.items():
        place: dict[str, Any] = wanted
        for step in path[:-1]:
            inner = place.get(step)
            if isinstance(inner, dict):
                place = inner
            elif change is None or isinstance(change, Remove):
                break
            else:
                place[step] = place = {}
        else:
            new = _changed(place, path[-1], change)
            if isinstance(change, Append):
                notes[path] = {item: change.notes[item] for item in new if item in change.notes}
    return wanted, notes


def _changed(place: dict[str, Any], key: str, change: Any) -> Sequence[Any]:
    """Gives `key` in `place` what the change asks for; the items that are new to its list."""
    present = place.get(key)
    items = present if isinstance(present, list) else [] if present is None else [present]
    if isinstance(change, Append):
        if new := [item for item in dict.fromkeys(change.items) if item not in items]:
            place[key] = [*items, *new]
        return new
    if isinstance(change, Remove):
        if any(item in change.items for item in items):
            place[key] = [item for item in items if item not in change.items]
    elif change is None:
        place.pop(key, None)
    else:
        place[key] = change
    return ()


def _keeps(before: Layout, after: str, own: Iterable[str]) -> bool:
    """Whether every comment is still there but for those that went with what was removed."""
    if not before.comments:
        return True
    there = Counter(one.text for one in layout(after).comments)
    return not Counter(one.text for one in before.comments) - there - Counter(own)


def _refusal(text: str) -> UneditableError:
    if re.search(r"(?:^|[\s\[,])[&*][^\s,\]}]", text):
        why = "it repeats values by anchors (&name) and aliases (*name)"
        do = "Write the values out, or change it by hand"
    else:
        why = "it is laid out in a way that only a person can change without harm"
        do = "Change it by hand, or put each key and each item in a line of its own"
    return UneditableError(why, do)


def _require_unchanged(target: File, before: bytes) -> None:
    if target.read_bytes() != before:
        raise ConfigError("Cannot change", which=str(target), why="someone else has just saved it", do="Do it again")


def replace_file(target: File, before: bytes, after: bytes) -> None:
    """Puts `after` in the place of `before` whole or not at all (fsync, rename, same mode).

    Raises ConfigError where the file no longer holds `before`, and OSError.
    """
    mode = target.stat().st_mode & 0o7777
    with _whole(target, after, mode) as name:
        _require_unchanged(target, before)
        File(name).replace(target)


def create_file(target: File, data: bytes) -> None:
    """A new file that is there whole or not at all, readable by owner and group; raises FileExistsError, OSError."""
    with _whole(target, data, 0o640) as name:
        target.hardlink_to(name)


@contextlib.contextmanager
def _whole(target: File, data: bytes, mode: int) -> Iterator[str]:
    """A hidden file beside `target` that durably holds `data`; gone when the block is left, the folder written down."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        yield name
    finally:
        with contextlib.suppress(FileNotFoundError):
            File(name).unlink()
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
