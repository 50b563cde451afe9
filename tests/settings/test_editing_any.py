"""Whatever a document looks like: it says what was asked for, every comment stays, every other line is untouched."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from newsletter.settings import Append, Remove, edited
from newsletter.settings.reading import read_tree
from newsletter.settings.subscriber import TEXT_KEYS

WORDS = st.sampled_from(
    ["alpha", "beta # no", "it's", 'say "x"', "a: b", "naïve", "量子", "# hash", "2405.10500", "no"]
)
COMMENTS = st.sampled_from(["note", "tab\there", "ключ: [x", "it's", "- dash", "{", 'a "b', "#", "é # twice", "|"])
SAID = re.compile(r"(?:^|(?<=\s))# \d+ .*")
KEYS = ("name", "papers", "avoid", "likes", "language", "interests")
GROUPS = ("authors", "keywords")


@dataclass
class Written:
    """Lines as they are written, each with who owns it: (), a key, a key and an item."""

    lines: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    numbered: int = 0
    eol: str = "\n"
    text: str = ""

    def comment(self, said: str) -> str:
        self.numbered += 1
        return f"# {self.numbered} {said}"


def quoted(draw: st.DrawFn, text: str, *, flow: bool) -> str:
    """`text` in one of the styles that can hold it."""
    single, double = "'" + text.replace("'", "''") + "'", '"' + text.replace('"', '\\"') + '"'
    plain = text.isalnum() or (not flow and text == "it's")
    return draw(st.sampled_from([single, double, text] if plain else [single, double]))


def behind(draw: st.DrawFn, written: Written) -> str:
    gap = draw(st.sampled_from([" ", "  ", "   "]))
    return gap + written.comment(draw(COMMENTS)) if draw(st.booleans()) else draw(st.sampled_from(["", "", " "]))


def between(draw: st.DrawFn, written: Written, owner: tuple[Any, ...]) -> None:
    """Comments and blank lines that stand alone."""
    for kind in draw(st.lists(st.sampled_from(["blank", "", "  ", "    ", "\t"]), max_size=2)):
        line = "" if kind == "blank" else kind.replace("\t", " ") + written.comment(draw(COMMENTS))
        written.lines.append((line, owner))


def item(draw: st.DrawFn, key: str, *, flow: bool) -> str:
    text = quoted(draw, draw(WORDS), flow=flow)
    if key != "interests" or draw(st.booleans()):
        return text
    inner = quoted(draw, draw(WORDS), flow=True)
    return f"{{text: {inner}, weight: {draw(st.integers(0, 9))}}}"


def a_list(draw: st.DrawFn, written: Written, key: str, indent: str, owner: tuple[Any, ...]) -> None:
    items = range(draw(st.integers(0, 4)))
    style = draw(st.sampled_from(["block", "block", "line", "rows", "absent"]))
    if style == "absent" or (style == "block" and not items):
        written.lines.append((f"{indent}{key}:{behind(draw, written)}", owner))
    elif style == "line":
        listed = draw(st.sampled_from([", ", ",", " ,  "])).join(item(draw, key, flow=True) for _ in items)
        written.lines.append((f"{indent}{key}: [{listed}]{behind(draw, written)}", owner))
    elif style == "rows":
        written.lines.append((f"{indent}{key}: [{behind(draw, written)}", owner))
        for number in items:
            comma = "," if number < items[-1] or draw(st.booleans()) else ""
            text = f"{indent}  {item(draw, key, flow=True)}{comma}{behind(draw, written)}"
            written.lines.append((text, (*owner, number)))
            if draw(st.booleans()):
                written.lines.append((f"{indent}  {written.comment(draw(COMMENTS))}", owner))
        written.lines.append((f"{indent}]{behind(draw, written)}", owner))
    else:
        dash = indent + draw(st.sampled_from(["", "  ", "    "])) + "-" + draw(st.sampled_from([" ", "   "]))
        written.lines.append((f"{indent}{key}:{behind(draw, written)}", owner))
        for number in items:
            between(draw, written, owner)
            written.lines.append((f"{dash}{item(draw, key, flow=False)}{behind(draw, written)}", (*owner, number)))


@st.composite
def documents(draw: st.DrawFn) -> Written:
    """A subscriber's document with comments in odd places."""
    written = Written()
    between(draw, written, ())
    for key in ["email", *draw(st.lists(st.sampled_from([*KEYS, "follow"]), unique=True))]:
        if key == "email":
            written.lines.append((f"email: ada@example.org{behind(draw, written)}", (key,)))
        elif key in ("avoid", "likes", "interests"):
            a_list(draw, written, key, "", (key,))
        elif key == "follow":
            written.lines.append((f"follow:{behind(draw, written)}", (key,)))
            for group in draw(st.lists(st.sampled_from(GROUPS), unique=True, min_size=1)):
                between(draw, written, (key,))
                a_list(draw, written, group, "  ", (key, group))
        else:
            value = str(draw(st.integers(0, 99))) if key == "papers" else quoted(draw, draw(WORDS), flow=False)
            written.lines.append((f"{key}:{draw(st.sampled_from([' ', '   ']))}{value}{behind(draw, written)}", (key,)))
        between(draw, written, ())
    written.eol = draw(st.sampled_from(["\n", "\r\n"]))
    written.text = written.eol.join(line for line, _ in written.lines) + draw(st.sampled_from([written.eol, ""]))
    return written


