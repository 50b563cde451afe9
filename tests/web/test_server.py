"""How the pages are served: addresses below a path, proxies, slow clients, the log, the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from contextlib import contextmanager

import pytest
import structlog
from fastapi import Request
from fastapi.testclient import TestClient

from newsletter.errors import NewsletterError
from newsletter.web import server
from newsletter.web.app import create_app
from newsletter.web.arrival import Peered, Rooted


@contextmanager
def running(site):
    """The production server on a free port of loopback; gives its port."""
    bound = server.listen("127.0.0.1", 0)
    ended: list[int] = []
    with server.serving(site.desk, bound, failed=lambda: ended.append(1)):
        yield bound.getsockname()[1]
    assert ended == []


def talk(port: int, data: bytes, *, wait: float = 10.0) -> bytes:
    """Everything that the server says to these bytes until it hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as connection:
        connection.sendall(data)
        said = b""
        while more := connection.recv(65536):
            said += more
        return said


def ended(connection: socket.socket) -> bool:
    """Whether the server closes the connection; where it waits instead, the socket's own patience ends the test."""
    with contextlib.suppress(ConnectionResetError):
        while connection.recv(65536):
            pass
    return True


GET = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


# ------------------------------------------------------------------ base_url with a path


@pytest.mark.parametrize("path", ["/papers/favicon.ico", "/favicon.ico"])
def test_below_a_path_pages_are_there_whether_the_proxy_strips_it_or_not(make_site, path):
    site = make_site(base="https://example.org/papers")
    client = TestClient(create_app(site.desk), base_url="https://example.org")
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("strips", [True, False])
def test_below_a_path_every_link_and_redirect_keeps_it(make_site, strips):
    site = make_site(base="https://example.org/papers")
    client = TestClient(create_app(site.desk), base_url="https://example.org", follow_redirects=False)
    root = "" if strips else "/papers"
    page = client.get(f"{root}/nothing")
    assert 'href="/papers/"' in page.text
    assert 'href="/papers/static/' in page.text
    assert client.get(f"{root}/admin").headers["location"] == "/papers/admin/login"
    cookie = client.get(f"{root}/admin/login").headers["set-cookie"]
    assert "Path=/papers/admin" in cookie


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        ("/papers", "/papers/"),
        ("/papers/", "/papers/"),
        ("/papers/editions", "/papers/editions"),
        ("/editions", "/papers/editions"),
        ("/", "/papers/"),
        ("/papersx", "/papers/papersx"),
        ("/papers/papers", "/papers/papers"),
    ],
)
def test_every_path_is_seen_below_the_prefix(asked, seen):
    scopes = []

    async def app(scope, _receive, _send):
        scopes.append(scope)

    asyncio.run(Rooted(app, prefix="/papers")({"type": "http", "path": asked}, None, None))
    assert [scope["path"] for scope in scopes] == [seen]


# ------------------------------------------------------------------ proxies


@pytest.mark.parametrize(
    ("peer", "forwarded", "seen"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "127.0.0.1, 203.0.113.9", "203.0.113.9"),  # what the client has forged stands first
        ("10.0.0.1", "203.0.113.9, 10.0.0.1", "203.0.113.9"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
    ],
)
def test_the_client_is_whom_a_trusted_proxy_names_and_nobody_else(make_site, peer, forwarded, seen):
    site = make_site(replace={"web: {}\n": "web: {proxies: [10.0.0.0/8]}\n"})
    app = create_app(site.desk)

    def who(request: Request) -> str:
        return request.client.host

    app.add_api_route("/whose", who)
    client = TestClient(app, base_url="https://papers.example.org", client=(peer, 4000))
    assert client.get("/whose", headers={"X-Forwarded-For": forwarded}).json() == seen


def test_a_proxys_login_header_from_elsewhere_is_taken_away():
    scopes = []

    async def app(scope, _receive, _send):
        scopes.append(scope)

    peered = Peered(app, proxies=["10.0.0.1"], login="X-Remote-User")
    headers = [(b"x-remote-user", b"eve"), (b"x-remote-user", b"ada"), (b"accept", b"*/*")]
    for peer in (("10.0.0.2", 1), None, ("unix", 0), ("::ffff:10.0.0.1", 1)):
        asyncio.run(peered({"type": "http", "client": peer, "headers": list(headers)}, None, None))
    assert [scope["headers"] for scope in scopes] == [headers[2:], headers[2:], headers[2:], headers]


# ------------------------------------------------------------------ the server


def test_it_does_not_say_what_it_is(site):
    with running(site) as port:
        assert b"\r\nserver:" not in talk(port, GET).lower()


