"""A problem in a configuration file, at its place, in words that say what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem. `line` and `column` count from 1; 0 where there is no place (a whole file, a variable).

    An error keeps the document from being used; a warning does not. ``str()`` is ``file:line:column: message``.
    """

    path: str
    line: int
    column: int
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        return f"{place}: {'warning: ' if self.severity == 'warning' else ''}{self.message}"


def errors(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Those that keep a document from being used."""
    return tuple(problem for problem in problems if problem.severity == "error")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` most probably meant, whatever its case; None where nothing is near."""
    by_fold = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` : did you mean 'x'?`` for the nearest known word, else the list of them where it is short, else nothing."""
    names = list(known)
    if near := nearest(word, names):
        return f": did you mean {near!r}?"
    return f": one of {', '.join(sorted(names))}" if 0 < len(names) <= 24 else ""
