"""Changing values in a document by cutting them out of its text: every other byte stays, comments above all.

Where a value stands is told by the parser's marks. The result is read again and compared with what was wanted; where
it differs (anchors, several documents, tags), `editing.edited` does the change, which may lose a comment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from difflib import SequenceMatcher
from io import StringIO
from typing import Any

from newsletter.settings.editing import edited, written
from newsletter.settings.reading import composed, read_tree

__all__ = ["spliced"]

Path = tuple[str, ...]
Cut = tuple[int, int, str]  # from, to, what comes there


def spliced(text: str, changes: Mapping[Path, Any], *, text_keys: frozenset[str] = frozenset()) -> str:
    """`text`, a YAML map, with each path (of one or two keys) set to its value; None takes the key away.

    A list keeps the lines of the items that it still has, with their comments; an item whose `text` is the same is
    changed in its place. `text_keys` as for `read_tree`. Raises ValueError for a text that is not YAML.
    """
    crlf, mark = "\r\n" in text, "\ufeff" if text.startswith("\ufeff") else ""
    plain = text.removeprefix(mark).replace("\r\n", "\n")
    plain += "" if plain.endswith("\n") else "\n"
    wanted = _expected(read_tree(plain.encode("utf-8", "surrogatepass"), "", text_keys=text_keys).data, changes)
    made = plain
    for path, value in changes.items():
        root = composed(made)
        made = _applied(made, _change(made, root, path, value))
    if made != plain and read_tree(made.encode("utf-8", "surrogatepass"), "", text_keys=text_keys).data != wanted:
        made = edited(plain, {path[0]: wanted.get(path[0]) for path in changes})
    made = text.removeprefix(mark).replace("\r\n", "\n") if made == plain else made
    return mark + (made.replace("\n", "\r\n") if crlf else made)


def _expected(data: Any, changes: Mapping[Path, Any]) -> Any:
    """What reading the result must give."""
    for path, value in changes.items():
        place = data
        for step in path[:-1]:
            if not isinstance(place.get(step), dict):
                if value is None:
                    break
                place[step] = {}
            place = place[step]
        else:
            if value is None:
                place.pop(path[-1], None)
            else:
                place[path[-1]] = _as_read(value)
    return data


def _as_read(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_as_read(item) for item in value]
    return {key: _as_read(item) for key, item in value.items()} if isinstance(value, dict) else value


def _applied(text: str, cuts: Sequence[Cut]) -> str:
    for start, end, new in sorted(cuts, key=lambda cut: cut[:2], reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _change(text: str, root: Any, path: Path, value: Any) -> list[Cut]:
    """The cuts that set `path` in the mapping `root`."""
    head, rest = path[0], path[1:]
    pair = next(((k, v) for k, v in root.value if k.value == head), None)
    if rest:
        if pair is not None and _is_map(pair[1]) and pair[1].value:
            return _change(text, pair[1], rest, value)
        value = None if value is None else {rest[0]: value}
        if value is None:
            return []
    if pair is None:
        return [] if value is None else [_added(text, root, head, value)]
    key, node = pair
    if value is None:
        return [_lines(text, key, node)]
    return _set(text, key, node, value)


def _set(text: str, key: Any, node: Any, value: Any) -> list[Cut]:
    if isinstance(value, list | tuple):
        if _is_list(node) and node.value:
            return _merged(text, key, node, list(value))
        return [_whole(text, key, node, _block(list(value), key.start_mark.column + 2))]
    if isinstance(value, dict) and _is_map(node) and value.keys() == {k.value for k, _ in node.value}:
        return [cut for k, v in node.value for cut in _set(text, k, v, value[k.value])]
    if not _is_map(node) and not _is_list(node) and _same(text, node, value):
        return []
    return [_whole(text, key, node, " " + _flow(value))]


def _whole(text: str, key: Any, node: Any, new: str) -> Cut:
    """`new` after the key's colon, in the place of the node and of blanks before it."""
    end = max(_end(node), text.index(":", key.end_mark.index) + 1)
    return text.index(":", key.end_mark.index) + 1, end, new


def _same(text: str, node: Any, value: Any) -> bool:
    return text[node.start_mark.index : _end(node)] == _flow(value)


def _lines(text: str, first: Any, last: Any) -> Cut:
    """The lines from where `first` stands to where `last` ends, without the comments below."""
    end = max(_end(last), first.end_mark.index)
    return (
        text.rfind("\n", 0, first.start_mark.index) + 1,
        text.index("\n", end - 1 if _is_literal(last) else end) + 1,
        "",
    )


def _added(text: str, root: Any, key: str, value: Any) -> Cut:
    """A new key: in a line of its own after the last one, or before the closing brace."""
    name = _flow(key)
    last_key, last = root.value[-1]
    if root.flow_style:
        end = max(_end(last), last_key.end_mark.index)
        return end, end, f", {name}: {_flow(value)}"
    column = root.value[0][0].start_mark.column
    made = f"{' ' * column}{name}:{_block(value, column + 2)}\n"
    if column == 0:
        return len(text), len(text), made
    end = _lines(text, last_key, last)[1]
    return end, end, made