WEIGHTED = st.builds(lambda text, weight: {"text": text, "weight": weight}, WORDS, st.integers(0, 9))
LISTS = st.lists(WORDS, max_size=4)
NOTES = st.dictionaries(WORDS, st.sampled_from(["A title: x", "[b] # c"]), max_size=3)
LIST_CHANGES = st.one_of(
    LISTS, st.none(), st.builds(Append, st.lists(WORDS, max_size=5).map(tuple), NOTES),
    st.builds(Remove, st.lists(WORDS, max_size=5).map(tuple)),
)  # fmt: skip
INTERESTS = st.none() | st.lists(WORDS | WEIGHTED, max_size=4)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        ("name",): st.none() | WORDS, ("papers",): st.none() | st.integers(0, 99), ("language",): st.none() | WORDS,
        ("avoid",): LIST_CHANGES, ("likes",): LIST_CHANGES, ("interests",): INTERESTS,
        ("follow", "authors"): LIST_CHANGES, ("follow", "keywords"): LIST_CHANGES,
    },
)  # fmt: skip


def data_of(text: str) -> Any:
    tree = read_tree(text.encode(), "f", text_keys=TEXT_KEYS)
    assert tree.problems == ()
    return tree.data


def applied(data: dict[str, Any], path: tuple[str, ...], change: Any) -> None:
    """The rule in its plainest words, beside which the program is held."""
    *above, key = path
    place = data
    for step in above:
        if not isinstance(place.get(step), dict):
            if change is None or isinstance(change, Remove):
                return
            place[step] = {}
        place = place[step]
    present = place.get(key) or []
    if isinstance(change, Append):
        new = [one for one in dict.fromkeys(change.items) if one not in present]
        if new:
            place[key] = present + new
    elif isinstance(change, Remove):
        if set(change.items) & set(present):
            place[key] = [one for one in present if one not in change.items]
    elif change is None:
        place.pop(key, None)
    else:
        place[key] = change


def value_at(data: Any, path: Sequence[Any]) -> Any:
    for step in path:
        data = data.get(step) if isinstance(data, dict) else None
    return data


def names(items: Any) -> Counter[str]:
    listed = items if isinstance(items, list) else []
    return Counter(one["text"] if isinstance(one, dict) else str(one) for one in listed)


def may_go(owner: tuple[Any, ...], before: Any, after: Any) -> bool:
    """Whether what stands in a line of `owner` belongs to what was removed."""
    if not there(after, tuple(step for step in owner if isinstance(step, str))):
        return True
    *path, last = owner or ("",)
    if isinstance(last, str):
        return False
    (name,) = names([value_at(before, path)[last]])
    return names(value_at(after, path))[name] < names(value_at(before, path))[name]


def there(data: Any, path: Sequence[Any]) -> bool:
    for step in path:
        if not isinstance(data, dict) or step not in data:
            return False
        data = data[step]
    return True


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents(), CHANGES)
def test_any_change_of_any_document(document: Written, changes: dict[tuple[str, ...], Any]) -> None:
    text = document.text
    before, after = data_of(text), data_of(text)
    for path, change in changes.items():
        applied(after, path, change)
    note(f"{text!r}\n{changes}")
    made = edited(text, changes)
    note(repr(made))
    assert data_of(made) == after
    eol = document.eol if document.eol in text else "\n"
    new = made.split(eol)
    assert made.count("\n") == made.count(eol)
    line_end = text.endswith("\n") or may_go(document.lines[-1][1], before, after)  # a blank line may be the last then
    assert line_end or not made.endswith("\n")
    assert made.endswith("\n") or not text.endswith("\n")
    for line, owner in document.lines:
        if (said := SAID.search(line)) and not may_go(owner, before, after):
            assert made.count(said[0]) == 1, said[0]
    owners = {owner[:n] for _, owner in document.lines for n in (1, 2)}
    same = {path for path in owners if there(after, path) and value_at(before, path) == value_at(after, path)}
    untouched = [line for line, owner in document.lines if not owner or owner[:1] in same or owner[:2] in same]
    left = iter(new)
    assert all(line in left for line in untouched), "a line of something else has changed"
    for line, owner in document.lines:
        stays = line.lstrip().startswith("#") or (line.lstrip().startswith("-") and appends_or_removes(changes, owner))
        assert not stays or may_go(owner, before, after) or line in new, line
    if before == after:
        assert made == text


def appends_or_removes(changes: dict[tuple[str, ...], Any], owner: tuple[Any, ...]) -> bool:
    """Then items that stay are not moved, and their lines are as they were."""
    return isinstance(changes.get(owner[:-1], Append(())), Append | Remove)
