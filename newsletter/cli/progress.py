"""Progress of a send: sent, waiting and failed letters as they settle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from newsletter.cli.output import console

Report = Callable[[int, int, str], None]


@contextmanager
def sending() -> Iterator[Report]:
    """A progress bar on stderr; yields `report(done, total, text)`. Silent where stderr is not a terminal."""
    shown = console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=shown, disable=not shown.is_terminal, transient=True) as progress:
        task = progress.add_task("Preparing", total=None)

        def report(done: int, total: int, text: str) -> None:
            progress.update(task, completed=done, total=total or None, description=text)

        yield report
