"""Where bounces lie: files, a Maildir, an IMAP mailbox. Each mail with its bytes and a way to mark it as dealt with."""

from __future__ import annotations

import imaplib
import mailbox
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from newsletter.errors import DeliveryError

__all__ = ["Imap", "Returned", "from_file", "from_imap", "from_maildir"]

_SECONDS = 60.0
_LARGEST = 25 * 2**20
_DO = "Check imap.host, imap.port, imap.username and the password"


@dataclass(frozen=True, slots=True)
class Returned:
    """One mail: where it lies, its bytes, and `done`, which keeps it from being read again."""

    where: str
    data: bytes
    done: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Imap:
    """A mailbox on an IMAP server; always over TLS, with the certificate checked."""

    host: str
    username: str
    password: str
    port: int = 993
    folder: str = "INBOX"
    context: ssl.SSLContext | None = None


def from_file(path: Path) -> Iterator[Returned]:
    """The mail in the file, or each of an mbox file; files are left as they are. Raises DeliveryError."""
    try:
        with path.open("rb") as file:
            start = file.read(5)
        if start != b"From ":
            yield Returned(str(path), path.read_bytes(), _nothing)
            return
        box = mailbox.mbox(path, create=False)
        try:
            for number, key in enumerate(box.iterkeys(), start=1):
                yield Returned(f"{path}:{number}", box.get_bytes(key), _nothing)
        finally:
            box.close()
    except OSError as error:
        raise DeliveryError("Cannot read", which=str(path), why=error.strerror or str(error)) from error


def from_maildir(folder: Path) -> Iterator[Returned]:
    """Mails that nobody has seen; `done` marks one as seen. Raises DeliveryError where it is no Maildir."""
    if not (folder / "new").is_dir() or not (folder / "cur").is_dir():
        do = "Name the folder that holds cur, new and tmp"
        raise DeliveryError("Cannot read", which=str(folder), why="it is not a Maildir", do=do)
    unseen = [*(folder / "new").iterdir(), *(f for f in (folder / "cur").iterdir() if "S" not in _flags(f))]
    for path in sorted(unseen, key=lambda file: file.name):
        with suppress(FileNotFoundError):  # another reader was faster
            yield Returned(str(path), path.read_bytes(), partial(_seen, folder, path))


def from_imap(server: Imap) -> Iterator[Returned]:
    """Mails without the flag Seen (RFC 3501); `done` sets it, reading alone does not. Raises DeliveryError."""
    context = server.context or ssl.create_default_context()
    try:
        with imaplib.IMAP4_SSL(server.host, server.port, ssl_context=context, timeout=_SECONDS) as session:
            session.login(server.username, server.password)
            _ok(session.select(f'"{server.folder}"'), f"open the folder {server.folder}")
            (found,) = _ok(session.uid("SEARCH", "UNSEEN"), "search for mails")
            for uid in (found or b"").split():
                parts = _ok(session.uid("FETCH", uid.decode(), f"(BODY.PEEK[]<0.{_LARGEST}>)"), "fetch a mail")
                if data := next((part[1] for part in parts if isinstance(part, tuple)), b""):
                    yield Returned(f"{server.folder} {uid.decode()}", data, partial(_flag, session, uid))
    except (OSError, imaplib.IMAP4.error) as error:
        where = f"{server.host}:{server.port}"
        raise DeliveryError("Cannot read the mailbox at", which=where, why=_said(error), do=_DO) from error


def _nothing() -> None:
    return None


def _flags(path: Path) -> str:
    return path.name.rpartition(":2,")[2] if ":2," in path.name else ""


def _seen(folder: Path, path: Path) -> None:
    """Move the mail to `cur` with the flag S beside those it has (https://cr.yp.to/proto/maildir.html)."""
    flags = "".join(sorted({*_flags(path), "S"}))
    path.rename(folder / "cur" / f"{path.name.partition(':2,')[0]}:2,{flags}")


def _flag(session: imaplib.IMAP4, uid: bytes) -> None:
    _ok(session.uid("STORE", uid.decode(), "+FLAGS.SILENT", r"(\Seen)"), "mark a mail as seen")


def _ok(answer: tuple[str, Any], what: str) -> Any:
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(f"cannot {what}: {data!r}")
    return data


def _said(error: Exception) -> str:
    text = error.args[0] if isinstance(error, imaplib.IMAP4.error) and error.args else str(error)
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
