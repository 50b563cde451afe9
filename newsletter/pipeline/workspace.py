"""What every stage needs: settings, store, key and readers of one configuration."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import structlog
from sqlalchemy import Engine

from newsletter import settings as configuration
from newsletter.errors import ConfigError, StoreError
from newsletter.model import Subscriber
from newsletter.settings import Settings, Subscribers
from newsletter.settings.loading import FOLDER, ROWS
from newsletter.settings.problems import did_you_mean
from newsletter.store import documents, open_store

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Workspace:
    """An opened configuration. `key` signs Message-IDs and hashes addresses; it is the same as long as `data` lives."""

    config: Path
    settings: Settings
    engine: Engine
    key: bytes
    found: Subscribers


@contextmanager
def open_workspace(
    config: Path, environ: Mapping[str, str] | None = None, *, only: AbstractSet[str] | None = None
) -> Iterator[Workspace]:
    """The configuration in the folder `config` with its store open; raises ConfigError or StoreError.

    Readers whose document has problems are left out, with a warning each; the others get their letters. With `only`,
    no other readers' documents are read: for a preview, not for an edition.
    """
    settings = configuration.load_settings(config, os.environ if environ is None else environ)
    _make_folder(settings.data)
    engine = open_store(settings.database_url())
    try:
        found = load_readers(config, settings, engine, only=only)
        for problem in configuration.errors(found.problems):
            log.warning("profile left out", problem=str(problem))
        yield Workspace(config, settings, engine, secret_key(settings), found)
    finally:
        engine.dispose()


def load_readers(
    config: Path, settings: Settings, engine: Engine, previous: Subscribers | None = None,
    *, only: AbstractSet[str] | None = None,
) -> Subscribers:  # fmt: skip
    """The readers where the settings say that they are; what has not changed since `previous` is not read again."""
    if settings.subscribers == "folder":
        return configuration.load_subscribers(config, settings, previous, only=only)

    def texts(names: Collection[str]) -> dict[str, str]:
        return {name: stored.text for name, stored in documents.documents(engine, names).items()}

    return configuration.load_documents(documents.versions(engine, only), texts, settings, previous, only=only)


def secret_key(settings: Settings) -> bytes:
    """The key of the settings, else the one in the data folder, made there once and readable by its owner alone."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    path = settings.data / "secret.key"
    part = settings.data / f".secret.key.{os.getpid()}"
    try:
        if not path.exists():  # linked into place whole, so that two programs that start at once share one key
            part.touch(mode=0o600)
            part.write_text(secrets.token_hex(32), encoding="ascii")
            with suppress(FileExistsError):
                path.hardlink_to(part)
            part.unlink()
    except OSError as error:
        raise StoreError(
            "Cannot write", which=str(path), why=error.strerror or str(error), do="Check the folder's rights"
        ) from error
    return path.read_bytes()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise StoreError(
            "Cannot make the data folder", which=str(folder), why=why, do="Set `data` to a folder that can be written"
        ) from error


def readers(workspace: Workspace) -> tuple[Subscriber, ...]:
    """Every reader whose file is right, by name."""
    return workspace.found.subscribers


def find_subscriber(workspace: Workspace, name: str) -> Subscriber:
    """The reader called `name`; raises ConfigError with the nearest name, or with what is wrong in their document."""
    for reader in readers(workspace):
        if reader.name == name:
            return reader
    mine = [p for p in configuration.errors(workspace.found.problems) if _name_in(p.path) == name]
    if mine:
        raise ConfigError(
            "Cannot use the profile of",
            which=name,
            why="; ".join(map(str, mine)),
            do="Mend the file, then run newsletter check",
        )
    names = names_of_readers(workspace)
    near = did_you_mean(name, names).removeprefix(": ")
    hint = near[:1].upper() + near[1:] or (f"There are: {', '.join(names[:20])}" if names else "There are none yet")
    place = place_of_readers(workspace)
    why = f"no {name}.yaml under {place}" if workspace.settings.subscribers == "folder" else f"none in {place}"
    raise ConfigError("There is no subscriber", which=repr(name), why=why, do=hint)


def place_of_readers(workspace: Workspace) -> str:
    """Where the readers' documents are, in the words of a message."""
    in_folder = workspace.settings.subscribers == "folder"
    return str(workspace.config / FOLDER) if in_folder else "the database (subscribers: database)"


def names_of_readers(workspace: Workspace) -> Sequence[str]:
    """The names of all documents there are, right or not."""
    if workspace.settings.subscribers == "database":
        return list(documents.versions(workspace.engine))
    return sorted(path.stem for path in (workspace.config / FOLDER).glob("[!.]*.y*ml"))


def _name_in(place: str) -> str:
    """Whose document a problem's place is."""
    return place.removeprefix(ROWS) if place.startswith(ROWS) else Path(place).stem


def expected(workspace: Workspace, day: date, only: Collection[str] = ()) -> list[Subscriber]:
    """Who gets a letter in the edition of `day`: those named in `only`, else everyone whose days hold this weekday."""
    if only:
        return [find_subscriber(workspace, name) for name in sorted(only)]
    if not readers(workspace):
        in_folder = workspace.settings.subscribers == "folder"
        write = "Write one for each reader, such as ada.yaml" if in_folder else "Bring them in: newsletter subscribers"
        raise ConfigError(
            "There is nobody to write to",
            which=place_of_readers(workspace),
            why=f"no subscriber's {'file' if in_folder else 'document'} there is right",
            do=f"{write}; newsletter check says what is wrong with those there are",
        )
    return [reader for reader in readers(workspace) if day.isoweekday() in reader.days]


def reloaded(workspace: Workspace, environ: Mapping[str, str]) -> Workspace:
    """The workspace with settings and profiles as they are now; documents that have not changed are not read again.

    Settings that have become unusable are reported and the old ones stay in force; the store stays the same one.
    """
    settings = workspace.settings
    try:
        settings = configuration.load_settings(workspace.config, environ)
    except ConfigError as error:
        log.warning("settings not reloaded", why=str(error))
    found = load_readers(workspace.config, settings, workspace.engine, workspace.found)
    if found.problems != workspace.found.problems:
        for problem in configuration.errors(found.problems):
            log.warning("profile left out", problem=str(problem))
    return replace(workspace, settings=settings, found=found)