def _merged(text: str, key: Any, node: Any, value: list[Any]) -> list[Cut]:
    """The cuts that make the list `node` hold `value`, item by item."""
    if not value:
        cuts = [_item_out(text, node, n) for n in range(len(node.value))]
        if node.flow_style:
            return [(node.start_mark.index, _end(node), "[]")]
        colon = text.index(":", key.end_mark.index) + 1
        return [*cuts, (colon, colon, " []")]
    before = [_name_of(item) for item in node.value]
    after = [_name(item) for item in value]
    cuts, gone = list[Cut](), list[int]()
    new: dict[int, list[Any]] = {}
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        paired = min(i2 - i1, j2 - j1) if kind in ("equal", "replace") else 0
        for i, j in zip(range(i1, i1 + paired), range(j1, j1 + paired), strict=True):
            cuts += _item_in_place(text, node.value[i], value[j])
        gone += range(i1 + paired, i2)
        if j1 + paired < j2:
            new[i1 + paired] = value[j1 + paired : j2]
    if node.flow_style and (gone or new):
        return [_flow_list(text, node, value)]
    cuts += [_item_out(text, node, n) for n in gone]
    return cuts + [_items_in(text, node, n, items) for n, items in new.items()]


def _item_in_place(text: str, node: Any, value: Any) -> list[Cut]:
    if _holds(node, value):
        return []
    if isinstance(value, dict) and _is_map(node) and value.keys() == {k.value for k, _ in node.value}:
        return [cut for k, v in node.value if _plain(v) != value[k.value] for cut in _set(text, k, v, value[k.value])]
    return [(node.start_mark.index, _end(node), _flow(value))]


def _item_out(text: str, node: Any, number: int) -> Cut:
    return _lines(text, node.value[number], node.value[number])


def _items_in(text: str, node: Any, number: int, items: Sequence[Any]) -> Cut:
    """New lines below the item before `number`, so that comments above the next one stay there."""
    dash = " " * node.start_mark.column
    made = "".join(f"{dash}- {_flow(item)}\n" for item in items)
    if number == 0:
        start = text.rfind("\n", 0, node.value[0].start_mark.index) + 1
        return start, start, made
    end = _item_out(text, node, number - 1)[1]
    return end, end, made


def _flow_list(text: str, node: Any, value: Sequence[Any]) -> Cut:
    """A list in brackets, written anew with the items that stay as they were written."""
    there = {_name_of(known): known for known in node.value}
    items = []
    for item in value:
        known = there.get(_name(item))
        if known is not None and _holds(known, item):
            items.append(text[known.start_mark.index : _end(known)])
        else:
            items.append(_flow(item))
    return node.start_mark.index, _end(node), f"[{', '.join(items)}]"


def _name(item: Any) -> str:
    """What tells an item from the others: its text, whatever its weight."""
    return str(item["text"]) if isinstance(item, dict) and "text" in item else str(item)


def _name_of(node: Any) -> str:
    return _name(_plain(node)) if _is_map(node) else str(node.value)


def _holds(node: Any, value: Any) -> bool:
    """Whether the item is what is wanted; an id that looks like a number is text."""
    if isinstance(value, str):
        return bool(node.value == value)
    return bool(_plain(node) == _as_read(value))


def _plain(node: Any) -> Any:
    """The node as data, its scalars as they are written or as numbers."""
    if _is_map(node):
        return {k.value: _plain(v) for k, v in node.value}
    if _is_list(node):
        return [_plain(item) for item in node.value]
    kind = str(node.tag).rpartition(":")[2]
    if kind in ("int", "float"):
        return _number(node.value)
    return {"true": True, "false": False}.get(node.value, node.value) if kind == "bool" else node.value


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _end(node: Any) -> int:
    """Where the node's own text ends: a block's end mark lies beyond the comments below it."""
    if (_is_map(node) or _is_list(node)) and not node.flow_style and node.value:
        last = node.value[-1]
        return max(_end(last[1]), int(last[0].end_mark.index)) if _is_map(node) else _end(last)
    return int(node.end_mark.index)


def _is_map(node: Any) -> bool:
    return bool(node.id == "mapping")


def _is_list(node: Any) -> bool:
    return bool(node.id == "sequence")


def _is_literal(node: Any) -> bool:
    return getattr(node, "style", None) in ("|", ">")


def _block(value: Any, column: int) -> str:
    """What follows the colon: a list with one item in each line, anything else in the same one."""
    if isinstance(value, list | tuple) and value:
        return "".join(f"\n{' ' * column}- {_flow(item)}" for item in value)
    if isinstance(value, dict) and value:
        return "".join(f"\n{' ' * column}{_flow(key)}:{_block(item, column + 2)}" for key, item in value.items())
    return f" {_flow(value)}"


def _flow(value: Any) -> str:
    """The value in one line, safe inside brackets."""
    from ruamel.yaml import YAML

    yaml, out = YAML(typ="rt"), StringIO()
    yaml.default_flow_style = True
    yaml.width = 1_000_000
    yaml.dump({"x": written(value)}, out)  # in a list, a map of one key would lose its braces
    return out.getvalue().strip().removeprefix("{x:").removesuffix("}").strip()
