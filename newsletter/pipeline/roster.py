"""Subscribers as YAML documents, in the folder or in the database, by one set of functions.

`subscribers: folder | database` says where they are. What is saved has passed the rules of `newsletter check`; of two
who save at once, the second is told; comments stay. Whoever lets readers save what they typed must not let them change
`email`: a new address has to be confirmed by its owner, and "someone has it already" would tell who reads.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from newsletter import settings as configuration
from newsletter.errors import ConfigError
from newsletter.model import Subscriber
from newsletter.pipeline import roster_files, roster_rows
from newsletter.pipeline.workspace import Workspace
from newsletter.settings import Problem
from newsletter.settings.loading import FOLDER, ROWS
from newsletter.settings.reading import read_tree
from newsletter.settings.subscriber import TEXT_KEYS
from newsletter.store.documents import Written

__all__ = [
    "Document", "DocumentError", "change_document", "changed_text", "check_document", "create_subscriber", "named",
    "read_document", "reader_of", "remove_subscriber", "save_document",
]  # fmt: skip

_HINT = 24  # characters of a name that come from the hint
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # none that is taken for another
_CHANCE = 10  # of them, 50 bits: no name comes twice, nor is one guessed


@dataclass(frozen=True, slots=True)
class Document:
    """One subscriber's document as it was read. `mark` changes with the text: give it back to save."""

    name: str
    text: str
    mark: str


class DocumentError(ConfigError):
    """A document that was not saved: for its `problems`, or (`stale`) because someone else saved it meanwhile."""

    def __init__(self, which: str, why: str, *, do: str = "", problems: tuple[Problem, ...] = (), stale: bool = False):  # noqa: ANN204
        super().__init__("Cannot save", which=which, why=why, do=do)
        self.problems, self.stale = problems, stale


def read_document(workspace: Workspace, name: str) -> Document | None:
    """The subscriber's document as it is now, None where there is none. Raises ConfigError where it cannot be read."""
    read = _store(workspace).read(workspace, name)
    return None if read is None else Document(name, *read)


def check_document(workspace: Workspace, name: str, text: str) -> tuple[Subscriber | None, tuple[Problem, ...]]:
    """The subscriber that `text` describes, None where it has errors, and every problem. Nothing is written."""
    timezone = workspace.settings.schedule.timezone
    data = text.encode("utf-8", "surrogatepass")
    return configuration.read_subscriber(name, data, _place(workspace, name), timezone=timezone)


def save_document(workspace: Workspace, document: Document, text: str, *, now: datetime) -> tuple[Problem, ...]:
    """Puts `text` in the place of `document`; returns check's warnings. Raises DocumentError, and ConfigError.

    Line ends become those that the document has.
    """
    crlf = "\r\n" in document.text
    text = re.sub(r"\r\n?", "\n", text).replace("\n", "\r\n" if crlf else "\n")
    subscriber, problems = _right(workspace, document.name, text)
    if text == document.text:
        return problems
    where = _place(workspace, document.name)
    match _store(workspace).replace(
        workspace, document.name, text, mark=document.mark, email=subscriber.email, now=now
    ):
        case "written":
            return problems
        case "address":
            raise _taken(where, subscriber)
        case "gone":
            raise DocumentError(where, "it has been removed meanwhile", stale=True)
        case _:
            raise DocumentError(where, "someone else has just saved it", do="Do it again", stale=True)


def change_document(
    workspace: Workspace, document: Document, changes: configuration.Changes, *, now: datetime
) -> tuple[Problem, ...]:
    """`save_document` with `changes` as `settings.edited` has them; what they do not name stays as it is."""
    return save_document(workspace, document, changed_text(workspace, document, changes), now=now)


