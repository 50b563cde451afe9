"""One SMTP session with its phases apart, so that every failure is known to be safe to retry, final, or uncertain.

aiosmtplib connects, encrypts, logs in, sends commands and reads replies. Its `data()` sends the DATA command, the text
and the final dot in one call; here they are three steps (RFC 5321 section 4.1.1.4): a refusal of DATA, and a connection
that breaks while the text is under way, are safe to retry, because the dot has not left this process. Only silence
after the dot is uncertain.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, cast

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from newsletter.errors import ConfigError, MessageError
from newsletter.mail import replies
from newsletter.mail.address import normal_address
from newsletter.mail.message import smtputf8
from newsletter.model import Message, Outcome, Phase

_OK = 250
_TAKEN = (250, 251)  # 251: not here, but passed on
_START_INPUT = 354
_CLOSING = 421
_GOODBYE_SECONDS = 5.0

Begin = Callable[[], Awaitable[bool]]
WITHDRAWN = Outcome("deferred", "rcpt", text="withdrawn before it was sent")


@dataclass(frozen=True, slots=True)
class Server:
    """The SMTP server that takes our letters, and how to treat it.

    `security`: ``starttls`` and ``tls`` require a valid certificate; ``none`` is for loopback. Rates are letters a
    second, 0 for no limit. `timeout` is for each command, `dot_timeout` for the answer to the final dot (RFC 5321
    section 4.5.3.2.6: ten minutes), in seconds. `context` replaces the system's certificate store.
    """

    host: str = "localhost"
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
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
                do="Set smtp.security to starttls or tls",
            )
        if self.security == "none" and self.username:
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
        self._client = client
        self._server = server
        transport = cast("asyncio.WriteTransport", client.transport)
        transport.set_write_buffer_limits(high=0)  # `drain` then tells when the last octet has left this process
        self._writer = asyncio.StreamWriter(transport, self._protocol, None, asyncio.get_running_loop())
        self.taken = 0

    @property
    def usable(self) -> bool:
        """Whether another letter may be tried here."""
        return self._client.is_connected and self.taken < self._server.messages_per_connection

    async def deliver(self, message: Message, begin: Begin) -> Outcome:
        """One message to its one recipient; `begin` as in `newsletter.mail.Transport`."""
        self.taken += 1
        if _has_bare_line_end(message.data):
            return Outcome("refused", "mail", text="bare CR or LF in the message")
        refused = await self._envelope(message)
        if refused:
            return await self._back_out(refused)
        try:
            begun = await begin()
        except BaseException:
            await self._reset()
            raise
        if not begun:
            return await self._back_out(WITHDRAWN)
        return await self._text(message.data)

    async def quit(self) -> None:
        """Say goodbye for a few seconds at most, and close: the letters are safe whatever the answer."""
        try:
            await self._client.quit(timeout=min(_GOODBYE_SECONDS, self._server.timeout))
        except (aiosmtplib.SMTPException, OSError):
            pass
        finally:
            self._client.close()

    def close(self) -> None:
        """Close without a word."""
        self._client.close()

    async def _envelope(self, message: Message) -> Outcome | None:
        """MAIL and RCPT; None when both were accepted."""
        wide = smtputf8(message)
        if wide and not self._client.supports_extension("smtputf8"):
            return Outcome("refused", "mail", text="the server does not offer SMTPUTF8, which this address needs")
        try:
            sender, recipient = normal_address(message.sender), normal_address(message.recipient)
        except MessageError as error:  # it could break the command line
            return Outcome("refused", "mail", text=replies.plain_text(str(error)))
        options = [b"SIZE=%d" % len(message.data)] if self._client.supports_extension("size") else []
        options += [b"BODY=8BITMIME", b"SMTPUTF8"] if wide else []
        phase: Phase = "mail"
        try:
            reply = await self._client.execute_command(b"MAIL", f"FROM:<{sender}>".encode(), *options)
            if reply.code == _OK:
                phase = "rcpt"
                reply = await self._client.execute_command(b"RCPT", f"TO:<{recipient}>".encode())
        except (aiosmtplib.SMTPException, OSError) as error:
            return failure(phase, error)
        return None if phase == "rcpt" and reply.code in _TAKEN else replies.outcome(phase, reply.code, reply.message)

    async def _text(self, data: bytes) -> Outcome:
        """DATA, the text, the dot."""
        phase: Phase = "data"
        reply: asyncio.Task[aiosmtplib.SMTPResponse] | None = None
        try:
            ready = await self._client.execute_command(b"DATA")
            if ready.code != _START_INPUT:
                return await self._back_out(replies.outcome("data", ready.code, ready.message))
            _raise_if_cancelled()
            # listening starts before the text, so that a refusal in the midst of it is heard
            reply = asyncio.create_task(self._protocol.read_response(timeout=self._server.dot_timeout))
            self._write(_stuffed(data))
            await self._flushed(reply)
            if not reply.done():
                self._write(b".\r\n")
                phase = "dot"
            answer = await reply
        except (aiosmtplib.SMTPException, OSError) as error:
            self._client.close()
            return failure(phase, error)
        except BaseException:  # cancelled: the session is in the midst of a letter
            self._client.close()
            raise
        finally:
            if reply:
                reply.cancel()
        if phase == "data" or answer.code == _CLOSING:
            self._client.close()
        return replies.outcome(phase, answer.code, answer.message)

    async def _flushed(self, reply: asyncio.Task[aiosmtplib.SMTPResponse]) -> None:
        """Wait until the operating system has all that was written, or `reply` is there; raises TimeoutError."""
        if not self._writer.transport.get_write_buffer_size():
            return
        drained = asyncio.create_task(self._writer.drain())
        try:
            # RFC 5321 section 4.5.3.2.5: three minutes for a block of data
            done, _ = await asyncio.wait(
                {reply, drained}, timeout=3 * self._server.timeout, return_when="FIRST_COMPLETED"
            )
        finally:
            drained.cancel()
        if not done:
            raise TimeoutError("the server stopped reading the message")
        if drained in done:
            drained.exception()  # the same break ends `reply`, or the next write

    def _write(self, data: bytes) -> None:
        """Write, and know whether the operating system took it: a broken pipe shows at once."""
        self._protocol.write(data)
        if not self._client.is_connected:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")

    @property
    def _protocol(self) -> SMTPProtocol:
        if self._client.protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        return self._client.protocol

    async def _back_out(self, found: Outcome) -> Outcome:
        """Leave the session ready for the next letter, if the server is still there."""
        if found.code == _CLOSING:
            self._client.close()
        await self._reset()
        return found

    async def _reset(self) -> None:
        if self._client.is_connected:
            try:
                await self._client.rset()
            except (aiosmtplib.SMTPException, OSError):
                self._client.close()


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
        return Outcome("stop", "tls", text=f"no encryption with {where}: {cause.reason or cause}")
    if isinstance(error, aiosmtplib.SMTPNotSupported) or type(error) is aiosmtplib.SMTPException:
        # STARTTLS or AUTH is not offered, perhaps because someone on the way has taken it out: never go on without it
        return Outcome("stop", phase, text=f"{where}: {error.message}")
    return replies.no_answer(phase, f"{where}: {error}")


def _own_name() -> str:
    """The name to greet with: a full host name, else an address literal (RFC 5321 section 4.1.3); no DNS look-up."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def _raise_if_cancelled() -> None:
    """Python 3.11's `wait_for` loses a cancellation that meets the awaited reply; the letter must not go out then."""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


def _has_bare_line_end(data: bytes) -> bool:
    """Whether a server of loose habits could take a part of the message for its end (CVE-2023-51764)."""
    rest = data.replace(b"\r\n", b"")
    return b"\r" in rest or b"\n" in rest


def _stuffed(data: bytes) -> bytes:
    """`data` with every leading dot doubled (RFC 5321 section 4.5.2)."""
    data = data if data.endswith(b"\r\n") else data + b"\r\n"
    data = data.replace(b"\r\n.", b"\r\n..")
    return b"." + data if data.startswith(b".") else data
