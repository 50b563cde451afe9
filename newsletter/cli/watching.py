"""The letter as the editor writes: looked at anew on every save, whatever it breaks (`preview --watch`, `--serve`)."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import typer

from newsletter import pipeline
from newsletter.cli.app import now
from newsletter.cli.output import console
from newsletter.errors import NewsletterError
from newsletter.model import Edition, Subscriber

if TYPE_CHECKING:
    from watchfiles import Change

_BREATH = 300  # milliseconds
Watched = Callable[["Change", str], bool]
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Look(Generic[Made]):
    """What came of one look: what was made, None where something is wrong, and what `check` would say."""

    made: Made | None
    problems: tuple[str, ...]


def keep_previewing(config: Path, name: str, day: date | None, out: Path) -> None:
    """Write the preview now and after every save of the profile, the settings or a template; ends on Ctrl-C.

    Raises ConfigError where there is no such reader at all.
    """
    must_exist(config, name)
    console(stderr=True).print(f"Watching {config}: a save rewrites the preview. Stop with Ctrl-C.", markup=False)
    with suppress(KeyboardInterrupt), interrupted() as stop:
        for _ in saves(config, name, stop):
            _write(config, name, day, out)


@contextmanager
def interrupted() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets, so that a preview under way is written; a second Ctrl-C interrupts that too.

    It ends what a script put into the background as well: shells start that with SIGINT ignored. Main thread alone.
    """
    stop = threading.Event()

    def end(number: int, _: object) -> None:
        stop.set()
        signal.signal(number, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, end)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def must_exist(config: Path, name: str) -> None:
    """Raises ConfigError where there is no such reader; one whose file is wrong is there."""
    if not any(profile.exists() for profile in _profiles(config, name)):
        with pipeline.open_workspace(config, only={name}) as workspace:
            pipeline.find_subscriber(workspace, name)


def saves(config: Path, name: str, stop: threading.Event | None = None) -> Iterator[None]:
    """Once at the start, when the watch is on so that no save is missed; then after every save that concerns the
    reader's letter, until `stop` is set or Ctrl-C."""
    from watchfiles import watch

    first = True
    for changes in watch(
        config, watch_filter=concerns(config, name), stop_event=stop, rust_timeout=_BREATH, yield_on_timeout=True
    ):
        if changes or first:
            yield
        first = False


def _profiles(config: Path, name: str) -> tuple[Path, ...]:
    return tuple(config / "subscribers" / f"{name}{end}" for end in (".yaml", ".yml"))


def concerns(config: Path, name: str) -> Watched:
    """Whether a changed file is one from which the reader's letter is made; databases and previews are none."""
    root = config.resolve()
    files = {root / "newsletter.yaml", *_profiles(root, name)}

    def _concerns(_: Change, path: str) -> bool:
        changed = Path(path).resolve()
        return changed in files or changed.is_relative_to(root / "templates")

    return _concerns


def look(
    config: Path, name: str, day: date | None, make: Callable[[pipeline.Workspace, Edition, Subscriber], Made]
) -> Look[Made]:
    """What `make` makes of the reader and the edition as the files are now."""
    problems: tuple[str, ...] = ()
    try:
        checked = pipeline.check(config, os.environ, only=name)
        problems = tuple(map(str, checked.problems))
        if checked.errors:
            return Look(None, problems)
        with pipeline.open_workspace(config, only={name}) as workspace:
            reader = pipeline.find_subscriber(workspace, name)
            edition = pipeline.prepare(workspace, pipeline.edition_day(workspace, day))
            return Look(make(workspace, edition, reader), problems)
    except NewsletterError as error:
        return Look(None, (*problems, f"newsletter: {error}"))


def _write(config: Path, name: str, day: date | None, out: Path) -> None:
    """One preview; what is wrong is told as `check` tells it, and the last good preview stays."""
    seen = look(config, name, day, lambda work, edition, reader: pipeline.preview(work, edition, reader, out, at=now()))
    for problem in seen.problems:
        typer.echo(problem, err=True)
    if seen.made is None:
        typer.echo("The preview stays as it was.", err=True)
        return
    console().print(f"{now():%H:%M:%S}  {seen.made.subject}  {seen.made.files[0]}", markup=False, soft_wrap=True)
