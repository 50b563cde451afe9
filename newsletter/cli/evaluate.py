"""`newsletter evaluate`: the product's own ranking and themes over a suite of real data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsletter import evaluation
from newsletter.cli.app import app
from newsletter.cli.output import console, working
from newsletter.embedding import load


@app.command()
def evaluate(
    suite: Annotated[Path, typer.Argument(metavar="SUITE", help="A suite's folder: papers, profiles, groups.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Results as JSON Lines, for the suite's scorer.")],
    model: Annotated[
        str, typer.Option("--model", help="packaged, a model's folder, or a sentence-transformers name.")
    ] = "packaged",
) -> None:
    """Write an evaluation suite's results, one line per group (ranking) or paper (themes)."""
    with working(f"Evaluating {suite.name}"):
        lines = evaluation.write(evaluation.evaluate(suite, embedder=load(model)), out)
    console().print(f"{lines} lines written to {out}", markup=False)
