"""Bounces are found in files, a Maildir and an IMAP mailbox; what was dealt with is not read again, the rest stays."""

from __future__ import annotations

import mailbox
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from newsletter.errors import DeliveryError
from newsletter.mail.returned import Imap, from_file, from_imap, from_maildir

MAIL = b"From: a@example.org\nSubject: %d\n\nText\n"


@dataclass
class ImapServer:
    """Enough of RFC 3501 over TLS for one client at a time: LOGIN, SELECT, UID SEARCH, FETCH and STORE."""

    context: ssl.SSLContext
    mails: list[bytes]
    seen: set[int] = field(default_factory=set)
    logins: list[str] = field(default_factory=list)
    port: int = 0

    @contextmanager
    def running(self) -> Iterator[ImapServer]:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.port = listening.getsockname()[1]
            thread = threading.Thread(target=self._serve, args=(listening,))
            thread.start()
            try:
                yield self
            finally:
                listening.shutdown(socket.SHUT_RDWR)
                thread.join()

    def _serve(self, listening: socket.socket) -> None:
        while True:
            try:
                raw, _ = listening.accept()
            except OSError:
                return
            try:
                with self.context.wrap_socket(raw, server_side=True) as tls, tls.makefile("rwb") as file:
                    file.write(b"* OK ready\r\n")
                    file.flush()
                    for line in file:
                        tag, _, command = line.decode().strip().partition(" ")
                        for answer in self._answers(command):
                            file.write(answer)
                        file.write(self._end(tag, command))
                        file.flush()
                        if command == "LOGOUT":
                            break
            except (OSError, ssl.SSLError):
                pass  # the client did not like our certificate

    def _end(self, tag: str, command: str) -> bytes:
        if command.startswith("LOGIN") and '"right"' not in command:
            return f"{tag} NO [AUTHENTICATIONFAILED] wrong\r\n".encode()
        if command.startswith("SELECT") and "INBOX" not in command:
            return f"{tag} NO no such folder\r\n".encode()
        return f"{tag} OK done\r\n".encode()

    def _answers(self, command: str) -> Iterator[bytes]:
        if command.startswith("LOGIN"):
            self.logins.append(command)
        elif command == "CAPABILITY":
            yield b"* CAPABILITY IMAP4rev1\r\n"
        elif command.startswith("SELECT"):
            yield f"* {len(self.mails)} EXISTS\r\n".encode()
        elif command == "UID SEARCH UNSEEN":
            yield ("* SEARCH " + " ".join(str(n) for n in range(1, len(self.mails) + 1) if n not in self.seen)).encode()
            yield b"\r\n"
        elif match := re.match(r"UID FETCH (\d+) \(BODY\.PEEK\[\]", command):
            data = self.mails[int(match[1]) - 1]
            yield f"* {match[1]} FETCH (UID {match[1]} BODY[]<0> {{{len(data)}}}\r\n".encode() + data + b")\r\n"
        elif match := re.match(r"UID STORE (\d+) \+FLAGS.SILENT \(\\Seen\)", command):
            self.seen.add(int(match[1]))


@pytest.fixture
def imap(certificates: Mapping[str, ssl.SSLContext]) -> Iterator[ImapServer]:
    with ImapServer(certificates["good"], [MAIL % 1, MAIL % 2, MAIL % 3]).running() as server:
        yield server


def test_imap_mails_are_seen_only_when_dealt_with(imap, trusting):
    server = Imap("127.0.0.1", "me", "right", imap.port, context=trusting)
    first, *rest = list(from_imap_doing(server, {"INBOX 2"}))
    assert first == ("INBOX 1", MAIL % 1)
    assert len(rest) == 2
    assert imap.seen == {2}
    assert [where for where, _ in from_imap_doing(server, set())] == ["INBOX 1", "INBOX 3"]


def from_imap_doing(server: Imap, deal_with: set[str]) -> Iterator[tuple[str, bytes]]:
    for mail in from_imap(server):
        if mail.where in deal_with:
            mail.done()
        yield mail.where, mail.data


def test_a_wrong_password_says_so(imap, trusting):
    with pytest.raises(DeliveryError, match=r"AUTHENTICATIONFAILED.*password"):
        list(from_imap(Imap("127.0.0.1", "me", "wrong", imap.port, context=trusting)))


def test_a_missing_folder_says_so(imap, trusting):
    with pytest.raises(DeliveryError, match="folder Bounces"):
        list(from_imap(Imap("127.0.0.1", "me", "right", imap.port, "Bounces", context=trusting)))


@pytest.mark.parametrize("kind", ["expired", "other host", "unknown authority"])
def test_the_password_is_not_shown_to_a_server_that_cannot_prove_who_it_is(certificates, trusting, kind):
    with ImapServer(certificates[kind], []).running() as server:
        with pytest.raises(DeliveryError, match="certificate"):
            list(from_imap(Imap("127.0.0.1", "me", "right", server.port, context=trusting)))
        assert server.logins == []


def test_nobody_listens(trusting):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(DeliveryError, match="refused"):
        list(from_imap(Imap("127.0.0.1", "me", "right", port, context=trusting)))


def test_a_maildir_keeps_what_nobody_dealt_with(tmp_path):
    box = mailbox.Maildir(tmp_path / "box", create=True)
    for number in (1, 2, 3):
        box.add(MAIL % number)
    seen = mailbox.MaildirMessage(MAIL % 4)
    seen.set_subdir("cur")
    seen.set_flags("S")
    box.add(seen)
    mails = list(from_maildir(tmp_path / "box"))
    assert sorted(mail.data for mail in mails) == [MAIL % 1, MAIL % 2, MAIL % 3]
    mails[0].done()
    mails[1].done()
    assert [mail.data for mail in from_maildir(tmp_path / "box")] == [mails[2].data]
    assert len(box) == 4


def test_what_is_no_maildir_is_refused(tmp_path):
    with pytest.raises(DeliveryError, match="not a Maildir"):
        list(from_maildir(tmp_path))


def test_an_mbox_holds_many_mails(tmp_path):
    box = mailbox.mbox(tmp_path / "box")
    for number in (1, 2):
        box.add(MAIL % number)
    box.close()
    assert [mail.data for mail in from_file(tmp_path / "box")] == [MAIL % 1, MAIL % 2]
    (tmp_path / "one.eml").write_bytes(MAIL % 3)
    assert [mail.data for mail in from_file(tmp_path / "one.eml")] == [MAIL % 3]
    with pytest.raises(DeliveryError, match="No such file"):
        list(from_file(tmp_path / "none.eml"))
