"""`newsletter send`, `status`, `deliveries` and `resend`: letters on their way."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsletter import pipeline
from newsletter.cli.app import AsJson, Day, app, now, parse_day
from newsletter.cli.output import console, print_json, table
from newsletter.cli.progress import sending, stopping
from newsletter.delivery import STATES
from newsletter.errors import ConfigError
from newsletter.model import State
from newsletter.pipeline.health import conversations


@app.command()
def send(
    context: typer.Context,
    day: Day = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="SUBSCRIBER", help="Only this reader; may be repeated.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="ADDRESS",
            help="One-off test: every chosen letter to this address; the ledger is left alone.",
        ),
    ] = None,
    outbox: Annotated[
        Path | None, typer.Option("--outbox", metavar="DIR", help="Write .eml files instead of speaking SMTP.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send an edition: every subscriber's letter once, whatever happens on the way."""
    with pipeline.open_workspace(context.obj) as workspace:
        chosen = pipeline.edition_day(workspace, parse_day(day))
        names = frozenset(only or ())
        if to is not None:
            outcomes = pipeline.send_test(workspace, chosen, to, only=names, outbox=outbox, at=now())
            _show_test(outcomes, to, as_json=as_json)
            if any(outcome.kind != "accepted" for _, outcome in outcomes) or not outcomes:
                raise typer.Exit(1)
            return
        with sending() as progress, stopping() as stop:
            report = pipeline.send(
                workspace, chosen, only=names, outbox=outbox, at=now(), progress=progress, stop=stop.is_set
            )
        counts = pipeline.status(workspace, chosen)
    if as_json:
        print_json(counts)
    else:
        _show_status(counts)
        for line in report.problems:
            console(stderr=True).print(line, markup=False)
    if report.failed:
        raise typer.Exit(1)


def _show_test(outcomes: list[tuple[str, pipeline.Outcome]], to: str, *, as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {"subscriber": name, "outcome": outcome.kind, "code": outcome.code, "text": outcome.text}
                for name, outcome in outcomes
            ]
        )
        return
    out = console()
    for name, outcome in outcomes:
        out.print(f"{name}: {outcome.kind} {outcome.code or ''} {outcome.text}".rstrip(), markup=False)
    out.print(f"One-off test to {to}: the ledger was not touched, nobody's letter counts as sent.", markup=False)


@app.command()
def status(context: typer.Context, day: Day = None, as_json: AsJson = False) -> None:
    """Where an edition's letters are; the counts balance."""
    with pipeline.open_workspace(context.obj) as workspace:
        counts = pipeline.status(workspace, pipeline.edition_day(workspace, parse_day(day)))
    if as_json:
        print_json(counts)
    else:
        _show_status(counts)


def _show_status(counts: dict[str, str | int]) -> None:
    row = [str(counts[state]) for state in STATES] + [str(counts["total"])]
    console().print(table(str(counts["edition"]), (*STATES, "total"), [row], right=(*STATES, "total")))


@app.command()
def deliveries(
    context: typer.Context,
    day: Day = None,
    state: Annotated[str | None, typer.Option("--state", help="Only letters in this state.")] = None,
    subscriber: Annotated[str | None, typer.Option("--subscriber", help="Only this reader's letters.")] = None,
    as_json: AsJson = False,
) -> None:
    """The ledger, row by row: state, attempts, reason; with --subscriber every try and the server's words."""
    wanted = _state(state) if state else None
    with pipeline.open_workspace(context.obj) as workspace:
        chosen = pipeline.edition_day(workspace, parse_day(day))
        rows = pipeline.deliveries(workspace, chosen, state=wanted, subscriber=subscriber)
        said = conversations(workspace, rows) if subscriber else {}
    if as_json:
        print_json(
            [
                {
                    "edition": r.edition,
                    "subscriber": r.subscriber,
                    "state": r.state,
                    "attempts": r.attempts,
                    "next_at": r.next_at,
                    "reason": r.reason,
                    "message_id": r.message_id,
                    **({"history": said.get(r.id, ())} if subscriber else {}),
                }
                for r in rows
            ]
        )
        return
    cells = [
        (r.subscriber, r.state, str(r.attempts), r.next_at.strftime("%H:%M") if r.next_at else "", r.reason)
        for r in rows
    ]
    console().print(
        table("Deliveries", ("subscriber", "state", "attempts", "next", "reason"), cells, right=("attempts",))
    )
    for r in rows:
        lines = [
            (f"{a.at:%Y-%m-%d %H:%M:%S}", a.event, a.phase, f"{a.code or ''} {a.enhanced}".strip(), a.text)
            for a in said.get(r.id, ())
        ]
        if lines:
            console().print(table(f"What happened to {r.message_id}", ("UTC", "event", "phase", "code", "text"), lines))


@app.command()
def resend(
    context: typer.Context,
    day: Day = None,
    state: Annotated[str, typer.Option("--state", help="Which letters: uncertain, failed or deferred.")] = "uncertain",
    as_json: AsJson = False,
) -> None:
    """Put letters back into the plan. Your decision: an uncertain letter may then arrive twice."""
    wanted = _state(state)
    if wanted not in ("uncertain", "failed", "deferred"):
        raise ConfigError(
            "Cannot resend letters that are", which=state, do="Choose --state uncertain, failed or deferred"
        )
    with pipeline.open_workspace(context.obj) as workspace:
        chosen = pipeline.edition_day(workspace, parse_day(day))
        moved = pipeline.resend(workspace, chosen, wanted, at=now())
    if as_json:
        print_json({"edition": f"daily/{chosen}", "state": state, "requeued": moved})
    else:
        console().print(
            f"{moved} letters of daily/{chosen} are planned again. Send them: newsletter send --date {chosen}",
            markup=False,
        )


def _state(name: str) -> State:
    for state in STATES:
        if state == name:
            return state
    raise ConfigError("There is no state", which=repr(name), do=f"Choose one of {', '.join(STATES)}")
