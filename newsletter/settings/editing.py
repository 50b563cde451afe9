"""Changing a document as a person would: comments, order and quotes stay; the file is replaced whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from newsletter.errors import ConfigError
from newsletter.settings.loading import read_subscriber
from newsletter.settings.problems import Problem, errors
from newsletter.settings.reading import MAX_DEPTH, read_tree

if TYPE_CHECKING:
    from ruamel.yaml import YAML

_LIST_ITEM = re.compile(r"( *)- ")
_LONG = 6  # items of a list in brackets, which stays one line
_CLOCK = re.compile(r"\d{1,2}:\d{2}")


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


def edited(text: str, changes: Mapping[str, Any]) -> str:
    """`text`, a YAML map, after `changes`: key (``follow.authors``) to new value, Append, Remove, or None to remove it.

    What is equal stays untouched, with its comments; a list keeps the items that it still has.
    """
    yaml = _round_trip(text)
    document = yaml.load(text) if text.strip() else None
    if document is None:
        document = yaml.map()
    for key, change in changes.items():
        _change(document, key.split("."), change)
    out = StringIO()
    yaml.dump(document, out)
    return out.getvalue().replace("\n", "\r\n") if "\r\n" in text else out.getvalue()


def _round_trip(text: str) -> YAML:
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 10_000  # no line is broken that was not
    yaml.max_depth = MAX_DEPTH
    yaml.Representer = _representer()
    offset = _list_offset(text)
    yaml.indent(mapping=2, sequence=2 + offset, offset=offset)
    return yaml


@cache
def _representer() -> Any:
    """ruamel's own, but null is written as a word."""
    from ruamel.yaml.representer import RoundTripRepresenter

    class Representer(RoundTripRepresenter):
        pass

    Representer.add_representer(type(None), lambda self, _: self.represent_scalar("tag:yaml.org,2002:null", "null"))
    return Representer


def _list_offset(text: str) -> int:
    """How far the document's first list is indented below its key; 2 where there is none."""
    above = 0
    for line in text.splitlines():
        if match := _LIST_ITEM.match(line):
            return max(len(match[1]) - above, 0)
        if line.strip() and not line.lstrip().startswith("#"):
            above = len(line) - len(line.lstrip())
    return 2


def _change(document: Any, steps: Sequence[str], change: Any) -> None:
    head, rest = steps[0], steps[1:]
    if rest:
        if not isinstance(document.get(head), dict):
            if change is None or isinstance(change, Remove):
                return
            document[head] = {}
        _change(document[head], rest, change)
    elif change is None:
        document.pop(head, None)
    elif isinstance(change, Append | Remove):
        _change_list(document, head, change)
    elif isinstance(change, list | tuple) and isinstance(document.get(head), list):
        _merge(document[head], list(change))
    elif document.get(head) != change or isinstance(document.get(head), bool) != isinstance(change, bool):
        document[head] = written(change)


def _change_list(document: Any, key: str, change: Append | Remove) -> None:
    present = document.get(key)
    items = [*present] if isinstance(present, list) else [] if present is None else [present]
    if isinstance(change, Remove):
        added: list[Any] = []
        kept = [item for item in items if item not in change.items]
    else:
        added = [item for item in dict.fromkeys(change.items) if item not in items]
        kept = [*items, *added]
    if isinstance(present, list) and present:
        after = _below(present) if added else None
        _merge(present, kept)
        _fasten(present, after)
    elif kept:
        document[key] = _sequence(kept)
    if isinstance(change, Append) and added:
        if change.notes or len(document[key]) > _LONG:
            _unfold(document, key)
        _annotate(document[key], added, change.notes)


def _sequence(items: Sequence[Any]) -> Any:
    from ruamel.yaml.comments import CommentedSeq

    return CommentedSeq(written(items))


def _unfold(document: Any, key: str) -> None:
    """A list in brackets goes on as one item a line, above the comments that stood below it."""
    items = document[key]
    if not items.fa.flow_style():
        return
    items.fa.set_block_style()
    tokens = document.ca.items.get(key)
    _fasten(items, _loosened(tokens[2]) if tokens and tokens[2] else None)


