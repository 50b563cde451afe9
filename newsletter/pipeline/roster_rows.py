"""The roster's documents as rows of the database."""

from __future__ import annotations

from datetime import datetime

from newsletter.errors import ConfigError
from newsletter.pipeline.workspace import Workspace
from newsletter.settings.loading import is_name
from newsletter.store import documents
from newsletter.store.documents import Written
from newsletter.store.suppression import address_hash


def read(workspace: Workspace, name: str) -> tuple[str, str] | None:
    """(text, mark) of the subscriber's row."""
    stored = documents.documents(workspace.engine, [name]).get(name)
    return None if stored is None else (stored.text, str(stored.version))


def replace(workspace: Workspace, name: str, text: str, *, mark: str, email: str, now: datetime) -> Written:
    """Puts `text` in the place of the version `mark`."""
    hashed = address_hash(email, workspace.key)
    return documents.replace_document(workspace.engine, name, hashed, text, now, version=int(mark))


def add(workspace: Workspace, name: str, text: str, *, email: str, now: datetime) -> Written:
    """A new row."""
    if not is_name(name):
        raise ConfigError("Cannot name a subscriber", which=repr(name), why="letters, digits and . _ - + @ alone")
    return documents.add_document(workspace.engine, name, address_hash(email, workspace.key), text, now)


def remove(workspace: Workspace, name: str) -> bool:
    """Whether there was a row to remove."""
    return documents.remove_document(workspace.engine, name)


def named(workspace: Workspace, email: str) -> str | None:
    """Who has the address."""
    stored = documents.document_of(workspace.engine, address_hash(email, workspace.key))
    return stored.name if stored else None
