"""`newsletter check`: settings, profiles and templates, every problem at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from newsletter import settings
from newsletter.pipeline.workspace import load_readers
from newsletter.settings import Problem, Settings, Subscribers
from newsletter.settings.loading import FOLDER
from newsletter.store import open_store


@dataclass(frozen=True, slots=True)
class Checked:
    """How many subscribers are right, and what is not, by file and line."""

    subscribers: int
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Those that keep something from being used."""
        return settings.errors(self.problems)


def check(config: Path, environ: Mapping[str, str], *, only: str | None = None) -> Checked:
    """Read everything under `config` as a run would, or `only` this subscriber; nothing is sent or stored.

    The database is opened where the subscribers are there.
    """
    read, problems = settings.read_settings(config, environ)
    if read is None or read.subscribers == "folder":
        subscribers, problems = settings.check(config, environ, only=only)
    else:
        found = _in_database(config, read, only)
        subscribers, problems = len(found.subscribers), (*problems, *found.problems, *_forgotten(config))
    return Checked(subscribers, (*problems, *_template_problems(config / "templates")))


def _in_database(config: Path, read: Settings, only: str | None) -> Subscribers:
    engine = open_store(read.database_url())
    try:
        return load_readers(config, read, engine, only=None if only is None else {only})
    finally:
        engine.dispose()


def _forgotten(config: Path) -> list[Problem]:
    """Files that were probably meant to be read."""
    folder = config / FOLDER
    files = [path for path in folder.glob("[!.]*") if path.suffix.lower() in (".yaml", ".yml")]
    if not files:
        return []
    told = f"{len(files)} files here are not read (subscribers: database); newsletter subscribers import brings them in"
    return [Problem(str(folder), 0, 0, told, "warning")]


def _template_problems(folder: Path) -> list[Problem]:
    from newsletter.letter.check import check_templates

    return [Problem(str(p.path), p.line, p.column, p.message) for p in check_templates(folder)]
