"""Digests from files and folders: the bytes of a path, and the day that its name carries."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from newsletter.errors import DigestError
from newsletter.model import Digest, Refusal
from newsletter.sources import content
from newsletter.sources.reading import Reading

FILES_MAX = 10_000
_READABLE = "A digest is a page dump, a Hugging Face, arXiv or feed answer, or JSON Lines; gzip is fine"
_NAMED_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_.]?)(\d\d)\2(\d\d)(?!\d)")


def read_path(path: Path, *, day: date | None, today: date) -> list[Digest]:
    """The digests of a file or of a folder's files, oldest day first; raises DigestError where nothing can be read.

    The day of a digest: for a file the argument, else its name's date, else its content's, else `today`. For a folder
    the argument chooses: only files of that day are read, and a file without a date of its own belongs to it.
    In a folder a file that cannot be read becomes a digest without papers whose refusal names the file; the rest goes
    on. Folders inside and hidden files are left alone.
    """
    if not path.is_dir():
        return [read_file(path, day=day, today=today)]
    digests = read_folder(path, day=day, today=today)
    if not digests:
        why = f"it holds no digest of {day}" if day else "it holds no files"
        raise DigestError("cannot read digests in", which=str(path), why=why, do=_READABLE)
    if not any(digest.papers for digest in digests):
        first = digests[0].refused[0]
        why = f"none of its {len(digests)} files could be read; {first.where}: {first.why}"
        raise DigestError("cannot read digests in", which=str(path), why=why, do=_READABLE)
    return digests


def read_folder(folder: Path, *, day: date | None, today: date) -> list[Digest]:
    """As `read_path` for a folder, but an empty list where no file is of that day."""
    try:
        names = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    except OSError as error:
        raise DigestError("cannot read folder", which=str(folder), why=_reason(error)) from error
    if len(names) > FILES_MAX:
        raise DigestError("cannot read folder", which=str(folder), why=f"it holds more than {FILES_MAX:,} files")
    wanted = [p for p in names if day is None or named_day(p.name) in {None, day}]
    digests = [_tolerant(p, day, today) for p in wanted]
    return sorted((d for d in digests if day is None or d.day == day), key=lambda d: d.day)


def read_file(path: Path, *, day: date | None, today: date) -> Digest:
    """The digest of one file; raises DigestError where it cannot be read or holds no paper."""
    reading = _reading(path, today)
    if isinstance(reading, str):
        raise DigestError("cannot read digest", which=str(path), why=reading, do=_READABLE)
    return _digest(path, reading, day or named_day(path.name) or reading.day or today)


def named_day(name: str) -> date | None:
    """The first date in a file's name (2025-03-13, 2025_03_13, 20250313); None where there is none."""
    for year, _, month, number in _NAMED_DAY.findall(name):
        try:
            return date(int(year), int(month), int(number))
        except ValueError:
            continue
    return None


def _tolerant(path: Path, day: date | None, today: date) -> Digest:
    reading = _reading(path, today)
    if isinstance(reading, str):
        return Digest("folder", named_day(path.name) or day or today, (), (Refusal(path.name, reading),))
    return _digest(path, reading, named_day(path.name) or reading.day or day or today)


def _digest(path: Path, reading: Reading, day: date) -> Digest:
    refused = tuple(Refusal(f"{path.name}, {r.where}", r.why) for r in reading.refused)
    return Digest(reading.format, day, reading.papers, refused)


def _reading(path: Path, today: date) -> Reading | str:
    """What the file gave; a string says why it gave no paper."""
    try:
        with path.open("rb") as file:
            data = file.read(content.BYTES_MAX + 1)
    except OSError as error:
        return _reason(error)
    reading = content.read(data, today=today)
    if isinstance(reading, str) or reading.papers:
        return reading
    if not reading.refused:
        return "it holds no papers"
    first = reading.refused[0]
    return f"none of its {len(reading.refused)} items is a paper that can be read; {first.where}: {first.why}"


def _reason(error: OSError) -> str:
    return error.strerror.lower() if error.strerror else str(error)
