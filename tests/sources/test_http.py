"""Polite HTTP: pace, retries, caps, redirects, and what a failure says."""

from __future__ import annotations

import gzip
import itertools
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import stamina

from newsletter import __version__
from newsletter.errors import DigestError
from newsletter.sources import http


class Clock:
    """Time that only passes when someone sleeps or a step is told."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Drip(httpx.SyncByteStream):
    """A body that comes in pieces."""

    def __init__(self, pieces):
        self.pieces = pieces

    def __iter__(self):
        yield from self.pieces


def test_arxiv_gets_at_most_one_request_every_three_seconds():
    clock = Clock()
    pace = http.Pace(clock=clock, sleep=clock.sleep)
    starts = []
    for url in [
        "https://export.arxiv.org/a",
        "https://huggingface.co/a",
        "https://arxiv.org/b",
        "https://notarxiv.org/",
        "https://rss.arxiv.org/c",
    ]:
        pace(httpx.Request("GET", url))
        starts.append(clock.now)
        clock.now += 0.5
    assert starts == [100.0, 100.5, 103.0, 103.5, 106.0]
    assert clock.slept == [2.0, 2.0]


def test_the_pace_holds_between_threads():
    """Four threads at once, 0.05 seconds apart: the last starts 0.15 seconds after the first."""
    pace, starts = http.Pace(interval=0.05), []

    def one():
        pace(httpx.Request("GET", "https://export.arxiv.org/"))
        starts.append(time.monotonic())

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gaps = [after - before for before, after in itertools.pairwise(sorted(starts))]
    assert min(gaps) >= 0.045


def test_redirects_to_arxiv_keep_the_pace_too(no_waiting):
    clock = Clock()

    def answer(request):
        moved = request.url.path == "/old"
        return (
            httpx.Response(302, headers={"Location": "https://export.arxiv.org/new"})
            if moved
            else httpx.Response(200, text="ok")
        )

    with http.open_client(
        transport=httpx.MockTransport(answer), pace=http.Pace(clock=clock, sleep=clock.sleep)
    ) as client:
        assert http.get(client, "https://export.arxiv.org/old") == b"ok"
    assert clock.slept == [3.0]


def test_we_say_who_we_are_and_how_to_reach_us(client_for):
    seen = []
    client = client_for(lambda request: seen.append(request.headers["User-Agent"]) or httpx.Response(200))
    http.get(client, "https://x.org/")
    assert seen == [f"newsletter/{__version__} (+https://papers.example.org)"]


def test_a_contact_cannot_inject_a_header():
    with http.open_client(contact="a\r\nX-Evil: ü") as client:
        assert client.headers["User-Agent"] == f"newsletter/{__version__} (+a X-Evil: )"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(client_for, status):
    answers = iter([httpx.Response(status), httpx.Response(status), httpx.Response(200, text="ok")])
    assert http.get(client_for(lambda _: next(answers)), "https://x.org/") == b"ok"


def test_a_lost_connection_is_tried_again(client_for):
    tries = []

    def answer(request):
        tries.append(1)
        if len(tries) < 3:
            raise httpx.ReadTimeout("slow", request=request)
        return httpx.Response(200, text="ok")

    assert http.get(client_for(answer), "https://x.org/") == b"ok"


@pytest.mark.parametrize(
    ("answer", "tries", "why"),
    [
        (lambda _: httpx.Response(404), 1, "the server answered 404 Not Found"),
        (lambda _: httpx.Response(403), 1, "the server answered 403 Forbidden"),
        (lambda _: httpx.Response(503), 4, "the server answered 503 Service Unavailable"),
        (
            lambda _: httpx.Response(429, headers={"Retry-After": "3600"}),
            1,
            "the server answered 429 Too Many Requests",
        ),
        (lambda r: httpx.Response(302, headers={"Location": str(r.url)}), 6, "it redirects more than five times"),
        (lambda _: httpx.Response(200, stream=Drip([b"x" * 2**20] * 40)), 1, "the answer is larger than 32 MiB"),
        (
            lambda _: httpx.Response(
                200, headers={"Content-Encoding": "gzip"}, stream=Drip([gzip.compress(b"x" * 2**26)])
            ),
            1,
            "the answer is larger than 32 MiB",
        ),
        (
            lambda _: httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Drip([b"not gzip"])),
            1,
            "the answer's compression is damaged",
        ),
    ],
)
def test_what_cannot_be_had_is_one_clear_error_after_the_right_number_of_tries(client_for, answer, tries, why):
    asked = []
    client = client_for(lambda request: asked.append(request.url) or answer(request))
    with pytest.raises(DigestError) as caught:
        http.get(client, "https://x.org/feed")
    assert caught.value.why.startswith(why)
    assert caught.value.which == "https://x.org/feed"
    assert len(asked) == tries


def test_an_answer_that_drips_for_ever_is_cut_off(client_for):
    clock = Clock()

    def drip():
        while True:
            clock.now += 1
            yield b"x"

    client = client_for(lambda _: httpx.Response(200, stream=Drip(drip())))
    with pytest.raises(DigestError, match="longer than 60 seconds"):
        http.get(client, "https://x.org/", limits=http.Limits(clock=clock))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Thu, 13 Mar 2025 12:01:30 GMT", 90.0),
        ("Thu, 13 Mar 2025 11:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("-3", None),
        ("٣", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    assert http.retry_after(header, datetime(2025, 3, 13, 12, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("status", "header", "again"), [(429, "7", 7.0), (503, "", True), (429, "121", False), (404, "7", False)]
)
def test_whether_to_try_again(status, header, again):
    response = httpx.Response(
        status, headers={"Retry-After": header} if header else {}, request=httpx.Request("GET", "https://x.org")
    )
    assert http.backoff(httpx.HTTPStatusError("", request=response.request, response=response)) is again or again == 7.0
    assert http.backoff(httpx.HTTPStatusError("", request=response.request, response=response)) == again


@pytest.fixture
def serve():
    """A real server on loopback whose GETs the given function answers with (status, headers); gives its address."""
    servers = []

    def _serve(answer):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                status, headers = answer(self.path)
                self.send_response(status)
                for name, value in {"Content-Length": "2", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *args):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield _serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_real_server_that_asks_to_wait_a_second_is_given_a_second(serve):
    """Over a real socket, with stamina's own clock."""
    asked = []
    address = serve(
        lambda _: asked.append(time.monotonic()) or ((429, {"Retry-After": "1"}) if len(asked) == 1 else (200, {}))
    )
    with stamina.set_testing(False), http.open_client() as client:
        assert http.get(client, address, internal=["127.0.0.1"]) == b"ok"
    assert 1.0 <= asked[1] - asked[0] < 3.0


def test_a_redirect_never_leaves_http(serve, no_waiting):
    address = serve(lambda _: (302, {"Location": "file:///etc/passwd"}))
    with http.open_client() as client, pytest.raises(DigestError, match="it leads to an address that is not http"):
        http.get(client, address, internal=["127.0.0.1"])


def test_a_server_that_is_not_there_says_no_connection(no_waiting):
    with http.open_client() as client, pytest.raises(DigestError, match="no connection"):
        http.get(client, "http://127.0.0.1:9/", internal=["127.0.0.1"])