def _below(items: Any) -> str | None:
    """Takes from the last item the lines of comments below it, which belong to what follows the list."""
    tokens = items.ca.items.get(len(items) - 1)
    return _loosened(tokens[0]) if tokens and tokens[0] else None


def _loosened(token: Any) -> str | None:
    own, end, below = token.value.partition("\n")
    token.value = own + end
    return below or None


def _fasten(items: Any, below: str | None) -> None:
    """Puts the lines of comments `below` under the last item."""
    if below is not None:
        items.ca.items[len(items) - 1] = [_comment("\n" + below), None, None, None]


def _comment(text: str) -> Any:
    from ruamel.yaml.error import CommentMark
    from ruamel.yaml.tokens import CommentToken

    return CommentToken(text, CommentMark(0), None)


def _annotate(items: Any, added: Sequence[Any], notes: Mapping[Any, str]) -> None:
    """Comments behind the `added` items, each of which has a line of its own."""
    first = len(items) - len(added)
    for index, item in enumerate(items[first:], start=first):
        if item in notes:
            below = _below(items) if index == len(items) - 1 else None
            items.ca.items[index] = [_comment(f" # {notes[item]}\n{below or ''}"), None, None, None]


def _merge(present: Any, wanted: list[Any]) -> None:
    """`present` made equal to `wanted`; items that stay keep their place and comments where the order allows it."""
    for index in range(len(present) - 1, -1, -1):
        if present[index] not in wanted:
            del present[index]
    for index, item in enumerate(wanted):
        if index < len(present) and present[index] == item:
            continue
        if index < len(present):
            present.insert(index, written(item))
        else:
            present.append(written(item))
    del present[len(wanted) :]


def written(value: Any) -> Any:
    """`value` as people write it: a time of day in quotes, which YAML 1.1 would read as a number."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if isinstance(value, dict):
        return {key: written(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [written(item) for item in value]
    return DoubleQuotedScalarString(value) if isinstance(value, str) and _CLOCK.fullmatch(value) else value


def edit_document(
    path: Path, changes: Mapping[str, Any], check: Callable[[bytes], Sequence[Problem]]
) -> tuple[Problem, ...]:
    """Applies `changes` to the file and replaces it whole (fsync, rename, same mode); returns `check`'s warnings.

    Raises ConfigError, with the file as it was, where the result has errors or someone else has saved it meanwhile.
    """
    target = path.resolve()
    try:
        before = target.read_bytes()
        broken = read_tree(before, str(path)).problems
        if broken:
            raise ConfigError(
                "Cannot change", which=str(path), why="\n".join(map(str, broken)), do="Correct the file first"
            )
        after = edited(before.decode("utf-8-sig"), changes).encode()
        found = tuple(check(after))
        if wrong := errors(found):
            raise ConfigError("Cannot change", which=str(path), why="\n".join(map(str, wrong)))
        if after != before:
            replace_file(target, before, after)
    except OSError as error:
        raise ConfigError(
            "Cannot change",
            which=str(path),
            why=error.strerror or str(error),
            do="Check the folder's rights and the disk",
        ) from error
    return found


def edit_subscriber(path: Path, changes: Mapping[str, Any]) -> tuple[Problem, ...]:
    """`edit_document` for a subscriber's file, under the same rules as `newsletter check`."""
    return edit_document(path, changes, lambda data: read_subscriber(path.stem, data, str(path))[1])


def _require_unchanged(target: Path, before: bytes) -> None:
    if target.read_bytes() != before:
        raise ConfigError("Cannot change", which=str(target), why="someone else has just saved it", do="Do it again")


def replace_file(target: Path, before: bytes, after: bytes) -> None:
    """Puts `after` in the place of `before` whole or not at all (fsync, rename, same mode).

    Raises ConfigError where the file no longer holds `before`, and OSError.
    """
    mode = target.stat().st_mode & 0o7777
    with _whole(target, after, mode) as name:
        _require_unchanged(target, before)
        Path(name).replace(target)


def create_file(target: Path, data: bytes) -> None:
    """A new file that is there whole or not at all, readable by owner and group; raises FileExistsError, OSError."""
    with _whole(target, data, 0o640) as name:
        target.hardlink_to(name)


@contextlib.contextmanager
def _whole(target: Path, data: bytes, mode: int) -> Iterator[str]:
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
            Path(name).unlink()
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
