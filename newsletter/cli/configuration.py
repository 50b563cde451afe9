"""`newsletter init`, `check` and `schema`: the configuration, written, checked and described."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Annotated

import typer

from newsletter import pipeline
from newsletter.cli.app import AsJson, app
from newsletter.cli.output import console, print_json
from newsletter.cli.packaged import starter
from newsletter.errors import ConfigError


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")] = Path("config"),
) -> None:
    """Write a commented starter configuration."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(
            "Cannot write a starter configuration into",
            which=str(folder),
            why="it is not an empty folder",
            do="Name a new one",
        )
    with starter() as source:
        shutil.copytree(source, folder, dirs_exist_ok=True)
    out = console()
    out.print(f"A starter configuration is in {folder}:", markup=False)
    for file in sorted(folder.rglob("*.yaml")):
        out.print(f"  {file}", markup=False)
    out.print(f"Next: edit them, then  newsletter --config {folder} check", markup=False)


@app.command()
def check(context: typer.Context, as_json: AsJson = False) -> None:
    """Validate settings, every profile and the templates: all problems at once, `file:line:column: message`."""
    checked = pipeline.check(context.obj, os.environ)
    if as_json:
        print_json(
            [
                {"file": str(p.path), "line": p.line, "column": p.column, "message": p.message, "severity": p.severity}
                for p in checked.problems
            ]
        )
    for problem in checked.problems:
        typer.echo(str(problem), err=True)
    errors = sum(problem.severity == "error" for problem in checked.problems)
    if errors:
        raise typer.Exit(2)
    if not as_json:
        console().print(f"{checked.subscribers} subscribers, settings and templates are fine.", markup=False)


@app.command()
def schema(
    document: Annotated[str, typer.Argument(help="subscriber or newsletter.")] = "subscriber",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write both schemas into this folder.")
    ] = None,
) -> None:
    """The JSON Schema of a document, so that editors complete and check while typing."""
    if out is None:
        print_json(pipeline.schema(document))
        return
    for file in pipeline.write_schemas(out):
        console().print(f"{file}", markup=False)
