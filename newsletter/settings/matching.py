"""Which items of a list stay, go and come: by their texts, so that each keeps the comment that stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

__all__ = ["matched", "name_of"]


def matched(old: Sequence[Any], new: Sequence[Any]) -> tuple[list[tuple[int, int]], list[int], dict[int, list[Any]]]:
    """Items that stay, perhaps changed (old and new number); those that go; and by the one before them, new ones.

    An item that only moves is no change of the one in whose place it comes.
    """
    pairs, gone, added, last = list[tuple[int, int]](), list[int](), dict[int, list[Any]](), -1
    before, after = [name_of(item) for item in old], [name_of(item) for item in new]
    if (left := _left(before, after)) is not None:
        return [(i, j) for j, i in enumerate(left)], sorted(set(range(len(old))) - set(left)), added
    codes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    moving = {name for kind, i1, i2, _, _ in codes if kind != "equal" for name in before[i1:i2]}
    for kind, i1, i2, j1, j2 in codes:
        for i, j in zip_longest(range(i1, i2), range(j1, j2)):
            if i is not None and j is not None and (kind == "equal" or after[j] not in moving):
                pairs.append((i, j))
                last = i
                continue
            if i is not None:
                gone.append(i)
            if j is not None:
                added.setdefault(last, []).append(new[j])
    return pairs, gone, added


def _left(before: Sequence[str], after: Sequence[str]) -> list[int] | None:
    """Where each of `after` stands in `before` if some of `before` only went; among equals the matcher would err."""
    left: list[int] = []
    for name in after:
        try:
            left.append(before.index(name, left[-1] + 1 if left else 0))
        except ValueError:
            return None
    return left


def name_of(item: Any) -> str:
    """What tells an item from the others: its text, whatever its weight."""
    return str(item["text"]) if isinstance(item, dict) and "text" in item else str(item)
