"""`newsletter lint`: every rule of a good letter, for our own letters and anyone's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from newsletter import pipeline
from newsletter.cli.app import AsJson, Day, app, now, parse_day
from newsletter.cli.output import console, print_json, table
from newsletter.errors import ConfigError, DigestError
from newsletter.letter.lint import RULES, Finding, lint


@app.command("lint")
def check_letters(
    context: typer.Context,
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE.eml...", help="Messages of anyone's.")] = None,
    day: Day = None,
    rules: Annotated[bool, typer.Option("--rules", help="List the rules by name and leave.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check messages against every rule: files, or the planned letters of an edition."""
    if rules:
        _show_rules(as_json=as_json)
        return
    if files and day:
        raise ConfigError("Cannot check files and an edition at once", do="Give files, or --date")
    found = [(name, lint(data)) for name, data in (_read(files) if files else _planned(context.obj, day))]
    if as_json:
        print_json([{"message": name, "findings": [_as_json(f) for f in broken]} for name, broken in found])
    else:
        _show(found)
    if any(broken for _, broken in found):
        raise typer.Exit(1)


def _read(files: list[Path]) -> Iterator[tuple[str, bytes]]:
    for path in files:
        try:
            yield str(path), path.read_bytes()
        except OSError as error:
            why = error.strerror or str(error)
            raise DigestError("Cannot read the message", which=str(path), why=why, do="Check the name") from error


def _planned(config: Path, day: str | None) -> Iterator[tuple[str, bytes]]:
    """The edition's letters as they would be sent now."""
    with pipeline.open_workspace(config) as workspace:
        chosen = pipeline.edition_day(workspace, parse_day(day))
        letters = pipeline.frozen_letters(workspace, chosen)
        if not letters:
            raise DigestError("No letters are planned for", which=str(chosen), do="Plan them with newsletter send")
        post = pipeline.open_post(workspace)
        for name, letter in letters.items():
            yield name, pipeline.message(post, letter, date=now())[0].data


def _show_rules(*, as_json: bool) -> None:
    said = {name: (rule.__doc__ or "").strip().splitlines()[0] if rule.__doc__ else "" for name, rule in RULES.items()}
    if as_json:
        print_json(said)
    else:
        console().print(table("Rules", ("rule", "holds when"), said.items()))


def _as_json(finding: Finding) -> dict[str, str]:
    return {"rule": finding.rule, "message": finding.message}


def _show(found: list[tuple[str, list[Finding]]]) -> None:
    for name, broken in found:
        for finding in broken:
            typer.echo(f"{name}: {finding.rule}: {finding.message}")
    bad = sum(bool(broken) for _, broken in found)
    console().print(f"{len(found)} messages, {len(RULES)} rules, {bad} messages with findings.", markup=False)
