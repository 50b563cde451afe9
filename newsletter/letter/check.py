"""Templates that people change, checked before a letter goes out: every problem with its file, line and column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from traceback import walk_tb

from jinja2 import Environment, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from newsletter.errors import ConfigError
from newsletter.letter.markup import TemplateProblem, markup_problems, position
from newsletter.letter.templates import INCLUDE, compiled, environment, source
from newsletter.letter.view import Imprint, Links, View, view
from newsletter.model import Entry, Letter, Momentum, Paper, Pick, Reason, Section, Theme

__all__ = ["TemplateProblem", "check_templates"]

_START = ("letter.mjml", "letter.txt")
_QUOTED = re.compile(r"has no attribute '([^']+)'|'([^']+)' is undefined")


def check_templates(override: Path | None = None) -> tuple[TemplateProblem, ...]:
    """Every problem of the templates that a letter would use, the user's or ours; sorted, empty when all is well.

    Looked at: MJML names, values and places; Jinja syntax; names that no letter has; files that nothing includes;
    last, what MJML's engine says, and a trial letter, which finds a misspelled attribute.
    """
    read = _read(override)
    problems = set(read.problems)
    for path, text in read.texts.items():
        if path.suffix == ".mjml":
            problems |= set(markup_problems(path, text))
    problems |= set(_names(read.texts))
    problems |= set(_unused(override, read.texts))
    if not problems:
        problems |= set(_trial(override))
    return tuple(sorted(problems))


class _Read:
    """The templates in use by path, and what kept others from being read."""

    def __init__(self) -> None:
        self.texts: dict[Path, str] = {}
        self.problems: list[TemplateProblem] = []


def _read(override: Path | None) -> _Read:
    """Every file that the letter uses, following the includes."""
    read, waiting = _Read(), list(_START)
    while waiting:
        name = waiting.pop()
        path = source(name, override)
        if path in read.texts:
            continue
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            read.problems.append(TemplateProblem(path, 1, 1, f"cannot be read as UTF-8: {error}"))
            continue
        read.texts[path] = text
        for include in INCLUDE.finditer(text):
            try:
                source(include[1], override)
                waiting.append(include[1])
            except ConfigError:
                where = position(text, include.start())
                read.problems.append(TemplateProblem(path, *where, f"there is no template {include[1]} to include"))
    return read


def _unused(override: Path | None, used: Iterable[Path]) -> Iterator[TemplateProblem]:
    if override is None or not override.is_dir():
        return
    used = frozenset(used)
    for path in sorted(override.rglob("*")):
        if path.suffix in (".mjml", ".txt") and path.is_file() and path not in used and path.parent.name != "web":
            yield TemplateProblem(path, 1, 1, "no template of the letter uses this file: is its name right?")


def _names(texts: dict[Path, str]) -> Iterator[TemplateProblem]:
    """Syntax errors, and top-level names that neither a letter nor any template gives."""
    parsed, jinja = dict[Path, nodes.Template](), environment(Environment, "en", escape=True)
    for path, text in texts.items():
        try:
            parsed[path] = jinja.parse(text)
        except TemplateSyntaxError as error:
            yield TemplateProblem(path, *_place(text, error.lineno, ""), f"Jinja: {error.message}")
    given = {field.name for field in fields(View)} | set(jinja.globals) | {"loop", "caller", "varargs", "kwargs"}
    for tree in parsed.values():
        given |= {name.name for name in tree.find_all(nodes.Name) if name.ctx in ("store", "param")}
        given |= {macro.name for macro in tree.find_all(nodes.Macro)}
    for path, tree in parsed.items():
        for name in tree.find_all(nodes.Name):
            if name.ctx == "load" and name.name not in given:
                where = _place(texts[path], name.lineno, name.name)
                yield TemplateProblem(path, *where, f"no letter has a value called {name.name}")
        for used in tree.find_all(nodes.Filter):
            if used.name not in jinja.filters:
                yield TemplateProblem(
                    path, *_place(texts[path], used.lineno, used.name), f"no filter is called {used.name}"
                )


def _place(text: str, line: int, word: str) -> tuple[int, int]:
    """The line, and the column of the word in it; of its first tag, or its start, where there is no such word."""
    lines = text.splitlines()
    row = lines[line - 1] if 0 < line <= len(lines) else ""
    for pattern in (rf"\b{re.escape(word)}\b" if word else "{[{%]", r"\S"):
        if found := re.search(pattern, row):
            return line, found.start() + 1
    return line, 1


def _trial(override: Path | None) -> Iterator[TemplateProblem]:
    """What only shows when the templates are used: by the MJML engine, by a letter with everything and an empty one."""
    try:
        compiled(override)
    except ConfigError as error:
        yield TemplateProblem(source("letter.mjml", override), 1, 1, f"MJML: {error.why}")
        return
    for name in _START:
        for shown in (_everything(), _nothing()):
            if problem := _rendered(name, shown, override):
                yield problem
                break


def _rendered(name: str, shown: View, override: Path | None) -> TemplateProblem | None:
    """The first complaint of a template filled with a view, at its own line: MJML is only text here."""
    lines = _lines(name, override)
    jinja = environment(ImmutableSandboxedEnvironment, "en", escape=True)
    try:
        whole = jinja.from_string("\n".join(line.text for line in lines))
        whole.render({field.name: getattr(shown, field.name) for field in fields(View)})
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        trace = walk_tb(error.__traceback__)
        numbers = [1, *(number for frame, number in trace if frame.f_code.co_filename == "<template>")]
        line = lines[min(numbers[-1], len(lines)) - 1]
        named = _QUOTED.search(str(error))
        word = named[1] or named[2] if named else ""
        return TemplateProblem(line.path, *_place(line.path.read_text("utf-8"), line.number, word), f"Jinja: {error}")
    return None


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a template with its includes in place, and where it comes from."""

    text: str
    path: Path
    number: int


