"""`newsletter likes import`, `add` and `list`: the papers that a reader likes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsletter import pipeline
from newsletter.cli.app import AsJson, app, now
from newsletter.cli.output import console, print_json, table, working
from newsletter.model import Refusal

likes = typer.Typer(
    help="The papers that a reader likes: from a reference manager, by id, and what there is.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(likes, name="likes")

Reader = Annotated[str, typer.Argument(metavar="SUBSCRIBER", help="The file's name under subscribers/, without .yaml.")]

_STATES = {"here": "", "bare": "title alone", "waiting": "not here yet", "absent": "unknown to arXiv"}


@likes.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="BibTeX, RIS, CSL JSON or Zotero RDF; .gz too.")],
    reader: Annotated[str, typer.Option("--for", metavar="SUBSCRIBER", help="Whose likes they become.")],
    as_json: AsJson = False,
) -> None:
    """Every paper of a Zotero, Mendeley or BibTeX export becomes a like; comments in the profile stay."""
    with pipeline.open_workspace(context.obj, only={reader}) as workspace, working("Reading the bibliography"):
        liking = pipeline.import_likes(workspace, pipeline.find_subscriber(workspace, reader), file)
    _show(liking, reader, as_json=as_json)
    if not liking.added and not liking.known:
        raise typer.Exit(1)


@likes.command()
def add(
    context: typer.Context,
    reader: Reader,
    papers: Annotated[
        list[str], typer.Argument(metavar="PAPER...", help="arXiv ids or addresses, DOIs, or titles in the archive.")
    ],
    as_json: AsJson = False,
) -> None:
    """Add papers to a reader's likes; those that the archive does not have are fetched from arXiv."""
    with pipeline.open_workspace(context.obj, only={reader}) as workspace, working("Looking the papers up"):
        subscriber = pipeline.find_subscriber(workspace, reader)
        liking = pipeline.add_likes(workspace, subscriber, papers, today=now().date())
    _show(liking, reader, as_json=as_json)
    if liking.refused:
        raise typer.Exit(1)


@likes.command("list")
def list_(context: typer.Context, reader: Reader, as_json: AsJson = False) -> None:
    """A reader's liked papers: those of the profile, then those they marked in letters."""
    with pipeline.open_workspace(context.obj, only={reader}) as workspace:
        listed = pipeline.list_likes(workspace, pipeline.find_subscriber(workspace, reader))
    if as_json:
        print_json([{"id": like.id, "title": like.title, "state": like.state, "from": like.said} for like in listed])
        return
    out = console()
    if not listed:
        out.print(f"{reader} has no likes yet: newsletter likes add {reader} ARXIV-ID, or likes import.", markup=False)
        return
    rows = [(like.id, like.title, like.said, _STATES[like.state]) for like in listed]
    out.print(table(f"{len(listed)} papers that {reader} likes", ("paper", "title", "from", ""), rows))
    if any(like.state in ("bare", "waiting") and like.id.startswith("arxiv:") for like in listed):
        out.print("What is not here yet, or with its title alone, newsletter fetch asks arXiv for.", markup=False)


def _show(liking: pipeline.Liking, reader: str, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "subscriber": reader,
                "added": liking.added,
                "known": liking.known,
                "refused": _pairs(liking.refused),
                "waiting": _pairs(liking.waiting),
                "new_in_archive": liking.new,
            }
        )
    else:
        told = f"{len(liking.added)} added to the likes of {reader}, {len(liking.known)} known already"
        console().print(f"{told}, {len(liking.refused)} refused.", markup=False)
    speak = console(stderr=True)
    for refusal in liking.refused:
        speak.print(f"{refusal.where}: {refusal.why}", markup=False)
    for reason, ids in _by_reason(liking.waiting).items():
        speak.print(f"{', '.join(ids)}: added, but not here yet: {reason}", markup=False)
    for warning in liking.warnings:
        speak.print(str(warning), markup=False)


def _pairs(refusals: tuple[Refusal, ...]) -> list[dict[str, str]]:
    return [{"where": refusal.where, "why": refusal.why} for refusal in refusals]


def _by_reason(refusals: tuple[Refusal, ...]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for refusal in refusals:
        reasons.setdefault(refusal.why, []).append(refusal.where)
    return reasons
