"""YAML 1.2 as plain data with the place of every key and value, safe against hostile files.

Caps come first: 1 MB of bytes, 24 levels, 50,000 values after aliases are followed (an alias bomb is small in the file
and huge when followed). Only maps, lists, text, numbers, booleans and null come out; a date stays text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any

from newsletter.settings.problems import Problem
from newsletter.settings.quick import quick_compose

if TYPE_CHECKING:
    from ruamel.yaml import YAML

MAX_BYTES = 1_000_000
MAX_DEPTH = 24
MAX_VALUES = 50_000
MAX_DUPLICATES = 20
Loc = tuple[str | int, ...]

_PREFIX = "tag:yaml.org,2002:"
_HINTS = (
    (
        "mapping values are not allowed here",
        "': ' where none can stand; check the indentation, or put the value in quotes (or in { }: {weekly: monday})",
    ),
    ("found character '\\t'", "a tab; YAML indents with spaces"),
    ("found character '@'", "a value cannot start with @; put it in quotes"),
    ("found character '`'", "a value cannot start with a back quote; put it in quotes"),
    ("found character '%'", "a value cannot start with %; put it in quotes"),
    ("found unexpected end of stream", "the file ends inside a quoted text; the closing quote is missing"),
    ("another document", "'---' starts a second document; a file holds one"),
    ("maximum depth", f"nested more than {MAX_DEPTH} levels deep"),
    ("undefined alias", "an alias (*name) without its anchor (&name); put text that starts with * in quotes"),
    ("expected ',' or ']'", "a list in [ ] is not closed, or a comma is missing"),
    ("expected ',' or '}'", "a map in { } is not closed, or a comma is missing"),
    ("could not find expected ':'", "a key without its ':'"),
    ("expected <block end>", "the indentation does not fit the lines above"),
)


@dataclass(frozen=True)
class Tree:
    """A document as plain data, the problems met while reading it, and where each value stands (1-based)."""

    path: str
    data: Any
    problems: tuple[Problem, ...] = ()
    elsewhere: Mapping[Loc, str] = field(default_factory=dict)  # values that something else than the file has set
    _node: Any = field(default=None, repr=False)

    def place(self, loc: Sequence[str | int], *, key: bool = False) -> tuple[int, int]:
        """Line and column of the value at `loc`, or of its key; of the nearest thing above it that exists."""
        node, mark = self._node, getattr(self._node, "start_mark", None)
        for depth, step in enumerate(loc):
            pair = _child(node, step)
            if pair is None:
                continue
            node = pair[1]
            at_key = key and depth == len(loc) - 1
            mark = (pair[0] if at_key or _is_absent(node) else node).start_mark  # an absent value stands at its key
        return (mark.line + 1, mark.column + 1) if mark else (1, 1)

    def problem(self, loc: Sequence[str | int], message: str, *, key: bool = False, warning: bool = False) -> Problem:
        for above in range(len(loc), 0, -1):
            if setter := self.elsewhere.get(tuple(loc[:above])):
                return Problem(setter, 0, 0, message, "warning" if warning else "error")
        line, column = self.place(loc, key=key)
        return Problem(self.path, line, column, message, "warning" if warning else "error")


def read_tree(data: bytes, path: str, *, text_keys: frozenset[str] = frozenset()) -> Tree:
    """The document in `data`; scalars below `text_keys` stay as written (arXiv id 2405.10500 is no number)."""
    if len(data) > MAX_BYTES:
        return _failed(path, 0, 0, f"{len(data):,} bytes; a configuration file holds at most {MAX_BYTES:,}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = error.start - (before.rfind(b"\n") + 1) + 1
        return _failed(path, before.count(b"\n") + 1, column, "not UTF-8 text; save the file in the encoding UTF-8")
    root = quick_compose(text)
    if root is None:
        root = _compose(text, path)
    if isinstance(root, Tree):
        return root
    if root is None:
        return _failed(path, 1, 1, "the file is empty")
    return _Construction(path, text_keys).tree(root)


def composed(text: str) -> Any:
    """The root node of a text that is YAML, for its marks. Raises ValueError for another text."""
    found = _compose(text, "")
    if found is None or isinstance(found, Tree):
        raise ValueError("not YAML")
    return found


def _is_absent(node: Any) -> bool:
    """Nothing after the ``:``, not even quotes."""
    return node.value == "" and not getattr(node, "style", None)


def _failed(path: str, line: int, column: int, message: str) -> Tree:
    return Tree(path, None, (Problem(path, line, column, message),))


def _parser() -> YAML:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = MAX_DEPTH
    yaml.composer.warn_double_anchors = False  # YAML 1.2 allows an anchor's name again
    return yaml


@cache
def _constructor() -> Any:
    from ruamel.yaml.constructor import SafeConstructor

    return SafeConstructor(loader=_parser())


def _compose(text: str, path: str) -> Any:
    """The root node, None for an empty document, or a failed Tree."""
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    try:
        return _parser().compose(StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return _failed(path, where[0], where[1], f"not YAML: {_plain(str(error.problem or error.context or error))}")
    except ReaderError as error:
        before = text[: error.position]
        column = error.position - before.rfind("\n")
        return _failed(
            path, before.count("\n") + 1, column, f"a control character (U+{ord(text[error.position]):04X}); remove it"
        )
    except (YAMLError, ValueError, RecursionError) as error:
        return _failed(
            path, 1, 1, f"not YAML: {_plain(str(error).splitlines()[0] if str(error) else type(error).__name__)}"
        )


def _plain(problem: str) -> str:
    return next((hint for start, hint in _HINTS if start in problem), problem)


def _child(node: Any, step: str | int) -> tuple[Any, Any] | None:
    """The (key, value) nodes at `step`; a list item stands for its own key. The first of duplicate keys."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    if isinstance(node, MappingNode):
        return next(((k, v) for k, v in node.value if getattr(k, "value", None) == str(step)), None)
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


