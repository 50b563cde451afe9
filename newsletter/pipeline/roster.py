"""Subscribers as YAML documents, in the folder or in the database, by one set of functions.

`subscribers: folder | database` says where they are. What is saved has passed the rules of `newsletter check`; of two
who save at once, the second is told; comments stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from newsletter.errors import ConfigError
from newsletter.model import Subscriber
from newsletter.pipeline.workspace import Workspace
from newsletter.settings import Problem

__all__ = [
    "Document", "DocumentError", "change_document", "check_document", "create_subscriber", "named", "read_document",
    "reader_of", "remove_subscriber", "save_document",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Document:
    """One subscriber's document as it was read. `mark` changes with the text: give it back to save."""

    name: str
    text: str
    mark: str


class DocumentError(ConfigError):
    """A document that was not saved: for its `problems`, or (`stale`) because someone else saved it meanwhile."""

    problems: tuple[Problem, ...] = ()
    stale: bool = False


def read_document(workspace: Workspace, name: str) -> Document | None:
    """The subscriber's document as it is now, None where there is none. Raises ConfigError where it cannot be read."""
    raise NotImplementedError


def check_document(workspace: Workspace, name: str, text: str) -> tuple[Subscriber | None, tuple[Problem, ...]]:
    """The subscriber that `text` describes, None where it has errors, and every problem. Nothing is written."""
    raise NotImplementedError


def save_document(workspace: Workspace, document: Document, text: str, *, now: datetime) -> tuple[Problem, ...]:
    """Puts `text` in the place of `document`; returns check's warnings. Raises DocumentError, and ConfigError."""
    raise NotImplementedError


def change_document(
    workspace: Workspace, document: Document, changes: Mapping[str, Any], *, now: datetime
) -> tuple[Problem, ...]:
    """`save_document` with `changes` as `settings.edited` has them; what they do not name stays as it is."""
    raise NotImplementedError


def create_subscriber(workspace: Workspace, text: str, *, now: datetime, hint: str = "") -> str:
    """Makes a subscriber of the document `text`; returns their name, made of `hint` and chance, never used before.

    Raises DocumentError for a document with errors, also where someone has its address already.
    """
    raise NotImplementedError


def remove_subscriber(workspace: Workspace, name: str) -> bool:
    """Takes the document away; False where there was none."""
    raise NotImplementedError


def reader_of(workspace: Workspace, name: str) -> Subscriber | None:
    """The subscriber as their document is now, None where there is none or it has errors."""
    raise NotImplementedError


def named(workspace: Workspace, email: str) -> Subscriber | None:
    """The subscriber who has this address, whatever its case, as their document is now."""
    raise NotImplementedError
