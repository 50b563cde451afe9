"""Where returned mail lies: files, an mbox, a Maildir, an IMAP folder. Each mail is marked once it is dealt with.

Every function yields mails; a mail is marked when the next one is asked for, so that one whose handling failed is there
again the next time.
"""

from __future__ import annotations

import mailbox
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext

from newsletter.errors import DeliveryError

_LARGEST = 5 * 2**20


@dataclass(frozen=True, slots=True)
class Returned:
    """One mail, and the file or folder it was found in."""

    where: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ImapAccount:
    """A mailbox that collects bounces. TLS from the first octet (RFC 8314), the certificate checked."""

    host: str
    username: str
    password: str = field(repr=False)
    port: int = 993
    folder: str = "INBOX"
    timeout: float = 60
    context: SSLContext | None = field(default=None, repr=False)


def from_paths(paths: Iterable[Path]) -> Iterator[Returned]:
    """Mails in files (one each, or an mbox) and in folders of them; raises DeliveryError for what cannot be read."""
    for path in paths:
        if path.is_dir():
            yield from from_paths(sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith(".")))
        else:
            yield from _from_file(path)


def _from_file(path: Path) -> Iterator[Returned]:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST)
    except OSError as error:
        raise DeliveryError("Cannot read", which=str(path), why=error.strerror or str(error)) from error
    if data.startswith(b"From ") and b"\nFrom " in data.replace(b"\r\n", b"\n"):
        box = mailbox.mbox(path, create=False)
        try:
            for key in box.keys():  # noqa: SIM118  a mailbox iterates over its messages
                yield Returned(f"{path}#{key}", box.get_bytes(key))
        finally:
            box.close()
    else:
        yield Returned(str(path), data)


def from_maildir(folder: Path) -> Iterator[Returned]:
    """The new mails of a Maildir, each moved to `cur` and flagged as seen."""
    if not (folder / "new").is_dir():
        why = "it has no folder 'new'"
        raise DeliveryError("Not a Maildir", which=str(folder), why=why, do="Name the folder above new, cur and tmp")
    box = mailbox.Maildir(folder, create=False)
    for key in sorted(box.keys()):
        message = box.get_message(key)
        if message.get_subdir() == "new":
            yield Returned(str(folder / "new" / key), box.get_bytes(key))
            message.set_subdir("cur")
            message.add_flag("S")
            box[key] = message


def from_imap(account: ImapAccount) -> Iterator[Returned]:
    """The unseen mails of an IMAP folder, each flagged as seen; raises DeliveryError."""
    import imaplib

    where = f"{account.host}:{account.port}/{account.folder}"
    try:
        yield from _unseen(account, where)
    except (imaplib.IMAP4.error, OSError) as error:
        why = (
            error.args[0].decode("utf-8", "replace") if error.args and isinstance(error.args[0], bytes) else str(error)
        )
        do = "Check host, user name, password and folder"
        raise DeliveryError("Cannot read the mailbox", which=where, why=why, do=do) from error


def _unseen(account: ImapAccount, where: str) -> Iterator[Returned]:
    import imaplib
    import ssl

    context = account.context or ssl.create_default_context()
    with imaplib.IMAP4_SSL(account.host, account.port, ssl_context=context, timeout=account.timeout) as server:
        server.login(account.username, account.password)
        quoted = account.folder.replace("\\", "\\\\").replace('"', '\\"')
        status, [reason, *_] = server.select(f'"{quoted}"')
        if status != "OK":
            raise imaplib.IMAP4.error(reason)
        _, [uids, *_] = server.uid("SEARCH", "UNSEEN")
        for uid in (uids or b"").split():
            _, parts = server.uid("FETCH", uid.decode("ascii"), f"(BODY.PEEK[]<0.{_LARGEST}>)")
            data = next((part[1] for part in parts if isinstance(part, tuple)), None)
            if data is not None:
                yield Returned(f"{where};UID={uid.decode('ascii')}", data)
            server.uid("STORE", uid.decode("ascii"), "+FLAGS.SILENT", r"(\Seen)")
