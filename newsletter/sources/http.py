"""Polite HTTP: who we are, how often, how long, how much; what is worth another try, and what a failure means."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import stamina

from newsletter import __version__
from newsletter.errors import DigestError
from newsletter.sources.content import BYTES_MAX
from newsletter.sources.outward import ALLOWED, InwardError, Outward
from newsletter.text import tidy

ARXIV_INTERVAL = 3.0  # seconds: https://info.arxiv.org/help/api/tou.html
ATTEMPTS = 4
PATIENCE = 120.0  # seconds that one request may take with all its tries, and the longest Retry-After obeyed
ANSWER_TIME = 60.0  # seconds for one answer, however slowly it drips
_BUSY = {429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Limits:
    """The most of everything that one answer may take: bytes, seconds; `clock` is monotonic seconds."""

    size: int = BYTES_MAX
    seconds: float = ANSWER_TIME
    clock: Callable[[], float] = time.monotonic


class UnexpectedAnswerError(Exception):
    """An answer that is not what the service promises; `retryable` where another try may mend it."""

    def __init__(self, why: str, *, retryable: bool = False) -> None:
        super().__init__(why)
        self.retryable = retryable


@dataclass(slots=True)
class Pace:
    """An httpx request hook: at most one request every `interval` seconds to `host` and its subdomains."""

    host: str = "arxiv.org"
    interval: float = ARXIV_INTERVAL
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _next: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: httpx.Request) -> None:
        if request.url.host != self.host and not request.url.host.endswith(f".{self.host}"):
            return
        with self._lock:  # held while waiting: the next in line counts from this one's start
            if (wait := self._next - self.clock()) > 0:
                self.sleep(wait)
            self._next = self.clock() + self.interval


def open_client(
    *, contact: str = "", timeout: float = 30.0, transport: httpx.BaseTransport | None = None, pace: Pace | None = None
) -> httpx.Client:
    """A client with our name, timeouts in seconds, at most five redirects, public addresses only, and arXiv's pace;
    proxies as the environment says. contact: the address or page where the operator can be reached."""
    who = tidy(contact).encode("ascii", "ignore").decode()
    return httpx.Client(
        headers={"User-Agent": f"newsletter/{__version__}" + (f" (+{who})" if who else "")},
        timeout=timeout,
        follow_redirects=True,
        max_redirects=5,
        transport=transport or Outward(),
        event_hooks={"request": [pace or Pace()]},
    )


def get(
    client: httpx.Client,
    url: str,
    *,
    params: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    check: Callable[[bytes], None] | None = None,
    internal: Sequence[str] = (),
) -> bytes:
    """The body of a GET, tried again with backoff where that can help; raises DigestError in the end.

    check: raises UnexpectedAnswerError for a body that is not what the service promises. internal: hosts (``name`` or
    ``name:port``) that may be reached though they are not public.
    """
    within = limits or Limits()
    try:
        for attempt in stamina.retry_context(
            on=backoff, attempts=ATTEMPTS, timeout=PATIENCE, wait_initial=1.0, wait_max=30.0
        ):
            with attempt:
                body = _once(client, url, params, within, internal)
                if check:
                    check(body)
                return body
    except (httpx.HTTPError, httpx.InvalidURL, UnexpectedAnswerError) as error:
        why, do = explain(error)
        raise DigestError("cannot fetch", which=url, why=why, do=do) from error
    raise AssertionError("a retry either returns or raises")


def backoff(error: Exception) -> bool | float:
    """Try again? True with the usual backoff, a number of seconds where the server names it, False never.

    429 and 5xx and the transport's failures pass; everything else (404, a redirect loop, an answer too large) would
    only fail again. A Retry-After (RFC 9110, 10.2.3) beyond our patience is taken as no.
    """
    if isinstance(error, UnexpectedAnswerError):
        return error.retryable
    if isinstance(error, httpx.HTTPStatusError):
        if error.response.status_code not in _BUSY:
            return False
        wait = retry_after(error.response.headers.get("Retry-After", ""), datetime.now(UTC))
        return True if wait is None else wait <= PATIENCE and wait
    return isinstance(error, httpx.TransportError) and not isinstance(
        error, httpx.UnsupportedProtocol | httpx.LocalProtocolError
    )


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or as a date; None where it says nothing readable."""
    if value.isascii() and value.strip().isdigit():
        return float(value[:9])
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    return max(0.0, (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now.timestamp())


def explain(error: Exception) -> tuple[str, str]:
    """(why, what to do) for a person."""
    later, address = "Try again later", "Check the source's address"
    if isinstance(error, httpx.HTTPStatusError):
        status = error.response.status_code
        why = f"the server answered {status} {error.response.reason_phrase}".strip()
        return why, later if status in _BUSY else address
    if isinstance(error, UnexpectedAnswerError):
        return str(error), f"{later}, or look at the address in a browser"
    known: tuple[tuple[type[Exception], str, str], ...] = (
        (httpx.TooManyRedirects, "it redirects more than five times", address),
        (httpx.TimeoutException, "no answer in time", later),
        (InwardError, str(error), "If that machine is yours, name it in the source's `internal_hosts`"),
        (httpx.UnsupportedProtocol, "it leads to an address that is not http", address),
        (httpx.InvalidURL, "its address is not valid", address),
        (httpx.DecodingError, "the answer's compression is damaged", later),
    )
    for kind, why, do in known:
        if isinstance(error, kind):
            return why, do
    return f"no connection ({tidy(str(error)) or type(error).__name__})", f"Check the network. {address}"


def _once(
    client: httpx.Client, url: str, params: Mapping[str, str] | None, limits: Limits, internal: Sequence[str]
) -> bytes:
    began = limits.clock()
    body = bytearray()
    allowed = {ALLOWED: tuple(host.lower() for host in internal)}
    with client.stream("GET", url, params=dict(params) if params else None, extensions=allowed) as response:
        response.raise_for_status()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > limits.size:
                raise UnexpectedAnswerError(f"the answer is larger than {limits.size // 2**20} MiB")
            if limits.clock() - began > limits.seconds:
                raise UnexpectedAnswerError(f"the answer took longer than {limits.seconds:.0f} seconds")
    return bytes(body)
