"""Returned mail from files, mbox, Maildir and a real (small) IMAP server over TLS; what failed comes again."""

from __future__ import annotations

import asyncio
import mailbox
import threading
from contextlib import contextmanager

import pytest

from newsletter.errors import DeliveryError
from newsletter.mail.returned import ImapAccount, from_imap, from_maildir, from_paths

MAILS = [
    b"Subject: one\r\n\r\nfirst\r\n",
    b"Subject: two\r\n\r\nsecond \xff\r\n",
    b"Subject: three\r\n\r\n" + b"x" * 100_000,
]


def test_files_folders_and_mbox(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.eml").write_bytes(MAILS[1])
    (tmp_path / "in" / "a.eml").write_bytes(MAILS[0])
    (tmp_path / "in" / ".hidden").write_bytes(b"no")
    box = mailbox.mbox(tmp_path / "mbox")
    for data in MAILS[:2]:
        box.add(data)
    box.close()
    found = list(from_paths([tmp_path / "in", tmp_path / "mbox"]))
    assert [r.data for r in found[:2]] == MAILS[:2]
    assert [r.where.rpartition("/")[2] for r in found] == ["a.eml", "b.eml", "mbox#0", "mbox#1"]
    assert b"first" in found[2].data


def test_missing_file_is_one_clear_error(tmp_path):
    with pytest.raises(DeliveryError, match="No such file"):
        list(from_paths([tmp_path / "nowhere.eml"]))


def test_maildir_marks_what_was_dealt_with(tmp_path):
    box = mailbox.Maildir(tmp_path / "box", create=True)
    for data in MAILS:
        box.add(data)
    mails = from_maildir(tmp_path / "box")
    first = next(mails)
    mails.close()  # handling it failed
    assert len(list((tmp_path / "box" / "new").iterdir())) == 3
    again = list(from_maildir(tmp_path / "box"))
    assert first.data in [r.data for r in again]
    assert len(again) == 3
    assert not list((tmp_path / "box" / "new").iterdir())
    assert all(path.name.endswith(":2,S") for path in (tmp_path / "box" / "cur").iterdir())
    assert list(from_maildir(tmp_path / "box")) == []


def test_not_a_maildir(tmp_path):
    with pytest.raises(DeliveryError, match="Not a Maildir"):
        list(from_maildir(tmp_path))


class Imap:
    """A few commands of RFC 3501, enough for imaplib: unseen mails by UID, and which were flagged."""

    def __init__(self, mails):
        self.mails, self.seen = mails, []

    def answer(self, command):
        """What is said before the final line, and that line's status."""
        verb = command.upper()
        if verb.startswith(b"LOGIN") and b"secret" not in command:
            return b"", b"NO [AUTHENTICATIONFAILED] wrong password"
        if verb.startswith(b"SELECT") and b"INBOX" not in verb:
            return b"", b"NO no such folder"
        if verb.startswith(b"UID SEARCH"):
            unseen = [b"%d" % uid for uid in range(1, len(self.mails) + 1) if uid not in self.seen]
            return b"* SEARCH " + b" ".join(unseen) + b"\r\n", b"OK done"
        if verb.startswith(b"UID FETCH"):
            data = self.mails[int(command.split()[2]) - 1]
            return b"* 1 FETCH (UID 1 BODY[]<0> {%d}\r\n%s)\r\n" % (len(data), data), b"OK done"
        if verb.startswith(b"UID STORE"):
            self.seen.append(int(command.split()[2]))
        return {b"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n", b"LOGOUT": b"* BYE\r\n"}.get(verb, b""), b"OK done"

    async def session(self, reader, writer):
        writer.write(b"* OK ready\r\n")
        while line := (await reader.readline()).strip():
            tag, command = line.split(b" ", 1)
            said, status = self.answer(command)
            writer.write(said + tag + b" " + status + b"\r\n")
        writer.close()


@contextmanager
def imap_server(mails, context):
    imap, ready, stop, started = Imap(mails), [], asyncio.Event(), threading.Event()

    async def serve():
        server = await asyncio.start_server(imap.session, "127.0.0.1", 0, ssl=context)
        ready.append((asyncio.get_running_loop(), server.sockets[0].getsockname()[1]))
        started.set()
        await stop.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    started.wait(5)
    loop, port = ready[0]
    try:
        yield port, imap.seen
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


@pytest.fixture
def account(trusting):
    def make(port, **more):
        return ImapAccount(
            **({"host": "127.0.0.1", "username": "b", "password": "secret", "port": port, "context": trusting} | more)
        )

    return make


def test_imap_marks_what_was_dealt_with(certificates, account):
    with imap_server(MAILS, certificates["good"]) as (port, seen):
        mails = from_imap(account(port))
        assert next(mails).data == MAILS[0]
        mails.close()
        assert seen == []
        assert [r.data for r in from_imap(account(port))] == MAILS
        assert seen == [1, 2, 3]
        assert list(from_imap(account(port))) == []


@pytest.mark.parametrize(
    ("more", "why"), [({"password": "wrong"}, "AUTHENTICATIONFAILED"), ({"folder": 'no"where'}, "no such folder")]
)
def test_imap_refusals_are_one_clear_error(certificates, account, more, why):
    with imap_server(MAILS, certificates["good"]) as (port, _), pytest.raises(DeliveryError, match=why) as caught:
        list(from_imap(account(port, **more)))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("certificate", ["expired", "other host", "unknown authority"])
def test_imap_certificate_is_checked(certificates, account, certificate):
    with imap_server(MAILS, certificates[certificate]) as (port, seen):
        with pytest.raises(DeliveryError, match="CERTIFICATE_VERIFY_FAILED"):
            list(from_imap(account(port)))
        assert seen == []
