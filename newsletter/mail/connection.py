"""One SMTP session with its phases apart, so that every failure is known to be safe to retry, final, or uncertain.

aiosmtplib connects, encrypts and logs in. Its `data()` sends the DATA command, the text and the final dot in one call;
here they are three steps (RFC 5321 section 4.1.1.4): a refusal of DATA, and a connection that breaks while the text is
under way, are safe to retry, because the dot has not left this process. Only silence after the dot is uncertain.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, cast

import aiosmtplib

from newsletter.errors import ConfigError, MessageError
from newsletter.mail import replies
from newsletter.mail.address import normal_address
from newsletter.mail.dialogue import Dialogue
from newsletter.mail.message import smtputf8
from newsletter.model import Message, Outcome, Phase

_OK = 250
_TAKEN = (250, 251)  # 251: not here, but passed on
_START_INPUT = 354
_CLOSING = 421
_GOODBYE_SECONDS = 5.0
_BLOCKS = 3  # times the timeout for the text: RFC 5321 section 4.5.3.2.5 gives a block three minutes
# Each begins with the one octet to look for, which takes a tenth of the time that two octets take
_BARE_CR = re.compile(rb"\r(?!\n)")
_BARE_LF = re.compile(rb"\n(?<!\r\n)")
_BEFORE_A_DOT = re.compile(rb"\n(?=\.)")

Begin = Callable[[], Awaitable[bool]]
WITHDRAWN = Outcome("deferred", "rcpt", text="withdrawn before it was sent")


@dataclass(frozen=True, slots=True)
class Server:
    """The SMTP server that takes our letters, and how to treat it.

    `security`: ``starttls`` and ``tls`` require a valid certificate; ``none`` is for loopback, and ``trusted-network``
    the same for any host, never with a login. Rates are letters a second, 0 for no limit. `timeout` is for each
    command, `dot_timeout` for the answer to the final dot (RFC 5321 section 4.5.3.2.6: ten minutes), in seconds.
    `context` replaces the system's certificate store.
    """

    host: str = "localhost"
    port: int = 587
    security: Literal["starttls", "tls", "none", "trusted-network"] = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    connections: int = 5
    messages_per_connection: int = 100
    rate_per_second: float = 10
    domain_rate_per_second: float = 0
    timeout: float = 60
    dot_timeout: float = 600
    refusals_in_a_row: int = 10
    hello: str = ""
    context: ssl.SSLContext | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.security == "none" and not _is_loopback(self.host):
            raise ConfigError(
                "Cannot send without encryption to",
                which=self.host,
                why="smtp.security: none is for this machine only",
                do="Set smtp.security to starttls or tls; to trusted-network for a mail catcher in a private network",
            )
        if self.security in ("none", "trusted-network") and self.username:
            raise ConfigError(
                "Cannot log in to",
                which=self.host,
                why="without encryption the password could be read on the way",
                do="Set smtp.security to starttls or tls, or remove smtp.username",
            )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"


class Connection:
    """An open, greeted, encrypted session; made by `open_connection`."""

    def __init__(self, client: aiosmtplib.SMTP, server: Server) -> None:
        self._offers = client.supports_extension
        self._client = client
        self._timeout, self._dot_timeout = server.timeout, server.dot_timeout
        self._left = server.messages_per_connection
        self._talk = Dialogue(cast("asyncio.Transport", client.transport))
        self.taken = 0

    @property
    def usable(self) -> bool:
        """Whether another letter may be tried here."""
        return self._left > 0 and self._talk.usable

    async def deliver(self, message: Message, begin: Begin) -> Outcome:
        """One message to its one recipient; `begin` as in `newsletter.mail.Transport`."""
        self.taken += 1
        self._left -= 1
        if unfit := self._unfit(message):
            return unfit
        if refused := await self._envelope(message):
            return await self._back_out(refused)
        try:
            begun = await begin()
        except Exception:
            await self._back_out(WITHDRAWN)
            raise
        return await self._text(message.data) if begun else await self._back_out(WITHDRAWN)

    async def quit(self) -> None:
        """Say goodbye for a few seconds at most, and close: the letters are safe whatever the answer."""
        try:
            if self._talk.usable:
                await self._talk.command(b"QUIT", min(_GOODBYE_SECONDS, self._timeout))
        except OSError:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Close without a word."""
        self._talk.close()
        self._client.close()

    def _unfit(self, message: Message) -> Outcome | None:
        """Why not a word of this message may be said here, if so."""
        if _has_bare_line_end(message.data):
            return Outcome("refused", "mail", text="bare CR or LF in the message")
        if smtputf8(message) and not self._offers("smtputf8"):
            return Outcome("refused", "mail", text="the server does not offer SMTPUTF8, which this address needs")
        try:
            normal_address(message.sender)
            normal_address(message.recipient)
        except MessageError as error:  # it could break the command line
            return Outcome("refused", "mail", text=replies.plain_text(str(error)))
        return None

    async def _envelope(self, message: Message) -> Outcome | None:
        """MAIL and RCPT, in one packet where the server offers PIPELINING; None when both were accepted."""
        size = f" SIZE={len(message.data)}" if self._offers("size") else ""
        wide = " BODY=8BITMIME SMTPUTF8" if smtputf8(message) else ""
        mail = f"MAIL FROM:<{message.sender}>{size}{wide}\r\n".encode()
        rcpt = f"RCPT TO:<{message.recipient}>\r\n".encode()
        at_once = self._offers("pipelining")
        phase: Phase = "mail"
        try:
            self._talk.send(mail + rcpt if at_once else mail, replies=2 if at_once else 1)
            reply = await self._talk.reply(self._timeout)
            if reply.code != _OK:
                if at_once and reply.code != _CLOSING:
                    with contextlib.suppress(OSError):
                        await self._talk.reply(self._timeout)
                return replies.outcome("mail", *reply)
            phase = "rcpt"
            if not at_once:
                self._talk.send(rcpt, replies=1)
            reply = await self._talk.reply(self._timeout)
        except OSError as error:
            return failure(phase, error)
        return None if reply.code in _TAKEN else replies.outcome("rcpt", *reply)

    async def _text(self, data: bytes) -> Outcome:
        """DATA, the text, the dot."""
        phase: Phase = "data"
        try:
            ready = await self._talk.command(b"DATA", self._timeout)
            if ready.code != _START_INPUT:
                return await self._back_out(replies.outcome("data", *ready))
            # from here on the reply to the dot is owed: a refusal in the midst of the text is heard
            self._talk.send(_stuffed(data), replies=1)
            reply = await self._talk.flushed(_BLOCKS * self._timeout)
            if reply is None:
                self._talk.send(b".\r\n", replies=0)
                phase = "dot"
                reply = await self._talk.reply(self._dot_timeout)
        except OSError as error:
            self.close()
            return failure(phase, error)
        except BaseException:  # cancelled: the session is in the midst of a letter
            self.close()
            raise
        if phase == "data" or reply.code == _CLOSING:
            self.close()
        return replies.outcome(phase, *reply)

    async def _back_out(self, found: Outcome) -> Outcome:
        """Leave the session ready for the next letter, if the server is still there."""
        try:
            if (
                found.code == _CLOSING
                or not self._talk.usable
                or (await self._talk.command(b"RSET", self._timeout)).code != _OK
            ):
                self.close()
        except OSError:
            self.close()
        return found