class _TooManyError(Exception):
    """More values than MAX_VALUES, or a value inside itself, at `mark`."""

    def __init__(self, mark: Any, message: str) -> None:
        self.mark, self.message = mark, message
        super().__init__(message)


class _Construction:
    """One document on its way from nodes to plain data; counts values and collects problems."""

    def __init__(self, path: str, text_keys: frozenset[str]) -> None:
        self.path, self.text_keys = path, text_keys
        self.problems: list[Problem] = []
        self.values, self.open = 0, set[int]()

    def tree(self, root: Any) -> Tree:
        try:
            data = self.value(root, text=False)
        except _TooManyError as error:
            return _failed(self.path, error.mark.line + 1, error.mark.column + 1, error.message)
        return Tree(self.path, data, tuple(self.problems), _node=root)

    def value(self, node: Any, *, text: bool) -> Any:
        from ruamel.yaml.nodes import MappingNode, ScalarNode

        self.values += 1
        if self.values > MAX_VALUES:
            raise _TooManyError(node.start_mark, f"more than {MAX_VALUES:,} values once aliases are followed")
        if isinstance(node, ScalarNode):
            return self.scalar(node, text=text)
        if id(node) in self.open:
            raise _TooManyError(node.start_mark, "a value that holds itself through an alias")
        self.open.add(id(node))
        built = (
            self.mapping(node, text=text)
            if isinstance(node, MappingNode)
            else [self.value(item, text=text) for item in node.value]
        )
        self.open.discard(id(node))
        return built

    def mapping(self, node: Any, *, text: bool) -> Mapping[str, Any]:
        from ruamel.yaml.nodes import ScalarNode

        built: dict[str, Any] = {}
        first: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self.add(key, "a key must be a word, not a list or a map")
            elif key.value == "<<":
                self.add(key, "merge keys (<<) are not part of YAML 1.2; write the keys out")
            elif key.value in first:
                self.add(key, f"duplicate key {key.value!r}: it is already in line {first[key.value].line + 1}")
            else:
                first[key.value] = key.start_mark
                built[key.value] = self.value(value, text=text or key.value in self.text_keys)
        return built

    def scalar(self, node: Any, *, text: bool) -> Any:
        tag = str(node.tag)
        raw = str(node.value)
        kind = tag.removeprefix(_PREFIX)
        if kind == "null":
            return None
        if kind in ("str", "timestamp", "value", "merge") or (text and kind in ("int", "float", "bool")):
            return raw
        if kind == "bool":
            return raw.casefold() in ("true", "yes", "on", "y")
        if kind in ("int", "float"):
            return self.number(node, kind, raw)
        self.add(
            node, f"the tag {tag.replace(_PREFIX, '!!')} is not allowed here; write plain text, numbers, lists and maps"
        )
        return None

    def number(self, node: Any, kind: str, raw: str) -> int | float | str:
        constructor = _constructor()
        try:
            found: int | float = (
                constructor.construct_yaml_int(node) if kind == "int" else constructor.construct_yaml_float(node)
            )
        except (ValueError, OverflowError):
            return raw
        return found

    def add(self, node: Any, message: str) -> None:
        if len(self.problems) < MAX_DUPLICATES:
            self.problems.append(Problem(self.path, node.start_mark.line + 1, node.start_mark.column + 1, message))
