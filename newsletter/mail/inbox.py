"""A real SMTP server on a free loopback port that keeps what it is given: the demo's inbox."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from newsletter.model import Message

_LARGEST = 32 * 2**20


@dataclass(slots=True)
class Inbox:
    """An open inbox: where it listens, and the messages so far, oldest first."""

    host: str
    port: int
    messages: list[Message] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        """Keep the message (aiosmtpd calls this from the server's thread)."""
        head, _, _ = envelope.content.partition(b"\r\n\r\n")
        ident = next((line[11:].strip() for line in head.split(b"\r\n") if line[:11].lower() == b"message-id:"), b"")
        name = ident.decode("ascii", "replace")
        self.messages += [Message(envelope.mail_from, to, name, envelope.content) for to in envelope.rcpt_tos]
        return "250 2.0.0 kept"


@contextmanager
def inbox(host: str = "127.0.0.1") -> Iterator[Inbox]:
    """An Inbox in a thread of its own until the block ends; for loopback, as it speaks neither TLS nor AUTH."""
    with socket.create_server((host, 0), backlog=100) as listening:
        box = Inbox(host, listening.getsockname()[1])
        loop = asyncio.new_event_loop()
        stop = asyncio.Event()
        thread = threading.Thread(target=_serve, args=(loop, listening, box, stop), name="inbox", daemon=True)
        thread.start()
        try:
            yield box
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()


def _serve(loop: asyncio.AbstractEventLoop, listening: socket.socket, box: Inbox, stop: asyncio.Event) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(_until(listening, box, stop))


async def _until(listening: socket.socket, box: Inbox, stop: asyncio.Event) -> None:
    from aiosmtpd.smtp import SMTP

    def session() -> asyncio.Protocol:
        protocol: asyncio.Protocol = SMTP(box, data_size_limit=_LARGEST, enable_SMTPUTF8=True, ident="newsletter inbox")
        return protocol

    server = await asyncio.get_running_loop().create_server(session, sock=listening)
    await stop.wait()
    server.close()
