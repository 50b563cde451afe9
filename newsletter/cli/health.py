"""`newsletter health` and `newsletter doctor`: is all well, and what to mend."""

from __future__ import annotations

from typing import Annotated

import typer

from newsletter import pipeline
from newsletter.cli.app import AsJson, app, now
from newsletter.cli.output import console, print_json, table
from newsletter.pipeline.doctor import examine, names_from
from newsletter.pipeline.health import Health, health, metrics


@app.command(name="health")
def show_health(
    context: typer.Context,
    as_metrics: Annotated[bool, typer.Option("--metrics", help="Prometheus' text format.")] = False,
    as_json: AsJson = False,
) -> None:
    """Whether something needs a person: exit status 0 where nothing does, else 1. For monitors."""
    with pipeline.open_workspace(context.obj) as workspace:
        found = health(workspace, at=now())
    if as_metrics:
        typer.echo(metrics(found), nl=False)
    elif as_json:
        print_json(found)
    else:
        _show(found)
    if not found.healthy:
        raise typer.Exit(1)


def _show(found: Health) -> None:
    out = console()
    for problem in found.problems or ("All is well.",):
        out.print(problem, markup=False)
    states = [(state, str(count)) for state, count in found.letters.items() if count]
    out.print(table("Letters of the last two days", ("state", "letters"), states, right=("letters",)))
    sources = [(one.source, one.state or "never fetched", one.day, str(one.papers)) for one in found.sources]
    out.print(table("Sources", ("source", "state", "day", "papers"), sources, right=("papers",)))
    ticked = f"{found.last_tick:%Y-%m-%d %H:%M:%S} UTC" if found.last_tick else "never"
    out.print(f"Last tick of the service: {ticked}. Suppressed addresses: {found.suppressed}.", markup=False)
    if found.web:
        out.print(f"Pages: {found.web}", markup=False)


_MARKS = {"good": "ok", "warning": "warning", "bad": "BAD", "unknown": "unknown"}


@app.command(name="doctor")
def show_doctor(
    context: typer.Context,
    nameserver: Annotated[
        str, typer.Option("--nameserver", metavar="HOST[:PORT]", help="Ask this DNS server, not the system's.")
    ] = "",
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="Send a test letter there, too.")] = "",
    as_json: AsJson = False,
) -> None:
    """What keeps letters from arriving: DNS, signature, mail server, clock, disk, templates; and what to do."""
    with pipeline.open_workspace(context.obj) as workspace:
        found = list(examine(workspace, names_from(nameserver), at=now(), to=to))
    if as_json:
        print_json(found)
    else:
        out = console()
        for one in found:
            out.print(f"{_MARKS[one.grade]:8} {one.check}: {one.says}", markup=False)
            if one.do:
                out.print(f"         {one.do}", markup=False)
    if any(one.grade == "bad" for one in found):
        raise typer.Exit(1)
