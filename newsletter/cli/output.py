"""What the commands print: JSON for programs, tables and bars for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import typer
from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.table import Table

_BAR = "▏▎▍▌▋▊▉█"


def print_json(value: object) -> None:
    """One JSON value on stdout, UTF-8, keys as they come."""
    typer.echo(json.dumps(to_jsonable_python(value), ensure_ascii=False, indent=2))


def console(*, stderr: bool = False) -> Console:
    """A rich console that keeps whole lines when its output is a file or a pipe."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else 120, highlight=False, soft_wrap=False)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> Table:
    """A rich table without lines but under its head; the columns in `right` are numbers."""
    made = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        made.add_column(name, justify="right" if name in right else "left", header_style="dim", overflow="fold")
    for row in rows:
        made.add_row(*row)
    return made


def bar(share: float, width: int = 12) -> str:
    """A bar of eighths of a cell for a share from 0 to 1."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_BAR[rest - 1] if rest else "")


def sparkline(values: Sequence[int]) -> str:
    """One character per value, from ▁ to █; a dot for nothing at all."""
    top = max(values, default=0)
    return "".join("·" if not v else "▁▂▃▄▅▆▇█"[max(0, round(v / top * 8) - 1)] for v in values)


@contextmanager
def working(text: str) -> Iterator[None]:
    """A spinner on stderr while something slow goes on; silent where stderr is not a terminal."""
    shown = console(stderr=True)
    if not shown.is_terminal:
        yield
        return
    with shown.status(text):
        yield