async def open_connection(server: Server) -> Connection | Outcome:
    """Connect, greet, encrypt and log in; the outcome where one of these fails.

    A failure to connect is `deferred` (the server may be back in a minute); one of encryption or login is `stop`.
    """
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        local_hostname=server.hello or _own_name(),
        timeout=server.timeout,
        use_tls=server.security == "tls",
        start_tls=False,
        tls_context=server.context,
    )
    phase: Phase = "connect"
    try:
        await client.connect()
        await client.ehlo()
        if server.security == "starttls":
            phase = "tls"
            await client.starttls()
            await client.ehlo()
        if server.username:
            phase = "auth"
            await client.login(server.username, server.password)
        return Connection(client, server)
    except (aiosmtplib.SMTPException, OSError) as error:
        client.close()
        return failure(phase, error, server)
    except BaseException:
        client.close()
        raise


def failure(phase: Phase, error: Exception, server: Server | None = None) -> Outcome:
    """The outcome of an exception of aiosmtplib, of the socket, or of TLS in `phase`."""
    cause = error if isinstance(error, ssl.SSLError) else error.__cause__
    where = f"{server.host}:{server.port}" if server else "the server"
    if isinstance(error, aiosmtplib.SMTPResponseException) and error.code > 0:
        return replies.outcome(phase, error.code, error.message)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Outcome("stop", "tls", text=f"the certificate of {where} is not valid: {cause.verify_message}")
    if isinstance(cause, ssl.SSLError):
        why = f"{cause.reason or cause}; does smtp.security fit the port?"
        return Outcome("stop", "tls", text=f"no encryption with {where}: {why}")
    if type(error) is aiosmtplib.SMTPException:
        # STARTTLS or AUTH is not offered, perhaps because someone on the way has taken it out: never go on without it
        return Outcome("stop", phase, text=f"{where}: {error.message}")
    if isinstance(cause, OSError) and cause.errno:
        name_lookup = isinstance(cause, socket.gaierror)
        error = OSError(cause.strerror if name_lookup else os.strerror(cause.errno))
    return replies.no_answer(phase, f"cannot reach {where}: {error}" if phase == "connect" else f"{where}: {error}")


def _own_name() -> str:
    """The name to greet with: a full host name, else an address literal (RFC 5321 section 4.1.3); no DNS look-up."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def _has_bare_line_end(data: bytes) -> bool:
    """Whether a server of loose habits could take a part of the message for its end (CVE-2023-51764)."""
    return bool(_BARE_CR.search(data) or _BARE_LF.search(data))


def _stuffed(data: bytes) -> bytes:
    """`data` with every leading dot doubled (RFC 5321 section 4.5.2)."""
    data = data if data.endswith(b"\r\n") else data + b"\r\n"
    data = _BEFORE_A_DOT.sub(b"\n.", data)
    return b"." + data if data.startswith(b".") else data
