"""`newsletter subscribers`: who reads, their documents, and their way between folder and database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsletter import pipeline
from newsletter.cli.app import AsJson, app, now
from newsletter.cli.output import console, print_json, table
from newsletter.errors import ConfigError
from newsletter.model import Subscriber
from newsletter.pipeline import moving, roster
from newsletter.pipeline.links import preferences_link
from newsletter.pipeline.workspace import find_subscriber, names_of_readers, place_of_readers, readers

subscribers = typer.Typer(
    help="Who reads, and their documents: in the folder or in the database.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(subscribers, name="subscribers")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The subscriber's name, as `list` shows it.")]


@subscribers.command("list")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """Every subscriber, with when their letter comes; those whose document has errors too."""
    with pipeline.open_workspace(context.obj) as workspace:
        right = {reader.name: reader for reader in readers(workspace)}
        names, place = names_of_readers(workspace), place_of_readers(workspace)
    if as_json:
        print_json([_as_json(name, right) for name in names])
        return
    rows = [
        (name, one.email, f"{one.send_at:%H:%M} {one.timezone}", _days(one.days, weekly=one.weekly), _state(one))
        if (one := right.get(name))
        else (name, "", "", "", "has errors: newsletter check")
        for name in names
    ]
    console().print(table(f"{len(names)} subscribers in {place}", ("name", "address", "at", "days", ""), rows))


@subscribers.command()
def show(context: typer.Context, name: Name) -> None:
    """Print a subscriber's document."""
    with pipeline.open_workspace(context.obj, only={name}) as workspace:
        document = roster.read_document(workspace, name)
        if document is None:
            find_subscriber(workspace, name)  # raises, with the nearest name
            return
    typer.echo(document.text, nl=not document.text.endswith("\n"))


@subscribers.command("import")
def import_(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE_OR_FOLDER...", help="NAME.yaml files, or folders of them.")
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Put them in the place of documents of their names.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring documents into the database, each checked; what has problems is named, the rest goes in."""
    with pipeline.open_workspace(context.obj, only=set()) as workspace:
        moved = moving.bring_in(workspace, moving.files_of(paths), replace=replace, now=now())
        elsewhere = workspace.settings.subscribers == "folder"
    if as_json:
        print_json({"imported": moved.done, "unchanged": moved.same, "problems": [str(one) for one in moved.problems]})
    else:
        told = f"{len(moved.done)} brought in, {len(moved.same)} there already"
        console().print(f"{told}, {len(moved.refused)} left out.", markup=False)
        if elsewhere:
            console().print("They are used once newsletter.yaml says  subscribers: database", markup=False)
    for problem in moved.problems:
        typer.echo(str(problem), err=True)
    if moved.refused:
        raise typer.Exit(1)


@subscribers.command()
def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go; other files there stay.")],
    as_json: AsJson = False,
) -> None:
    """Write every document as a file NAME.yaml. A file that says something else is left alone and named."""
    with pipeline.open_workspace(context.obj, only=set()) as workspace:
        moved = moving.write_out(workspace, folder)
    if as_json:
        print_json({"exported": moved.done, "unchanged": moved.same, "problems": [str(one) for one in moved.problems]})
    else:
        told = f"{len(moved.done)} written to {folder}, {len(moved.same)} there already"
        console().print(f"{told}, {len(moved.refused)} left out.", markup=False)
    for problem in moved.problems:
        typer.echo(str(problem), err=True)
    if moved.refused:
        raise typer.Exit(1)


@subscribers.command()
def remove(context: typer.Context, name: Name) -> None:
    """Take a subscriber's document away. What was sent to them stays in the ledger."""
    with pipeline.open_workspace(context.obj, only={name}) as workspace:
        if not roster.remove_subscriber(workspace, name):
            find_subscriber(workspace, name)  # raises, with the nearest name
    told = f"{name} is removed and gets no further letter. What was sent stays in the ledger; nothing was erased there."
    console().print(told, markup=False)


@subscribers.command()
def link(context: typer.Context, name: Name) -> None:
    """Print the link to a reader's preferences, for one who has lost the mail. Whoever has it can use it."""
    with pipeline.open_workspace(context.obj, only={name}) as workspace:
        if workspace.settings.web is None:
            do = "Add the key `web` to newsletter.yaml"
            raise ConfigError("There are no preferences to link to", why="there is no web side", do=do)
        reader = find_subscriber(workspace, name)
        typer.echo(preferences_link(workspace, reader.name, reader.email, at=now()))


def _as_json(name: str, right: dict[str, Subscriber]) -> dict[str, object]:
    one = right.get(name)
    if one is None:
        return {"name": name, "state": "has errors"}
    return {
        "name": name, "email": one.email, "send_at": f"{one.send_at:%H:%M}", "timezone": one.timezone,
        "days": sorted(one.days), "weekly": one.weekly, "paused_until": one.paused_until, "state": "right",
    }  # fmt: skip


def _days(days: frozenset[int], *, weekly: bool) -> str:
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    if weekly:
        return f"weekly: {names[min(days) - 1]}"
    known = {7: "daily"} | ({5: "weekdays"} if max(days, default=7) < 6 else {})
    return known.get(len(days)) or ", ".join(names[day - 1] for day in sorted(days))


def _state(reader: Subscriber) -> str:
    return f"paused until {reader.paused_until}" if reader.paused_until else ""
