"""`newsletter bounce`, `suppress`, `allow` and `suppressions`: addresses that get no letter, and why."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from newsletter import pipeline
from newsletter.cli.app import AsJson, app, now
from newsletter.cli.output import console, print_json, table
from newsletter.errors import ConfigError
from newsletter.pipeline import bounces

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="An e-mail address.")]


@app.command()
def bounce(
    context: typer.Context,
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE...", help="Mails, or mbox files.")] = None,
    maildir: Annotated[
        Path | None, typer.Option("--maildir", metavar="DIR", help="The unseen mails of a Maildir.")
    ] = None,
    imap: Annotated[bool, typer.Option("--imap", help="The unseen mails of the mailbox in the settings.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read bounces and complaints: dead addresses and complaints are suppressed, full mailboxes counted."""
    if not (files or maildir or imap):
        raise ConfigError("There is nothing to read", do="Name files, --maildir DIR or --imap")
    with pipeline.open_workspace(context.obj) as workspace:
        mails = chain(
            bounces.files(files or ()),
            bounces.maildir(maildir) if maildir else (),
            bounces.bounce_mailbox(workspace) if imap else (),
        )
        handled = list(bounces.take_back(workspace, mails, at=now()))
    if as_json:
        print_json(handled)
        return
    out = console()
    for one in handled:
        whose = f"{one.subscriber} ({one.edition})" if one.subscriber else ", ".join(one.recipients)
        said = " ".join(part for part in (one.status, one.text) if part)[:160]
        out.print(f"{one.where}: {one.verdict}, {one.action}: {whose or '-'} {said}".rstrip(), markup=False)
    counted = Counter(one.action for one in handled)
    out.print(", ".join(f"{number} {action}" for action, number in counted.items()) or "No mail to read", markup=False)
    if counted["unknown"]:
        out.print(
            "The unknown ones quote no letter of this ledger, and anyone can write such a mail: nothing was done. "
            "If you believe one, newsletter suppress ADDRESS",
            markup=False,
        )


@app.command()
def suppress(
    context: typer.Context,
    address: Address,
    reason: Annotated[str, typer.Option("--reason", help="Kept with the date.")] = "the operator's decision",
) -> None:
    """Send nothing to this address any more; letters that wait for it are skipped."""
    with pipeline.open_workspace(context.obj) as workspace:
        skipped = bounces.suppress(workspace, address, reason, at=now())
    console().print(f"{address} gets no letter any more; {skipped} that waited are skipped.", markup=False)


@app.command()
def allow(context: typer.Context, address: Address) -> None:
    """Send to a suppressed address again."""
    with pipeline.open_workspace(context.obj) as workspace:
        was = bounces.allow(workspace, address)
    console().print(f"{address} {'may get letters again' if was else 'was not suppressed'}.", markup=False)


@app.command()
def suppressions(context: typer.Context, as_json: AsJson = False) -> None:
    """The addresses that get no letter: as hashes, with reason, date, and whose they were."""
    with pipeline.open_workspace(context.obj) as workspace:
        listed = bounces.suppressions(workspace)
    if as_json:
        print_json(listed)
        return
    rows = [(one.address[:16], ", ".join(one.subscribers), f"{one.at:%Y-%m-%d}", one.reason) for one in listed]
    console().print(table("Suppressed addresses", ("hash", "subscriber", "since", "reason"), rows))
