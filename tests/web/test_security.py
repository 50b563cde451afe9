"""What holds on every page of the web side: headers, redirects, hosts, bodies, errors, escaping."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from jinja2 import Environment, FileSystemLoader, nodes

from newsletter.letter.templates import shipped
from newsletter.web.app import create_app
from newsletter.web.guard import BODY, POLICY

HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": {"no-referrer", "same-origin"},
    "x-content-type-options": "nosniff",
    "x-frame-options": {"DENY", "SAMEORIGIN"},
    "strict-transport-security": "max-age=31536000",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": {"same-origin", "cross-origin"},
}
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def routes(app) -> list[tuple[str, str]]:
    """Every (method, path) of the application, with values for what is in braces."""
    from newsletter.web.app import _ROOMS

    values = {"token": "a.b", "kind": "more", "paper": "arxiv:2405.19504", "text": "2025-05-27", "day": "2025-05-27",
              "name": "ada", "version": "x"}  # fmt: skip
    found = []

    def gather(router, above: str) -> None:
        for route in router.routes:
            if isinstance(route, APIRoute):
                path = re.sub(r"{(\w+)(?::\w+)?}", lambda m: values.get(m[1], "x"), above + route.path)
                found.extend((method, path) for method in sorted(route.methods))
            elif hasattr(route, "original_router"):
                gather(route.original_router, above)

    for room in _ROOMS:
        gather(room.router, "")
    return sorted(set(found))


@pytest.fixture(scope="module")
def paths() -> list[tuple[str, str]]:
    found = routes(None)
    assert len(found) > 30
    assert ("POST", "/admin/editions/2025-05-27/resend") in found
    return found


def guarded(answer) -> list[str]:
    """What is wrong with the headers of an answer."""
    wrong = []
    for name, wanted in HEADERS.items():
        said = answer.headers.get(name)
        if name == "content-security-policy":
            ok = said is not None and "default-src 'none'" in said and "unsafe-eval" not in said
            ok = ok and "script-src 'unsafe-inline'" not in said
        else:
            ok = said in wanted if isinstance(wanted, set) else said == wanted
        if not ok:
            wrong.append(f"{name}: {said}")
    return wrong


# ------------------------------------------------------------------ headers


def test_every_answer_of_every_route_is_guarded(site, paths):
    """Whatever the status: pages, redirects, refusals, what is not there, what is asked in the wrong way."""
    wrong = {}
    for method, path in [*paths, ("GET", "/nothing"), ("DELETE", "/"), ("PUT", "/u/a.b"), ("OPTIONS", "/search")]:
        answer = site.client.request(method, path)
        assert answer.status_code < 500, (method, path, answer.text[:300])
        if found := guarded(answer):
            wrong[method, path] = found
    assert wrong == {}


def test_what_nobody_expected_is_guarded_and_says_nothing_of_it(site):
    app = create_app(site.desk)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError(f"secret of {site.folder}")

    answer = TestClient(app, base_url="https://papers.example.org", raise_server_exceptions=False).get("/broken")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert str(site.folder) not in answer.text
    assert "RuntimeError" not in answer.text
    assert guarded(answer) == []


def test_without_https_there_is_no_hsts(make_site):
    site = make_site(base="http://localhost:8000")
    assert "strict-transport-security" not in site.client.get("/nothing").headers


def test_no_page_has_a_script_or_style_of_its_own_within(site, paths):
    """The policy forbids them; a page that has one does not work."""
    for method, path in paths:
        if method != "GET":
            continue
        text = site.client.get(path).text
        if "text/html" in site.client.get(path).headers.get("content-type", ""):
            assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), path
            assert not re.search(r"<script(?![^>]*(?:src=|application/ld))", text), path


# ------------------------------------------------------------------ redirects and hosts


@pytest.mark.parametrize(
    "next_", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_no_redirect_leads_elsewhere(site, paths, next_):
    """Whatever a link or form asks for: every redirect leads to a path of our own."""
    names = ("next", "url", "return", "redirect", "to", "from", "back", "referer")
    query = "&".join(f"{name}={next_}" for name in names)
    seen = 0
    for method, path in paths:
        answer = site.client.request(method, f"{path}?{query}", headers={"Referer": next_, "Origin": next_})
        if 300 <= answer.status_code < 400:
            seen += 1
            target = answer.headers["location"]
            assert target.startswith("/"), (path, target)
            assert not target.startswith(("//", "/\\")), (path, target)
            assert "evil" not in target, (path, target)
    assert seen > 5


@pytest.mark.parametrize("headers", [
    {"Host": "evil.example"},
    {"Host": "papers.example.org", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"},
    {"Host": "papers.example.org", "Forwarded": "host=evil.example"},
    {"Host": 'x"><script>'},
])  # fmt: skip
def test_links_come_from_base_url_and_never_from_the_request(site, paths, headers):
    for method, path in paths:
        if method == "GET":
            answer = site.client.get(path, headers=headers)
            assert "evil.example" not in answer.text, path
            assert "evil.example" not in str(answer.headers), path
            assert 'x"><script>' not in answer.text, path


# ------------------------------------------------------------------ bodies


@pytest.mark.parametrize("announced", [True, False])
def test_too_large_a_form_is_refused_everywhere(site, paths, announced):
    body = b"token=" + b"x" * (BODY + 1)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for method, path in paths:
        if method != "POST":
            continue
        content = body if announced else iter([body[:1000], body[1000:]])
        answer = site.client.post(path, content=content, headers=kind)
        # a page that looks at the token in its address first need not read what comes with it
        assert answer.status_code in ((413,) if announced else (303, 403, 404, 413, 422, 429)), (
            path,
            answer.status_code,
        )
        assert guarded(answer) == []


def test_a_form_that_lies_about_its_length_is_cut_off(site):
    body = b"password=" + b"x" * (BODY + 1)
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Transfer-Encoding": "chunked"}
    answer = site.client.post("/admin/login", content=iter([body]), headers=kind)
    assert answer.status_code == 413
    assert "That is too much" in answer.text


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{" * 10_000),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n'),
        ("multipart/form-data", b"nothing"),
        ("application/x-www-form-urlencoded", b"&" * 200_000),
        ("application/x-www-form-urlencoded", b"a=%ff%00&token=%00"),
        ("text/plain; charset=nonsense", b"\xff"),
    ],
)
def test_broken_bodies_are_the_senders_fault(site, paths, kind, body):
    for method, path in paths:
        if method == "POST":
            answer = site.client.post(path, content=body, headers={"Content-Type": kind})
            assert answer.status_code < 500, (path, answer.text[:300])


STRANGE = (
    "/%00", "/%ff", "/u/%2e%2e/%2e%2e/etc/passwd", "/" + "a" * 8000, "/editions/%F0%9F%92%A9", "/search?q=%00%ff",
    "/search?q=" + "a" * 8000, "/admin/editions/9999999-01-01", "/static/..%2f..%2fapp.py/style.css",
    "/themes/%27%3Bdrop",
)  # fmt: skip


@pytest.mark.parametrize("path", STRANGE)
def test_strange_addresses_break_nothing(site, path):
    answer = site.client.get(path)
    assert answer.status_code < 500
    assert "root:" not in answer.text


# ------------------------------------------------------------------ a store that fails


def test_a_failing_store_is_503_everywhere_without_a_path(make_site, paths):
    site = make_site()
    site.workspace.engine.dispose()
    (site.folder / "data" / "newsletter.db").write_bytes(b"torn" * 4096)
    for name in ("newsletter.db-wal", "newsletter.db-shm"):
        with suppress(FileNotFoundError):
            (site.folder / "data" / name).unlink()
    token = {purpose: site.desk.sign(purpose, "ada", site.desk.hash("ada@example.org")) for purpose in ("preferences",)}
    seen = 0
    for method, path in [*paths, ("GET", f"/p/{token['preferences']}/data")]:
        answer = site.client.request(method, path)
        seen += answer.status_code == 503
        assert answer.status_code != 500, (method, path, answer.text[:300])
        assert str(site.folder) not in answer.text, path
        assert "Traceback" not in answer.text
        assert guarded(answer) == []
    assert seen > 3


# ------------------------------------------------------------------ escaping


def templates() -> list[str]:
    return sorted(path.name for path in (shipped() / "web").glob("*.html"))


@pytest.mark.parametrize("name", templates())
def test_no_template_turns_escaping_off(name):
    source = (shipped() / "web" / name).read_text("utf-8")
    tree = Environment(autoescape=True).parse(source)
    assert list(tree.find_all(nodes.ScopedEvalContextModifier)) == []
    assert "autoescape" not in source
    filters = [one.name for one in tree.find_all(nodes.Filter)]
    assert not {"safe", "xmlattr"} & set(filters)
    # data for search engines: Jinja's tojson leaves no <, >, & and ' in it, and it is no script
    data = re.findall(r'<script type="application/ld\+json">{{ \w+\|tojson }}</script>', source)
    assert filters.count("tojson") == len(data)


def test_every_template_is_known_to_the_environment_that_escapes():
    from newsletter.web.pages import _environment

    assert _environment().autoescape is True
    loader = _environment().loader
    assert isinstance(loader, FileSystemLoader)
    assert [Path(one) for one in loader.searchpath] == [shipped() / "web"]


def test_hostile_papers_and_themes_stay_text_on_every_page(make_site, paths):
    """A source may send any title, label or keyword: nothing of it becomes markup anywhere."""
    site = make_site()
    quoted = json.dumps([EVIL])
    with site.workspace.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE papers SET title = ?, abstract = ?, authors = ?", (EVIL, EVIL, quoted))
        connection.exec_driver_sql("UPDATE themes SET label = ?, keywords = ?", (EVIL, quoted))
    found = 0
    for method, path in [*paths, ("GET", "/search?q=script"), ("GET", "/search?q=" + EVIL)]:
        if method == "GET":
            answer = site.client.get(path)
            if "html" in answer.headers.get("content-type", "") or "xml" in answer.headers.get("content-type", ""):
                found += "&lt;script&gt;" in answer.text
                assert "<script>alert" not in answer.text, path
                assert "<img src=x" not in answer.text, path
    assert found