@pytest.mark.parametrize("path", [b"/", b"/nothing", b"/health/live", b"/favicon.ico"])
def test_head_is_get_without_the_body(site, path):
    """RFC 9110, 9.3.2; monitors and mail scanners ask so."""
    with running(site) as port:
        got, head = (talk(port, GET.replace(b"GET /health/live", verb + b" " + path)) for verb in (b"GET", b"HEAD"))
    (got_head, _, body), (only_head, _, nothing) = got.partition(b"\r\n\r\n"), head.partition(b"\r\n\r\n")
    assert nothing == b""
    assert body
    lines = [[line for line in one.split(b"\r\n") if b"date:" not in line] for one in (got_head, only_head)]
    assert lines[0] == lines[1]


def test_a_port_in_use_is_one_sentence():
    with server.listen("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        with pytest.raises(NewsletterError, match=rf":{port}: Address already in use\. Stop"):
            server.listen("127.0.0.1", port)


def test_addresses_are_written_as_browsers_take_them():
    with server.listen("127.0.0.1", 0) as bound:
        assert server.address_of(bound) == f"http://127.0.0.1:{bound.getsockname()[1]}"
    with server.listen("::1", 0) as bound:
        assert server.address_of(bound) == f"http://[::1]:{bound.getsockname()[1]}"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
    ],
    ids=["silence", "half a head", "half a body"],
)
def test_a_slow_client_is_cut_off(site, monkeypatch, said):
    monkeypatch.setattr(server, "ARRIVAL", 0.5)
    with running(site) as port, socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(said)
        assert ended(connection)


def test_a_slow_second_request_is_cut_off_too(site, monkeypatch):
    monkeypatch.setattr(server, "ARRIVAL", 0.5)
    with running(site) as port, socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(GET.replace(b"Connection: close\r\n", b""))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET / HTTP/1.1\r\nHost:")
        assert ended(connection)


def test_a_client_that_drips_does_not_gain_time(site, monkeypatch):
    """The clock runs over the whole request, not from byte to byte."""
    monkeypatch.setattr(server, "ARRIVAL", 1.0)
    with running(site) as port, socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        with pytest.raises(OSError):  # noqa: PT012  until it is noticed
            for _ in range(300):
                connection.sendall(b"X")
                time.sleep(0.1)


def test_a_request_that_has_come_whole_has_all_the_time_to_be_answered(site, monkeypatch):
    monkeypatch.setattr(server, "ARRIVAL", 0.3)
    from newsletter.web import health

    monkeypatch.setattr(health, "_FRESH", -1)
    original = health.health
    monkeypatch.setattr(health, "health", lambda *a, **k: time.sleep(1.0) or original(*a, **k))
    with running(site) as port:
        assert b'"store":true' in talk(port, GET.replace(b"/live", b""))


def test_too_long_a_head_is_refused(site):
    with running(site) as port:
        assert talk(port, b"GET / HTTP/1.1\r\nX: " + b"x" * 60_000).startswith(b"HTTP/1.1 400 ")


def test_a_request_under_way_is_answered_before_the_end(site, monkeypatch):
    from newsletter.web import health

    began, original = threading.Event(), health.health
    monkeypatch.setattr(health, "health", lambda *a, **k: began.set() or time.sleep(1.0) or original(*a, **k))
    said = []
    with running(site) as port:
        asking = threading.Thread(target=lambda: said.append(talk(port, GET.replace(b"/live", b""))))
        asking.start()
        assert began.wait(5)
    asking.join(5)
    assert b'"store":true' in said[0]


def test_a_web_side_that_ends_by_itself_says_so(site):
    bound, ended = server.listen("127.0.0.1", 0), threading.Event()
    bound.close()  # nothing can be served on it
    with server.serving(site.desk, bound, failed=ended.set):
        assert ended.wait(10)


# ------------------------------------------------------------------ the log


def test_the_log_names_routes_and_never_addresses(site, capsys):
    """Addresses hold tokens; the line has method, route, status and milliseconds."""
    from newsletter.cli.app import set_up_log

    before = structlog.get_config()
    try:
        set_up_log(verbose=True, addresses=False)
        token = site.desk.sign("unsubscribe", "ada", "x" * 64)
        site.client.get(f"/u/{token}?secret=1")
        site.client.get(f"/nothing/{token}")
        site.client.head(f"/u/{token}")
    finally:
        structlog.configure(**before)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert [line["route"] for line in requests] == ["/u/{token}", "(no route)", "/u/{token}"]
    assert [line["method"] for line in requests] == ["GET", "GET", "HEAD"]
    assert {"method", "route", "status", "ms"} <= set(requests[0])
    assert token not in json.dumps(lines)
    assert "secret=1" not in json.dumps(lines)


def test_the_log_is_silent_without_verbose(site, capsys):
    from newsletter.cli.app import set_up_log

    before = structlog.get_config()
    try:
        set_up_log(verbose=False, addresses=False)
        site.client.get("/nothing")
    finally:
        structlog.configure(**before)
    assert capsys.readouterr().err == ""
