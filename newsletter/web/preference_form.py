"""The fields of the preferences as text, between a subscriber's document and what was typed. Pure.

document -> Typed;  form -> Typed;  document + Typed -> changes;  problems of the result -> beside which field
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from starlette.datastructures import FormData

from newsletter.settings.explain import label
from newsletter.settings.fields import WEEKDAYS
from newsletter.settings.problems import Problem
from newsletter.settings.reading import Loc, Tree, read_tree
from newsletter.settings.subscriber import TEXT_KEYS, SubscriberDocument
from newsletter.text import tidy

__all__ = ["Row", "Said", "Typed", "changes", "differing", "read_document_tree", "said_of", "typed_from", "typed_of"]

_LISTS = {"avoid": ("avoid",), "authors": ("follow", "authors"), "keywords": ("follow", "keywords")}
_SIMPLE = ("name", "timezone", "send_at", "papers", "trending", "explore", "quiet_days", "language", "pause_until")
_OPTIONAL = frozenset({"name", "timezone", "pause_until"})  # left empty, the key goes
_WHOLE = re.compile(r"[+-]?\d{1,9}")
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Row:
    """One interest in its fields; `group` is the editor's name for a set of them, or empty."""

    text: str = ""
    weight: str = "1"
    group: str = ""


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the fields. `days` is daily, weekdays, chosen or weekly; `unliked` ids that are to go."""

    interests: tuple[Row, ...] = ()
    avoid: str = ""
    authors: str = ""
    keywords: str = ""
    name: str = ""
    timezone: str = ""
    send_at: str = "07:00"
    days: str = "daily"
    chosen: frozenset[str] = frozenset()
    weekday: str = "monday"
    papers: str = "12"
    trending: str = "0.3"
    explore: str = "1"
    quiet_days: str = "send"
    language: str = "en"
    text_only: bool = False
    pause_until: str = ""
    unliked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Said:
    """Messages beside their fields (``interest-0``, ``papers``), and those that belong to none."""

    errors: Mapping[str, Sequence[str]]
    doubts: Mapping[str, Sequence[str]]
    rest: Sequence[str] = ()


def read_document_tree(text: str) -> Tree:
    """The document as plain data with the place of each value."""
    return read_tree(text.encode("utf-8", "surrogatepass"), "", text_keys=TEXT_KEYS)


def typed_of(data: Mapping[str, Any]) -> Typed:
    """The fields of a document without errors, as it stands."""
    document = SubscriberDocument.model_validate(data)
    days, names = document.days, [day for n, day in enumerate(WEEKDAYS, 1) if n in document.days.weekdays]
    known = {7: "daily", 5: "weekdays"} if names in (list(WEEKDAYS), list(WEEKDAYS[:5])) else {}
    return Typed(
        interests=tuple(_rows(data.get("interests") or [])),
        avoid="\n".join(document.avoid),
        authors="\n".join(document.follow.authors),
        keywords="\n".join(document.follow.keywords),
        name=document.name,
        timezone=document.timezone or "",
        send_at=f"{document.send_at:%H:%M}",
        days="weekly" if days.weekly else known.get(len(names), "chosen"),
        chosen=frozenset(names),
        weekday=names[0] if days.weekly else "monday",
        papers=str(document.papers),
        trending=f"{document.trending:g}",
        explore=str(document.explore),
        quiet_days=document.quiet_days,
        language=document.language,
        text_only=document.text_only,
        pause_until=document.pause_until.isoformat() if document.pause_until else "",
    )


def typed_from(form: FormData) -> Typed:
    """The fields as they were sent; a field that is missing is empty, a row that is marked or empty is gone."""

    def one(name: str) -> str:
        value = form.get(name, "")
        return tidy(value) if isinstance(value, str) else ""

    def every(name: str) -> list[str]:
        return [value if isinstance(value, str) else "" for value in form.getlist(name)]

    texts, weights, groups = every("interest"), every("weight"), every("group")
    removed = set(every("remove"))
    rows = (
        Row(tidy(text), tidy(weights[n] if n < len(weights) else "") or "1", tidy(groups[n] if n < len(groups) else ""))
        for n, text in enumerate(texts)
        if str(n) not in removed
    )
    return Typed(
        interests=tuple(row for row in rows if row.text),
        avoid=_lines(form, "avoid"),
        authors=_lines(form, "authors"),
        keywords=_lines(form, "keywords"),
        **{name: one(name) for name in _SIMPLE},
        days=one("days"),
        chosen=frozenset(day for day in every("chosen") if day in WEEKDAYS),
        weekday=one("weekday") or "monday",
        text_only=one("text_only") == "yes",
        unliked=frozenset(every("unlike")),
    )


def changes(data: Mapping[str, Any], typed: Typed) -> dict[tuple[str, ...], Any]:
    """What must be set in the document `data` so that it says what was typed; what is equal is left out."""
    before = typed_of(data)
    wanted: dict[tuple[str, ...], Any] = {}
    if typed.interests != before.interests:
        wanted |= _interests(data.get("interests") or [], typed.interests)
    for name, path in _LISTS.items():
        if getattr(typed, name) != getattr(before, name):
            wanted[path] = getattr(typed, name).splitlines()
    for name in _SIMPLE:
        if getattr(typed, name) != getattr(before, name):
            wanted[name,] = _value(name, getattr(typed, name))
    if (typed.days, _picked(typed)) != (before.days, _picked(before)):
        wanted["days",] = _days(typed)
    if typed.text_only != before.text_only:
        wanted["text_only",] = typed.text_only
    for name in ("likes", "dislikes"):
        rated = data.get(name) or []
        if not typed.unliked.isdisjoint(rated):
            wanted[name,] = [paper for paper in rated if paper not in typed.unliked]
    return wanted


def differing(data: Mapping[str, Any], typed: Typed) -> list[str]:
    """The names of the fields that say something else than the document."""
    before = typed_of(data)
    names = [field.name for field in fields(Typed) if field.name not in ("chosen", "weekday", "unliked")]
    return [name.replace("_", " ") for name in names if getattr(before, name) != getattr(typed, name)]


def said_of(text: str, problems: Iterable[Problem], rows: Sequence[Row]) -> Said:
    """Each problem of the document `text` beside its field; `rows` are the interests in the order of the page."""
    problems = tuple(problems)
    if not problems:
        return Said({}, {})
    tree = read_document_tree(text)
    places = {tree.place(loc): loc for loc in _locs(tree.data)}
    found: dict[str, dict[str, list[str]]] = {"error": {}, "warning": {}}
    rest: list[str] = []
    for problem in problems:
        loc = places.get((problem.line, problem.column), ())
        field = _field(loc, tree.data, rows)
        if field:
            found[problem.severity].setdefault(field, []).append(_worded(problem.message, loc))
        else:
            rest.append(problem.message)
    return Said(found["error"], found["warning"], rest)


def _rows(interests: Any) -> Iterator[Row]:
    groups = interests.items() if isinstance(interests, dict) else [("", interests)]
    for group, items in groups:
        for item in items or []:
            yield Row(*_said(item), group)


def _said(item: Any) -> tuple[str, str]:
    if isinstance(item, dict):
        weight = item.get("weight", 1)
        return tidy(str(item.get("text", ""))), f"{weight:g}" if isinstance(weight, int | float) else str(weight)
    return tidy(str(item)), "1"


def _lines(form: FormData, name: str) -> str:
    value = form.get(name, "")
    lines = value.splitlines() if isinstance(value, str) else []
    return "\n".join(line for line in map(tidy, lines) if line)


def _interests(present: Any, rows: Sequence[Row]) -> dict[tuple[str, ...], Any]:
    """The lists that differ: one, or one for each group. An item that is as it was stays as it is written."""
    lists: dict[tuple[str, ...], tuple[Sequence[Any], list[Row]]]
    if isinstance(present, dict) and present:
        groups = {group: [row for row in rows if row.group == group] for group in present}
        lost = [row for row in rows if row.group not in groups]  # a group that somebody took away meanwhile
        groups[next(reversed(groups))] += lost
        lists = {("interests", group): (items or [], groups[group]) for group, items in present.items()}
    else:
        lists = {("interests",): (present or [], list(rows))}
    made = {path: (items, [_item(row, items) for row in mine]) for path, (items, mine) in lists.items()}
    return {path: new for path, (old, new) in made.items() if new != old}


def _item(row: Row, present: Sequence[Any]) -> Any:
    same = next((item for item in present if _said(item) == (row.text, row.weight)), None)
    if same is not None:
        return same
    weight = _number(row.weight)
    return row.text if weight == 1 else {"text": row.text, "weight": weight}


def _value(name: str, typed: str) -> Any:
    if not typed and name in _OPTIONAL:
        return None
    if name in ("papers", "explore", "trending"):
        return _number(typed)
    if name == "pause_until":
        try:
            return date.fromisoformat(typed)
        except ValueError:
            return typed
    return typed


def _number(typed: str) -> int | float | str:
    """A number where it is one, else what was typed, which the check then names."""
    if _WHOLE.fullmatch(typed):
        return int(typed)
    return float(typed) if _DECIMAL.fullmatch(typed) else typed


def _picked(typed: Typed) -> object:
    return typed.chosen if typed.days == "chosen" else typed.weekday if typed.days == "weekly" else None


def _days(typed: Typed) -> Any:
    if typed.days == "weekly":
        return {"weekly": typed.weekday}
    if typed.days == "chosen":
        return [day[:3] for day in WEEKDAYS if day in typed.chosen]
    return typed.days


def _locs(data: Any, above: Loc = ()) -> Iterator[Loc]:
    """Every place in the document, the outer ones first, so that an inner one at the same mark wins."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in pairs:
        yield (*above, step)
        yield from _locs(value, (*above, step))


