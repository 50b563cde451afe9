"""`newsletter fetch` and `newsletter themes`: what came in and what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer

from newsletter import pipeline
from newsletter.cli.app import AsJson, Day, app, now, parse_day
from newsletter.cli.output import console, print_json, sparkline, table, working
from newsletter.errors import ConfigError, DigestError
from newsletter.model import Edition


@app.command()
def fetch(
    context: typer.Context,
    source: Annotated[str | None, typer.Option("--source", help="Only this source of newsletter.yaml.")] = None,
    day: Annotated[
        str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="The digest's day; today by default.")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="YYYY-MM-DD", help="First day of several.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="YYYY-MM-DD", help="Last day of several.")] = None,
    path: Annotated[Path | None, typer.Option("--from", help="A file or a folder; the format is detected.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Take a digest that is far smaller than usual.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read digests into the archive: from the configured sources, or from a file or folder.

    Papers that readers like and the archive does not have are fetched with the sources.
    """
    liked = None
    with pipeline.open_workspace(context.obj) as workspace, working("Reading digests"):
        if path is not None:
            taken = pipeline.fetch_path(workspace, path, day=parse_day(day), today=now().date(), force=force)
        else:
            days = _days(parse_day(day), parse_day(since), parse_day(until), now().date())
            taken = pipeline.fetch_sources(workspace, source, days, force=force)
            liked = pipeline.fetch_likes(workspace, today=now().date()) if source is None else None
    shown = [*taken, liked] if liked else taken
    if as_json:
        print_json([_as_json(intake) for intake in shown])
    else:
        _show(shown)
    failed = [intake for intake in taken if intake.state in ("failed", "small")]
    if failed:
        raise typer.Exit(1)


def _days(day: date | None, since: date | None, until: date | None, today: date) -> list[date]:
    if day and (since or until):
        raise ConfigError("Cannot use --date together with --since or --until", do="Give one day or a span")
    if not (since or until):
        return [day or today]
    first, last = since or until or today, until or today
    if last < first:
        raise ConfigError(
            "Cannot fetch a span", which=f"{first} to {last}", why="it ends before it begins", do="Swap the two days"
        )
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _as_json(intake: pipeline.Intake) -> dict[str, object]:
    return {
        "source": intake.source,
        "date": intake.day,
        "state": intake.state,
        "papers": intake.papers,
        "new": len(intake.new),
        "known": len(intake.known),
        "refused": [{"where": r.where, "why": r.why} for r in intake.refused],
        "reason": intake.reason,
    }


def _show(taken: Sequence[pipeline.Intake]) -> None:
    out = console()
    rows = [
        (i.source, f"{i.day}", i.state, str(i.papers), str(len(i.new)), str(len(i.known)), str(len(i.refused)))
        for i in taken
    ]
    out.print(
        table(
            "Digests",
            ("source", "day", "state", "papers", "new", "known", "refused"),
            rows,
            right=("papers", "new", "known", "refused"),
        )
    )
    total = sum(len(i.new) for i in taken)
    out.print(f"{total} new papers in the archive.")
    speak = console(stderr=True)
    for intake in taken:
        if intake.reason:
            speak.print(f"{intake.source} {intake.day}: {intake.reason}", markup=False)
        for refusal in intake.refused:
            speak.print(f"{refusal.where}: {refusal.why}", markup=False)


@app.command()
def themes(
    context: typer.Context,
    day: Day = None,
    map_file: Annotated[
        Path | None, typer.Option("--map", metavar="FILE.html", help="Write an interactive map of the window.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The edition's themes: label, keywords, momentum, papers."""
    with pipeline.open_workspace(context.obj) as workspace, working("Learning themes"):
        edition = pipeline.prepare(workspace, pipeline.edition_day(workspace, parse_day(day)))
        if map_file is not None:
            pipeline.write_theme_map(workspace, edition, map_file)
    if not edition.papers:
        raise DigestError(
            "No papers for",
            which=f"{edition.day}",
            do="Read that day's digest first: newsletter fetch --date or --from",
        )
    if as_json:
        print_json(
            [
                {"id": t.id, "label": t.label, "keywords": t.keywords, "momentum": t.momentum, "papers": t.papers}
                for t in edition.themes
            ]
        )
    else:
        _show_themes(edition)
    if map_file is not None:
        console(stderr=True).print(f"Map written to {map_file}", markup=False)


def _show_themes(edition: Edition) -> None:
    out = console()
    out.print(f"[bold]{edition.id}[/]  {len(edition.papers)} papers, {len(edition.themes)} themes\n")
    titles = {paper.id: paper.title for paper in edition.papers}
    rows = []
    for theme in edition.themes:
        moves = f"{theme.momentum.trend} ×{theme.momentum.rate:.1f}"
        rows.append(
            (
                theme.label,
                str(len(theme.papers)),
                "█" * min(20, len(theme.papers)),
                moves,
                sparkline(theme.momentum.history[-14:]),
                ", ".join(theme.keywords[:6]),
            )
        )
    out.print(table("", ("theme", "papers", "", "momentum", "14 days", "keywords"), rows, right=("papers",)))
    for theme in edition.themes:
        out.print(f"\n[bold]{theme.label}[/]", highlight=False)
        for paper in theme.papers:
            out.print(f"  {titles[paper]}", markup=False, overflow="fold")
