"""The quick reader says what the exact one says, or nothing: on our documents, and on what chance makes of them."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from newsletter.settings.quick import quick_compose
from newsletter.settings.reading import Tree, _compose

EXAMPLES = [path.read_text("utf-8") for path in sorted((Path(__file__).parents[2] / "config").rglob("*.yaml"))]
HARD = [
    "email: a@b.c\ninterests:\n  - x: y\n  - {text: a b, weight: 2}\n- z\n",
    "a: [b, c:d, 'e': f, \"g\", ~, 1.5, 0x1f, 07:30, 1e3, 2024-01-01, no, yes, 1_000, .inf]\nb: {c: {d: e}, f: g}\n",
    "likes: [2405.19504, arxiv:2405.19504]\nq: 'it''s'\nname: \"x\"\n",
]
_CHARACTERS = " :-[]{}#,'\"\na1.~@?ü_+/()\t;0x漢&*!|>%="


def same(one: Any, other: Any) -> bool:
    marks = (one.start_mark.line, one.start_mark.column) == (other.start_mark.line, other.start_mark.column)
    if one.id != other.id or str(one.tag) != str(other.tag) or not marks:
        return False
    if one.id == "scalar":
        return one.value == other.value and bool(one.style) == bool(other.style)
    if len(one.value) != len(other.value):
        return False
    if one.id == "sequence":
        return all(map(same, one.value, other.value))
    return all(same(a, b) and same(c, d) for (a, c), (b, d) in zip(one.value, other.value, strict=True))


def changed(text: str, chance: Random) -> str:
    """Some lines of `text` with a few characters put in, taken out, or copied from elsewhere."""
    lines = text.split("\n")
    first = chance.randrange(len(lines))
    text = "\n".join(lines[first : first + chance.randint(1, 12)])
    for _ in range(chance.randint(0, 5)):
        at, kind = chance.randrange(len(text) + 1), chance.random()
        if kind < 0.5:
            text = text[:at] + chance.choice(_CHARACTERS) + text[at:]
        elif kind < 0.8:
            text = text[:at] + text[at + 1 :]
        else:
            other = chance.randrange(len(text) + 1)
            text = text[:at] + text[other : other + 8] + text[at:]
    return text


@pytest.mark.parametrize("seed", range(4))
def test_both_readers_say_the_same_or_the_quick_one_nothing(seed):
    chance, read = Random(seed), 0
    for _ in range(600):
        text = changed(chance.choice(EXAMPLES + HARD), chance)
        quick = quick_compose(text)
        if quick is None:
            continue
        read += 1
        exact = _compose(text, "f")
        assert exact is not None, text
        assert not isinstance(exact, Tree), (text, exact.problems)
        assert same(quick, exact), text
    assert read > 100, "the quick reader reads most of what is right"


def test_the_quick_reader_reads_what_subscribers_write():
    readable = [text for text in EXAMPLES if "email:" in text]
    assert any(quick_compose(text) is not None for text in readable)


@pytest.mark.parametrize(
    "text",
    ["a: &x 1\nb: *x\n", "a: !!str 1\n", "a: |\n  x\n", "%YAML 1.1\n---\na: no\n", "a: \tb\n", "a: b\n---\nc: d\n",
     "[" * 1000, "- " * 1000 + "x", "a: \n", "", "a: [b\n", "? a\n: b\n", "a: \x85b\n", "<<: {a: b}\n"],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_left_to_the_exact_reader(text):
    assert quick_compose(text) is None