def _lines(name: str, override: Path | None) -> list[_Line]:
    path, lines = source(name, override), list[_Line]()
    for number, text in enumerate(path.read_text("utf-8").split("\n"), 1):
        if include := INCLUDE.search(text):
            lines.append(_Line(text[: include.start()], path, number))
            lines += _lines(include[1], override)
            lines.append(_Line(text[include.end() :], path, number))
        else:
            lines.append(_Line(text, path, number))
    return lines


def _everything() -> View:
    """A letter in which every part of a template is used."""
    paper = Paper(
        id="arxiv:2503.00001", title="A title", abstract="", authors=("Ada Lovelace",),
        url="https://example.org/1", upvotes=3, pdf="https://example.org/1.pdf", code="https://example.org/code",
        thumbnail="https://example.org/1.png",
    )  # fmt: skip
    entry = Entry(
        Pick(paper, "t", 1.0, {}, (Reason("interest", "letters", 1.0, ("title",)),)), "A title", "A sentence."
    )
    theme = Theme("t", "A theme", ("word",), (paper.id,), Momentum("rising", 2.0, 1.0, 3.0, (1,) * 28))
    letter = Letter(
        edition="daily/2025-03-13", day=date(2025, 3, 13), subscriber="ada", email="ada@example.org",
        display_name="Ada", language="en", subject="A subject", preheader="A preheader", top=(entry,),
        sections=(Section(theme, (entry,)),), trending=(entry,), explore=(entry,), more=2, hint="interests", total=9,
    )  # fmt: skip
    here = "https://example.org/here"
    return view(letter, Links(here, here, here, here, here), Imprint("Papers", "1 Library Lane", "us@example.org"))


def _nothing() -> View:
    """A letter with nothing that may be absent."""
    letter = Letter("daily/2025-03-13", date(2025, 3, 13), "ada", "ada@example.org", "", "en", "A", "B", (), ())
    return view(letter, Links(), Imprint())