def changed_text(workspace: Workspace, document: Document, changes: configuration.Changes) -> str:
    """The text of `document` after `changes`. Raises DocumentError where it has errors or a person has to do it."""
    where = _place(workspace, document.name)
    broken = read_tree(document.text.encode("utf-8", "surrogatepass"), where, text_keys=TEXT_KEYS).problems
    if broken:
        why, do = "\n".join(map(str, broken)), "Correct the document first"
        raise DocumentError(where, why, do=do, problems=broken)
    try:
        return configuration.edited(document.text, changes)
    except configuration.UneditableError as error:
        problem = Problem(where, 0, 0, f"cannot be changed by the program: {error}. {error.do}")
        raise DocumentError(where, str(error), do=error.do, problems=(problem,)) from None


def create_subscriber(workspace: Workspace, text: str, *, now: datetime, hint: str = "") -> str:
    """Makes a subscriber of the document `text`; returns their name, made of `hint` and chance, never used before.

    Raises DocumentError for a document with errors, also where someone has its address already, and ConfigError where
    it cannot be written.
    """
    chance = "".join(secrets.choice(_ALPHABET) for _ in range(_CHANCE))
    name = "-".join(part for part in (_slug(hint), chance) if part)
    add_subscriber(workspace, name, text, now=now)
    return name


def add_subscriber(workspace: Workspace, name: str, text: str, *, now: datetime) -> tuple[Problem, ...]:
    """The same under a name that a person has chosen; returns check's warnings. The name must be free."""
    subscriber, problems = _right(workspace, name, text)
    match _store(workspace).add(workspace, name, text, email=subscriber.email, now=now):
        case "address":
            raise _taken(_place(workspace, name), subscriber)
        case "name":
            raise DocumentError(_place(workspace, name), "there is one of this name already")
        case _:
            return problems


def remove_subscriber(workspace: Workspace, name: str) -> bool:
    """Takes the document away; False where there was none. Raises ConfigError where it cannot be."""
    return _store(workspace).remove(workspace, name)


def reader_of(workspace: Workspace, name: str) -> Subscriber | None:
    """The subscriber as their document is now, None where there is none or it has errors."""
    document = read_document(workspace, name)
    return None if document is None else check_document(workspace, name, document.text)[0]


def named(workspace: Workspace, email: str) -> Subscriber | None:
    """The subscriber who has this address, whatever its case, as their document is now."""
    name = _store(workspace).named(workspace, email)
    return None if name is None else reader_of(workspace, name)


class _Store(Protocol):
    """What the folder and the database do each in their own way."""

    def read(self, workspace: Workspace, name: str, /) -> tuple[str, str] | None: ...
    def replace(
        self, workspace: Workspace, name: str, text: str, /, *, mark: str, email: str, now: datetime
    ) -> Written: ...
    def add(self, workspace: Workspace, name: str, text: str, /, *, email: str, now: datetime) -> Written: ...
    def remove(self, workspace: Workspace, name: str, /) -> bool: ...
    def named(self, workspace: Workspace, email: str, /) -> str | None: ...


def _store(workspace: Workspace) -> _Store:
    return roster_files if workspace.settings.subscribers == "folder" else roster_rows


def _place(workspace: Workspace, name: str) -> str:
    if workspace.settings.subscribers == "database":
        return ROWS + name
    return str(roster_files.path_of(workspace, name) or workspace.config / FOLDER / f"{name}.yaml")


def _right(workspace: Workspace, name: str, text: str) -> tuple[Subscriber, tuple[Problem, ...]]:
    subscriber, problems = check_document(workspace, name, text)
    if subscriber is None:
        wrong = configuration.errors(problems)
        raise DocumentError(_place(workspace, name), "\n".join(map(str, wrong)), problems=problems)
    return subscriber, problems


def _taken(where: str, subscriber: Subscriber) -> DocumentError:
    problem = Problem(where, 1, 1, f"duplicate address {subscriber.email}: another subscriber has it already")
    return DocumentError(where, problem.message, problems=(problem,))


def _slug(hint: str) -> str:
    plain = unicodedata.normalize("NFKD", hint).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_HINT].strip("-")
