"""`newsletter check`: settings, profiles and templates, every problem at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from newsletter import settings
from newsletter.settings import Problem


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
    """Read everything under `config` as a run would, or `only` this subscriber; nothing is opened, sent or stored."""
    subscribers, problems = settings.check(config, environ, only=only)
    return Checked(subscribers, (*problems, *_template_problems(config / "templates")))


def _template_problems(folder: Path) -> list[Problem]:
    from newsletter.letter.check import check_templates

    return [Problem(str(p.path), p.line, p.column, p.message) for p in check_templates(folder)]
