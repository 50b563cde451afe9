"""Fetches leave for public addresses alone: by name, by number, after a redirect, and when the DNS changes its mind."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import httpx
import pytest
import stamina

from newsletter.errors import DigestError
from newsletter.sources import SourceSpec, http
from newsletter.sources.outward import InwardError, Outward, is_inner_name, public, resolve


@pytest.fixture
def server():
    """A server on loopback: `seen` are the paths asked for with their Host; /to/URL redirects there."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.seen.append((self.headers["Host"], self.path))
            away = self.path.partition("/to/")[2]
            self.send_response(302 if away else 200)
            if away:
                self.send_header("Location", away)
            self.send_header("Content-Length", "0" if away else "2")
            self.end_headers()
            if not away:
                self.wfile.write(b"ok")

        def log_message(self, *_):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.seen = []
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture(autouse=True)
def _directly(monkeypatch):
    """No proxy of this machine's environment."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def fetch(url: str, *, internal=(), names=None) -> bytes:
    """The body, with production's client; `names` is what the DNS says."""
    known = names or {}

    def ask(host, port):
        return [ip_address(one) for one in known[host]] if host in known else resolve(host, port)

    with stamina.set_testing(True, attempts=1), http.open_client(transport=Outward(ask)) as client:
        return http.get(client, url, internal=internal)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
        "2002:c0a8:101::", "2001:0:0:0:0:0:80ff:fffe",
    ],
)  # fmt: skip
def test_private_loopback_link_local_metadata_and_wrapped_addresses_are_not_public(address):
    assert not public(ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700::6810:85e5", "64:ff9b::808:808"])
def test_addresses_of_the_internet_are_public(address):
    assert public(ip_address(address))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_this_machine_is_refused_in_every_spelling(server, host):
    with pytest.raises(DigestError, match="not a public address"):
        fetch(f"http://{host}:{server.server_port}/")
    assert server.seen == []


def test_a_name_that_leads_inside_is_refused_before_anything_is_sent(server):
    with pytest.raises(DigestError, match=r"leads to feeds\.example\.org \(127\.0\.0\.1\).*internal_hosts"):
        fetch(f"http://feeds.example.org:{server.server_port}/", names={"feeds.example.org": ["127.0.0.1"]})
    assert server.seen == []


def test_one_private_address_among_public_ones_is_enough_to_refuse(server):
    with pytest.raises(DigestError, match="not a public address"):
        fetch("http://feeds.example.org/", names={"feeds.example.org": ["93.184.216.34", "10.0.0.1"]})


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/meta-data/", "http://[::1]:{port}/", "http://localhost:{port}/"]
)
def test_a_redirect_inside_is_refused_after_every_step(server, target):
    """The feed itself may be fetched (it is named); where it leads may not."""
    port, names = server.server_port, {"feeds.example.org": ["127.0.0.1"]}
    inside = target.format(port=port)
    for url in (f"/to/{inside}", f"/to/http://feeds.example.org:{port}/to/{inside}"):
        with pytest.raises(DigestError, match="not a public address"):
            fetch(f"http://feeds.example.org:{port}{url}", internal=["feeds.example.org"], names=names)
    assert all(path.startswith("/to/") for _, path in server.seen)


def test_the_dns_cannot_change_its_mind_between_look_and_connection(server):
    """Rebinding: the name is asked for once in a request, and the connection goes to the address that was looked at."""
    asked = []

    def ask(host, port):
        asked.append(host)
        return [ip_address("127.0.0.1")] if len(asked) == 1 else [ip_address("10.255.255.1")]

    with stamina.set_testing(True, attempts=1), http.open_client(transport=Outward(ask)) as client:
        assert (
            http.get(client, f"http://feeds.example.org:{server.server_port}/", internal=["feeds.example.org"]) == b"ok"
        )
    assert asked == ["feeds.example.org"]
    assert server.seen == [(f"feeds.example.org:{server.server_port}", "/")]


def test_the_next_address_is_tried_where_the_first_does_not_answer(server):
    names = {"feeds.example.org": ["127.0.0.1", "::1", "127.0.0.1"]}
    names["feeds.example.org"].insert(0, "127.0.0.2")  # nobody listens there
    assert (
        fetch(f"http://feeds.example.org:{server.server_port}/", internal=["feeds.example.org"], names=names) == b"ok"
    )


def test_a_named_port_opens_no_other(server):
    with pytest.raises(DigestError, match="not a public address"):
        fetch(f"http://127.0.0.1:{server.server_port}/", internal=["127.0.0.1:1"])


@pytest.mark.parametrize(
    ("url", "inside"),
    [
        ("http://10.0.0.5:8080/feed", ("10.0.0.5:8080",)),
        ("http://localhost/feed", ("localhost:80",)),
        ("https://feeds.internal/", ("feeds.internal:443",)),
        ("http://[::1]:81/", ("::1:81",)),
        ("https://feeds.example.org/", ()),  # its DNS is its owner's: he may point it at us
        ("", ()),
    ],
)
def test_an_address_that_only_the_operator_can_have_meant_needs_no_setting(url, inside):
    assert SourceSpec("one", "huggingface", url=url).inside == inside


def test_a_source_of_this_machine_is_fetched_as_the_operator_wrote_it(server):
    spec = SourceSpec("one", "rss", url=f"http://127.0.0.1:{server.server_port}/feed")
    assert fetch(spec.url, internal=spec.inside) == b"ok"


@pytest.mark.parametrize("host", ["papers.example.org", "local.example.org", "x.local.com"])
def test_a_name_of_the_internet_is_no_inner_name(host):
    assert not is_inner_name(host)


def test_through_a_proxy_names_are_its_business_and_addresses_ours(monkeypatch, server):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
    assert fetch("http://feeds.example.org/x") == b"ok"
    assert server.seen == [("feeds.example.org", "http://feeds.example.org/x")]
    for host in ("169.254.169.254", "2852039166"):
        with pytest.raises(DigestError, match="not a public address"):
            fetch(f"http://{host}/latest")
    monkeypatch.setenv("no_proxy", "feeds.example.org")
    with pytest.raises(DigestError, match="not a public address"):
        fetch("http://feeds.example.org/x", names={"feeds.example.org": ["10.0.0.1"]})


def test_a_refusal_is_not_tried_again():
    error = InwardError("no")
    assert http.backoff(error) is False
    assert isinstance(error, httpx.TransportError)
