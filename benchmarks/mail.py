"""Letters a second through the mail room: MIME, DKIM and SMTP, beside what a Python sender would use otherwise.

    python benchmarks/mail.py build                 MIME and DKIM, microseconds a letter
    python benchmarks/mail.py smtp --port 2525      a running sink, e.g. Postfix's:  smtp-sink 127.0.0.1:2525 1000
    python benchmarks/mail.py smtp --inbox          our own inbox (aiosmtpd), in this process

One JSON object a line. Quote ratios of one run, never a bare rate.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from newsletter.mail.dkim import DkimSigner, load_signer
from newsletter.mail.inbox import inbox
from newsletter.mail.message import build, sender
from newsletter.mail.smtp import Server, SmtpTransport
from newsletter.model import Letter, Message

NOON = datetime(2025, 3, 13, 12, tzinfo=UTC)
LETTER = Letter(
    "daily/2025-03-13", date(2025, 3, 13), "ada", "ada@example.net", "Ada", "en", "Graphs – and more", "", (), ()
)
ORIGIN = sender("Papers <papers@example.org>", title="Trending papers", reply_to="editor@example.org")


class Page:
    """About what a letter of twelve papers weighs; `kilobytes` of HTML with a few letters beyond ASCII."""

    def __init__(self, kilobytes: int) -> None:
        paper = (
            '<tr><td style="padding:0 24px;font-size:16px;line-height:24px;color:#1f2328">'
            '<a href="https://example.org/p/2503.01234">Sparse attention – a study of what it costs</a><br>'
            "We measure the cost of sparse attention and find that it depends on the hardware.</td></tr>\n"
        )
        self.html = (
            "<!doctype html><html><body><table>\n"
            + paper * (kilobytes * 1000 // len(paper))
            + "</table></body></html>\n"
        )
        self.text = "Sparse attention – a study of what it costs\nhttps://example.org/p/2503.01234\n\n" * (
            kilobytes // 4
        )


def signer(folder: Path, kind: str) -> DkimSigner:
    key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ed25519.Ed25519PrivateKey.generate()
    path = folder / f"{kind}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return load_signer("example.org", [("s", path)])


def own(page: Page, number: int = 0, by: DkimSigner | None = None) -> Message:
    letter = replace(LETTER, subscriber=f"r{number}", email=f"r{number}@example.net")
    return build(letter, page, ORIGIN, unsubscribe=f"https://example.org/u/{number}", date=NOON, key=b"k", signer=by)


def standard(page: Page) -> bytes:
    """The same letter with the standard library."""
    message = EmailMessage(policy=SMTP_POLICY)
    fields = {
        "From": "Papers <papers@example.org>", "To": "Ada <ada@example.net>", "Subject": LETTER.subject,
        "Date": NOON, "Message-ID": "<x@example.org>", "List-Unsubscribe": "<https://example.org/u/1>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "Auto-Submitted": "auto-generated",
    }  # fmt: skip
    for name, value in fields.items():
        message[name] = value
    message.set_content(page.text)
    message.add_alternative(page.html, subtype="html")
    return message.as_bytes()


def microseconds(call: Callable[[], object], seconds: float = 1.0) -> float:
    """Processor time, the best of three runs of a third of `seconds` each: steady on a busy machine."""
    call()
    best = float("inf")
    for _ in range(3):
        start, times = time.process_time(), 0
        while time.process_time() - start < seconds / 3:
            call()
            times += 1
        best = min(best, (time.process_time() - start) / times)
    return round(best * 1e6, 1)


def bench_build(kilobytes: int) -> None:
    import dkim

    page = Page(kilobytes)
    with TemporaryDirectory() as folder:
        keys = {kind: signer(Path(folder), kind) for kind in ("rsa", "ed25519")}
        pem = (Path(folder) / "rsa.pem").read_bytes()
        data = standard(page)
        took = {
            "EmailMessage": microseconds(lambda: standard(page)),
            "EmailMessage + dkimpy (rsa)": microseconds(
                lambda: dkim.sign(standard(page), b"s", b"example.org", pem, canonicalize=(b"relaxed", b"relaxed"))
            ),
            "build": microseconds(lambda: own(page)),
            "build + sign (rsa)": microseconds(lambda: own(page, by=keys["rsa"])),
            "build + sign (ed25519)": microseconds(lambda: own(page, by=keys["ed25519"])),
        }
    print(
        json.dumps(
            {
                "html_bytes": len(page.html),
                "message_bytes": len(own(page).data),
                "standard_bytes": len(data),
                "us": took,
            }
        )
    )


async def _yes() -> bool:
    return True


async def send(messages: list[Message], host: str, port: int, connections: int) -> list[float]:
    """Deliver all; the seconds each took."""
    server = Server(host, port, "none", connections=connections, messages_per_connection=10**6, rate_per_second=0)
    waiting, took = iter(messages), []
    async with SmtpTransport(server) as transport:

        async def work() -> None:
            for message in waiting:
                start = time.perf_counter()
                outcome = await transport.deliver(message, begin=_yes)
                if outcome.kind != "accepted":
                    raise SystemExit(f"not accepted: {outcome}")
                took.append(time.perf_counter() - start)

        await asyncio.gather(*(work() for _ in range(connections)))
    return took


async def send_with_aiosmtplib(messages: list[Message], host: str, port: int, connections: int) -> list[float]:
    """The library's own `sendmail`, for comparison."""
    import aiosmtplib

    waiting, took = iter(messages), []

    async def work() -> None:
        async with aiosmtplib.SMTP(hostname=host, port=port, start_tls=False) as client:
            for message in waiting:
                start = time.perf_counter()
                await client.sendmail(message.sender, message.recipient, message.data)
                took.append(time.perf_counter() - start)

    await asyncio.gather(*(work() for _ in range(connections)))
    return took


def bench_smtp(host: str, port: int, letters: int, kilobytes: int, connections: int) -> None:
    page = Page(kilobytes)
    messages = [own(page, number) for number in range(letters)]
    for name, sending in (("aiosmtplib sendmail", send_with_aiosmtplib), ("SmtpTransport", send)):
        cpu, start = time.process_time(), time.perf_counter()
        took = sorted(asyncio.run(sending(messages, host, port, connections)))
        seconds = time.perf_counter() - start
        print(
            json.dumps(
                {
                    "sender": name,
                    "letters": letters,
                    "bytes": len(messages[0].data),
                    "connections": connections,
                    "per_second": round(letters / seconds, 1),
                    "cpu_us": round((time.process_time() - cpu) / letters * 1e6, 1),
                    "p99_ms": round(took[int(len(took) * 0.99)] * 1000, 2),
                    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                }
            )
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("build", "smtp"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2525)
    parser.add_argument("--inbox", action="store_true")
    parser.add_argument("--letters", type=int, default=4000)
    parser.add_argument("--kilobytes", type=int, default=40)
    parser.add_argument("--connections", type=int, default=10)
    given = parser.parse_args()
    if given.what == "build":
        bench_build(given.kilobytes)
    elif given.inbox:
        with inbox() as box:
            bench_smtp(box.host, box.port, given.letters, given.kilobytes, given.connections)
    else:
        bench_smtp(given.host, given.port, given.letters, given.kilobytes, given.connections)


if __name__ == "__main__":
    main()
