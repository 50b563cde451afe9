"""The roster's documents as files under config/subscribers.

One lock in the data folder lets the programs of one newsletter change them in turn; a person's editor does not ask for
it, so a file is replaced only where it still holds what was read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from newsletter import settings as configuration
from newsletter.errors import ConfigError
from newsletter.pipeline.workspace import Workspace
from newsletter.settings.loading import FOLDER, is_name
from newsletter.settings.reading import MAX_BYTES
from newsletter.store.documents import Written

_PATIENCE = 10.0  # seconds


def path_of(workspace: Workspace, name: str) -> Path | None:
    """The file of the subscriber, None where there is none."""
    if not is_name(name):
        return None
    files = (workspace.config / FOLDER / f"{name}{suffix}" for suffix in (".yaml", ".yml"))
    return next((file for file in files if file.is_file()), None)


def read(workspace: Workspace, name: str) -> tuple[str, str] | None:
    """(text, mark) of the subscriber's file."""
    path = path_of(workspace, name)
    if path is None:
        return None
    with _speaking("Cannot read", path):
        try:
            data = _bytes(path)
        except FileNotFoundError:
            return None
    try:
        return data.decode("utf-8-sig"), _mark(data)
    except UnicodeDecodeError:
        raise ConfigError("Cannot read", which=str(path), why="it is not UTF-8 text", do="Save it as UTF-8") from None


def replace(workspace: Workspace, name: str, text: str, *, mark: str, email: str, now: datetime) -> Written:  # noqa: ARG001  the file's own time tells it
    """Puts `text` in the place of what has this `mark`."""
    with _turn(workspace):
        path = path_of(workspace, name)
        if path is None:
            return "gone"
        with _speaking("Cannot write", path):
            before = _bytes(path)
            if _mark(before) != mark:
                return "changed"
            if named(workspace, email) not in (None, name):
                return "address"
            configuration.replace_file(path.resolve(), before, text.encode())
    return "written"


def add(workspace: Workspace, name: str, text: str, *, email: str, now: datetime) -> Written:  # noqa: ARG001  the file's own time tells it
    """A new file, and the folder where there is none."""
    folder = workspace.config / FOLDER
    if not is_name(name):
        raise ConfigError("Cannot name a subscriber", which=repr(name), why="letters, digits and . _ - + @ alone")
    with _turn(workspace), _speaking("Cannot write", folder):
        if path_of(workspace, name) is not None:
            return "name"
        if named(workspace, email) is not None:
            return "address"
        folder.mkdir(exist_ok=True)
        configuration.create_file(folder / f"{name}.yaml", text.encode())
    return "written"


def remove(workspace: Workspace, name: str) -> bool:
    """Whether there was a file to remove."""
    with _turn(workspace):
        path = path_of(workspace, name)
        if path is None:
            return False
        with _speaking("Cannot remove", path):
            path.unlink(missing_ok=True)
    return True


def named(workspace: Workspace, email: str) -> str | None:
    """Who has the address; files that have not changed since the workspace was read are not read again."""
    wanted = email.strip().casefold()
    found = configuration.load_subscribers(workspace.config, workspace.settings, workspace.found)
    return next((one.name for one in found.subscribers if one.email.casefold() == wanted), None)


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _mark(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextmanager
def _turn(workspace: Workspace) -> Iterator[None]:
    path = workspace.settings.data / "subscribers.lock"
    lock = FileLock(path, timeout=_PATIENCE)
    try:
        with _speaking("Cannot write", path):
            lock.acquire()
    except Timeout:
        why, do = "another program has been changing subscribers for seconds", "Do it again, or end that program"
        raise ConfigError("Cannot change the subscribers", which=str(path), why=why, do=do) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _speaking(what: str, path: Path) -> Iterator[None]:
    try:
        yield
    except Timeout:
        raise
    except OSError as error:
        do = "Give the user of this program the right to write it and its folder, or set subscribers: database"
        raise ConfigError(what, which=str(path), why=error.strerror or str(error), do=do) from error
