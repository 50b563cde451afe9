"""`newsletter train-embedding`: a model of the words that your own field uses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsletter import pipeline
from newsletter.cli.app import AsJson, app
from newsletter.cli.output import console, print_json


@app.command("train-embedding")
def train_embedding(
    context: typer.Context,
    corpora: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE...", help="JSON Lines with title and abstract, or folders of them; gzip too."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train the embedding on your archive and corpus files; the old model stays until the new one is complete."""
    progress = console(stderr=True)
    with pipeline.open_workspace(context.obj) as workspace:
        trained = pipeline.train_embedding(
            workspace, corpora or [], report=lambda line: progress.print(line, markup=False)
        )
    if as_json:
        print_json(trained)
        return
    out = console()
    out.print(f"{trained.model} is in {trained.folder}; {trained.embedded:,} papers are embedded.", markup=False)
    if not trained.used:
        out.print("To use it, write into newsletter.yaml:  embedding: {model: trained}", markup=False)
