"""MJML by name: elements, attributes, their values and places, held against MJML's own list.

The engine (mrml) passes over whatever it does not know, and gives a byte offset for what it cannot read; people need
the line. `mjml.json` holds the components of the reference engine (MJML 5.4): their attributes with the type of each,
the elements that may stand in them, and whether they hold HTML (`text`) rather than MJML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypedDict

__all__ = ["TemplateProblem", "markup_problems", "position"]


@dataclass(frozen=True, slots=True, order=True)
class TemplateProblem:
    """What is wrong with a template, and where; lines and columns count from 1."""

    path: Path
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.message}"


class _Element(TypedDict):
    attributes: dict[str, str]
    children: list[str]
    text: bool


_EVERYWHERE = ("css-class", "mj-class")
_TAG = re.compile(r"""<!--.*?-->|<(?P<close>/?)(?P<name>mj[\w-]*)(?P<rest>(?:[^<>"']|"[^"]*"|'[^']*')*)>""", re.DOTALL)
_MJML = re.compile(r"<mj(?!-include\b)")  # a partial without it is HTML
_ATTRIBUTE = re.compile(r"""(?P<name>[^\s=/"']+)(?:\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'))?""")
# HTML as the engine takes it: quoted attributes, every element closed but the void ones
_HTML = re.compile(
    r"""<!--.*?-->|</(?P<end>[a-zA-Z][\w:-]*)\s*>
    |<(?P<start>[a-zA-Z][\w:-]*)(?:\s+[\w:@.-]+(?:\s*=\s*(?:"[^"]*"|'[^']*'))?)*\s*(?P<alone>/?)>
    |(?P<stray><[^\n>]*)""",
    re.DOTALL | re.VERBOSE,
)
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_VALUES = {
    "color": re.compile(r"#(?:[0-9a-fA-F]{3,4}){1,2}|[a-zA-Z]+|(?:rgb|hsl)a?\(.*\)"),
    "integer": re.compile(r"\d+"),
    "boolean": re.compile(r"true|false"),
}


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def markup_problems(path: Path, text: str) -> Iterator[TemplateProblem]:
    """Every unknown, misplaced or unclosed MJML element and every unknown or impossible attribute of one file.

    A partial may begin at any level: where its outermost elements stand is not judged here.
    """
    stack, at = list[tuple[str, int]](), 0
    if not _MJML.search(text):
        yield from _inside(path, text, 0, len(text))
        return
    while tag := _TAG.search(text, at):
        at = tag.end()
        name = tag["name"]
        if name is None:
            continue  # a comment
        if tag["close"]:
            yield from _closing(path, text, tag, stack)
            continue
        yield from _opening(path, text, tag, stack[-1][0] if stack else "")
        if tag["rest"].rstrip().endswith("/"):
            continue
        known = _elements().get(name)
        if known and known["text"] and "mj-attributes" not in [parent for parent, _ in stack]:
            end = text.find(f"</{name}", at)
            yield from _inside(path, text, at, len(text) if end < 0 else end)
            at = len(text) if end < 0 else end
        stack.append((name, tag.start()))
    for name, start in stack:
        yield TemplateProblem(path, *position(text, start), f"<{name}> is never closed")


@cache
def _elements() -> dict[str, _Element]:
    data: dict[str, _Element] = json.loads(files("newsletter.letter").joinpath("mjml.json").read_text("utf-8"))
    return data


def _closing(path: Path, text: str, tag: re.Match[str], stack: list[tuple[str, int]]) -> Iterator[TemplateProblem]:
    if stack and stack[-1][0] == tag["name"]:
        stack.pop()
        return
    expected = f", expected </{stack[-1][0]}>" if stack else ", nothing is open"
    yield TemplateProblem(path, *position(text, tag.start()), f"</{tag['name']}> closes nothing{expected}")
    while stack and tag["name"] in [name for name, _ in stack]:
        if stack.pop()[0] == tag["name"]:
            break


def _opening(path: Path, text: str, tag: re.Match[str], parent: str) -> Iterator[TemplateProblem]:
    name, where = tag["name"], position(text, tag.start())
    if name in ("mj-include", "mj-all", "mj-class") or parent == "mj-attributes":
        return
    known = _elements().get(name)
    if known is None:
        yield TemplateProblem(path, *where, f"MJML has no <{name}>{_nearest(name, _elements())}")
        return
    if parent in _elements() and name not in (children := _elements()[parent]["children"]):
        allowed = ", ".join(children) or "no MJML"
        yield TemplateProblem(path, *where, f"<{name}> cannot stand in <{parent}>, which takes {allowed}")
    for attribute in _ATTRIBUTE.finditer(text, tag.start("rest"), tag.end("rest")):
        if attribute["name"] == "/" or attribute["name"].startswith("{"):
            continue
        yield from _attribute(path, text, attribute, name, known)


def _attribute(
    path: Path, text: str, attribute: re.Match[str], element: str, known: _Element
) -> Iterator[TemplateProblem]:
    name, where = attribute["name"], position(text, attribute.start())
    if name not in known["attributes"]:
        if name not in _EVERYWHERE:
            nearest = _nearest(name, (*known["attributes"], *_EVERYWHERE))
            yield TemplateProblem(path, *where, f"<{element}> has no attribute {name}{nearest}")
        return
    value = attribute["double"] if attribute["double"] is not None else attribute["single"] or ""
    kind = known["attributes"][name]
    if not _possible(value, kind):
        yield TemplateProblem(path, *where, f"{name} of <{element}> cannot be “{value}”, it wants {kind}")


def _possible(value: str, kind: str) -> bool:
    """Whether a value can be of MJML's type, ``enum(ltr,rtl)``, ``unit(px,%)``, ``color``; Jinja may be anything."""
    if not value or "{{" in value or "{%" in value:
        return True
    if kind.startswith("enum("):
        return value in kind[5:-1].split(",")
    if kind.startswith("unit("):
        units = "|".join(re.escape(unit) for unit in kind[5 : kind.index(")")].split(","))
        return all(re.fullmatch(rf"0|auto|-?[\d.]+(?:{units})", part) for part in value.split())
    return not (pattern := _VALUES.get(kind)) or pattern.fullmatch(value) is not None


def _inside(path: Path, text: str, start: int, end: int) -> Iterator[TemplateProblem]:
    """HTML within MJML that the engine cannot read: it refuses the whole letter, without a word of where."""
    stack = list[tuple[str, int]]()
    for tag in _HTML.finditer(text, start, end):
        where = position(text, tag.start())
        if stray := tag["stray"]:
            block = "a {% block %} cannot stand inside a tag: use {{ 'a' if b else 'c' }} within an attribute's quotes"
            bare = "this < begins no tag: write &lt; in text, and turn the comparison round in Jinja"
            yield TemplateProblem(path, *where, block if "{%" in stray and stray[1:2].isalpha() else bare)
        elif tag["start"] and not tag["alone"] and tag["start"] not in _VOID:
            stack.append((tag["start"], tag.start()))
        elif tag["end"] and stack and stack[-1][0] == tag["end"]:
            stack.pop()
        elif tag["end"]:
            expected = f", expected </{stack[-1][0]}>" if stack else ", nothing is open"
            yield TemplateProblem(path, *where, f"</{tag['end']}> closes nothing{expected}")
            return
    for name, at in stack:
        yield TemplateProblem(path, *position(text, at), f"<{name}> is never closed")


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f", did you mean {near[0]}?" if near else ""
