"""`newsletter rank` and `newsletter preview`: what one reader would get, and why."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from newsletter import pipeline
from newsletter.cli.app import AsJson, Day, app, now, parse_day
from newsletter.cli.output import bar, console, print_json, table, working
from newsletter.errors import ConfigError
from newsletter.model import Pick
from newsletter.ranking import Explanation, describe

Reader = Annotated[str, typer.Argument(metavar="SUBSCRIBER", help="The file's name under subscribers/, without .yaml.")]


@app.command()
def rank(
    context: typer.Context,
    subscriber: Reader,
    day: Day = None,
    explain: Annotated[
        str | None, typer.Option("--explain", metavar="ID", help="The whole sum for one paper, also one not chosen.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """A reader's picks, best first, with the reasons from the arithmetic."""
    with pipeline.open_workspace(context.obj, only={subscriber}) as workspace, working("Ranking"):
        reader = pipeline.find_subscriber(workspace, subscriber)
        edition = pipeline.prepare(workspace, pipeline.edition_day(workspace, parse_day(day)))
        if explain is not None:
            told = pipeline.explain(workspace, edition, reader, explain)
            print_json(_told_as_json(told)) if as_json else _tell(told)
            return
        picks = pipeline.choose(workspace, edition, [reader])[0]
        labels = {theme.id: theme.label for theme in pipeline.as_read(workspace, edition, reader).themes}
        ignored = pipeline.ignored(workspace, reader)
    if as_json:
        print_json([_as_json(pick, labels) for pick in picks])
    else:
        _show(picks, labels, f"{reader.name}, {edition.id}")
    for note in ignored:
        console(stderr=True).print(note, markup=False)


def _as_json(pick: Pick, labels: dict[str, str]) -> dict[str, object]:
    return {
        "id": pick.paper.id,
        "title": pick.paper.title,
        "theme": labels.get(pick.theme, pick.theme),
        "score": pick.score,
        "parts": dict(pick.parts),
        "reasons": [
            {"kind": r.kind, "what": r.what, "share": r.share, "words": r.words, "text": describe(r)}
            for r in pick.reasons
        ],
        "kind": pick.kind,
    }


def _show(picks: tuple[Pick, ...], labels: dict[str, str], title: str) -> None:
    out = console()
    if not picks:
        out.print(f"{title}: nothing to say today.", markup=False)
        return
    top = max((pick.score for pick in picks), default=1.0) or 1.0
    rows = []
    for pick in picks:
        why = "\n".join(describe(reason) for reason in pick.reasons[:3])
        rows.append(
            (
                f"{pick.score:.2f}",
                bar(pick.score / top, 8),
                f"{pick.paper.title}\n[dim]{pick.paper.id} · {labels.get(pick.theme, pick.theme)}[/]",
                why,
            )
        )
    out.print(table(title, ("score", "", "paper", "why"), rows, right=("score",)))


def _told_as_json(told: Explanation) -> dict[str, object]:
    return {
        "id": told.paper.id,
        "title": told.paper.title,
        "score": told.score,
        "parts": dict(told.parts),
        "interests": dict(told.queries),
        "reasons": [describe(reason) for reason in told.reasons],
        "chosen": told.pick is not None,
        "why_not": told.why_not,
    }


def _tell(told: Explanation) -> None:
    """The whole sum for one paper: parts, what each interest gave, and why it was or was not chosen."""
    out = console()
    out.print(f"[bold]{escape(told.paper.title)}[/]\n[dim]{told.paper.id}[/]\n")
    most = max((abs(value) for value in told.parts.values()), default=1.0) or 1.0
    rows = [(name, f"{value:+.3f}", bar(abs(value) / most)) for name, value in told.parts.items()]
    out.print(table("Score", ("part", "adds", ""), [*rows, ("sum", f"{told.score:+.3f}", "")], right=("adds",)))
    if told.queries:
        matches = [(text, f"{value:+.3f}") for text, value in told.queries.items()]
        out.print(table("\nInterests", ("interest", "match"), matches, right=("match",)))
    for reason in told.reasons:
        out.print(f"  {describe(reason)}", markup=False)
    out.print("Chosen." if told.pick else "Not chosen: " + "; ".join(told.why_not) + ".", markup=False)


@app.command()
def preview(
    context: typer.Context,
    subscriber: Reader,
    day: Day = None,
    out: Annotated[Path, typer.Option("--out", help="The folder for SUBSCRIBER.html, .txt and .eml.")] = Path(
        "preview"
    ),
    watch: Annotated[
        bool, typer.Option("--watch", help="Rewrite it on every save of the profile, the settings or a template.")
    ] = False,
    serve: Annotated[
        bool, typer.Option("--serve", help="Show it on a page of this machine instead, new on every save.")
    ] = False,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Where --serve listens; 0 for any free.")
    ] = 8025,
    as_json: AsJson = False,
) -> None:
    """Write a reader's letter as .html, .txt and .eml, without sending anything."""
    if serve and watch:
        raise ConfigError("Cannot both serve and write the preview", do="Give --serve or --watch")
    if serve:
        from newsletter.cli.serving import serve_preview

        serve_preview(context.obj, subscriber, parse_day(day), port)
        return
    if watch:
        from newsletter.cli.watching import keep_previewing

        keep_previewing(context.obj, subscriber, parse_day(day), out)
        return
    seen = _preview(context.obj, subscriber, parse_day(day), out)
    if as_json:
        files = [str(file) for file in seen.files]
        print_json({"subscriber": subscriber, "edition": seen.edition, "subject": seen.subject, "files": files})
    else:
        console().print(f"{seen.subject}\n" + "\n".join(f"  {file}" for file in seen.files), markup=False)


def _preview(config: Path, name: str, day: date | None, out: Path) -> pipeline.Preview:
    with pipeline.open_workspace(config, only={name}) as workspace, working("Writing the letter"):
        reader = pipeline.find_subscriber(workspace, name)
        edition = pipeline.prepare(workspace, pipeline.edition_day(workspace, day))
        return pipeline.preview(workspace, edition, reader, out, at=now())
