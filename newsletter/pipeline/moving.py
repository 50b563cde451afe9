"""Subscribers' documents from files into the database, and out again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from newsletter import settings as configuration
from newsletter.errors import ConfigError
from newsletter.pipeline import roster
from newsletter.pipeline.workspace import Workspace, names_of_readers
from newsletter.settings import Problem
from newsletter.settings.loading import is_name
from newsletter.settings.reading import MAX_BYTES
from newsletter.store import documents
from newsletter.store.suppression import address_hash

__all__ = ["Moved", "bring_in", "files_of", "write_out"]

_TAKEN = {
    "name": "there is another document of this name; --replace puts this one in its place",
    "address": "another document has this address already",
    "changed": "someone has just changed the document; import it again",
    "gone": "someone has just removed the document; import it again",
}


@dataclass(slots=True)
class Moved:
    """Names of documents: `done` moved, `same` there already word for word, `refused` for the `problems`."""

    done: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def files_of(paths: Iterable[Path]) -> list[Path]:
    """The files named, and those of the folders named; raises ConfigError for a path that is not there."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = (file for file in path.iterdir() if file.suffix.lower() in (".yaml", ".yml"))
            found += sorted(file for file in inside if not file.name.startswith("."))
        elif path.is_file():
            found.append(path)
        else:
            raise ConfigError("There is no file or folder", which=str(path), do="Name NAME.yaml files or their folder")
    return found


def bring_in(workspace: Workspace, files: Sequence[Path], *, replace: bool, now: datetime) -> Moved:
    """Every file that has no errors into the database, whatever the settings say of where subscribers are."""
    moved = Moved()
    present = documents.documents(workspace.engine, [path.stem for path in files])
    for path in files:
        problems, why = _brought(workspace, path, present.get(path.stem), replace=replace, now=now)
        moved.problems += problems
        if why == "same":
            moved.same.append(path.stem)
        elif why == "written":
            moved.done.append(path.stem)
        else:
            moved.refused.append(path.stem)
            moved.problems += [Problem(str(path), 0, 0, _TAKEN[why])] if why in _TAKEN else []
    return moved


def write_out(workspace: Workspace, folder: Path) -> Moved:
    """Every document as a file in `folder`, where none of its name says something else. Raises ConfigError."""
    moved = Moved()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in _texts(workspace):
            path, data = folder / f"{name}.yaml", text.encode()
            try:
                configuration.create_file(path, data)
                moved.done.append(name)
            except FileExistsError:
                if path.read_bytes() == data:
                    moved.same.append(name)
                else:
                    moved.refused.append(name)
                    moved.problems.append(Problem(str(path), 0, 0, "says something else; it was left alone"))
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError("Cannot write into", which=str(folder), why=why, do="Name another folder") from error
    return moved


def _brought(
    workspace: Workspace, path: Path, present: documents.Stored | None, *, replace: bool, now: datetime
) -> tuple[Sequence[Problem], str]:
    timezone = workspace.settings.schedule.timezone
    try:
        data = _data(path)
    except ConfigError as error:
        return [Problem(str(path), 0, 0, error.why)], "unread"
    subscriber, problems = configuration.read_subscriber(path.stem, data, str(path), timezone=timezone)
    if subscriber is None:
        return problems, "wrong"
    text, hashed = data.decode("utf-8-sig"), address_hash(subscriber.email, workspace.key)
    if present is None:
        return problems, documents.add_document(workspace.engine, path.stem, hashed, text, now)
    if present.text == text:
        return problems, "same"
    if not replace:
        return problems, "name"
    version = present.version
    return problems, documents.replace_document(workspace.engine, path.stem, hashed, text, now, version=version)


def _data(path: Path) -> bytes:
    if not is_name(path.stem):
        why = "the name before .yaml is the subscriber's name; use letters, digits and . _ - + @ alone"
        raise ConfigError("Cannot name a subscriber", which=path.stem, why=why)
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        why = f"cannot be read: {error.strerror or error}"
        raise ConfigError("Cannot read", which=str(path), why=why) from error


def _texts(workspace: Workspace) -> Iterator[tuple[str, str]]:
    for name in names_of_readers(workspace):
        document = roster.read_document(workspace, name)
        if document is not None:
            yield name, document.text