def _field(loc: Loc, data: Any, rows: Sequence[Row]) -> str:
    """The field that shows what stands at `loc`."""
    if not loc:
        return ""
    if loc[0] == "interests":
        return _interest_field(loc, data, rows)
    if loc[0] == "follow":
        return str(loc[1]) if len(loc) > 1 and loc[1] in _LISTS else ""
    known = {field.name for field in fields(Typed)} | {"likes", "dislikes"}
    return str(loc[0]) if loc[0] in known else ""


def _interest_field(loc: Loc, data: Any, rows: Sequence[Row]) -> str:
    steps = [step for step in loc[1:] if isinstance(step, int)]
    if not steps:
        return "interests"
    group = str(loc[1]) if isinstance(loc[1], str) else ""
    items = data["interests"][group] if group else data["interests"]
    text, _ = _said(items[steps[0]])
    same = [n for n, row in enumerate(rows) if row.text == text and row.group == group]
    twice = sum(_said(item)[0] == text for item in items[: steps[0]])
    kind = "weight" if loc[-1] == "weight" else "interest"
    return f"{kind}-{same[min(twice, len(same) - 1)]}" if same else "interests"


def _worded(message: str, loc: Loc) -> str:
    """The message without the key that the field's own label says; in a list of lines, with the line."""
    said = message.removeprefix(label(loc)).lstrip(": ")
    steps = [step for step in loc if isinstance(step, int)]
    line = f"Line {steps[0] + 1}: " if steps and loc[0] in ("avoid", "follow") else ""
    return line + (said if line else said[:1].upper() + said[1:])
