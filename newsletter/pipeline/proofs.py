"""One reader's letter, made as it would be sent and not sent: to look at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from newsletter.errors import DigestError, StoreError
from newsletter.letter.render import Rendered
from newsletter.model import Edition, Letter, Message, Skip, Subscriber
from newsletter.pipeline.letters import write
from newsletter.pipeline.posting import message, open_post
from newsletter.pipeline.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Proof:
    """A letter as it would go out: as data, as what is read, and as the bytes of the message."""

    letter: Letter
    rendered: Rendered
    message: Message


@dataclass(frozen=True, slots=True)
class Preview:
    """A proof on disk: its edition, its subject and the files that show it."""

    edition: str
    subject: str
    files: tuple[Path, ...]


def proof(workspace: Workspace, edition: Edition, reader: Subscriber, *, at: datetime) -> Proof:
    """The reader's letter, a paused reader's too; raises DigestError where there is nothing to say."""
    letter = write(workspace, edition, [replace(reader, paused_until=None)])[0]
    if isinstance(letter, Skip):
        raise DigestError(
            "There is no letter for", which=reader.name, why=letter.reason,
            do="Try another --date or widen the interests",
        )  # fmt: skip
    sealed, rendered = message(open_post(workspace), letter, date=at)
    return Proof(letter, rendered, sealed)


def preview(workspace: Workspace, edition: Edition, reader: Subscriber, folder: Path, *, at: datetime) -> Preview:
    """Write the reader's letter as NAME.html, .txt and .eml; raises DigestError where there is nothing to say."""
    made = proof(workspace, edition, reader, at=at)
    files = {"html": made.rendered.html.encode(), "txt": made.rendered.text.encode(), "eml": made.message.data}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, data in files.items():
            (folder / f"{reader.name}.{suffix}").write_bytes(data)
    except OSError as error:
        raise StoreError(
            "Cannot write the preview into", which=str(folder), why=error.strerror or str(error),
            do="Name another folder with --out",
        ) from error  # fmt: skip
    return Preview(edition.id, made.letter.subject, tuple(folder / f"{reader.name}.{suffix}" for suffix in files))
