"""What every room's tests share: where the real data lies, and a configuration of their own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real digests, payloads and suites beside the checkout; the test skips where they are not."""
    folder = ROOT.parent / "shared"
    if not (folder / "digests").is_dir():
        pytest.skip(f"no real data: {folder} is not there")
    return folder


Records = Mapping[tuple[str, str], list[str]]


@contextmanager
def _nameserver(records: Records) -> Iterator[str]:
    """A real DNS server on loopback (UDP) that knows `records` by (name, type); ``HOST:PORT`` of it."""
    import dns.message
    import dns.rcode
    import dns.rdatatype
    import dns.rrset

    def answer(query: bytes) -> bytes:
        asked = dns.message.from_wire(query)
        (question,) = asked.question
        reply = dns.message.make_response(asked)
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        if found := records.get((name, kind)):
            reply.answer = [dns.rrset.from_text(question.name, 60, "IN", kind, *found)]
        elif not any(known == name for known, _ in records):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]

        def serve() -> None:
            while (received := listening.recvfrom(4096))[0] != b"stop":
                listening.sendto(answer(received[0]), received[1])

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            listening.sendto(b"stop", ("127.0.0.1", port))
            thread.join()


@pytest.fixture(scope="session")
def nameserver():
    """Starts a DNS server with records: ``with nameserver({("example.org", "MX"): [...]}) as place:``."""
    return _nameserver
