"""`newsletter preview --watch`: the preview as the editor writes, rewritten on every save, whatever the save breaks."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from newsletter import pipeline
from newsletter.cli.app import now
from newsletter.cli.output import console
from newsletter.errors import NewsletterError

if TYPE_CHECKING:
    from watchfiles import Change

_BREATH = 300  # milliseconds
Watched = Callable[["Change", str], bool]


def keep_previewing(config: Path, name: str, day: date | None, out: Path) -> None:
    """Write the preview now and after every save of the profile, the settings or a template; ends on Ctrl-C.

    Raises ConfigError where there is no such reader at all.
    """
    from watchfiles import watch

    if not any(profile.exists() for profile in _profiles(config, name)):
        with pipeline.open_workspace(config, only={name}) as workspace:
            pipeline.find_subscriber(workspace, name)
    console(stderr=True).print(f"Watching {config}: a save rewrites the preview. Stop with Ctrl-C.", markup=False)
    first = True
    with suppress(KeyboardInterrupt):
        # the first preview is written once the watch is on, so that no save falls between them
        for changes in watch(config, watch_filter=concerns(config, name), rust_timeout=_BREATH, yield_on_timeout=True):
            if changes or first:
                _write(config, name, day, out)
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


def _write(config: Path, name: str, day: date | None, out: Path) -> None:
    """One preview; what is wrong is told as `check` tells it, and the last good preview stays."""
    try:
        checked = pipeline.check(config, os.environ, only=name)
        for problem in checked.problems:
            typer.echo(str(problem), err=True)
        if checked.errors:
            typer.echo("The preview stays as it was.", err=True)
            return
        with pipeline.open_workspace(config, only={name}) as workspace:
            reader = pipeline.find_subscriber(workspace, name)
            edition = pipeline.prepare(workspace, pipeline.edition_day(workspace, day))
            seen = pipeline.preview(workspace, edition, reader, out, at=now())
    except NewsletterError as error:
        typer.echo(f"newsletter: {error}", err=True)
        return
    console().print(f"{now():%H:%M:%S}  {seen.subject}  {seen.files[0]}", markup=False, soft_wrap=True)
