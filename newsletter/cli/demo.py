"""`newsletter demo`: the whole job on the packaged sample, through a real SMTP server on loopback."""

from __future__ import annotations

import email
import email.policy
import os
import shutil
from collections.abc import Mapping
from datetime import date
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from newsletter import pipeline, sample
from newsletter import settings as configuration
from newsletter.cli.app import AsJson, app, now
from newsletter.cli.output import console, print_json, table
from newsletter.cli.packaged import starter
from newsletter.errors import ConfigError
from newsletter.mail.inbox import inbox
from newsletter.model import Letter

_MARK = ".newsletter-demo"
_PAGES = "http://localhost:8000"  # where `newsletter web` serves them, and the letters' links lead


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the letters go.")] = Path("demo-letters"),
    as_json: AsJson = False,
) -> None:
    """Read the packaged sample, learn its themes, and send real letters to an inbox on this machine."""
    config = _prepare_folder(out)
    shown = console(stderr=True)
    columns = (SpinnerColumn(finished_text="[green]✓[/]"), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=shown) as progress, inbox() as box:
        environ = _environment(box.port)
        with pipeline.open_workspace(config, environ) as workspace:
            task = progress.add_task("Reading six days of digests", total=1)
            today = _read_sample(workspace)
            progress.update(task, completed=1)
            task = progress.add_task("Learning the themes of the window", total=1)
            edition = pipeline.prepare(workspace, today)
            progress.update(
                task,
                completed=1,
                description=f"Learned {len(edition.themes)} themes for {len(edition.papers)} papers of {edition.day}",
            )
            task = progress.add_task("Ranking, writing and sending", total=1)
            pipeline.send(
                workspace, edition.day, at=now(), only=[reader.name for reader in pipeline.readers(workspace)]
            )
            progress.update(
                task, completed=1, description=f"Sent {len(box.messages)} letters over SMTP to 127.0.0.1:{box.port}"
            )
            letters = {letter.email: letter for letter in pipeline.frozen_letters(workspace, edition.day).values()}
            counts = pipeline.status(workspace, edition.day)
    arrived = sorted(box.messages, key=lambda message: message.recipient)
    rows = [_save(out, message.data, letters[message.recipient]) for message in arrived]
    if as_json:
        print_json({"letters": rows, "status": counts})
    else:
        _show(rows, out, config)
    if not rows or counts["sent"] != len(rows):
        raise typer.Exit(1)


def _prepare_folder(out: Path) -> Path:
    """A clean folder with a copy of the starter configuration, so that every command can be tried on it afterwards."""
    if out.exists() and any(out.iterdir()) and not (out / _MARK).exists():
        raise ConfigError(
            "Cannot write the demo into", which=str(out), why="it holds other files", do="Name a new folder: --out DIR"
        )
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    (out / _MARK).touch()
    with starter() as source:
        shutil.copytree(source, out / "config")
    settings = out / "config" / "newsletter.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(configuration.edited(text, {"base_url": _PAGES, "web": {}}), encoding="utf-8")
    return out / "config"


def _environment(port: int) -> Mapping[str, str]:
    return {
        "PATH": os.environ.get("PATH", ""),
        "NEWSLETTER_SMTP__HOST": "127.0.0.1",
        "NEWSLETTER_SMTP__PORT": str(port),
        "NEWSLETTER_SMTP__SECURITY": "none",
    }


def _read_sample(workspace: pipeline.Workspace) -> date:
    taken = [
        intake
        for path in sample.days()
        for intake in pipeline.fetch_path(workspace, path, day=None, today=now().date(), force=True)
    ]
    return max(intake.day for intake in taken)


def _save(out: Path, data: bytes, letter: Letter) -> dict[str, object]:
    """What arrived, as .eml, .html and .txt; the row of the closing table."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101  what policy.default returns
    (out / f"{letter.subscriber}.eml").write_bytes(data)
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    if html is not None:
        (out / f"{letter.subscriber}.html").write_text(html.get_content(), encoding="utf-8")
    if text is not None:
        (out / f"{letter.subscriber}.txt").write_text(text.get_content(), encoding="utf-8")
    entries = [
        *letter.top,
        *(e for section in letter.sections for e in section.entries),
        *letter.trending,
        *letter.explore,
    ]
    return {
        "reader": letter.display_name or letter.subscriber,
        "subject": str(message["Subject"]),
        "papers": len(entries),
        "themes": len({entry.pick.theme for entry in entries}),
        "bytes": len(data),
        "file": str(out / f"{letter.subscriber}.html"),
    }


def _show(rows: list[dict[str, object]], out: Path, config: Path) -> None:
    shown = console()
    columns = ("reader", "subject", "papers", "themes", "bytes")
    shown.print()
    shown.print(
        table("Letters that arrived", columns, [[str(row[c]) for c in columns] for row in rows], right=columns[2:])
    )
    shown.print(
        f"\nOpen them:  {out.resolve()}/*.html  (and .eml for a mail program, .txt for the text part)", markup=False
    )
    shown.print(f"Let their links work:  newsletter --config {config} web    and open {_PAGES}", markup=False)
    shown.print(f"Look around:  newsletter --config {config} status    and    rank ada    and    themes", markup=False)
